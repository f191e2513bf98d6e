"""What an attribution contributes to explanations: the field that most of it falls on."""

from collections.abc import Iterator

from tasks.definition.checks.attribution import AttributionCheck
from tasks.explain.facts import Fact
from tasks.explain.offers import Behind, Offers
from tasks.schema import Evidence, Measurement, Report


def behind(about: Behind, evidence: Evidence, check: AttributionCheck) -> Iterator[Fact]:
    """Where the attribution falls on the refused texts of a group, if a method may be cited."""
    if evidence.cited is None:
        return
    report = about.report
    shares = evidence.named("field_share")
    for_group = [m for m in shares if _refused(m, report, about.attribute, about.group)]
    for_all = [m for m in shares if m.about.subset is None]
    chosen = sorted(for_group or for_all, key=lambda m: -m.value)
    if not chosen:
        return
    top, rest = chosen[0], chosen[1:]
    exchanged = next((m for m in rest if m.about.field in about.exchanged), None)
    alone = exchanged is None or top.about.field in about.exchanged
    beside = {} if exchanged is None or alone else {"exchanged": exchanged}
    ahead = top.low is not None and all(m.high is not None and top.low > m.high for m in rest)
    sentence = "attribution.top_field" if ahead else "attribution.field_beside"
    yield Fact("words", check.kind, sentence, m=top, beside=beside)


def _refused(m: Measurement, report: Report, attribute: str, group: str | None) -> bool:
    subset = m.about.subset
    return (
        group is not None
        and subset is not None
        and (subset.attribute, subset.group) == (attribute, group)
        and subset.decided not in (None, report.spec.data.favourable)
    )


OFFERS: Offers[AttributionCheck] = Offers(role="where the model looks", behind=behind)
