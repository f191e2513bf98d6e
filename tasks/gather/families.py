"""Tests that are made together are corrected together."""

from collections.abc import Sequence

from tasks.measures.stats import benjamini_hochberg
from tasks.schema import Measurement


def corrected(measurements: Sequence[Measurement], name: str, family: str) -> list[Measurement]:
    """The same measurements; those of that name with p after Benjamini-Hochberg over the family."""
    p = [m.p for m in measurements if m.name == name and m.p is not None]
    q = iter(benjamini_hochberg(p))
    return [
        m.model_copy(update={"q": next(q), "family": family})
        if m.name == name and m.p is not None
        else m
        for m in measurements
    ]
