"""Conductance: how much of the score's gain flows through each position of a layer."""

from collections.abc import Sequence

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

    See `layer_conductances`; only one layer is computed, 1 for the first block.

    Raises:
        ValueError: there is no such layer, or an option is out of range.
        MemoryError, RuntimeError: memory runs out even for a single text.
    """
    return _conductances(inputs, [layer], tolerance, max_evaluations)[0]


def layer_conductances(
    inputs: Inputs, *, tolerance: float = 1e-3, max_evaluations: int = 2048
) -> list[Attribution]:
    """Attribution of a score to the units' positions, at the output of every block.

    Along the straight path from the baseline to the text, the gradient by the hidden states is
    integrated over the way these go: above 0 speaks for the target, in the unit of the score, any
    size. At every layer all positions together add up to score - baseline score up to `delta`.
    Positions of no unit, such as the one the head reads, take their part, the more the deeper the
    layer, so the units alone do not add up. Panels are halved where the score bends, for all
    layers alike.

    Args:
        inputs: rows to attribute the score of, with `blocks`; it must be differentiable.
        tolerance: accepted error as a share of |score - baseline score|, of 0.01 at least.
        max_evaluations: evaluations after which a row is given up, >= 22.

    Returns:
        Attribution per unit, [rows, units], of every block in order; `delta` counts all positions.
        A row that did not reach the tolerance keeps what it has, and its `delta` says so.

    Raises:
        ValueError: the subject has no blocks, or an option is out of range.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Dhamdhere, Sundararajan and Yan 2018, arXiv:1805.12233; by tokens as in Shrikumar, Su
    and Kundaje 2018, arXiv:1807.09946.
    """
    layers = range(1, len(inputs.blocks or ()) + 1)
    return _conductances(inputs, layers, tolerance, max_evaluations)


def _conductances(
    inputs: Inputs, layers: Sequence[int], tolerance: float, max_evaluations: int
) -> list[Attribution]:
    blocks = inputs.blocks or nn.ModuleList()
    depth = len(blocks)
    if not layers or min(layers) < 1 or max(layers) > depth:
        raise ValueError(f"layer conductance: no layers {list(layers)} in {depth} blocks")
    if tolerance <= 0 or max_evaluations < 22:
        raise ValueError(
            f"layer conductance: tolerance {tolerance} must be above 0 and "
            f"max_evaluations {max_evaluations} at least 22"
        )
    score, baseline_score = inputs.ends()
    gain = score - baseline_score

    def measure(panels: list[Panel]) -> list[Part]:
        size = max(1, inputs.rows_per_pass // len(LOBATTO))
        seen = in_passes(
            lambda part: _over(inputs, blocks, panels[part], layers), len(panels), size
        )
        parts = []
        for panel, one in zip(panels, seen, strict=True):
            error = one[:, 1:].sum(dim=1) - one[:, 0]
            level = torch.maximum(score[panel.row].abs(), baseline_score[panel.row].abs())
            parts.append(Part(panel, one[:, 1:], excess(error, level, inputs.own.dtype)))
        return parts

    # two panels to begin with; each halving measures two more and leaves one more
    most = (max_evaluations - 2) // 20 + 1
    allowed = tolerance * gain.abs().clamp(min=SMALLEST_RANGE)
    found = integrate(measure, allowed, max(2, most))
    tokens = torch.stack([torch.stack([part.value for part in parts]).sum(0) for parts in found])
    spent = torch.tensor([10 * (2 * len(parts) - 2) + 2 for parts in found])
    return [
        Attribution(inputs.per_unit(one), score, baseline_score, one.sum(dim=1) - gain, spent)
        for one in tokens.unbind(dim=1)
    ]


def _over(
    inputs: Inputs, blocks: nn.ModuleList, panels: list[Panel], layers: Sequence[int]
) -> Tensor:
    """Gain and every position's conductance over panels, [panels, layers, 1 + tokens], float64."""
    points = len(LOBATTO)
    rows = torch.tensor([panel.row for panel in panels]).repeat_interleave(points)
    places = np.array([panel.start + panel.width * LOBATTO for panel in panels]).ravel()
    here = rows.to(inputs.own.device)
    at = torch.as_tensor(places).to(inputs.own)[:, None, None]
    with torch.enable_grad(), recorded(blocks) as outputs:
        between = torch.lerp(inputs.neutral[here], inputs.own[here], at).requires_grad_()
        score = inputs.score(between, rows)
        states = [hidden_of(outputs[layer - 1]) for layer in layers]
        gradients = torch.autograd.grad(score.sum(), states)
    ends = score.detach().double().view(-1, points)
    gain = (ends[:, -1] - ends[:, 0]).unsqueeze(1)
    found = []
    for state, gradient in zip(states, gradients, strict=True):
        shape = (len(panels), points, *state.shape[1:])
        way = torch.einsum("jk,pktd->pjtd", SLOPE.to(state), state.detach().view(shape))
        along = (way * gradient.view(shape)).sum(dim=-1).double()
        found.append(torch.cat([gain, torch.einsum("j,pjt->pt", WEIGHTS.to(along), along)], dim=1))
    return torch.stack(found, dim=1).cpu()
