"""How a section of the report shows the files beside it, and how to serve them."""

from tasks.report.blocks import Block, Code, Table
from tasks.schema import Evidence


def exported_files(evidence: Evidence, serve: str) -> list[Block]:
    """The exported files with their digests, and how to serve them.

    Args:
        evidence: what was exported.
        serve: code of a serving process; `{file}` stands for the file.
    """
    if not evidence.exports:
        return []
    return [
        Table(
            "Files beside this report",
            ("File", "What it holds", "sha256"),
            tuple((e.file, e.says, e.sha256) for e in evidence.exports),
        ),
        Code(serve.format(file=evidence.exports[0].file)),
    ]
