"""Tests that are made together are corrected together."""

from collections.abc import Collection, Sequence

from tasks.measures.stats.intervals import benjamini_hochberg
from tasks.schema import Measurement


def corrected(
    measurements: Sequence[Measurement], name: str | Collection[str], family: str
) -> list[Measurement]:
    """The same measurements; p of those so named after Benjamini-Hochberg over the family."""
    names = {name} if isinstance(name, str) else {*name}
    p = [m.p for m in measurements if m.name in names and m.p is not None]
    q = iter(benjamini_hochberg(p))
    return [
        m.model_copy(update={"q": next(q), "family": family})
        if m.name in names and m.p is not None
        else m
        for m in measurements
    ]
