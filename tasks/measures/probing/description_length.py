"""Bits that the labels cost given the states: minimum description length."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.errors import EvidenceError
from tasks.measures.probing import logistic
from tasks.measures.probing.logistic import Design, Problems
from tasks.measures.stats.random_streams import stream

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
FIRST = 4  # texts per class in the first portion, which has no probe yet
LEAST = 0.001  # share of the texts in the first portion, where that is more


class OnlineCode(NamedTuple):
    """Cost of every text's label."""

    bits: Floats
    """Bits of every text in the order in which they were given, [layers, labellings, texts]."""
    strength: Floats
    """Inverse strength of the penalty that codes shortest, [layers, labellings]."""
    uniform: float
    """Bits of a text without any states: log2 of the number of classes."""


def portions(texts: int, classes: int) -> list[int]:
    """Texts that are known at every step, doubling up to all of them.

    Raises:
        EvidenceError: too few texts for a first portion and one more.
    """
    first = max(FIRST * classes, int(np.ceil(LEAST * texts)))
    if texts < 2 * first:
        raise EvidenceError(
            f"minimum description length: {texts} texts of {classes} classes; "
            f"{2 * first} are needed"
        )
    steps = int(np.log2(texts / first))
    return [*(-(-texts // 2 ** (steps - i)) for i in range(steps)), texts]


def online_code(design: Design, labels: Codes, classes: int, *, seed: int) -> OnlineCode:
    """Cost of labels sent text by text to a receiver who trains a probe on those already sent.

    Shorter is easier to read: the length depends on how well a linear probe reads and on how many
    texts it needs, so a stronger probe alone does not shorten it. The first portion is sent with a
    uniform code. A probe's probabilities are smoothed by one count per class, for classes that it
    has not seen yet. The strength of the penalty is the one that codes
    shortest; naming it costs log2 of the number of strengths, which the texts share.

    Args:
        design: the prepared states.
        labels: class of every text, 0 .. classes - 1, one row per labelling, such as the concept
            and its control, [labellings, texts].
        classes: how many there are.
        seed: for the order in which texts are sent, the same for all labellings.

    Raises:
        EvidenceError: too few texts; see `portions`.

    Source: Voita and Titov 2020, arXiv:2003.12298, the online code.
    """
    texts = labels.shape[1]
    ends = portions(texts, classes)
    order = stream(seed, "order of the online code").permutation(texts)
    sent, codes = design.texts(order), labels[:, order]
    tried = len(STRENGTHS)
    bits = np.full((len(design.x), tried, len(labels), texts), np.log2(classes))
    for start, end in pairwise(ends):
        fitted = Problems(
            np.tile(codes[:, :start], (tried, 1)),
            np.ones((tried * len(labels), start), dtype=np.bool_),
            np.repeat(STRENGTHS, len(labels)),
            classes,
            balanced=False,
        )
        readers = logistic.fit(sent.texts(slice(0, start)), fitted)
        truth = torch.from_numpy(np.tile(codes[:, start:end], (tried, 1)))[None, :, None]
        for layer in range(len(design.x)):
            only = slice(layer, layer + 1)
            shares = readers.layers(only).log_probabilities(sent.x[only, start:end]).exp()
            met = (start * shares.gather(2, truth)[0, :, 0] + 1) / (start + classes)
            bits[layer, ..., start:end] = -met.log2().numpy().reshape(tried, len(labels), -1)
    best = bits.sum(axis=-1).argmin(axis=1)
    chosen = np.take_along_axis(bits, best[:, None, :, None], axis=1)[:, 0]
    code = np.empty_like(chosen)
    code[..., order] = chosen + np.log2(tried) / texts
    return OnlineCode(code, np.asarray(STRENGTHS)[best], float(np.log2(classes)))
