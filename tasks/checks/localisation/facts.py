"""What localisation contributes to explanations: an exchanged field and the layer it moves."""

from collections.abc import Iterator

from tasks.definition.checks.localisation import LocalisationCheck
from tasks.explain.facts import SMALLEST_USE, Fact, above_zero, shown
from tasks.explain.offers import Behind, Offers
from tasks.schema import Evidence, Measurement


def names(check: LocalisationCheck) -> dict[str, str]:
    """The field that is exchanged, and across which groups."""
    swap = check.swap
    return {} if swap is None else {"swapped": swap.column, "across": swap.across}


def used(m: Measurement, _: LocalisationCheck) -> frozenset[str]:
    """The field, where exchanging it moves the decision."""
    if m.name != "swap_effect" or m.about.field is None or not above_zero(m, SMALLEST_USE):
        return frozenset()
    return frozenset([shown(m.about.field)])


def behind(about: Behind, evidence: Evidence, check: LocalisationCheck) -> Iterator[Fact]:
    """The latest layer at which exchanging a field of the attribute moves the decision."""
    if names(check).get("across") != about.attribute:
        return
    effects = [m for m in evidence.named("swap_effect") if above_zero(m, SMALLEST_USE)]
    if effects:
        last = max(effects, key=lambda m: m.about.layer or 0)
        yield Fact(
            "swap",
            check.kind,
            "localisation.swap",
            m=last,
            names=names(check),
            use_of=used(last, check),
        )


OFFERS: Offers[LocalisationCheck] = Offers(
    names=names, used=used, supported=True, role="what an exchange does", behind=behind
)
