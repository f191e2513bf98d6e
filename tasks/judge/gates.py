"""Judge measurements by gates: pass, fail, or inconclusive. Pure."""

import math

from tasks.definition import AuditSpec, Gate
from tasks.definition.subset import Subset
from tasks.judge.credibility import untrusted
from tasks.measures.stats.intervals import Interval, more_texts
from tasks.schema import About, Evidence, Finding, Measurement, Verdict

NARROWED_BY = tuple(name for name in Gate.model_fields if name in About.model_fields)
"""Parts of a measurement's scope that a gate may restrict."""
WORST_FIRST: tuple[Verdict, ...] = ("fail", "inconclusive", "pass")


def judge(spec: AuditSpec, evidence: tuple[Evidence, ...]) -> tuple[Finding, ...]:
    """Judge every measurement that a gate covers; one finding per gate and subject."""
    findings: list[Finding] = []
    for gate in spec.gates:
        for check_evidence in evidence:
            if check_evidence.check.kind == gate.check and gate.subject in (
                None,
                check_evidence.subject,
            ):
                findings.append(_finding(f"f{len(findings) + 1}", gate, check_evidence))
    return tuple(findings)


def verdict(gate: Gate, m: Measurement) -> Verdict:
    """Pass or fail when the whole interval is on one side of the line; else inconclusive.

    A measurement without an interval is inconclusive: its uncertainty is unknown.
    """
    if m.low is None or m.high is None:
        return "inconclusive"
    floor = -math.inf if gate.at_least is None else gate.at_least
    ceiling = math.inf if gate.at_most is None else gate.at_most
    if floor <= m.low and m.high <= ceiling:
        return "pass"
    return "fail" if m.high < floor or m.low > ceiling else "inconclusive"


def covers(gate: Gate, m: Measurement) -> bool:
    """Whether a gate is about a measurement."""
    about = m.about.model_copy(update={"subset": m.about.subset or Subset()})
    return m.name == gate.measure and all(
        getattr(gate, name) in (None, getattr(about, name)) for name in NARROWED_BY
    )


def _finding(name: str, gate: Gate, evidence: Evidence) -> Finding:
    if evidence.not_run is not None:
        return _undecided(name, gate, evidence, f"not run: {evidence.not_run}")
    covered = [m for m in evidence.measurements if covers(gate, m)]
    if not covered:
        return _undecided(name, gate, evidence, _nothing(gate, evidence))
    reached: dict[Measurement, Verdict] = {
        m: "inconclusive" if untrusted(m, evidence) else verdict(gate, m) for m in covered
    }
    ranked = sorted(covered, key=lambda m: (WORST_FIRST.index(reached[m]), -_beyond(gate, m)))
    deciding = ranked[0]
    doubt = untrusted(deciding, evidence)
    undecided = reached[deciding] == "inconclusive"
    return Finding(
        id=name,
        gate=gate,
        verdict=reached[deciding],
        subject=evidence.subject,
        deciding=deciding,
        measured=len(covered),
        beyond=tuple(m for m in ranked if reached[m] != "pass"),
        reason=doubt or (_reason(deciding) if undecided else ""),
        more_texts=_more(gate, deciding) if undecided and not doubt else None,
    )


def _undecided(name: str, gate: Gate, evidence: Evidence, reason: str) -> Finding:
    return Finding(
        id=name, gate=gate, verdict="inconclusive", subject=evidence.subject, reason=reason
    )


def _nothing(gate: Gate, evidence: Evidence) -> str:
    small = [s for s in evidence.too_small if gate.attribute in (None, s.attribute)]
    if small:
        groups = ", ".join(f"{s.attribute}: {s.group} ({s.n})" for s in small)
        return f"nothing measured; too small: {groups}"
    for name in (f"{gate.measure} by {gate.test or gate.method}", gate.measure):
        if name in evidence.withheld:
            return f"not stated: {evidence.withheld[name]}"
    return "nothing measured that the gate is about"


def _reason(m: Measurement) -> str:
    if m.low is None:
        return "no interval could be computed"
    return "the interval straddles the line"


def _beyond(gate: Gate, m: Measurement) -> float:
    """How far a measurement lies on the bad side; negative on the good side."""
    below = gate.at_least - m.value if gate.at_least is not None else -math.inf
    above = m.value - gate.at_most if gate.at_most is not None else -math.inf
    return max(below, above)


def _more(gate: Gate, m: Measurement) -> int | None:
    if m.low is None or m.high is None:
        return None
    lines = [x for x in (gate.at_least, gate.at_most) if x is not None and m.low <= x <= m.high]
    needed = [more_texts(Interval(m.value, m.low, m.high), x, m.n) for x in lines]
    known = [n for n in needed if n is not None]
    return max(known) if known and len(known) == len(needed) else None
