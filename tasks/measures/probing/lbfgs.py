"""Minimise many convex problems of one shape together, each with its own steps."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

MEMORY = 6
WOLFE = 0.3  # a step ends where the slope has fallen to this share
TRIES = 12


class Objective(ABC):
    """Convex losses of linear scores; leading dimensions [layers, problems] throughout."""

    shape: tuple[int, ...]
    """Of a point, [layers, problems, ...]."""

    @abstractmethod
    def scores(self, at: Tensor) -> Tensor:
        """Linear in the point."""

    @abstractmethod
    def shares(self, scores: Tensor) -> Tensor:
        """Probabilities of the classes."""

    @abstractmethod
    def residual(self, shares: Tensor) -> Tensor:
        """Derivative of the loss by the scores."""

    @abstractmethod
    def curvature(self, shares: Tensor, along: Tensor) -> Tensor:
        """Second derivative of the loss along a change of the scores, [layers, problems]."""

    @abstractmethod
    def gradient(self, residual: Tensor, at: Tensor) -> Tensor:
        """By the point, penalty included."""

    @abstractmethod
    def penalised(self, at: Tensor) -> Tensor:
        """Gradient of the penalty."""

    @abstractmethod
    def precondition(self, gradient: Tensor, shares: Tensor) -> Tensor:
        """The gradient times an approximate inverse of the Hessian."""


class Minimum(NamedTuple):
    """Where the problems ended."""

    at: Tensor
    """[layers, problems, ...]."""
    gradient: Tensor
    """Largest entry of the gradient there, [layers, problems]."""


class _Pair(NamedTuple):
    step: Tensor
    change: Tensor
    curved: Tensor
    """1 / (step . change); 0 for a problem that did not move."""


def minimise(task: Objective, *, tolerance: float, steps: int) -> Minimum:
    """Preconditioned L-BFGS whose line search needs no further product with the states.

    Problems that have converged no longer move, so that none depends on its neighbours.

    Args:
        task: the problems; all start at 0.
        tolerance: a problem has converged when no entry of its gradient is larger.
        steps: at most so many.

    Source: Nocedal and Wright 2006, Numerical Optimization, algorithm 7.4.
    """
    at = torch.zeros(task.shape)
    scores = task.scores(at)
    shares = task.shares(scores)
    gradient = task.gradient(task.residual(shares), at)
    memory: list[_Pair] = []
    for _ in range(steps):
        active = _largest(gradient) > tolerance
        if not active.any():
            break
        direction = -_two_loops(task, gradient, shares, memory)
        direction *= _wide(active, direction)
        along = task.scores(direction)
        length, shares = _search(task, at, direction, scores, along)
        step = direction * _wide(length, direction)
        at, scores = at + step, scores + along * _wide(length, along)
        fresh = task.gradient(task.residual(shares), at)
        memory = [*memory[1 - MEMORY :], _pair(step, fresh - gradient)]
        gradient = fresh
    return Minimum(at, _largest(gradient))


def _two_loops(task: Objective, gradient: Tensor, shares: Tensor, memory: list[_Pair]) -> Tensor:
    remaining, weights = gradient, []
    for pair in reversed(memory):
        weights.append(pair.curved * _dot(pair.step, remaining))
        remaining = remaining - pair.change * _wide(weights[-1], remaining)
    direction = task.precondition(remaining, shares)
    for pair, weight in zip(memory, reversed(weights), strict=True):
        direction = direction + pair.step * _wide(
            weight - pair.curved * _dot(pair.change, direction), direction
        )
    return direction


def _search(
    task: Objective, at: Tensor, direction: Tensor, scores: Tensor, along: Tensor
) -> tuple[Tensor, Tensor]:
    """Length of every step, [layers, problems], and the shares there.

    Newton's method within a bracket finds where the slope is small enough; the slope rises, since
    the loss is convex.
    """
    stiff = task.penalised(direction)
    pull, bend = _dot(stiff, at), _dot(stiff, direction)
    length, low = torch.ones_like(pull), torch.zeros_like(pull)
    high = torch.full_like(pull, torch.inf)
    first = pull + _dot(task.residual(task.shares(scores)), along)
    for _ in range(TRIES):
        shares = task.shares(scores + along * _wide(length, along))
        slope = pull + length * bend + _dot(task.residual(shares), along)
        if bool((slope.abs() <= WOLFE * first.abs()).all()):
            break
        high = torch.where(slope > 0, length, high)
        low = torch.where(slope > 0, low, length)
        newton = length - slope / (bend + task.curvature(shares, along)).clamp(min=1e-20)
        outside = (newton <= low) | (newton >= high)
        middle = torch.where(high.isinf(), 2 * low, (low + high) / 2)
        tried = torch.where(outside, middle, newton)
        length = torch.where(slope.abs() <= WOLFE * first.abs(), length, tried)
    else:
        shares = task.shares(scores + along * _wide(length, along))
    return length, shares


def _pair(step: Tensor, change: Tensor) -> _Pair:
    product = _dot(step, change)
    return _Pair(step, change, torch.where(product > 0, 1 / product.clamp(min=1e-38), 0.0))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).flatten(2).sum(dim=-1)


def _largest(gradient: Tensor) -> Tensor:
    return gradient.abs().flatten(2).amax(dim=-1)


def _wide(values: Tensor, like: Tensor) -> Tensor:
    return values.view(*values.shape, *[1] * (like.ndim - 2)).to(like.dtype)
