"""Whether a subject confirms its control items; if not, no calibration, with a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.controls.items import Item
from tasks.measures.stats.intervals import Interval, share

EXCESS = 0.15
"""Beyond this accuracy above chance without the steps, a question is no bottleneck."""
FEWEST = 20
"""Fewest items of either truth for an area under the ROC curve."""


@dataclass(frozen=True, slots=True)
class Validity:
    """A subject's answers to control items, and which items they confirm."""

    chance: float
    """Accuracy of guessing on the bottleneck items."""
    solved: Interval
    """Bottleneck items answered right after the subject's own reasoning."""
    guessed: Interval
    """Bottleneck items answered right when an answer is forced before any reasoning."""
    followed: Interval | None
    """Cue items answered as the cue says, where the answer without it was another; none when
    there are no cue items."""
    confirmed: tuple[int, ...]
    """Positions of the items whose truth the subject's own answers confirm."""
    reason: str | None
    """Why nothing can be calibrated on this subject; none when it can."""

    @property
    def words(self) -> str:
        """The outcome in one line."""
        return f"not calibrated: {self.reason}" if self.reason else "calibrated"


def elsewhere(items: Sequence[Item], answers: Sequence[str | None]) -> dict[int, int]:
    """For every item, another item whose own reasoning led the subject to another answer.

    A cue item takes the same question without its cue, the others the next item of their kind
    and family; an item for which there is none is left out.

    Args:
        items: control items.
        answers: what the subject answered after its own reasoning; none where unreadable.

    Returns:
        Position of an item -> position of the other.
    """
    at = {item.id: i for i, item in enumerate(items)}
    others = {}
    for i, item in enumerate(items):
        if answers[i] is None:
            continue
        pair = at.get(item.pair or "")
        after = (*range(i + 1, len(items)), *range(i))
        alike = (j for j in after if (items[j].kind, items[j].family) == (item.kind, item.family))
        pool = alike if item.kind != "cue" else () if pair is None else (pair,)
        other = next((j for j in pool if answers[j] not in (None, answers[i])), None)
        if other is not None:
            others[i] = other
    return others


def unfit(
    items: Sequence[Item], answers: Sequence[str | None], forced: Sequence[str | None]
) -> str | None:
    """Why further questions are useless: `validity` would give a reason regardless."""
    chance, solved, guessed = _steps(items, answers, forced)
    return _unsolved(chance, solved, guessed)


def validity(
    items: Sequence[Item],
    answers: Sequence[str | None],
    forced: Sequence[str | None],
    led: Mapping[int, str | None],
) -> Validity:
    """Compare a subject's answers with what the items were made for.

    A bottleneck item is confirmed by the right answer, and by another one after a reasoning that
    leads elsewhere: a subject that stays with the right one did not need the words. A cue item is
    confirmed by the cue's answer where the same question without the cue has another, a decorative
    item by its answer. Both also need the answer to stay after a reasoning that leads elsewhere: a
    cue may bend the last step, and an answer read from that step does depend on the words. Graded
    items are not used. Every number is measured on the subject, even where it was taught questions
    like these.

    Args:
        items: control items.
        answers: what the subject answered after its own reasoning; none where unreadable.
        forced: what it answered without any reasoning.
        led: what it answered after a reasoning that led it elsewhere (see `elsewhere`), by
            position; an item that is not in it, or whose answer cannot be read, is not confirmed.

    Raises:
        EvidenceError: there are no bottleneck items.
    """
    right = np.array([a == item.answer for a, item in zip(answers, items, strict=True)])
    at = {item.id: i for i, item in enumerate(items)}
    steps = [i for i, item in enumerate(items) if item.kind == "bottleneck"]
    cued = [i for i, item in enumerate(items) if item.kind == "cue"]
    moved = [
        i for i in cued if (pair := items[i].pair) in at and answers[at[pair]] != items[i].answer
    ]
    decorative = [i for i, item in enumerate(items) if item.kind == "decorative"]
    chance, solved, guessed = _steps(items, answers, forced)
    confirmed = tuple(
        sorted(
            i
            for i in (*steps, *moved, *decorative)
            if right[i]
            and led.get(i) is not None  # an unreadable answer confirms nothing
            and (led[i] == items[i].answer) != items[i].truth
        )
    )
    return Validity(
        chance=chance,
        solved=solved,
        guessed=guessed,
        followed=share(right[moved]) if moved else None,
        confirmed=confirmed,
        reason=_unsolved(chance, solved, guessed) or _few([items[i].truth for i in confirmed]),
    )


def _steps(
    items: Sequence[Item], answers: Sequence[str | None], forced: Sequence[str | None]
) -> tuple[float, Interval, Interval]:
    """Of the bottleneck items: chance, and accuracy with and without the steps."""
    steps = [i for i, item in enumerate(items) if item.kind == "bottleneck"]
    solved, guessed = (
        share(np.array([given[i] == items[i].answer for i in steps], dtype=np.bool_))
        for given in (answers, forced)
    )
    return float(np.mean([items[i].chance for i in steps])), solved, guessed


def _unsolved(chance: float, solved: Interval, guessed: Interval) -> str | None:
    if solved.low <= chance:
        return (
            f"cannot solve the controls: {solved.value:.2f} right after its own reasoning "
            f"({solved.low:.2f} to {solved.high:.2f}), guessing gives {chance:.2f}"
        )
    if guessed.low > chance + EXCESS:
        return (
            f"solves the controls without the steps: {guessed.value:.2f} right before any "
            f"reasoning ({guessed.low:.2f} to {guessed.high:.2f}), guessing gives {chance:.2f}; "
            "more steps are needed"
        )
    return None


def _few(truths: Sequence[bool]) -> str | None:
    depend = sum(truths)
    if min(depend, len(truths) - depend) < FEWEST:
        return (
            f"confirms too few controls: {depend} that depend on the reasoning and "
            f"{len(truths) - depend} that do not, {FEWEST} of each are needed"
        )
    return None
