"""The vector between two groups: from the one selected least often to the one most often."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks.interventions.forward import Read, read
from tasks.data.dataset import Row
from tasks.data.field_swap import exchange
from tasks.definition.checks.swap import Swap
from tasks.definition.record import Record
from tasks.errors import EvidenceError
from tasks.measures.interventions.steering import (
    contrast,
    difference_of_means,
    shuffled_contrast,
    shuffled_difference,
)
from tasks.subjects.protocols import Opens

Floats = NDArray[np.float64]


class FitTexts(NamedTuple):
    """Texts that a lever is fitted on, with the states and decisions of the untouched subject."""

    subject: Opens
    rows: Sequence[Row]
    pooling: str
    """Which state."""
    plain: Read

    @classmethod
    def of(cls, subject: Opens, rows: Sequence[Row], pooling: str) -> "FitTexts":
        """Read the states of some texts."""
        plain = read(subject, [subject.render(row.text) for row in rows], pooling)
        return cls(subject, rows, pooling, plain)

    def groups(self, attribute: str) -> NDArray[np.str_]:
        """Group of every text, [texts]."""
        return np.array([row.groups[attribute] for row in self.rows], dtype=np.str_)


class Ends(Record):
    """From which group a vector leads to which."""

    attribute: str
    low: str
    """Selected least often among the fitted texts."""
    high: str
    """Selected most often among them."""
    n: int
    """Texts, or pairs of a text and its exchanged version."""


class GroupVector(NamedTuple):
    """The vector of an attribute at every layer."""

    ends: Ends
    vectors: Floats
    """[layers + 1, d]."""
    shuffled: Floats
    """The same with the groups shuffled, [layers + 1, draws, d]."""


def group_vector(
    texts: FitTexts,
    attribute: str,
    groups: Sequence[str],
    *,
    favourable: str,
    swap: Swap | None,
    draws: int,
    seed: int,
) -> GroupVector:
    """The vector of an attribute, fitted on texts whose states were read.

    Args:
        texts: what it is fitted on.
        attribute: names the groups.
        groups: groups that are large enough.
        favourable: the favourable decision.
        swap: exchange that the vector is taken from; from the means of the groups where none.
        draws: how often the groups are shuffled, for the control.
        seed: of the definition.

    Raises:
        EvidenceError: fewer than two groups have a text here.
        DataError: no text can be exchanged.
    """
    low, high = _least_and_most_selected(texts, attribute, groups, favourable)
    named = texts.groups(attribute)
    chosen = np.flatnonzero((named == low) | (named == high))
    fitted = (
        _between_means(texts, named[chosen] == high, chosen, draws, seed)
        if swap is None
        else _between_pairs(texts, named == low, chosen, swap, draws, seed)
    )
    ends = Ends(attribute=attribute, low=low, high=high, n=fitted.n)
    return GroupVector(ends, fitted.vectors, fitted.shuffled)


def _least_and_most_selected(
    texts: FitTexts, attribute: str, groups: Sequence[str], favourable: str
) -> tuple[str, str]:
    named = texts.groups(attribute)
    selected = texts.plain.decided == texts.subject.labels.index(favourable)
    rates = {g: float(selected[named == g].mean()) for g in sorted(groups) if (named == g).any()}
    if len(rates) < 2:
        raise EvidenceError(f"steering: {attribute!r} has no two groups among the fitted texts")
    low = min(rates, key=lambda g: rates[g])
    return low, max((g for g in rates if g != low), key=lambda g: rates[g])


class _Fitted(NamedTuple):
    vectors: Floats
    shuffled: Floats
    n: int


def _between_means(
    texts: FitTexts, toward: NDArray[np.bool_], chosen: NDArray[np.int64], draws: int, seed: int
) -> _Fitted:
    """The difference between the mean states of the two groups."""
    states = [of[chosen] for of in texts.plain.states]
    vectors = [difference_of_means(of, toward) for of in states]
    shuffled = [shuffled_difference(of, toward, draws, seed=seed) for of in states]
    return _Fitted(np.stack(vectors), np.stack(shuffled), len(chosen))


def _between_pairs(
    texts: FitTexts,
    is_low: NDArray[np.bool_],
    chosen: NDArray[np.int64],
    swap: Swap,
    draws: int,
    seed: int,
) -> _Fitted:
    """The mean difference between every text and its version with one field exchanged."""
    subject, pairs = texts.subject, exchange([texts.rows[int(i)] for i in chosen], swap, seed=seed)
    own = chosen[[pair.position for pair in pairs]]
    other = read(subject, [subject.render(pair.text) for pair in pairs], texts.pooling)
    both = [(of[own], after) for of, after in zip(texts.plain.states, other.states, strict=True)]
    vectors = [contrast(*of, is_low[own]) for of in both]
    shuffled = [shuffled_contrast(*of, draws, seed=seed) for of in both]
    return _Fitted(np.stack(vectors), np.stack(shuffled), len(pairs))
