"""How far an attribution can be believed, measured on the audited subject, text by text."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checks.attribution.payload import Replacement
from tasks.definition.target import Operator
from tasks.measures.attribution import faithfulness
from tasks.subjects.local.prepared_texts import Explained

Rankings = Mapping[str, Sequence[Sequence[int]]]
"""Name -> the rankings of that name, each a list of units from the first to go."""


class Top(NamedTuple):
    """The units that make up one share of one ranking of one text."""

    text: int
    name: str
    units: list[int]


def replacement(
    explained: Explained,
    rankings: Sequence[Rankings],
    shares: Sequence[float],
    operators: Sequence[Operator],
) -> list[list[Replacement]]:
    """Comprehensiveness and sufficiency of rankings of the units of texts.

    Args:
        explained: the texts.
        rankings: of every text; several rankings of one name are averaged.
        shares: shares of units taken out, or kept.
        operators: ways to take units out.

    Returns:
        For every text, what each name reaches by each operator.
    """
    tops = [
        Top(text, name, faithfulness.top(order, share))
        for text, named in enumerate(rankings)
        for name, orders in named.items()
        for order in orders
        for share in shares
    ]
    taken = torch.zeros(len(tops), explained.widest, dtype=torch.bool)
    for i, one in enumerate(tops):
        taken[i, one.units] = True
    everything = torch.ones(len(rankings), explained.widest, dtype=torch.bool)
    texts = torch.tensor([one.text for one in tops])
    of = torch.cat([texts, texts, torch.arange(len(rankings))])
    found: list[list[Replacement]] = [[] for _ in rankings]
    for operator in operators:
        scores = explained.values(of, torch.cat([~taken, taken, everything]), operator)
        probability = explained.scoring.probability(scores)
        without, only = probability[: len(tops)], probability[len(tops) : 2 * len(tops)]
        full = probability[2 * len(tops) :]
        for (text, name), places in _places(tops).items():
            whole = full[text : text + 1]
            fallen = faithfulness.comprehensiveness(whole, without[places].unsqueeze(1))
            left = faithfulness.sufficiency(whole, only[places].unsqueeze(1))
            found[text].append(
                Replacement(
                    ranking=name,
                    operator=operator,
                    comprehensiveness=float(fallen),
                    sufficiency=float(left),
                )
            )
    return found


def _places(tops: Sequence[Top]) -> dict[tuple[int, str], list[int]]:
    """Where the shares and rankings of every text and name stand."""
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    for i, one in enumerate(tops):
        found[one.text, one.name].append(i)
    return found


class Removals(NamedTuple):
    """Random sets of units taken out of one text, and how far the score fell."""

    removed: NDArray[np.bool_]
    """Which units were gone, [draws, units]."""
    fall: NDArray[np.float64]
    """Score of the whole text minus that of the rest, [draws]."""


def removals(explained: Explained, draws: int, seeds: Sequence[int]) -> list[Removals]:
    """Random sets of units of every text, taken out by neutral tokens.

    Args:
        explained: the texts.
        draws: sets per text.
        seeds: one per text.
    """
    sets = [
        faithfulness.removal_sets(len(units), draws, seed=seed)
        for units, seed in zip(explained.units, seeds, strict=True)
    ]
    present = torch.ones(sum(map(len, sets)) + len(sets), explained.widest, dtype=torch.bool)
    texts = torch.cat([torch.full((len(s),), i) for i, s in enumerate(sets)])
    start = 0
    for one in sets:
        present[start : start + len(one), : one.shape[1]] = torch.from_numpy(~one)
        start += len(one)
    scores = explained.values(torch.cat([texts, torch.arange(len(sets))]), present).numpy()
    full, parts = scores[start:], np.split(scores[:start], np.cumsum([len(s) for s in sets])[:-1])
    return [
        Removals(one, full[i] - part) for i, (one, part) in enumerate(zip(sets, parts, strict=True))
    ]
