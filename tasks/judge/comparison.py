"""This audit compared with an earlier one: what differs, and which gates changed."""

import hashlib
from pathlib import Path

from tasks.definition import HOW_REACHED, SubjectSpec
from tasks.judge.gates import covers
from tasks.schema import Change, Comparison, Finding, Measurement, Report
from tasks.schema.stored import of_another_version, read_report, read_run

WHAT = {"weights": "weights", "records": "records", "address": "address or parameters"}
"""`known_by` of a subject -> what has changed if its digest has."""


def newest(out: Path, audit: str) -> Path | None:
    """Folder of the newest finished report of an audit, if there is one."""
    folders = sorted(p.parent for p in (out / audit).glob("*/run.json"))
    return folders[-1] if folders else None


def compare(now: Report, folder: Path) -> Comparison:
    """Compare `now` with the finished audit in `folder`.

    Evidence in the format of another version of Assay is named and not compared, so that the new
    audit still has its report.
    """
    finished = read_run(folder).finished
    digest = hashlib.sha256((folder / "evidence.json").read_bytes()).hexdigest()
    stranger = of_another_version(folder)
    if stranger:
        return Comparison(
            baseline=folder.parent.name,
            finished=finished,
            evidence_sha256=digest,
            refused=f"its evidence {stranger}",
        )
    before = read_report(folder)
    return Comparison(
        baseline=before.spec.name,
        finished=finished,
        evidence_sha256=digest,
        same_data=before.provenance.data.sha256 == now.provenance.data.sha256,
        changed=tuple(_differences(before, now)),
        changes=tuple(c for f in now.findings if (c := _change(before, f)) is not None),
    )


def _differences(before: Report, now: Report) -> list[str]:
    differences = []
    if before.provenance.data.sha256 != now.provenance.data.sha256:
        differences.append("the data")
    earlier = {s.name: s.sha256 for s in before.provenance.subjects}
    for subject in now.provenance.subjects:
        if subject.name not in earlier:
            differences.append(f"subject {subject.name} is new")
        elif earlier[subject.name] != subject.sha256:
            differences.append(f"the {WHAT[subject.known_by]} of {subject.name}")
        elif subject.known_by == "address":
            differences.append(
                f"perhaps the weights behind {subject.name}: an endpoint does not tell"
            )
    differences += [f"subject {name} is gone" for name in earlier if name not in now.spec.subjects]
    for key in ("data", "checks", "gates", "seed"):
        if getattr(before.spec, key) != getattr(now.spec, key):
            differences.append(f"the definition's {key}")
    differences += [
        f"how subject {name} is read"
        for name, subject in now.spec.subjects.items()
        if name in before.spec.subjects
        and _reading(subject) != _reading(before.spec.subjects[name])
    ]
    if before.provenance.code_sha256 != now.provenance.code_sha256:
        differences.append("the code of Assay")
    differences += [
        f"{name} {before.provenance.versions.get(name, 'absent')} -> {version}"
        for name, version in now.provenance.versions.items()
        if before.provenance.versions.get(name) != version
    ]
    return differences


def _reading(subject: SubjectSpec) -> dict[str, object]:
    return subject.model_dump(exclude=set(HOW_REACHED))


def _change(before: Report, finding: Finding) -> Change | None:
    """The measurement that decides a finding, before and now."""
    after = finding.deciding
    if after is None:
        return None
    earlier = _same(before, finding, after)
    if earlier is None:
        return None
    known = [f for f in before.findings if f.gate == finding.gate and f.subject == finding.subject]
    return Change(
        check=finding.gate.check,
        measure=after.name,
        about=after.about.words(),
        before=earlier,
        after=after,
        verdict_before=known[0].verdict if known else None,
        verdict_after=finding.verdict,
        clear=_apart(earlier, after),
    )


def _same(before: Report, finding: Finding, after: Measurement) -> Measurement | None:
    """The earlier measurement about the same thing; reference groups may have moved."""
    candidates = [
        m
        for e in before.evidence
        if e.check.kind == finding.gate.check and e.subject == finding.subject
        for m in e.measurements
        if covers(finding.gate, m)
    ]
    for left_out in ({}, {"reference": None}, {"reference": None, "group": None}):
        scope = after.about.model_copy(update=left_out)
        same = [m for m in candidates if m.about.model_copy(update=left_out) == scope]
        if len(same) == 1:
            return same[0]
    return None


def _apart(a: Measurement, b: Measurement) -> bool:
    if None in (a.low, a.high, b.low, b.high):
        return False
    return bool(a.high < b.low or b.high < a.low)  # type: ignore[operator]
