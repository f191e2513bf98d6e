"""Erase a concept from hidden states, and a random subspace of equal rank as control."""

from typing import NamedTuple

import numpy as np
import torch
from concept_erasure import LeaceFitter
from numpy.typing import NDArray
from torch import Tensor

from tasks.measures.probing.probes import living
from tasks.measures.stats.random_streams import stream

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]

SMALLEST_VARIANCE = 1e-9  # a direction below this share of the largest is round-off


class Eraser(NamedTuple):
    """An affine map x -> x - left @ right @ (x - mean), stored as its rank-k parts."""

    left: Tensor
    """[d, k], float64."""
    right: Tensor
    """[k, d], float64."""
    mean: Tensor
    """[d], float64."""

    def __call__(self, x: Tensor) -> Tensor:
        """Erase from hidden states [..., d]; type and device stay as they are."""
        wide = x.double()
        left, right, mean = (part.to(x.device) for part in self)
        return (wide - (wide - mean) @ right.T @ left.T).to(x.dtype)

    @property
    def rank(self) -> int:
        """Dimensions that are removed."""
        return self.left.shape[1]


def leace(states: Floats, concept: Strings) -> Eraser:
    """The smallest change after which no linear probe reads the concept better than chance.

    Fitted in float64 (in float32 it is not exact on real states) and on one-hot labels
    (integers would be read as an order).

    Args:
        states: hidden states, [texts, d].
        concept: group of every text, [texts]; two groups or more.

    Returns:
        An eraser of rank (groups - 1); of rank 0 where the states do not vary.

    Raises:
        ValueError: fewer than two groups.

    Source: Belrose et al. 2023, LEACE, arXiv:2306.03819; package concept-erasure.
    """
    groups = np.unique(concept)
    if len(groups) < 2:
        raise ValueError(f"leace: two groups are needed, got {list(groups)}")
    if not living(states).any():
        return nothing(states)
    x = torch.from_numpy(np.ascontiguousarray(states, dtype=np.float64))
    z = torch.from_numpy((concept[:, None] == groups[None, :]).astype(np.float64))
    fitter = LeaceFitter(x.shape[1], z.shape[1], dtype=torch.float64, svd_tol=1e-9)
    fitter.update(x, (z - z.mean(0)) / z.std(0).clamp(min=1e-12))
    eraser = fitter.eraser
    keep = eraser.proj_left.norm(dim=0) * eraser.proj_right.norm(dim=1) > 1e-9
    return Eraser(eraser.proj_left[:, keep], eraser.proj_right[keep], x.mean(0))


def nothing(states: Floats) -> Eraser:
    """The eraser that changes nothing, where there is nothing to erase."""
    d = states.shape[1]
    return Eraser(
        torch.zeros(d, 0, dtype=torch.float64),
        torch.zeros(0, d, dtype=torch.float64),
        torch.from_numpy(states.mean(axis=0)),
    )


def random_eraser(states: Floats, rank: int, *, seed: int, among: Floats | None = None) -> Eraser:
    """Erases `rank` random directions of the states, drawn where they vary.

    The directions are uniform after whitening, as LEACE's own projection is orthogonal there;
    so both remove the same number of unit-variance directions.

    Args:
        states: hidden states that the eraser is fitted on, [texts, d].
        rank: how many directions, >= 0.
        seed: drawn from the definition's seed.
        among: states whose variation the directions are drawn in, `states` unless given. With the
            same seed and the same `among`, erasers fitted on different texts remove the same
            directions, as LEACE's do.
    """
    drawn_in = states if among is None else among
    if rank == 0 or not living(states).any() or not living(drawn_in).any():
        return nothing(states)
    _, scale, basis = np.linalg.svd(drawn_in - drawn_in.mean(axis=0), full_matrices=False)
    alive = scale**2 > SMALLEST_VARIANCE * scale[0] ** 2
    scale, basis = scale[alive], basis[alive]
    rng = stream(seed, "random subspace")
    directions, _ = np.linalg.qr(rng.normal(size=(len(scale), min(rank, len(scale)))))
    right = (directions.T / scale[None, :]) @ basis
    mean = states.mean(axis=0)
    component = (states - mean) @ right.T
    left = np.linalg.lstsq(component, states - mean, rcond=None)[0].T
    return Eraser(torch.from_numpy(left), torch.from_numpy(right), torch.from_numpy(mean))
