"""What a repetition needs: data, weights, code and libraries by digest and version."""

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tasks.definition import LocalModel, OpenAISubject, PredictionsSubject, TranscriptsSubject
from tasks.errors import SubjectError
from tasks.run.code import library_versions
from tasks.run.plan import Plan, group_sizes
from tasks.schema import DataProvenance, Provenance, SubjectProvenance
from tasks.subjects.local.subject import Subject, load_subject

SOURCES = ("flows", "tasks", "templates")


def load_all(plan: Plan) -> dict[str, Subject]:
    """Load and check every subject with weights, before any work is begun.

    Endpoints are not asked anything here: their first call is the first that is needed.

    Raises:
        SubjectError: a subject cannot be read, or a text is too long where that is refused.
    """
    subjects = {
        name: load_subject(ref)
        for name, ref in plan.subjects.items()
        if isinstance(ref.spec, LocalModel)
    }
    for name, subject in subjects.items():
        long = _too_long(plan, subject)
        if long and subject.ref.spec.too_long == "reject":
            raise SubjectError(
                f"subject {name}: {len(long)} texts are longer than its window of "
                f"{subject.window} tokens, first: row {plan.data.rows[long[0]].id}; "
                "set too_long to truncate or window, or leave them out"
            )
    return subjects


def provenance(plan: Plan, subjects: Mapping[str, Subject]) -> Provenance:
    """Everything that a repetition needs."""
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
        subjects=tuple(_subject(plan, name, subjects) for name in plan.spec.subjects),
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


def _subject(plan: Plan, name: str, subjects: Mapping[str, Subject]) -> SubjectProvenance:
    spec = plan.spec.subjects[name]
    if isinstance(spec, PredictionsSubject):
        return SubjectProvenance(
            name=name,
            kind=spec.kind,
            path=f"column {spec.prediction}",
            sha256=plan.data.sha256,
            known_by="records",
            labels=plan.labels(name),
        )
    if isinstance(spec, TranscriptsSubject):
        return SubjectProvenance(
            name=name,
            kind=spec.kind,
            path=_shown_path(spec),
            sha256=plan.subjects[name].sha256,
            known_by="records",
            labels=plan.labels(name),
        )
    if isinstance(spec, OpenAISubject):
        return SubjectProvenance(
            name=name,
            kind=spec.kind,
            path=f"{spec.model} at {spec.base_url}",
            sha256=plan.subjects[name].sha256,
            known_by="address",
            labels=plan.labels(name),
        )
    subject = subjects[name]
    return SubjectProvenance(
        name=name,
        kind=spec.kind,
        path=_shown_path(spec),
        revision=spec.revision,
        sha256=subject.ref.sha256,
        architecture=type(subject.model).__name__,
        parameters=sum(p.numel() for p in subject.model.parameters()),
        layers=subject.layers,
        labels=subject.labels,
        window=subject.window,
        too_long=len(_too_long(plan, subject)),
    )


def _shown_path(spec: LocalModel | TranscriptsSubject) -> str:
    """The path as the definition has it; weights given at the start by their folder's name."""
    return Path(spec.path).name if Path(spec.path).is_absolute() else spec.path


def _too_long(plan: Plan, subject: Subject) -> list[int]:
    return subject.too_long([subject.render(text) for text in plan.data.texts])
