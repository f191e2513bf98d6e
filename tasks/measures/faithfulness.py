"""Does an attribution point at the words that the decision hangs on?"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def comprehensiveness(full: Tensor, without: Tensor) -> Tensor:
    """How far the decision's probability falls when its top words are replaced.

    The drop `full - without`, averaged over the shares of words replaced. High is faithful to
    the decision; 0 means the words did not matter; negative means the subject was surer
    without them.

    Args:
        full: probability of the decision on the whole text, [texts], in [0, 1].
        without: the same once the top words are replaced, [shares, texts].

    Returns:
        Mean drop per text, [texts], in [-1, 1].

    Raises:
        ValueError: the two disagree on the number of texts.

    Source: DeYoung et al. 2020, ERASER, arXiv:1911.03429; the mean is over the given shares,
    the empty removal (drop 0) is not counted.
    """
    _same_texts(full, without, "comprehensiveness")
    return (full - without).mean(dim=0)


def sufficiency(full: Tensor, only: Tensor) -> Tensor:
    """How far the decision's probability falls when only its top words are kept.

    Low is good: the words suffice. Negative means the subject is surer of the decision on the
    words alone.

    Args:
        full: probability of the decision on the whole text, [texts], in [0, 1].
        only: the same once all but the top words are replaced, [shares, texts].

    Returns:
        Mean drop per text, [texts], in [-1, 1].

    Raises:
        ValueError: the two disagree on the number of texts.

    Source: DeYoung et al. 2020, ERASER, arXiv:1911.03429; see `comprehensiveness`.
    """
    _same_texts(full, only, "sufficiency")
    return (full - only).mean(dim=0)


def top(order: Sequence[int], share: float) -> list[int]:
    """The first `share` of `order`, at least one, rounded up."""
    return list(order[: max(1, math.ceil(share * len(order) - 1e-9))])


def by_attribution(values: Sequence[float]) -> list[int]:
    """Word positions from the strongest for the decision to the strongest against it."""
    return sorted(range(len(values)), key=lambda i: (-values[i], i))


def random_orders(n: int, draws: int, *, seed: int) -> list[NDArray[np.int64]]:
    """`draws` random orders of `n` words."""
    rng = np.random.default_rng(seed)
    return [rng.permutation(n) for _ in range(draws)]


def _same_texts(full: Tensor, changed: Tensor, name: str) -> None:
    if full.ndim != 1 or changed.ndim != 2 or changed.shape[1] != len(full):
        raise ValueError(
            f"{name}: expected [texts] and [shares, texts], "
            f"got {tuple(full.shape)} and {tuple(changed.shape)}"
        )
