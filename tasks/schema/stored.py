"""Read the files of a finished audit."""

from pathlib import Path

from pydantic import BaseModel

from tasks.errors import SpecError
from tasks.schema.report import FORMAT, Report, RunRecord


class Stamp(BaseModel):
    """The one key of an evidence.json that all formats share."""

    format: int


def read_report(folder: Path) -> Report:
    """The evidence of a finished audit.

    Raises:
        SpecError: it is of another version of Assay, whose evidence has another meaning.
    """
    stranger = of_another_version(folder)
    if stranger:
        raise SpecError(f"{folder}: its evidence {stranger} and cannot be read; repeat that audit")
    return Report.model_validate_json(_text(folder / "evidence.json"))


def of_another_version(folder: Path) -> str:
    """The version of evidence that this one cannot read, in words; else empty."""
    format = Stamp.model_validate_json(_text(folder / "evidence.json")).format
    if format == FORMAT:
        return ""
    version = "an earlier" if format < FORMAT else "a later"
    return f"was left by {version} version of Assay (format {format}; this one reads {FORMAT})"


def read_run(folder: Path) -> RunRecord:
    """When and where a finished audit took place."""
    return RunRecord.model_validate_json(_text(folder / "run.json"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
