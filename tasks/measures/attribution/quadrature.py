"""Adaptive quadrature over the path from a baseline to a text.

The integral of the whole gradient over any panel of the path is known exactly: it is the gain of
the score there. So the error of every panel is known, and only panels where the score bends are
halved. Absolute errors are added up, so that errors of opposite sign do not cancel.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

SMALLEST_RANGE = 1e-2  # below this |f(x) - f(baseline)| a relative error means nothing
NARROWEST = 2.0**-18  # closer interpolation points are one point in float32
ROUNDING = 16  # rounding error of a score in last places; halving a panel does not reduce it


class Panel(NamedTuple):
    """A part of the path of one row."""

    row: int
    start: float
    width: float


class Part(NamedTuple):
    """The integral over one panel."""

    panel: Panel
    value: Tensor
    error: float
    """Size of the known error beyond rounding, >= 0; see `excess`."""


def excess(error: Tensor, score: Tensor, dtype: torch.dtype) -> float:
    """Size of the largest error that rounding of a score of this type does not explain."""
    return float((error.abs().max() - rounding(score, dtype)).clamp(min=0.0))


def rounding(score: Tensor, dtype: torch.dtype) -> float:
    """Size of the errors that rounding explains, for scores of this type."""
    return ROUNDING * torch.finfo(dtype).eps * max(1.0, float(score.abs().max()))


def integrate(
    measure: Callable[[list[Panel]], Sequence[Part]], allowed: Tensor, most: int
) -> list[list[Part]]:
    """Integrate over [0, 1] for many rows at once.

    Args:
        measure: integrates over panels; all rows' panels of one round together.
        allowed: error that every row may keep, the sum over its panels, [rows].
        most: panels per row, >= 2; a row with so many is not refined further.

    Returns:
        The panels of every row, which cover its path.
    """
    todo = [Panel(row, start, 0.5) for row in range(len(allowed)) for start in (0.0, 0.5)]
    panels: list[list[Part]] = [[] for _ in range(len(allowed))]
    while todo:
        for part in measure(todo):
            panels[part.panel.row].append(part)
        todo = []
        for row, parts in enumerate(panels):
            coarse, panels[row] = _split(parts, float(allowed[row]), most)
            todo += [half for part in coarse for half in _halves(part.panel)]
    return panels


def _split(parts: list[Part], allowed: float, most: int) -> tuple[list[Part], list[Part]]:
    """Panels to halve, and panels to keep: small errors that add up to half of what is allowed."""
    total = sum(part.error for part in parts)
    if total <= allowed or not math.isfinite(total):
        return [], parts
    parts = sorted(parts, key=lambda part: part.error)
    count, error = 0, parts[0].error
    while error <= allowed / 2:
        count += 1
        error += parts[count].error
    count = max(count, len(parts) - max(0, most - len(parts)))
    coarse = [part for part in parts[count:] if part.panel.width > NARROWEST]
    return coarse, parts[:count] + [p for p in parts[count:] if p.panel.width <= NARROWEST]


def _halves(panel: Panel) -> list[Panel]:
    half = panel.width / 2
    return [panel._replace(width=half), Panel(panel.row, panel.start + half, half)]
