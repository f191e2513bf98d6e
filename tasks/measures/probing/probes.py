"""Can a concept be read from hidden states? Linear probes and their control labels.

A probe trains on some texts and is tested on others. Its strength, the inverse of its penalty, is
chosen by cross-validation within its training texts.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.errors import EvidenceError
from tasks.measures.probing import logistic
from tasks.measures.probing.logistic import DEAD, Design, Problems, Readers
from tasks.measures.stats.random_streams import stream, subseed

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
INNER = 3


def coded(concept: Strings) -> tuple[Codes, list[str]]:
    """Groups as numbers, [texts], and their names in order."""
    names, codes = np.unique(concept, return_inverse=True)
    return codes.astype(np.int64), [str(name) for name in names]


def three_folds(concept: NDArray[np.generic], *, seed: int) -> Codes:
    """Fold 0, 1 or 2 of every text, with the groups of `concept` spread evenly.

    Three, because erasing and probing on the same texts proves nothing: one fold fits the
    eraser, one trains the probe, one tests it; every fold is the test fold once.

    Raises:
        EvidenceError: a group has fewer than three texts.
    """
    for group, members in zip(*np.unique(concept, return_counts=True), strict=True):
        if members < 3:
            raise EvidenceError(
                f"probing: group {str(group)!r} has {members} texts; three folds need three"
            )
    return _spread(concept, stream(seed, "three folds"), 3)


def _spread(concept: NDArray[np.generic], rng: np.random.Generator, folds: int) -> Codes:
    fold = np.empty(len(concept), dtype=np.int64)
    for group in np.unique(concept):
        members = np.flatnonzero(concept == group)
        fold[rng.permutation(members)] = np.arange(len(members)) % folds
    return fold


class Reading(NamedTuple):
    """Readings of the probes for every text, training texts included."""

    read: Codes
    """Class read, [layers, probes, texts]."""
    strength: Floats
    """Inverse strength of the penalty that was chosen, [layers, probes]."""
    readers: Readers
    """The fitted probes, for the columns of the design."""


def linear_probes(
    design: Design, labels: Codes, trained: Mask, classes: int, *, seed: int
) -> Reading:
    """Concepts read by logistic regressions whose strength is chosen by cross-validation.

    All layers, attributes and folds are fitted together. Groups weigh the same, whatever their
    size; the strength is that of the lowest log-loss over three inner folds.

    Args:
        design: the prepared states.
        labels: class of every text, 0 .. classes - 1, one row per probe, [probes, texts].
        trained: the texts a probe trains on, [probes, texts].
        classes: how many there are, the same for all probes.
        seed: for the inner folds.

    Raises:
        EvidenceError: a probe trains on fewer than two classes, or fewer than three texts of one.

    Source: Alain and Bengio 2016, arXiv:1610.01644.
    """
    _enough(labels, trained)
    strength = _strengths(design, labels, trained, classes, seed)
    readers = logistic.fit(design, Problems(labels, trained, strength, classes, balanced=True))
    return Reading(_read(design, readers), strength, readers)


def control_probes(
    design: Design, labels: Codes, trained: Mask, classes: int, strength: Floats, seeds: list[int]
) -> Codes:
    """Readings of the same probes trained on control labels.

    Args:
        design: the prepared states.
        labels: class of every text, [probes, texts].
        trained: the texts a probe trains on, [probes, texts].
        classes: how many there are.
        strength: of the probes themselves, [layers, probes].
        seeds: one labelling is drawn for each. Several, because one can align by chance with what
            the states encode.

    Returns:
        Class read, [layers, probes, seeds, texts].
    """
    draws = len(seeds)
    dealt = np.repeat(labels, draws, axis=0)
    for i, row in enumerate(dealt):
        training = trained[i // draws]
        row[training] = control_labels(
            row[training], seed=subseed(seeds[i % draws], "labelling of a probe", i // draws)
        )
    problems = Problems(
        dealt,
        np.repeat(trained, draws, axis=0),
        np.repeat(strength, draws, axis=1),
        classes,
        balanced=True,
    )
    read = _read(design, logistic.fit(design, problems))
    return read.reshape(len(read), len(labels), draws, -1)


def control_labels(concept: NDArray[np.generic], *, seed: int) -> NDArray[np.generic]:
    """The labels of `concept` permuted at random: same marginals, nothing to read.

    Hewitt and Liang label word types at random, so that a probe can memorise the labels and meets
    the types again. Whole texts do not recur: here every text is a type of its own, and
    memorising does not help on other texts. The control then measures what a probe of this
    strength reads by chance and by overfitting, not its capacity.

    Source: Hewitt and Liang 2019, arXiv:1909.03368, in the form for whole texts.
    """
    return stream(seed, "control labels").permutation(concept)


def _enough(labels: Codes, trained: Mask) -> None:
    for row, training in zip(labels, trained, strict=True):
        groups, sizes = np.unique(row[training], return_counts=True)
        if len(groups) < 2 or sizes.min() < INNER:
            raise EvidenceError(
                f"probing: a probe trains on {len(groups)} groups of "
                f"{', '.join(str(n) for n in sizes)} texts; two groups of {INNER} are needed"
            )


def _strengths(design: Design, labels: Codes, trained: Mask, classes: int, seed: int) -> Floats:
    """The strength of the lowest held-out log-loss, [layers, probes]."""
    rng = stream(seed, "inner folds of a probe")
    fold = np.full(labels.shape, -1)
    for row, training, inner in zip(labels, trained, fold, strict=True):
        inner[training] = _spread(row[training], rng, INNER)
    loss = np.zeros((len(STRENGTHS), len(design.x), len(labels)))
    for turn in range(INNER):
        held_out = fold == turn
        tried = len(STRENGTHS)
        readers = logistic.fit(
            design,
            Problems(
                np.tile(labels, (tried, 1)),
                np.tile(trained & ~held_out, (tried, 1)),
                np.repeat(STRENGTHS, len(labels)),
                classes,
                balanced=True,
            ),
        )
        loss += (
            _log_loss(design, readers, labels, held_out)
            .reshape(len(design.x), tried, -1)
            .swapaxes(0, 1)
        )
    best: Floats = np.asarray(STRENGTHS)[loss.argmin(axis=0)]
    return best


def _log_loss(design: Design, readers: Readers, labels: Codes, held_out: Mask) -> Floats:
    """Mean over groups of the mean log-loss on the held-out texts, [layers, problems]."""
    weight = np.zeros(labels.shape)
    for row, members, share in zip(labels, held_out, weight, strict=True):
        for group in np.unique(row[members]):
            share[members & (row == group)] = 1 / (members & (row == group)).sum()
    repeats = readers.weight.shape[1] // len(labels)
    truth = torch.from_numpy(np.tile(labels, (repeats, 1)).clip(min=0)).unsqueeze(1)
    wide = torch.from_numpy(np.tile(weight, (repeats, 1)))
    loss = np.empty((len(design.x), len(truth)))
    for layer in range(len(design.x)):
        only = slice(layer, layer + 1)
        log_probabilities = readers.layers(only).log_probabilities(design.x[only])[0]
        loss[layer] = -(log_probabilities.gather(1, truth)[:, 0] * wide).sum(dim=-1).numpy()
    return loss


def _read(design: Design, readers: Readers) -> Codes:
    """Class read, layer by layer so that memory stays bounded, [layers, problems, texts]."""
    layers = [slice(layer, layer + 1) for layer in range(len(design.x))]
    return np.concatenate([readers.layers(layer).read(design.x[layer]) for layer in layers])


def living(states: Floats) -> Mask:
    """Columns whose spread is more than round-off, [d]; round-off can encode the label."""
    alive: Mask = states.std(axis=0) > DEAD * float(np.abs(states).max())
    return alive
