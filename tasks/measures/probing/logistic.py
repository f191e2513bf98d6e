"""Many logistic regressions at once: layers, folds, attributes and controls in one optimisation.

The problems of a layer share its states, so that a step of all of them is two matrix products.
One eigendecomposition per layer approximates the curvature of all of them (the Hessian is a
weighted covariance): L-BFGS preconditioned with it needs some ten steps, whatever the strength of
the penalty and whichever texts are left out.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.errors import EvidenceError
from tasks.measures.probing.lbfgs import Objective, minimise

Floats = NDArray[np.floating]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

DEAD = 1e-6  # spread below this share of the largest values is round-off of float32 states
ENOUGH = 8  # texts per column that estimate the correlations well enough for preconditioning
CELLS = 1 << 23  # scores held at once, so that memory does not grow with the layers
STILL = 1e-5  # variance below this share of the mean square is round-off of a float32 sum


class Design(NamedTuple):
    """States prepared for any number of problems: centred, scaled, with principal directions."""

    x: Tensor
    """Columns centred and of variance 1, those that do not vary 0, [layers, texts, d], float32."""
    basis: Tensor
    """Eigenvectors of the correlations of the columns, of some texts, [layers, d, d]."""
    spectrum: Tensor
    """Their eigenvalues, >= 0, [layers, d]."""
    mean: Tensor
    """Mean that was subtracted from the states, [layers, 1, d]."""
    scale: Tensor
    """Factor by which they were then multiplied, [layers, 1, d]."""

    def layers(self, which: slice) -> "Design":
        """Some of the layers."""
        return Design(*(part[which] for part in self))

    def texts(self, which: Codes | slice) -> "Design":
        """Some of the texts, in this order; the principal directions are not computed anew."""
        rows = which if isinstance(which, slice) else torch.as_tensor(which)
        return self._replace(x=self.x[:, rows])


def design(states: Floats | Tensor) -> Design:
    """Prepare states for probes; see `Design`.

    Args:
        states: hidden states, [layers, texts, d].
    """
    x = torch.as_tensor(states)
    mean = x.mean(dim=1, keepdim=True)
    x = x - mean
    spread = torch.linalg.vector_norm(x, dim=1, keepdim=True) / x.shape[1] ** 0.5
    largest = (mean.abs() + spread).amax(dim=2, keepdim=True)
    scale = torch.where(spread > DEAD * largest, 1 / spread, 0.0)
    x = x.mul_(scale).float()
    sample = x[:, :: max(1, x.shape[1] // (ENOUGH * x.shape[2]))].contiguous()
    spectrum, basis = torch.linalg.eigh(sample.mT @ sample / sample.shape[1])
    return Design(x, basis, spectrum.clamp(min=0), mean, scale)


class Problems(NamedTuple):
    """What to fit on every layer of a design; [problems] unless another shape is given."""

    labels: Codes
    """Class of every text, 0 .. classes - 1, [problems, texts]; unused where not trained on."""
    trained: Mask
    """Which texts are trained on, [problems, texts]."""
    strength: Floats
    """Inverse strength of the penalty, scikit-learn's C, [problems] or [layers, problems], > 0."""
    classes: int
    """How many classes there are, the same for all problems."""
    balanced: bool
    """Whether classes weigh the same, whatever their size."""


class Readers(NamedTuple):
    """Fitted probes: an affine map per layer and problem."""

    weight: Tensor
    """For columns of `Design.x`, [layers, problems, columns, d]; one column for two classes."""
    bias: Tensor
    """[layers, problems, columns]."""
    gradient: Tensor
    """Largest entry of the gradient where the fit stopped, [layers, problems]."""

    def layers(self, which: slice) -> "Readers":
        """Those of some layers."""
        return Readers(*(part[which] for part in self))

    def problems(self, which: slice) -> "Readers":
        """Those of some problems."""
        return Readers(*(part[:, which] for part in self))

    def of_states(self, design: Design) -> "Readers":
        """The same probes for states before preparation, float64."""
        weight = self.weight.double() * design.scale.double().unsqueeze(1)
        shift = (weight * design.mean.double().unsqueeze(1)).sum(dim=-1)
        return self._replace(weight=weight, bias=self.bias.double() - shift)

    def scores(self, x: Tensor) -> Tensor:
        """Logits, [layers, problems, columns, texts], from [layers, texts, d]."""
        layers, problems, columns, d = self.weight.shape
        flat = self.weight.reshape(layers, problems * columns, d) @ x.mT
        return flat.view(layers, problems, columns, -1) + self.bias.unsqueeze(-1)

    def log_probabilities(self, x: Tensor) -> Tensor:
        """Natural logarithm of the probabilities, [layers, problems, classes, texts]."""
        return _two(self.scores(x)).log_softmax(dim=2)

    def read(self, x: Tensor) -> Codes:
        """Class read from every text, [layers, problems, texts]."""
        scores = self.scores(x)
        classes = scores[:, :, 0] > 0 if scores.shape[2] == 1 else scores.argmax(dim=2)
        return classes.cpu().numpy().astype(np.int64)


def fit(
    design: Design, problems: Problems, *, tolerance: float = 1e-4, steps: int = 200
) -> Readers:
    """Fit an L2-penalised multinomial logistic regression for every layer and problem.

    Each is scikit-learn's `StandardScaler`, fitted on the texts that are trained on, and
    `LogisticRegression` of the same C: two classes have one weight vector, more have one each;
    the intercept is free. The result of a problem does not depend on which others are fitted
    beside it, up to the rounding of float32.

    Args:
        design: the prepared states.
        problems: what to fit.
        tolerance: stop where no entry of the gradient of the mean loss is larger, scikit-learn's
            `tol`.
        steps: at most so many; a mean loss that falls no further ends a problem before.

    Raises:
        EvidenceError: a problem has no text to train on.
    """
    strength = np.broadcast_to(problems.strength, (len(design.x), len(problems.labels)))
    at_once = max(1, CELLS // (problems.labels.size * problems.classes))
    parts = []
    for start in range(0, len(design.x), at_once):
        layers = slice(start, start + at_once)
        task = _Logistic(design.layers(layers), problems._replace(strength=strength[layers]))
        minimum = minimise(task, tolerance=tolerance, steps=steps)
        raw = minimum.at[..., :-1] * task.inverse.unsqueeze(2)
        bias = minimum.at[..., -1] - (raw * task.mean.unsqueeze(2)).sum(dim=-1)
        parts.append(Readers(raw, bias, minimum.gradient))
    return Readers(*(torch.cat(part) for part in zip(*parts, strict=True)))


class _Logistic(Objective):
    """Mean weighted log-loss plus penalty, in coordinates standardised for every problem.

    A point is [layers, problems, columns, d + 1], the intercepts last.
    """

    def __init__(self, design: Design, problems: Problems) -> None:
        self.design, device = design, design.x.device
        trained = torch.as_tensor(problems.trained, device=device)
        size = trained.sum(dim=1)
        if int(size.min()) == 0:
            raise EvidenceError("probing: a probe has no text to train on")
        self.columns = 1 if problems.classes == 2 else problems.classes
        labels = torch.as_tensor(problems.labels, device=device)
        self.weight = _weights(labels, trained, problems).float()
        self.truth = _one_hot(labels, self.columns)
        self.penalty = 1 / (torch.tensor(problems.strength, device=device).float() * size)
        self.mean, self.inverse = _standard(design.x, trained)
        self.shape = (len(design.x), len(labels), self.columns, design.x.shape[2] + 1)

    def scores(self, at: Tensor) -> Tensor:
        raw = at[..., :-1] * self.inverse.unsqueeze(2)
        layers, problems, columns, d = raw.shape
        product = raw.reshape(layers, problems * columns, d) @ self.design.x.mT
        bias = at[..., -1] - (raw * self.mean.unsqueeze(2)).sum(dim=-1)
        return product.view(layers, problems, columns, -1).add_(bias.unsqueeze(-1))

    def shares(self, scores: Tensor) -> Tensor:
        return scores.sigmoid() if self.columns == 1 else scores.softmax(dim=2)

    def residual(self, shares: Tensor) -> Tensor:
        return (shares - self.truth).mul_(self.weight)

    def curvature(self, shares: Tensor, along: Tensor) -> Tensor:
        mean = 0.0 if self.columns == 1 else (shares * along).sum(dim=2, keepdim=True)
        spread = along - mean if self.columns > 1 else along * (1 - shares)
        return (shares * along * spread * self.weight).sum(dim=(2, 3))

    def gradient(self, residual: Tensor, at: Tensor) -> Tensor:
        layers, problems, columns, texts = residual.shape
        total = residual.sum(dim=-1)
        flat = residual.view(layers, problems * columns, texts) @ self.design.x
        inner = flat.view(layers, problems, columns, -1)
        inner = (inner - total.unsqueeze(-1) * self.mean.unsqueeze(2)) * self.inverse.unsqueeze(2)
        inner = inner + self.penalised(at)[..., :-1]
        return torch.cat([inner, total.unsqueeze(-1)], dim=-1)

    def penalised(self, at: Tensor) -> Tensor:
        flat = torch.zeros_like(at)
        flat[..., :-1] = at[..., :-1] * self.penalty[..., None, None]
        return flat

    def precondition(self, gradient: Tensor, shares: Tensor) -> Tensor:
        bend = (shares * (1 - shares) * self.weight).sum(-1, keepdim=True)
        bend = bend.clamp(min=1e-4)
        inner = gradient[..., :-1]
        layers, problems, columns, d = inner.shape
        turned = inner.reshape(layers, problems * columns, d) @ self.design.basis
        stiff = bend * self.design.spectrum[:, None, None, :] + self.penalty[..., None, None]
        turned = (turned.view(inner.shape) / stiff).view(layers, problems * columns, d)
        back = (turned @ self.design.basis.mT).view(inner.shape)
        return torch.cat([back, gradient[..., -1:] / bend], dim=-1)


def _weights(labels: Tensor, trained: Tensor, problems: Problems) -> Tensor:
    """Weight of every text in the mean loss, [problems, 1, texts]; those of a problem sum to 1."""
    weight = trained.double()
    if problems.balanced:
        count = torch.stack(
            [((labels == k) & trained).sum(dim=1) for k in range(problems.classes)], 1
        )
        weight = weight / count.clamp(min=1).gather(1, labels.clamp(min=0))
    return (weight / weight.sum(dim=1, keepdim=True)).unsqueeze(1)


def _one_hot(labels: Tensor, columns: int) -> Tensor:
    """[problems, columns, texts]."""
    if columns == 1:
        return (labels == 1).float().unsqueeze(1)
    return torch.stack([labels == k for k in range(columns)], dim=1).float()


def _standard(x: Tensor, trained: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and 1 / standard deviation or 0, over the texts trained on, [layers, problems, d]."""
    sets, which = torch.unique(trained, dim=0, return_inverse=True)
    share = sets.float() / sets.sum(dim=1, keepdim=True)
    mean, square = share @ x, share @ x.square()
    variance = square - mean.square()
    inverse = torch.where(variance > STILL * square, variance.clamp(min=1e-30).rsqrt(), 0.0)
    return mean[:, which], inverse[:, which]


def _two(scores: Tensor) -> Tensor:
    """Scores of both classes from those of the second."""
    if scores.shape[2] > 1:
        return scores
    return torch.cat([torch.zeros_like(scores), scores], dim=2)
