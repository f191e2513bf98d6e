"""Integrated gradients, refined until the tolerance is reached.

A cubic spline through the gradients on the path is integrated. The integral of the gradients of
all tokens between two points is known exactly: it is the gain of the score there. So the error of
every gap is known, and only gaps where the score bends are halved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.interpolate import make_interp_spline
from torch import Tensor

from tasks.measures.attribution.inputs import Attribution, Inputs
from tasks.measures.attribution.quadrature import NARROWEST, SMALLEST_RANGE, rounding
from tasks.measures.model.passes import in_passes

START = 9
"""Points of every path to begin with, equally far apart; fewer miss whole bends."""
BY_SIZE = 5
"""The errors of single gaps, added up by size, may be this many times the tolerance. A spline's
errors alternate in sign, so they mostly cancel; the limit bounds errors that cancel by chance."""
KEPT = 0.9
"""Share of that limit that gaps which are not halved may use up."""

_Point = tuple[int, float]
"""A row, and a place on its path from 0, the baseline, to 1, the text."""


def integrated_gradients(
    inputs: Inputs, *, tolerance: float = 1e-3, max_evaluations: int = 1024
) -> Attribution:
    """Attribution of a score along the straight path from the baseline to the text.

    The value of a unit is the part of score - baseline score that is gained along its own
    embeddings: above 0 speaks for the target, in the unit of the score, any size. The values of a
    row add up to score - baseline score (completeness), up to `delta`. Points are added row by
    row, where the score bends; a fixed number of steps is wrong where the path crosses the class
    boundary.

    Args:
        inputs: rows to attribute the score of; it must be differentiable.
        tolerance: accepted error as a share of |score - baseline score|, of 0.01 at least.
        max_evaluations: evaluations after which a row is given up, >= 18.

    Returns:
        Attribution per unit, [rows, units]. A row that did not reach the tolerance keeps its last
        values, and its `delta` shows the error; a score that is NaN gives NaN.

    Raises:
        ValueError: tolerance or max_evaluations are out of range.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Sundararajan, Taly and Yan 2017, arXiv:1703.01365.
    """
    if tolerance <= 0 or max_evaluations < 2 * START:
        raise ValueError(
            f"integrated gradients: tolerance {tolerance} must be above 0 and "
            f"max_evaluations {max_evaluations} at least {2 * START}"
        )
    paths = [_Path(inputs.own.dtype) for _ in range(len(inputs))]
    todo = [(row, k / (START - 1)) for row in range(len(paths)) for k in range(START)]
    while todo:
        for (row, place), seen in zip(todo, _visit(inputs, todo), strict=True):
            paths[row].seen[place] = seen
        changed = dict.fromkeys(row for row, _ in todo)
        todo = [
            (row, place)
            for row in changed
            for place in paths[row].missing(tolerance, max_evaluations // 2)
        ]
    score = torch.stack([path.seen[1.0][0] for path in paths])
    baseline_score = torch.stack([path.seen[0.0][0] for path in paths])
    units = inputs.per_unit(torch.stack([path.gaps().sum(dim=0)[1:] for path in paths]))
    evaluations = torch.tensor([2 * len(path.seen) for path in paths])
    delta = units.sum(dim=1) - (score - baseline_score)
    return Attribution(units, score, baseline_score, delta, evaluations)


@dataclass
class _Path:
    """Gradients and scores on the path of one row."""

    dtype: torch.dtype
    """Of the embeddings."""
    seen: dict[float, Tensor] = field(default_factory=dict)
    """Place -> score and every token's gradient times distance, [1 + tokens]."""

    def gaps(self) -> Tensor:
        """Known error and every token's integral, for the gaps in order, [gaps, 1 + tokens]."""
        places = sorted(self.seen)
        seen = torch.stack([self.seen[place] for place in places])
        spline = make_interp_spline(places, seen[:, 1:].numpy(), k=3, check_finite=False)
        tokens = torch.from_numpy(np.diff(spline.antiderivative()(places), axis=0))
        error = tokens.sum(dim=1) - seen[:, 0].diff()
        return torch.cat([error.unsqueeze(1), tokens], dim=1)

    def missing(self, tolerance: float, most: int) -> list[float]:
        """Middles of the gaps to be halved; none if the row is done, or has `most` points."""
        error = self.gaps()[:, 0]
        slack = rounding(torch.stack([seen[0] for seen in self.seen.values()]), self.dtype)
        gain = float((self.seen[1.0][0] - self.seen[0.0][0]).abs())
        allowed = tolerance * max(gain, SMALLEST_RANGE)
        sizes, order = (error.abs() - slack).clamp(min=0.0).sort(descending=True)
        total = sizes.sum()
        exact = total <= BY_SIZE * allowed and error.sum().abs() - slack <= allowed
        if exact or not total.isfinite():
            return []
        # from the largest on, until the rest is small enough
        left = total - sizes.cumsum(dim=0)
        count = 1 + int((left > KEPT * BY_SIZE * allowed).sum())
        places = sorted(self.seen)
        worst = [(places[k], places[k + 1]) for k in order[:count].tolist()]
        middles = [(start + end) / 2 for start, end in worst if end - start > NARROWEST]
        return middles[: most - len(places)]


def _visit(inputs: Inputs, points: Sequence[_Point]) -> Tensor:
    """Score and every token's gradient times distance at points, [points, 1 + tokens], float64."""
    rows = torch.tensor([row for row, _ in points])
    places = torch.tensor([place for _, place in points], dtype=torch.float64)
    # rows of like length share a pass, so that little of it is padding
    order = (inputs.units >= 0).sum(dim=1)[rows].argsort()
    rows, places = rows[order], places[order]
    seen = in_passes(
        lambda part: _slopes(inputs, rows[part], places[part]), len(points), inputs.rows_per_pass
    )
    return seen[order.argsort()]


def _slopes(inputs: Inputs, rows: Tensor, places: Tensor) -> Tensor:
    indices = rows.to(inputs.own.device)
    own, neutral = inputs.own[indices], inputs.neutral[indices]
    with torch.enable_grad():
        between = torch.lerp(neutral, own, places.to(own)[:, None, None]).requires_grad_()
        score = inputs.read(between, rows)
        (gradient,) = torch.autograd.grad(score.sum(), between)
    slopes = gradient.mul_(own.sub_(neutral)).sum(dim=-1)
    return torch.cat([score.detach().unsqueeze(1), slopes], dim=1).double().cpu()
