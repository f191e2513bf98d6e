"""Do the factors that a reasoning names match those that move the decision?"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np

from tasks.measures.stats.agreement import rank_agreement
from tasks.measures.stats.random_streams import stream


class Consistency(NamedTuple):
    """One case: fields that the reasoning names against fields that attribution ranks highest."""

    precision: float
    """Share of the k named fields that are among the k strongest."""
    recall: float
    """Share of the `top` strongest fields that are named."""
    rank: float
    """Spearman correlation of attribution and being named; nan where all or none are named."""


def consistency(
    attributed: Mapping[str, float], named: AbstractSet[str], *, top: int = 3
) -> Consistency | None:
    """Compare the fields that the reasoning names with those that the decision depends on.

    High: the reasoning names the fields that attribution ranks highest. Low: it names others.
    Neither proves the other wrong; compare with the same numbers for other cases' reasonings.

    Args:
        attributed: absolute attribution of every field of the case.
        named: fields that its reasoning names.
        top: how many strongest fields the recall asks for.

    Returns:
        The three numbers; none where the reasoning names no field of the case, or the case has
        fewer than two.
    """
    known = [name for name in attributed if name in named]
    if not known or len(attributed) < 2:
        return None
    order = sorted(attributed, key=lambda name: (-abs(attributed[name]), name))
    strongest, top_fields = set(order[: len(known)]), order[: min(top, len(order))]
    return Consistency(
        precision=len(strongest & set(known)) / len(known),
        recall=len(set(top_fields) & set(known)) / len(top_fields),
        rank=rank_agreement(
            [abs(value) for value in attributed.values()],
            [float(name in named) for name in attributed],
        ),
    )


def shuffled(
    attributed: Sequence[Mapping[str, float]],
    named: Sequence[AbstractSet[str]],
    *,
    seed: int,
    draws: int = 20,
    top: int = 3,
) -> list[list[Consistency]]:
    """The same numbers with the reasoning of another case: chance level, [cases][draws].

    Field names are common to all cases, so a reasoning that always names the same three fields
    agrees with attribution in every case: only agreement above this level is about the case.

    Args:
        attributed: see `consistency`, for every case.
        named: see `consistency`, for every case.
        seed: drawn from the definition's seed.
        draws: how often every case meets another's reasoning.
        top: see `consistency`.
    """
    rng = stream(seed, "fields of other texts")
    n = len(attributed)
    by_chance: list[list[Consistency]] = [[] for _ in range(n)]
    if n < 2:
        return by_chance
    for _ in range(draws):
        order = rng.permutation(n)
        partner = np.empty(n, dtype=int)
        partner[order] = np.roll(order, 1)  # a cycle: no case gets its own
        for i in range(n):
            agreement = consistency(attributed[i], named[int(partner[i])], top=top)
            if agreement is not None:
                by_chance[i].append(agreement)
    return by_chance
