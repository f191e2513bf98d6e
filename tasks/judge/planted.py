"""Compare a report with what was planted in its organism."""

from pathlib import Path

from tasks.errors import SpecError
from tasks.schema import Finding, Report
from tasks.schema.planted import Planted, PlantedVersion


def held_against_planted(report: Report, root: Path) -> dict[str, str] | None:
    """What was planted, and whether each stage of the audit detected exactly that.

    Args:
        report: the audit of an organism.
        root: folder that the path in `spec.planted` starts from.

    Returns:
        Heading -> sentence; none when the definition names nothing planted.

    Raises:
        SpecError: the record, or the version in it, does not exist.
    """
    named = report.spec.planted
    if named is None:
        return None
    planted = Planted.read(root / named.path)
    versions = {str(name): version for name, version in planted.versions.items()}
    if named.version not in versions:
        raise SpecError(
            f"planted: no version {named.version!r} in {named.path}; "
            f"there are: {', '.join(versions)}"
        )
    version = versions[named.version]
    sentences = {"Rule": f"{planted.rule.words}.", "Followed by this version": f"{version.rule}."}
    if version.proxy is not None:
        sentences["Planted"] = f"{version.proxy}: {', '.join(version.listed)}."
    else:
        sentences["Planted"] = "Nothing; every gate should pass."
    sentences |= {f"Expected {i}": f"{text}." for i, text in enumerate(version.expected, 1)}
    return sentences | _stages(report, planted, version)


def _stages(report: Report, planted: Planted, version: PlantedVersion) -> dict[str, str]:
    """Per check: did its gates on the planted proxy fail, and those on anything else pass?"""
    sentences = {}
    for kind in dict.fromkeys(f.gate.check for f in report.findings):
        findings = [f for f in report.findings if f.gate.check == kind]
        off = [f.verdict for f in findings if f.verdict != _expected(f, planted, version)]
        agrees = "as planted"
        if off:
            undecided = set(off) == {"inconclusive"}
            agrees = "as planted where it is decided" if undecided else "NOT as planted"
        verdicts = ", ".join(f"{_about(f)} {f.verdict}" for f in findings)
        sentences[f"Found by {kind}"] = f"{agrees}: {verdicts}."
    return sentences


def _about(finding: Finding) -> str:
    gate = finding.gate
    named = gate.attribute or gate.field
    return f"{gate.measure} ({named})" if named else gate.measure


def _expected(finding: Finding, planted: Planted, version: PlantedVersion) -> str:
    """The verdict the truth asks for.

    A planted proxy must fail every gate about the proxy itself or about the attribute it
    stands for, and must leave the gates about other attributes alone.
    """
    if version.proxy is None:
        return "pass"
    gate = finding.gate
    bent = {version.proxy, *(("origin",) if version.proxy in planted.bent_by_origin else ())}
    if gate.attribute is not None:
        return "fail" if gate.attribute in bent else "pass"
    if gate.field is not None:
        return "fail" if gate.field in bent else "pass"
    return "fail" if gate.measure == "accuracy" else "pass"
