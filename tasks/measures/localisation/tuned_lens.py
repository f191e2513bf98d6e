"""The tuned lens: every layer's hidden states first translated into those of the last.

A layer may hold the decision in a basis of its own, which the head cannot read; an affine
translator, fitted on other texts than those it is tested on, makes it readable.

Source: Belrose et al. 2023, arXiv:2303.08112.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from tasks.errors import EvidenceError
from tasks.measures.localisation.lens import Stage
from tasks.measures.stats.random_streams import torch_stream

STEPS = 90
LOOK_EVERY = 10
BATCH = 32
RATE = 3e-3
DECAY = 1e-2
HELD_BACK = 0.2  # share of the fitting texts for early stopping


class Translator(NamedTuple):
    """x -> x + s ((x - m) / s W + b): the plain lens where W and b are 0."""

    mean: Tensor
    """m, [d]."""
    scale: Tensor
    """s, of all coordinates together."""
    weight: Tensor
    """W, [d, d]."""
    bias: Tensor
    """b, [d]."""

    def __call__(self, hidden: Tensor) -> Tensor:
        """Translated hidden states, [rows, d]."""
        centred = (hidden - self.mean) / self.scale
        return hidden + self.scale * (centred @ self.weight + self.bias)


def divergence(stage: Stage, hidden: Tensor, final: Tensor) -> Tensor:
    """Kullback-Leibler divergence of a layer's reading from the final decision, per text.

    Args:
        stage: see `lens.last_stage`.
        hidden: hidden states at the position the head reads, [texts, d].
        final: the subject's own scores, [texts, classes].

    Returns:
        KL(final || lens) in nats, [texts], >= 0; 0 where the layer reads the final distribution.
    """
    read, own = stage(hidden).double().log_softmax(-1), final.double().log_softmax(-1)
    return F.kl_div(read, own, reduction="none", log_target=True).sum(-1).clamp(min=0)


def fit(stage: Stage, hidden: Tensor, final: Tensor, *, seed: int) -> Translator:
    """Fit one layer's translator by gradient descent on the divergence.

    A fifth of the texts is for validation, and the step with the lowest divergence there is kept,
    step 0 (the plain lens) included: with few texts and many dimensions the translator overfits.

    Args:
        stage: see `lens.last_stage`; its weights stay as they are.
        hidden: hidden states at the position the head reads, [texts, d].
        final: the subject's own scores, [texts, classes].
        seed: drawn from the definition's seed.

    Raises:
        EvidenceError: fewer than ten texts to fit on.
    """
    texts, width = hidden.shape
    if texts < 10:
        raise EvidenceError(f"tuned lens of {texts} texts: at least 10 are needed to fit it")
    rng = torch_stream(seed, "batches of the tuned lens")
    order = torch.randperm(texts, generator=rng).to(hidden.device)
    cut = max(2, round(texts * HELD_BACK))
    validation, training = order[:cut], order[cut:]
    mean = hidden[training].mean(dim=0)
    scale = (hidden[training] - mean).pow(2).mean().sqrt()
    size = hidden[training].pow(2).mean().sqrt().clamp(min=1e-6)
    # where all texts are alike only the bias can learn, and it needs a scale
    scale = torch.where(scale < 1e-3 * size, size, scale)
    weight = torch.zeros(width, width, device=hidden.device, requires_grad=True)
    bias = torch.zeros(width, device=hidden.device, requires_grad=True)
    groups: list[dict[str, Any]] = [{"params": [weight]}, {"params": [bias], "lr": 10 * RATE}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, weight_decay=DECAY)
    current = Translator(mean, scale, weight, bias)
    best, lowest = _frozen(current), _mean(stage, current, hidden[validation], final[validation])
    for step in range(1, STEPS + 1):
        drawn = training[torch.randperm(len(training), generator=rng)[:BATCH].to(hidden.device)]
        with torch.enable_grad():
            loss = divergence(stage, current(hidden[drawn]), final[drawn]).mean()
            (weight.grad, bias.grad) = torch.autograd.grad(loss, [weight, bias])
        optimiser.step()
        if step % LOOK_EVERY == 0:
            reached = _mean(stage, current, hidden[validation], final[validation])
            if reached < lowest:
                best, lowest = _frozen(current), reached
    return best


def _mean(stage: Stage, translator: Translator, hidden: Tensor, final: Tensor) -> float:
    with torch.no_grad():
        return float(divergence(stage, translator(hidden), final).mean())


def _frozen(translator: Translator) -> Translator:
    return Translator(*(part.detach().clone() for part in translator))
