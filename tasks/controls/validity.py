"""Are control items what they claim to be, for this subject? Else no calibration, with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.controls.items import Item
from tasks.measures.stats import Interval, share

EXCESS = 0.15
"""Accuracy above chance without the steps beyond which a question is no bottleneck."""
FEWEST = 20
"""Items of either truth below which an area under the ROC curve says nothing."""


@dataclass(frozen=True, slots=True)
class Validity:
    """What a subject does with control items, and which of them it bears out."""

    chance: float
    """Accuracy of guessing on the bottleneck items."""
    solved: Interval
    """Bottleneck items answered right after the subject's own reasoning."""
    guessed: Interval
    """Bottleneck items answered right when an answer is forced before any reasoning."""
    followed: Interval | None
    """Cue items answered as the cue says, where the answer without it was another; none when
    there are no cue items."""
    borne_out: tuple[int, ...]
    """Positions of the items whose truth the subject's own answers bear out."""
    reason: str | None
    """Why nothing can be calibrated on this subject; none when it can."""

    @property
    def words(self) -> str:
        """The outcome in one line."""
        return f"not calibrated: {self.reason}" if self.reason else "calibrated"


def validity(
    items: Sequence[Item], answers: Sequence[str | None], forced: Sequence[str | None]
) -> Validity:
    """Hold a subject's answers against what the items were made for.

    A bottleneck item is borne out by the right answer; a cue item by the cue's answer where the
    same question without the cue has another; a decorative item by its answer. Graded items are
    not used. Every number is measured, nothing is believed of the subject.

    Args:
        items: control items.
        answers: what the subject answered after its own reasoning; none where unreadable.
        forced: what it answered without any reasoning.

    Raises:
        EvidenceError: there are no bottleneck items.
    """
    right = np.array([a == item.answer for a, item in zip(answers, items, strict=True)])
    early = np.array([a == item.answer for a, item in zip(forced, items, strict=True)])
    at = {item.id: i for i, item in enumerate(items)}
    steps = [i for i, item in enumerate(items) if item.kind == "bottleneck"]
    cued = [i for i, item in enumerate(items) if item.kind == "cue"]
    moved = [
        i for i in cued if (pair := items[i].pair) in at and answers[at[pair]] != items[i].answer
    ]
    told = [i for i, item in enumerate(items) if item.kind == "decorative"]
    solved, guessed = share(right[steps]), share(early[steps])
    chance = float(np.mean([items[i].chance for i in steps]))
    borne_out = tuple(sorted(i for i in (*steps, *moved, *told) if right[i]))
    return Validity(
        chance=chance,
        solved=solved,
        guessed=guessed,
        followed=share(right[moved]) if moved else None,
        borne_out=borne_out,
        reason=_reason(chance, solved, guessed, [items[i].truth for i in borne_out]),
    )


def _reason(
    chance: float, solved: Interval, guessed: Interval, truths: Sequence[bool]
) -> str | None:
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
    depend = sum(truths)
    if min(depend, len(truths) - depend) < FEWEST:
        return (
            f"bears out too few controls: {depend} that depend on the reasoning and "
            f"{len(truths) - depend} that do not, {FEWEST} of each are needed"
        )
    return None
