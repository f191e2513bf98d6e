"""Random numbers by name: every use of the definition's seed draws from a stream of its own.

Two uses of one seed would draw the same numbers: the sample of one use would determine the
permutation of another. A name separates them, and says in the code what is drawn.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream(seed: int, name: str, *at: int) -> np.random.Generator:
    """The random generator of one use.

    Args:
        seed: the definition's, or one that `subseed` made of it; >= 0.
        name: of the use; no two places in the code share one.
        at: which of several draws of that use, such as a layer or a fold; >= 0.

    Returns:
        A generator whose numbers are independent of every other name's and every other `at`'s.
    """
    return np.random.default_rng(np.random.SeedSequence([seed, *_words(name), *at]))


def subseed(seed: int, name: str, *at: int) -> int:
    """A seed as a single number: for another library, or for one text among many.

    Returns:
        An integer in [0, 2 ** 32).
    """
    return int(stream(seed, name, *at).integers(2**32))


def torch_stream(seed: int, name: str, *at: int) -> torch.Generator:
    """The same as `stream` for torch, on the CPU."""
    import torch  # a definition is checked without it

    return torch.Generator().manual_seed(subseed(seed, name, *at))


def _words(name: str) -> list[int]:
    digest = hashlib.sha256(name.encode("utf-8")).digest()
    return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
