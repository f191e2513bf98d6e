"""Conductance: how much of the score's gain flows through each position of a layer."""

import numpy as np
import torch
from torch import Tensor, nn

from tasks.measures.attribution.inputs import Attribution, Inputs
from tasks.measures.attribution.quadrature import SMALLEST_RANGE, Panel, Part, excess, integrate
from tasks.measures.model.hooks import hidden_of, recorded
from tasks.measures.model.passes import in_passes

LOBATTO = (1 - np.array([1, np.sqrt(3 / 7), 0, -np.sqrt(3 / 7), -1])) / 2
"""Points of a panel: both ends, so that the gain is known, exact for polynomials of degree 7."""
WEIGHTS = torch.tensor([9, 49, 64, 49, 9], dtype=torch.float64) / 180
_POWERS = LOBATTO[:, None] ** np.arange(5)
_SLOPES = np.c_[np.zeros(5), _POWERS[:, :4] * np.arange(1, 5)]
SLOPE = torch.tensor(_SLOPES @ np.linalg.inv(_POWERS))
"""Values at the points -> derivatives at the points, for polynomials through all five."""


def layer_conductance(
    inputs: Inputs, layer: int, *, tolerance: float = 1e-3, max_evaluations: int = 2048
) -> Attribution:
    """Attribution of a score to the units' positions at the output of one block.

    Along the straight path from the baseline to the text, the gradient by the hidden states is
    integrated over the change of these states: above 0 speaks for the target, in the unit of the
    score, any size. All positions of a layer together add up to score - baseline score up to
    `delta`. Positions of no unit, such as the one the head reads, take a share that grows with
    depth, so the units alone do not add up. Panels are halved where the score bends.

    Args:
        inputs: rows to attribute the score of, with `blocks`; it must be differentiable.
        layer: 1 for the first block.
        tolerance: accepted error as a share of |score - baseline score|, of 0.01 at least.
        max_evaluations: evaluations after which a row is given up, >= 22.

    Returns:
        Attribution per unit, [rows, units]; `delta` counts all positions. A row that did not reach
        the tolerance keeps its last values, and its `delta` shows the error.

    Raises:
        ValueError: there is no such layer, or an option is out of range.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Dhamdhere, Sundararajan and Yan 2018, arXiv:1805.12233; by tokens as in Shrikumar, Su
    and Kundaje 2018, arXiv:1807.09946.
    """
    blocks = inputs.blocks or nn.ModuleList()
    _check(len(blocks), layer, tolerance, max_evaluations)
    score, baseline_score = inputs.ends()
    gain = score - baseline_score

    def measure(panels: list[Panel]) -> list[Part]:
        size = max(1, inputs.rows_per_pass // len(LOBATTO))
        seen = in_passes(lambda part: _over(inputs, blocks, panels[part], layer), len(panels), size)
        parts = []
        for panel, values in zip(panels, seen, strict=True):
            error = values[1:].sum() - values[0]
            level = torch.maximum(score[panel.row].abs(), baseline_score[panel.row].abs())
            parts.append(Part(panel, values[1:], excess(error, level, inputs.own.dtype)))
        return parts

    # two panels to begin with; each halving measures two more and leaves one more
    most = (max_evaluations - 2) // 20 + 1
    allowed = tolerance * gain.abs().clamp(min=SMALLEST_RANGE)
    panels_of_rows = integrate(measure, allowed, max(2, most))
    tokens = torch.stack(
        [torch.stack([part.value for part in parts]).sum(0) for parts in panels_of_rows]
    )
    evaluations = torch.tensor([10 * (2 * len(parts) - 2) + 2 for parts in panels_of_rows])
    delta = tokens.sum(dim=1) - gain
    return Attribution(inputs.per_unit(tokens), score, baseline_score, delta, evaluations)


def _check(depth: int, layer: int, tolerance: float, max_evaluations: int) -> None:
    if not 1 <= layer <= depth:
        raise ValueError(f"layer conductance: no layer {layer} in {depth} blocks")
    if tolerance <= 0 or max_evaluations < 22:
        raise ValueError(
            f"layer conductance: tolerance {tolerance} must be above 0 and "
            f"max_evaluations {max_evaluations} at least 22"
        )


def _over(inputs: Inputs, blocks: nn.ModuleList, panels: list[Panel], layer: int) -> Tensor:
    """Gain and every position's conductance over panels, [panels, 1 + tokens], float64."""
    points = len(LOBATTO)
    rows = torch.tensor([panel.row for panel in panels]).repeat_interleave(points)
    places = np.array([panel.start + panel.width * LOBATTO for panel in panels]).ravel()
    indices = rows.to(inputs.own.device)
    at = torch.as_tensor(places).to(inputs.own)[:, None, None]
    with torch.enable_grad(), recorded(blocks) as outputs:
        between = torch.lerp(inputs.neutral[indices], inputs.own[indices], at).requires_grad_()
        score = inputs.score(between, rows)
        state = hidden_of(outputs[layer - 1])
        (gradient,) = torch.autograd.grad(score.sum(), state)
    ends = score.detach().double().view(-1, points)
    gain = (ends[:, -1] - ends[:, 0]).unsqueeze(1)
    shape = (len(panels), points, *state.shape[1:])
    way = torch.einsum("jk,pktd->pjtd", SLOPE.to(state), state.detach().view(shape))
    along = (way * gradient.view(shape)).sum(dim=-1).double()
    return torch.cat([gain, torch.einsum("j,pjt->pt", WEIGHTS.to(along), along)], dim=1).cpu()
