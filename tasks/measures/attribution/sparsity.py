"""How concentrated is an attribution on few units?"""

from collections.abc import Sequence

import numpy as np


def gini(values: Sequence[float]) -> float:
    """Gini index of the absolute attribution over the units of a text.

    0 is spread evenly, 1 - 1 / units is all on one unit. Neither is better: few units are easier
    to read, but a decision can depend on many.

    Args:
        values: attribution of every unit, [units]; the sign is ignored, the scale does not matter.

    Returns:
        Index in [0, 1 - 1 / units]; nan where all is zero, or there are no units.

    Source: Hurley and Rickard 2009, IEEE Trans. Information Theory 55:4723-4741; of attributions,
    Chalasani et al. 2020, arXiv:1810.06583.
    """
    strength = np.sort(np.abs(np.asarray(values, dtype=np.float64)))
    if not strength.any():
        return float("nan")
    n = len(strength)
    shares = strength / strength.max()  # sums of huge or tiny values stay finite
    weight = (n - np.arange(1, n + 1) + 0.5) / n
    return float(max(0.0, 1 - 2 * np.sum(shares * weight) / np.sum(shares)))
