"""Non-linear probes: small networks, many of them trained together; and random forests."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor

from tasks.measures.probing.logistic import Design
from tasks.measures.probing.probes import living
from tasks.measures.stats.random_streams import stream, subseed, torch_stream

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

HIDDEN = 32
BATCH = 128
STEPS = 400
EVERY = 20  # steps between evaluations on the held-out texts
LOOKED_AT = 400  # held-out texts at most
HELD_OUT = 0.2
RATE = 5e-3
DECAY = 1.0
SMALL = 0.1  # of the usual initial weights, so that untrained weights do not drown the signal


class _Network(NamedTuple):
    """[layers, probes, ...]."""

    inner: Tensor
    """[.., d, hidden]."""
    inner_bias: Tensor
    """[.., 1, hidden]."""
    outer: Tensor
    """[.., hidden, classes]."""
    outer_bias: Tensor
    """[.., 1, classes]."""

    def scores(self, x: Tensor) -> Tensor:
        """[layers, probes, rows, classes] from [layers, probes or 1, rows, d]."""
        hidden = torch.relu(x @ self.inner + self.inner_bias)
        return hidden @ self.outer + self.outer_bias


def nonlinear_probes(
    design: Design, labels: Codes, trained: Mask, classes: int, *, seed: int
) -> Codes:
    """Concepts read by networks with one hidden layer of 32 rectified units.

    Trained by AdamW on batches in which classes are equally frequent; a fifth of the training texts
    is held out, and the weights with the lowest loss there are kept.

    Args:
        design: the prepared states.
        labels: class of every text, 0 .. classes - 1, [probes, texts].
        trained: the texts a probe trains on, [probes, texts].
        classes: how many there are, the same for all probes.
        seed: for weights and batches.

    Returns:
        Class read from every text, those trained on included, [layers, probes, texts].
    """
    rng, device = stream(seed, "batches of the nonlinear probe"), design.x.device
    truth = torch.as_tensor(labels, device=device)
    fits, looks = _held_out(labels, trained, rng)
    shape = (len(design.x), len(labels), design.x.shape[2], classes)
    network = _Network(*(p.to(device).requires_grad_(True) for p in _start(shape, seed)))
    optimiser = torch.optim.AdamW(network, lr=RATE, weight_decay=DECAY)
    best, least = [p.detach().clone() for p in network], torch.full(shape[:2], torch.inf)
    for step in range(STEPS):
        rows = torch.as_tensor(_draw(labels, fits, rng), device=device)
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / STEPS)
        optimiser.zero_grad()
        _loss(network, design.x, rows, truth).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (step + 1) % EVERY == 0:
            with torch.no_grad():
                now = _loss(network, design.x, looks.to(device), truth).cpu()
            better = now < least
            least = torch.where(better, now, least)
            for best_part, part in zip(best, network, strict=True):
                best_part[better] = part.detach()[better]
    return _read(_Network(*best), design.x)


def _start(shape: tuple[int, int, int, int], seed: int) -> list[Tensor]:
    """Initial weights by He and others, the same for every layer."""
    layers, probes, d, classes = shape
    rng = torch_stream(seed, "weights of the nonlinear probe")
    inner = torch.randn(probes, d, HIDDEN, generator=rng) * SMALL * (2 / d) ** 0.5
    outer = torch.randn(probes, HIDDEN, classes, generator=rng) * (1 / HIDDEN) ** 0.5
    parts = [inner, torch.zeros(probes, 1, HIDDEN), outer, torch.zeros(probes, 1, classes)]
    return [part.expand(layers, *part.shape).clone() for part in parts]


def _held_out(labels: Codes, trained: Mask, rng: np.random.Generator) -> tuple[Mask, Tensor]:
    """Texts to fit on, and an equal number of each class for validation, [probes, looks]."""
    fits, looks = trained.copy(), []
    for row, training in zip(labels, fits, strict=True):
        groups = [
            rng.permutation(np.flatnonzero(training & (row == g))) for g in np.unique(row[training])
        ]
        validation = [members[: max(1, int(HELD_OUT * len(members)))] for members in groups]
        for members in validation:
            training[members] = False
        looks.append(
            np.concatenate([rng.choice(h, LOOKED_AT // len(validation)) for h in validation])
        )
    least = min(len(rows) for rows in looks)
    return fits, torch.from_numpy(np.stack([rows[:least] for rows in looks]))


def _draw(labels: Codes, fits: Mask, rng: np.random.Generator) -> Codes:
    """A batch of every probe in which classes are equally frequent, [probes, batch]."""
    drawn = []
    for row, training in zip(labels, fits, strict=True):
        groups = [np.flatnonzero(training & (row == g)) for g in np.unique(row[training])]
        each = -(-BATCH // len(groups))
        drawn.append(np.concatenate([rng.choice(g, each) for g in groups])[:BATCH])
    return np.stack(drawn)


def _loss(network: _Network, x: Tensor, rows: Tensor, truth: Tensor) -> Tensor:
    """Mean log-loss on some rows of every probe, [layers, probes]."""
    log_probabilities = network.scores(x[:, rows]).log_softmax(dim=-1)
    classes = truth.gather(1, rows).expand(len(x), -1, -1).unsqueeze(-1)
    return -log_probabilities.gather(-1, classes)[..., 0].mean(dim=-1)


def _read(network: _Network, x: Tensor) -> Codes:
    classes = []
    for layer in range(len(x)):
        probe = _Network(*(part[layer] for part in network))
        classes.append(probe.scores(x[layer]).argmax(dim=-1))
    return torch.stack(classes).cpu().numpy()


def forest_probe(
    train: NDArray[np.float64], concept: Codes, test: NDArray[np.float64], *, seed: int
) -> Codes:
    """Concept of `test` read by a random forest of 50 trees trained on `train`.

    LEACE removes only what linear readers can use; this shows the rest.

    Args:
        train: hidden states, [texts, d].
        concept: group of every training text, [texts].
        test: hidden states, [other texts, d].
        seed: drawn from the definition's seed.

    Returns:
        Predicted group of every test text. Groups weigh the same, whatever their size.
    """
    alive = living(train)
    if not alive.any():
        return np.full(len(test), concept[0])
    probe = RandomForestClassifier(
        n_estimators=50, class_weight="balanced", random_state=subseed(seed, "forest"), n_jobs=1
    )
    probe.fit(train[:, alive], concept)
    predicted: Codes = probe.predict(test[:, alive])
    return predicted
