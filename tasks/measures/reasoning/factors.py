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
    """Share of the named fields that are among as many of the strongest."""
    recall: float
    """Share of the `top` strongest fields that are named."""
    rank: float
    """Spearman correlation of attribution and being named; nan where all or none are named."""


def consistency(
    attributed: Mapping[str, float], named: AbstractSet[str], *, top: int = 3
) -> Consistency | None:
    """Held against each other: what the reasoning names and what the decision rests on.

    High: the reasoning names what attribution finds. Low: it names other things. Neither proves
    the other wrong; compare with the same numbers when the reasonings are those of other cases.

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
    strongest, wanted = set(order[: len(known)]), order[: min(top, len(order))]
    return Consistency(
        precision=len(strongest & set(known)) / len(known),
        recall=len(set(wanted) & set(known)) / len(wanted),
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
    """The same numbers when every case gets the reasoning of another: chance, [cases][draws].

    Field names are common to all cases, so a reasoning that always names the same three fields
    agrees with attribution as well here as there: only what lies above this tells of the case.

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
        partner[order] = np.roll(order, 1)  # a cycle: nobody meets their own
        for i in range(n):
            agreement = consistency(attributed[i], named[int(partner[i])], top=top)
            if agreement is not None:
                by_chance[i].append(agreement)
    return by_chance
