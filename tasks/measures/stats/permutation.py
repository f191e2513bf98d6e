"""Is a gap between groups more than chance? Permutation tests that allow for the choice of groups.

Groups are permuted among texts, and a group that is selected by the data is selected anew in
every permutation. The smallest p is 1 / (permutations + 1).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tasks.errors import EvidenceError
from tasks.measures.stats.random_streams import stream

Floats = NDArray[np.float64]
Counts = Mapping[str, tuple[int, int]]
"""Group -> (texts that count, all texts)."""

PERMUTATIONS = 9999
AT_ONCE = 2_000_000  # differences held in memory


def equal_shares_p(*tables: Counts, seed: int, permutations: int = PERMUTATIONS) -> float:
    """P for equal shares in all groups, in one table or in several at once.

    The statistic is the largest difference between two groups over its standard error under
    equality, so that small groups do not drown large ones. Exact whatever the sizes, since the
    share over all groups is kept.

    Args:
        tables: (texts that count, all texts) per group; groups are exchanged within a table.
        seed: drawn from the definition's seed.
        permutations: how many.

    Returns:
        p in (0, 1]; 1 where no text counts, or all do.

    Raises:
        EvidenceError: no table, or a table without two groups.

    Source: Westfall and Young 1993, Resampling-Based Multiple Testing; Phipson and Smyth 2010,
    Stat. Appl. Genet. Mol. Biol. 9:39 (the observed table counts as one).
    """
    if not tables:
        raise EvidenceError("a test of equal shares needs a table, got none")
    rng = stream(seed, "permuted groups")
    largest = np.max([_behind(t, rng, permutations).max(axis=1) for t in tables], axis=0)
    return _at_least(largest, float(largest[0]))


def below_best_p(of: Counts, *, seed: int, permutations: int = PERMUTATIONS) -> dict[str, float]:
    """P of every group for a share not below that of any other group, jointly over the groups.

    The statistic is how far a group lies below the best of the others, in standard errors; the null
    distribution is that of the worst group in every permutation. So p allows for the selection of
    the worst group and of the group it is compared with. With two groups p is two-sided.

    Args:
        of: (texts that count, all texts) per group.
        seed: drawn from the definition's seed.
        permutations: how many.

    Returns:
        Group -> p in (0, 1], adjusted for the number of groups (single-step maximum).

    Raises:
        EvidenceError: fewer than two groups.

    Source: Westfall and Young 1993, Resampling-Based Multiple Testing, ch. 2.
    """
    rng = stream(seed, "permuted tables")
    behind = _behind(of, rng, permutations)
    worst = behind.max(axis=1)
    return {g: _at_least(worst, float(behind[0, i])) for i, g in enumerate(of)}


def _behind(of: Counts, rng: np.random.Generator, permutations: int) -> Floats:
    """Largest distance of every group behind another one, in standard errors under equality.

    Returns:
        [1 + permutations, groups], >= 0; the first is what was observed.
    """
    if len(of) < 2:
        raise EvidenceError(f"a gap needs two groups, got: {', '.join(of) or 'none'}")
    n = np.array([size for _, size in of.values()])
    observed = np.array([hits for hits, _ in of.values()])
    drawn = rng.multivariate_hypergeometric(
        n, int(observed.sum()), size=permutations, method="marginals"
    )
    share = np.vstack([observed, drawn]) / n
    pooled = observed.sum() / n.sum()
    error = np.sqrt(pooled * (1 - pooled) * (1 / n[:, None] + 1 / n[None, :]))
    if pooled in (0, 1):
        return np.zeros_like(share)
    step = max(1, AT_ONCE // len(n) ** 2)
    parts = [share[i : i + step] for i in range(0, len(share), step)]
    return np.concatenate([((x[:, None, :] - x[:, :, None]) / error).max(axis=2) for x in parts])


def _at_least(draws: Floats, observed: float) -> float:
    """Share of draws, the observed one among them, that are at least as large."""
    return float(np.mean(draws >= observed - 1e-9))


def beyond_control_p(effects: Floats, controls: Floats) -> Floats:
    """P of every effect against control draws, adjusted for the number of places.

    An effect is compared with the largest effect of each draw at any place: p is adjusted, and its
    minimum is 1 / (draws + 1) for any number of places. Effects are first standardised within their
    place, over draws and effect together, so that a place where every change has a large effect
    does not drown the others.

    Args:
        effects: one per place, the larger the stronger, [places].
        controls: the same of control draws, [places, draws]; a draw is one column.

    Returns:
        Adjusted p, [places], in (0, 1].

    Raises:
        EvidenceError: no draws, or the places disagree.

    Source: Westfall and Young 1993, Resampling-Based Multiple Testing, single-step max-T; Phipson
    and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39.
    """
    if controls.ndim != 2 or len(controls) != len(effects) or controls.shape[1] == 0:
        raise EvidenceError(
            f"controls of {len(effects)} places are needed, got shape {controls.shape}"
        )
    together = np.column_stack([effects, controls])
    scale = together.std(axis=1, keepdims=True)
    centred = together - together.mean(axis=1, keepdims=True)
    away = np.divide(centred, scale, out=np.zeros_like(centred), where=scale > 1e-12)
    largest = away[:, 1:].max(axis=0)
    above = (largest[None, :] >= away[:, :1] - 1e-9).sum(axis=1)
    return np.asarray((1 + above) / (1 + len(largest)))
