"""Loss of score when units are removed; needs no gradients."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.measures.attribution.game import between, blank, play
from tasks.measures.attribution.inputs import Attribution, Inputs


def leave_one_out(inputs: Inputs) -> Attribution:
    """Attribution of a score by removing one unit at a time.

    The value of a unit is the score with everything less the score without that unit: above 0
    speaks for the target, in the unit of the score, any size. Units that only matter together,
    or that replace each other, get wrong values, which `delta` shows; it is not meant to be 0.

    Args:
        inputs: rows to attribute the score of; no gradients are needed.

    Returns:
        Attribution per unit, [rows, units]; units + 2 evaluations a row.

    Raises:
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Li, Monroe and Jurafsky 2016, arXiv:1612.08220; captum `FeatureAblation`.
    """
    return sliding_window(inputs, width=1)


def sliding_window(inputs: Inputs, *, width: int = 3, stride: int = 1) -> Attribution:
    """Attribution of a score by removing neighbouring units together.

    The value of a unit is the mean, over the windows that hold it, of the score with everything
    less the score without the window: above 0 speaks for the target, in the unit of the score,
    any size. Finds phrases that `leave_one_out` misses; does not add up to the score.

    Args:
        inputs: rows to attribute the score of; no gradients are needed.
        width: units taken away together, >= 1; a shorter row is taken away whole.
        stride: units from one window to the next, 1 to `width`; the last may be shorter.

    Returns:
        Attribution per unit, [rows, units]; windows + 2 evaluations a row.

    Raises:
        ValueError: width or stride leave units out.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Zeiler and Fergus 2014, arXiv:1311.2901; captum `Occlusion`.
    """
    if not 1 <= stride <= width:
        raise ValueError(f"sliding window: stride {stride} does not fit width {width}")

    @lru_cache
    def windows(n: int) -> NDArray[np.bool_]:
        return _windows(n, width, stride)

    ends = score, baseline_score = inputs.ends()
    units, evaluations = blank(inputs)
    # a window over a whole row leaves the baseline, which has been scored
    for n, (rows, scores) in play(inputs, lambda n: ~windows(n)[: n if n > width else 0]).items():
        without = torch.from_numpy(scores) if n > width else baseline_score[rows, None]
        in_window = torch.from_numpy(windows(n)).double()
        units[rows, :n] = (score[rows, None] - without) @ in_window / in_window.sum(dim=0)
        evaluations[rows] = scores.shape[1] + 2
    return between(ends, units, evaluations)


def _windows(n: int, width: int, stride: int) -> NDArray[np.bool_]:
    """Which units every window holds, [windows, units]."""
    starts = np.arange(0, max(1, n - width + stride), stride)[:, None]
    place = np.arange(n)
    return (starts <= place) & (place < starts + width)
