"""The cooperative game of the units for the score: coalitions of all rows in shared passes."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.measures.attribution.inputs import Attribution, Inputs

Coalitions = Callable[[int], NDArray[np.bool_]]
"""Number of units of a row -> the coalitions to play there, [k, units]."""


def play(
    inputs: Inputs, coalitions: Coalitions, *, rough: bool = False
) -> dict[int, tuple[Tensor, NDArray[np.float64]]]:
    """Scores of coalitions of every row, all rows in shared passes.

    Rows of as many units play the same coalitions, so that a row's result depends neither on
    what else is in the batch nor on where it stands.

    Args:
        inputs: rows to play.
        coalitions: which units are present, [k, units], for a row of that many units.
        rough: score with `inputs.rough`, if there is one.

    Returns:
        For every number of units: the rows that have it, [rows], and their scores, [rows, k].
        A row without units is played as one of a single unit.

    Raises:
        MemoryError, RuntimeError: memory runs out even for a single text.
    """
    game = replace(inputs, score=inputs.rough) if rough and inputs.rough else inputs
    counts = inputs.counts.cpu().clamp(min=1)
    width = int(counts.max())
    members = {n: torch.nonzero(counts == n).flatten() for n in sorted(set(counts.tolist()))}
    rows, present = [], []
    for n, of in members.items():
        played = torch.from_numpy(coalitions(n))
        padded = torch.nn.functional.pad(played, (0, width - n))
        rows.append(of.repeat_interleave(len(played)))
        present.append(padded.repeat(len(of), 1))
    everything = torch.cat(rows)
    none = torch.empty(0, dtype=torch.float64)
    scores = game.values(everything, torch.cat(present)) if len(everything) else none
    parts = torch.split(scores, [len(r) for r in rows])
    return {
        n: (of, part.view(len(of), len(part) // len(of)).numpy())
        for (n, of), part in zip(members.items(), parts, strict=True)
    }


def blank(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Attribution and evaluations of every row, to be filled in: [rows, units] and [rows]."""
    units = torch.zeros(len(inputs), max(1, int(inputs.counts.max())), dtype=torch.float64)
    return units, torch.zeros(len(inputs), dtype=torch.long)


def between(ends: tuple[Tensor, Tensor], units: Tensor, evaluations: Tensor) -> Attribution:
    """Attribution of a method that has already scored text and baseline."""
    score, baseline_score = ends
    delta = units.sum(dim=1) - (score - baseline_score)
    return Attribution(units, score, baseline_score, delta, evaluations)
