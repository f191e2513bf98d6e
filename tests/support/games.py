"""Games whose Shapley values are known, as what attribution methods take."""

from itertools import permutations

import numpy as np
import torch

from tasks.measures.attribution.inputs import Inputs

TEXTS = ["the applicant lives in north and earns a lot .", "very dull film !", "good ."]
FAMILIES = ("bert", "llama", "deberta-v2")
"""Texts, and architectures of tiny subjects that read them."""


def game(f, n, rows=1):
    """Units are there (1) or not (0); `f` scores a table of that, [k, n] -> [k]."""
    own = torch.ones(rows, n, 1)
    units = torch.arange(n).repeat(rows, 1)
    return Inputs(own, torch.zeros_like(own), units, lambda e, _: f(e[..., 0].double()))


def listed(*values):
    """A game by its table: f() , f(0), f(1), f(0, 1), f(2), ..."""
    table = torch.tensor(values, dtype=torch.float64)
    n = len(values).bit_length() - 1
    return game(lambda there: table[(there.long() << torch.arange(n)).sum(1)], n)


def by_every_order(inputs, n):
    """The definition: mean contribution over all orders of arrival of row 0."""
    every = (torch.arange(2**n)[:, None] >> torch.arange(n)) & 1 == 1
    table = inputs.values(torch.zeros(2**n, dtype=torch.long), every).tolist()
    total = np.zeros(n)
    for order in (orders := list(permutations(range(n)))):
        there = 0
        for unit in order:
            total[unit] += table[there | 1 << unit] - table[there]
            there |= 1 << unit
    return torch.from_numpy(total / len(orders))


def bent(n, seed=0):
    """A game with effects alone, of neighbours, and of everything together."""
    weight = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, n)))

    def f(there):
        pairs = (there[:, 1:] * there[:, :-1]) @ weight[1, 1:]
        return torch.tanh(there @ weight[0]) * 2 + there @ weight[1] - pairs

    return game(f, n)


SOLVED = {
    "not bad": (listed(0, -0.5, -2, 1), (1.25, -0.25)),
    # a left glove and two right ones; only a pair is worth something
    "gloves": (listed(0, 0, 0, 1, 0, 1, 0, 1), (4 / 6, 1 / 6, 1 / 6)),
    "all or nothing": (game(lambda z: z[:, :3].prod(1), 5), (1 / 3, 1 / 3, 1 / 3, 0, 0)),
    "majority": (game(lambda z: (z.sum(1) > 2.5).double(), 5), (0.2,) * 5),
    "one": (game(lambda z: 3 * z[:, 0] + 1, 1), (3,)),
    "nobody": (game(lambda z: z.sum(1) * 0 + 7, 4), (0,) * 4),
}
"""Name -> game, and its values."""


def counted(limit=10**9):
    """Three rows of 12, 3 and 12 units, and what was scored; more than `limit` do not fit."""
    own = torch.arange(1, 37.0).view(3, 12, 1)
    units = torch.arange(12).repeat(3, 1)
    units[1, 3:] = -1
    seen = []

    def score(e, rows):
        if len(e) > limit:
            raise MemoryError
        seen.extend((int(r), x.numpy().tobytes()) for r, x in zip(rows, e, strict=True))
        return torch.tanh(e[..., 0] / 20).sum(1)

    neutral = torch.where(units[..., None] < 0, own, -own)
    return Inputs(own, neutral, units, score), seen


def inputs_of(subject, texts):
    """Texts as a subject reads them, scored by its second class against the first."""
    batch = subject.encode(texts)
    plain = ~batch.special & (batch.mask == 1)

    def score(embeddings, rows):
        part = type(batch)(batch.ids[rows], batch.mask[rows], batch.special[rows], [], rows, 1)
        logits = subject.scores(part, embeddings)
        return logits[:, 1] - logits[:, 0]

    units = torch.where(plain, plain.cumsum(1) - 1, -1)
    return Inputs(subject.embed(batch.ids), subject.neutral(batch), units, score)
