"""The facts of a finding: the deciding measurement, then evidence of other checks."""

from collections.abc import Iterator, Sequence

from tasks.explain.facts import Fact, Sheet, evidence_of, noted, relations
from tasks.explain.offers import ROLES, Behind, OffersOf, Role
from tasks.schema import Evidence, Finding, Measurement, Report

SUPPORTING = 3
"""Facts of other checks that are added to a failed finding."""


def finding_sheet(report: Report, finding: Finding, offers_of: OffersOf) -> Sheet:
    """The deciding measurement; for a failure also facts of other kinds of check about it."""
    evidence = evidence_of(report, finding.gate.check, finding.subject)
    beside = _beside(finding, evidence, offers_of)
    facts = [_decided(report, finding, evidence, beside, offers_of)]
    if finding.verdict == "fail":
        facts += list(_behind(report, finding, evidence, beside, offers_of))[:SUPPORTING]
    elif finding.verdict == "inconclusive":
        facts += _lacking(finding)
    return Sheet(
        about=finding.id,
        facts=noted(facts, report),
        verdict=finding.verdict,
        relations=relations(finding.gate, finding.deciding),
        favourable=report.spec.data.favourable,
    )


def _beside(
    finding: Finding, evidence: Evidence | None, offers_of: OffersOf
) -> dict[str, Measurement]:
    if evidence is None or finding.deciding is None:
        return {}
    return dict(offers_of(finding.gate.check).beside(evidence, finding.deciding))


def _decided(
    report: Report,
    finding: Finding,
    evidence: Evidence | None,
    beside: dict[str, Measurement],
    offers_of: OffersOf,
) -> Fact:
    gate, m = finding.gate, finding.deciding
    if m is None:
        return _nothing(report, finding)
    offers = offers_of(gate.check)
    counts = {"measured": finding.measured} if finding.measured > 1 else {}
    if len(finding.beyond) > 1:
        counts["beyond"] = len(finding.beyond)
    names = {"subject": finding.subject} if len(report.spec.subjects) > 1 else {}
    if report.spec.data.favourable is not None:
        names["favourable"] = report.spec.data.favourable
    return Fact(
        id="measured",
        topic=gate.check,
        sentence=f"{gate.check}.{m.name}",
        m=m,
        beside=beside,
        counts=counts,
        names={**names, **(offers.names(evidence.check) if evidence else {})},
        gate=gate,
        verdict=finding.verdict,
        use_of=offers.used(m, evidence.check) if evidence else frozenset(),
    )


def _nothing(report: Report, finding: Finding) -> Fact:
    reason = next(
        (
            e.not_run or ""
            for e in report.evidence
            if (e.check.kind, e.subject) == (finding.gate.check, finding.subject)
        ),
        "",
    )
    return Fact(
        id="gate",
        topic=finding.gate.check,
        sentence="gate.nothing",
        quotes={"reason": reason} if reason else {},
        gate=finding.gate,
        verdict=finding.verdict,
    )


def _behind(
    report: Report,
    finding: Finding,
    evidence: Evidence | None,
    beside: dict[str, Measurement],
    offers_of: OffersOf,
) -> Iterator[Fact]:
    """Why a group fares worse, as far as other checks measured it."""
    own, m = offers_of(finding.gate.check), finding.deciding
    if evidence is None or m is None or not own.supported:
        return
    attribute = m.about.attribute or own.names(evidence.check).get("across")
    if attribute is None:
        return
    group = m.about.group or (beside["lowest"].about.group if "lowest" in beside else None)
    others = [e for e in report.evidence if e.check.kind != finding.gate.check]
    about = Behind(report, finding.subject, attribute, group, _exchanged(report, offers_of))
    for role in ROLES:
        yield from _in_role(role, about, others, offers_of)


def _exchanged(report: Report, offers_of: OffersOf) -> frozenset[str]:
    """Fields that any check exchanges."""
    named = (offers_of(e.check.kind).names(e.check) for e in report.evidence)
    return frozenset(names["swapped"] for names in named if "swapped" in names)


def _in_role(
    role: Role, about: Behind, others: Sequence[Evidence], offers_of: OffersOf
) -> list[Fact]:
    """The facts of the first kind that offers any in this role."""
    ready = [e for e in others if e.not_run is None and offers_of(e.check.kind).role == role]
    for evidence in sorted(ready, key=lambda e: not offers_of(e.check.kind).first):
        offers = offers_of(evidence.check.kind)
        if evidence.subject != about.subject and not offers.elsewhere:
            continue
        facts = list(offers.behind(about, evidence, evidence.check))
        if facts:
            return facts
    return []


def _lacking(finding: Finding) -> list[Fact]:
    if finding.more_texts is None or finding.deciding is None:
        return []
    return [Fact("lacking", "gate", "gate.lacking", counts={"more": finding.more_texts})]
