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
"""Name -> the rankings of that name, each a list of units, the first to be removed first."""


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
        For every text, comprehensiveness and sufficiency of each name by each operator.
    """
    tops = [
        Top(text, name, faithfulness.top(order, share))
        for text, named in enumerate(rankings)
        for name, orders in named.items()
        for order in orders
        for share in shares
    ]
    taken = torch.zeros(len(tops), explained.widest, dtype=torch.bool)
    for i, top in enumerate(tops):
        taken[i, top.units] = True
    all_units = torch.ones(len(rankings), explained.widest, dtype=torch.bool)
    texts = torch.tensor([top.text for top in tops])
    of = torch.cat([texts, texts, torch.arange(len(rankings))])
    replacements: list[list[Replacement]] = [[] for _ in rankings]
    for operator in operators:
        scores = explained.values(of, torch.cat([~taken, taken, all_units]), operator)
        probability = explained.scoring.probability(scores)
        without, only = probability[: len(tops)], probability[len(tops) : 2 * len(tops)]
        full = probability[2 * len(tops) :]
        for (text, name), places in _places(tops).items():
            whole = full[text : text + 1]
            fall = faithfulness.comprehensiveness(whole, without[places].unsqueeze(1))
            rest_fall = faithfulness.sufficiency(whole, only[places].unsqueeze(1))
            replacements[text].append(
                Replacement(
                    ranking=name,
                    operator=operator,
                    comprehensiveness=float(fall),
                    sufficiency=float(rest_fall),
                )
            )
    return replacements


def _places(tops: Sequence[Top]) -> dict[tuple[int, str], list[int]]:
    """Text and name -> positions of their shares and rankings in `tops`."""
    places: dict[tuple[int, str], list[int]] = defaultdict(list)
    for i, top in enumerate(tops):
        places[top.text, top.name].append(i)
    return places


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
    for removed in sets:
        present[start : start + len(removed), : removed.shape[1]] = torch.from_numpy(~removed)
        start += len(removed)
    scores = explained.values(torch.cat([texts, torch.arange(len(sets))]), present).numpy()
    full, parts = scores[start:], np.split(scores[:start], np.cumsum([len(s) for s in sets])[:-1])
    return [
        Removals(removed, full[i] - part)
        for i, (removed, part) in enumerate(zip(sets, parts, strict=True))
    ]
