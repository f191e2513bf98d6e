"""What probes contribute to explanations: what erasing an attribute does, or that it is read."""

from collections.abc import Iterator

from tasks.definition.checks.probing import ProbingCheck
from tasks.explain.facts import SMALLEST_USE, Fact, above_zero, shown
from tasks.explain.offers import Behind, Offers
from tasks.schema import Evidence, Measurement


def used(m: Measurement, _: ProbingCheck) -> frozenset[str]:
    """The attribute, where erasing it narrows the gap."""
    if m.name != "erasure_effect" or not above_zero(m, SMALLEST_USE):
        return frozenset()
    return frozenset([shown(m.about.attribute)]) if m.about.attribute else frozenset()


def behind(about: Behind, evidence: Evidence, check: ProbingCheck) -> Iterator[Fact]:
    """What erasing the attribute does; failing that, only that it can be read."""
    of = [m for m in evidence.measurements if m.about.attribute == about.attribute]
    effects = [m for m in of if m.name == "erasure_effect"]
    moving = [m for m in effects if above_zero(m, SMALLEST_USE)]
    if moving:
        best = max(moving, key=lambda m: m.low or 0.0)
        parts = ("gap_before", "gap_after_erasure", "gap_after_random")
        same = [m for m in of if m.about == best.about and m.name in parts]
        yield Fact(
            "erasure",
            check.kind,
            "probing.erasure",
            m=best,
            beside={m.name: m for m in same},
            counts={"layers": len(effects)} if len(effects) > 1 else {},
            use_of=used(best, check),
        )
        return
    readable = [m for m in of if m.name == "selectivity" and above_zero(m)]
    if readable:
        best = max(readable, key=lambda m: m.low or 0.0)
        sentence = "probing.readable_not_moved" if effects else "probing.readable"
        yield Fact("readable", check.kind, sentence, m=best)


OFFERS: Offers[ProbingCheck] = Offers(used=used, role="what an erasure does", behind=behind)
