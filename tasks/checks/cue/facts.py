"""What a cue check contributes to explanations: an exchanged field and the answers it moves."""

from collections.abc import Iterator

from tasks.definition.checks.cue import CueCheck
from tasks.explain.facts import SMALLEST_USE, Fact, above_zero, shown
from tasks.explain.offers import Behind, Offers
from tasks.schema import Evidence, Measurement


def names(check: CueCheck) -> dict[str, str]:
    """The field that is exchanged, and across which groups."""
    swap = check.swap
    return {} if swap is None else {"swapped": swap.column, "across": swap.across}


def used(m: Measurement, _: CueCheck) -> frozenset[str]:
    """The field, where exchanging it moves answers; a cue beside the text is no field."""
    if m.name != "influence" or m.about.field is None or not above_zero(m, SMALLEST_USE):
        return frozenset()
    return frozenset([shown(m.about.field)])


def behind(about: Behind, evidence: Evidence, check: CueCheck) -> Iterator[Fact]:
    """What exchanging a field does to the answer, and whether the reasoning says so."""
    if check.swap is None or check.swap.across != about.attribute:
        return
    of_field = [m for m in evidence.measurements if m.about.field == check.swap.column]
    influence = next((m for m in of_field if m.name == "influence"), None)
    if influence is None or not above_zero(influence):
        return
    disclosure = {
        m.name: m for m in of_field if m.name == "disclosure" and m.about.classifier is None
    }
    yield Fact(
        "exchange",
        check.kind,
        "cue.exchange",
        m=influence,
        beside=disclosure,
        names=names(check),
        other_subject=evidence.subject if evidence.subject != about.subject else None,
        use_of=used(influence, check),
    )


OFFERS: Offers[CueCheck] = Offers(
    names=names,
    used=used,
    supported=True,
    role="what an exchange does",
    first=True,
    elsewhere=True,
    behind=behind,
)
