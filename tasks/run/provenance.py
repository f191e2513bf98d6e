"""What a repetition needs: data, weights, code and libraries by digest and version."""

import hashlib
import platform
from functools import cache
from pathlib import Path

from tasks.run.code import library_versions
from tasks.run.plan import Plan, group_sizes
from tasks.schema import DataProvenance, Provenance
from tasks.subjects.load import reader_of

SOURCES = ("flows", "tasks", "templates")


def provenance(plan: Plan) -> Provenance:
    """Everything that a repetition needs; subjects with weights are loaded and checked for it.

    Endpoints are not called here: their first call is the first that is needed.

    Raises:
        SubjectError: a subject cannot be read, or a text is too long where that is refused.
    """
    labels = [row.label for row in plan.data.rows if row.label]
    return Provenance(
        definition_sha256=plan.definition_sha256,
        code_sha256=code_digest(),
        versions={"python": platform.python_version(), **library_versions()},
        data=DataProvenance(
            path=plan.spec.data.path,
            revision=plan.spec.data.revision,
            sha256=plan.data.sha256,
            rows=len(plan.data.rows),
            rows_in_file=plan.data.rows_in_file,
            groups={a: group_sizes(plan, a) for a in plan.spec.data.groups},
            labels={label: labels.count(label) for label in sorted(set(labels))},
        ),
        subjects=tuple(
            reader_of(ref.spec).provenance(ref, plan.data) for ref in plan.subjects.values()
        ),
    )


@cache
def code_digest() -> str:
    """Digest over Assay's own code and templates."""
    top = Path(__file__).resolve().parents[2]
    files = [
        path
        for folder in SOURCES
        for path in (top / folder).rglob("*")
        if path.suffix in {".py", ".j2", ".css"}
    ]
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(path.relative_to(top).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()
