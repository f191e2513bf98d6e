"""Which facts belong to a finding: the measurement itself, then what lies behind it."""

from collections.abc import Iterator

from tasks.definition.checks import CueCheck
from tasks.explain.facts import (
    SMALLEST_USE,
    Fact,
    Sheet,
    above_zero,
    evidence_of,
    relations,
    shown,
    subset_parts,
)
from tasks.judge.credibility import cited
from tasks.schema import Evidence, Finding, Measurement, Report

SUPPORTING = 3
"""Facts of other checks that a failed finding is told with."""

COMPARED = {
    "demographic_parity_difference": ("selection_rate",),
    "demographic_parity_ratio": ("selection_rate",),
    "equal_opportunity_difference": ("true_positive_rate",),
    "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "predictive_parity_difference": ("positive_predictive_value",),
    "calibration_difference": ("expected_calibration_error",),
}
"""Measure of a gap between groups -> what it compares."""


def finding_sheet(report: Report, finding: Finding) -> Sheet:
    """The deciding measurement; for a failure also what attribution, cue and erasure say."""
    facts = [_decided(report, finding)]
    if finding.verdict == "fail" and finding.gate.check == "fairness":
        facts += list(_behind_a_gap(report, finding))[:SUPPORTING]
    elif finding.verdict == "fail" and finding.gate.check in ("localisation", "cue"):
        facts += list(_behind_a_swap(report, finding))[:SUPPORTING]
    elif finding.verdict == "inconclusive":
        facts += _lacking(finding)
    return Sheet(
        about=finding.id,
        facts=tuple(facts),
        verdict=finding.verdict,
        relations=relations(finding.gate, finding.deciding),
        favourable=report.spec.data.favourable,
    )


def _decided(report: Report, finding: Finding) -> Fact:
    gate, m = finding.gate, finding.deciding
    if m is None:
        reason = _why_nothing(report, finding)
        return Fact(
            id="gate",
            topic=gate.check,
            sentence="gate.nothing",
            quotes={"reason": reason} if reason else {},
            gate=gate,
            verdict=finding.verdict,
        )
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
        beside=_rates_beside(report, finding.subject, m),
        counts=counts,
        names=names | _swap_names(report, gate.check, finding.subject),
        gate=gate,
        verdict=finding.verdict,
        use_of=_use_of(m, report, finding.subject),
    )


def _why_nothing(report: Report, finding: Finding) -> str:
    for evidence in report.evidence:
        if evidence.check.kind == finding.gate.check and evidence.subject == finding.subject:
            return evidence.not_run or ""
    return ""


def _swap_names(report: Report, kind: str, subject: str) -> dict[str, str]:
    evidence = evidence_of(report, kind, subject)
    swap = getattr(evidence.check, "swap", None) if evidence else None
    return {} if swap is None else {"swapped": swap.column, "across": swap.across}


def _use_of(m: Measurement, report: Report, subject: str) -> frozenset[str]:
    """What the measurement shows to be used, if it shows any use."""
    if m.name not in ("erasure_effect", "swap_effect", "influence"):
        return frozenset()
    if not above_zero(m, SMALLEST_USE):
        return frozenset()
    kind = "localisation" if m.name == "swap_effect" else "cue"
    named = m.about.attribute if m.name == "erasure_effect" else m.about.field
    named = named or _swap_names(report, kind, subject).get("swapped")
    return frozenset([shown(named)]) if named else frozenset()


def _rates_beside(report: Report, subject: str, m: Measurement) -> dict[str, Measurement]:
    """Rates of the two groups that the measurement compares, when they were measured."""
    evidence = evidence_of(report, "fairness", subject)
    if evidence is None:
        return {}
    about = m.about
    if m.name == "adverse_impact_ratio":
        wanted = {"rate": about.group, "reference": about.reference}
        rates = _rates(evidence, "selection_rate", about.attribute)
        return {part: rates[g] for part, g in wanted.items() if g is not None and g in rates}
    names = COMPARED.get(m.name, ())
    by_name = [_rates(evidence, name, about.attribute) for name in names]
    widest = max(by_name, key=_spread, default={})
    if len(widest) < 2:
        return {}
    low, *_, high = sorted(widest.values(), key=lambda rate: rate.value)
    return {"lowest": low, "highest": high}


def _rates(evidence: Evidence, name: str, attribute: str | None) -> dict[str, Measurement]:
    return {
        m.about.group: m
        for m in evidence.named(name)
        if m.about.attribute == attribute and m.about.group is not None
    }


def _spread(rates: dict[str, Measurement]) -> float:
    values = [m.value for m in rates.values()]
    return max(values) - min(values) if values else 0.0


def _behind_a_gap(report: Report, finding: Finding) -> Iterator[Fact]:
    """Why a group fares worse, as far as other checks measured it."""
    m = finding.deciding
    if m is None or m.about.attribute is None:
        return
    attribute, group = m.about.attribute, m.about.group
    if group is None:
        lowest = _rates_beside(report, finding.subject, m).get("lowest")
        group = lowest.about.group if lowest else None
    yield from _share_facts(report, finding.subject, attribute, group)
    swaps = list(_cue_facts(report, finding.subject, attribute))
    yield from swaps or _swap_facts(report, finding.subject, attribute)
    yield from _probing_facts(report, finding.subject, attribute)


def _behind_a_swap(report: Report, finding: Finding) -> Iterator[Fact]:
    """What attribution and erasure say about the exchanged field and its attribute."""
    names = _swap_names(report, finding.gate.check, finding.subject)
    if not names:
        return
    if finding.gate.check == "localisation":
        yield from _share_facts(report, finding.subject, names["across"], None)
        yield from _cue_facts(report, finding.subject, names["across"])
    else:
        yield from _swap_facts(report, finding.subject, names["across"])
    yield from _probing_facts(report, finding.subject, names["across"])


def _share_facts(report: Report, subject: str, attribute: str, group: str | None) -> Iterator[Fact]:
    """Where the attribution falls on the refused texts of a group, if attribution earned trust."""
    evidence = evidence_of(report, "attribution", subject)
    if evidence is None or cited(evidence) is None:
        return
    shares = evidence.named("field_share")
    for_group = [m for m in shares if _refused(m, report, attribute, group)]
    for_all = [m for m in shares if m.about.subset in (None, "all")]
    chosen = sorted(for_group or for_all, key=lambda m: -m.value)
    if not chosen:
        return
    top, rest = chosen[0], chosen[1:]
    swapped = _swapped_columns(report)
    exchanged = next((m for m in rest if m.about.field in swapped), None)
    beside = {} if exchanged is None or top.about.field in swapped else {"exchanged": exchanged}
    ahead = all((top.low or 0.0) > (m.high or 1.0) for m in rest)
    sentence = "attribution.top_field" if ahead else "attribution.field_beside"
    yield Fact("words", "attribution", sentence, m=top, beside=beside)


def _refused(m: Measurement, report: Report, attribute: str, group: str | None) -> bool:
    parts = subset_parts(m.about.subset or "")
    good = (report.spec.data.favourable, "favourable")
    return (
        group is not None
        and parts is not None
        and (parts.attribute, parts.group) == (attribute, group)
        and parts.decided not in (None, "all", "errors", *good)
    )


def _swapped_columns(report: Report) -> set[str]:
    swaps = [getattr(e.check, "swap", None) for e in report.evidence]
    return {swap.column for swap in swaps if swap is not None}


def _cue_facts(report: Report, subject: str, attribute: str) -> Iterator[Fact]:
    """What exchanging a field does to the answer, and whether the reasoning says so."""
    for evidence in report.evidence:
        check = evidence.check
        if not isinstance(check, CueCheck) or evidence.not_run or check.swap is None:
            continue
        if check.swap.across != attribute:
            continue
        influence = next(iter(evidence.named("influence")), None)
        if influence is None or not above_zero(influence):
            continue
        found = evidence.named("disclosure")
        disclosure = {m.name: m for m in found if m.about.against is None}
        yield Fact(
            "exchange",
            "cue",
            "cue.exchange",
            m=influence,
            beside=disclosure,
            names={"swapped": check.swap.column, "across": attribute},
            other_subject=evidence.subject if evidence.subject != subject else None,
            use_of=_use_of(influence, report, evidence.subject),
        )


def _swap_facts(report: Report, subject: str, attribute: str) -> Iterator[Fact]:
    evidence = evidence_of(report, "localisation", subject)
    names = _swap_names(report, "localisation", subject)
    if evidence is None or names.get("across") != attribute:
        return
    effects = [m for m in evidence.named("swap_effect") if above_zero(m, SMALLEST_USE)]
    if effects:
        last = max(effects, key=lambda m: m.about.layer or 0)
        yield Fact(
            "swap",
            "localisation",
            "localisation.swap",
            m=last,
            names=names,
            use_of=_use_of(last, report, subject),
        )


def _probing_facts(report: Report, subject: str, attribute: str) -> Iterator[Fact]:
    """What erasing the attribute does; failing that, only that it can be read."""
    evidence = evidence_of(report, "probing", subject)
    if evidence is None:
        return
    about = [m for m in evidence.measurements if m.about.attribute == attribute]
    effects = [m for m in about if m.name == "erasure_effect"]
    moving = [m for m in effects if above_zero(m, SMALLEST_USE)]
    if moving:
        best = max(moving, key=lambda m: m.low or 0.0)
        parts = ("gap_before", "gap_after_erasure", "gap_after_random")
        same = [m for m in about if m.about == best.about and m.name in parts]
        yield Fact(
            "erasure",
            "probing",
            "probing.erasure",
            m=best,
            beside={m.name: m for m in same},
            counts={"layers": len(effects)} if len(effects) > 1 else {},
            use_of=_use_of(best, report, subject),
        )
        return
    readable = [m for m in about if m.name == "selectivity" and above_zero(m)]
    if readable:
        best = max(readable, key=lambda m: m.low or 0.0)
        sentence = "probing.readable_not_moved" if effects else "probing.readable"
        yield Fact("readable", "probing", sentence, m=best)


def _lacking(finding: Finding) -> list[Fact]:
    if finding.more_texts is None or finding.deciding is None:
        return []
    return [Fact("lacking", "gate", "gate.lacking", counts={"more": finding.more_texts})]
