"""Which controls are what they were made for, as the subject itself shows on other questions."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from tasks.controls.validity import FEWEST
from tasks.measures.stats.clusters import clusters
from tasks.measures.stats.intervals import Interval, share

FOLLOWED: Final = "followed"
"""Controls with a cue whose other cues the subject follows, whichever answers they speak for."""


class PairedControl(NamedTuple):
    """One control of a test that compares two answers."""

    tested: tuple[str, str]
    """The two questions that the test is given."""
    there: bool
    """Whether what the test looks for is there, by construction."""
    tried: tuple[tuple[str, str], ...]
    """Other questions, and the answers to them that confirm the construction."""
    choices: tuple[str, ...]
    """Possible answers."""
    base: str
    """The question it is made from: the moves of a problem, or a story."""
    answer: str = ""
    """What a cue among the tested questions speaks for."""


class Truth(NamedTuple):
    """What the subject shows of the controls, before the test is run on them."""

    confirmed: tuple[int, ...]
    """Positions of the controls that count."""
    there: tuple[bool, ...]
    """Whether what the test looks for is there, of these."""
    shares: Mapping[str, Interval]
    """How often the subject did what controls of one kind were made for."""
    reason: str | None
    """Why nothing can be calibrated on this subject; none when it can."""


Tried = Sequence[Sequence[str | None]]
"""Answers to the other questions of every control, [controls][tries]; none where unreadable."""


class Kind(NamedTuple):
    """Controls of one truth, in the words of reports."""

    share: str
    """What the share of those that are confirmed is called."""
    called: str
    """What they are called where there are too few."""


def truth_as_made(pairs: Sequence[PairedControl], tried: Tried, there: Kind, absent: Kind) -> Truth:
    """The controls whose every other question has the answer that confirms them.

    Args:
        pairs: the controls, some of either kind.
        tried: answers to their other questions.
        there: those in which what the test looks for is there.
        absent: the others.

    Returns:
        Which count, and how often either kind does, with Wilson's interval.
    """
    made = [
        list(answers) == [wanted for _, wanted in pair.tried]
        for pair, answers in zip(pairs, tried, strict=True)
    ]
    kept = tuple(at for at, held in enumerate(made) if held)
    truths = tuple(pairs[at].there for at in kept)
    shares = {}
    for kind, is_there in ((there, True), (absent, False)):
        of_kind = [m for m, pair in zip(made, pairs, strict=True) if pair.there is is_there]
        shares[kind.share] = share(np.array(of_kind))
    return Truth(kept, truths, shares, too_few(truths, there.called, absent.called))


def together(pairs: Sequence[PairedControl]) -> list[int]:
    """Which controls are not independent, [pairs]: those of one number.

    Two controls belong together that are made from one question or are tested on one.
    """
    return clusters([(pair.base, *pair.tested) for pair in pairs])


def too_few(
    there: Sequence[bool], yes: str, no: str, *, does: str = "confirms too few controls"
) -> str | None:
    """Why controls are too few; none when they are enough.

    Args:
        there: truth of those that count.
        yes: what the controls are called where it is there.
        no: and where it is not.
        does: what the subject does that leaves so few.
    """
    positive = sum(there)
    if min(positive, len(there) - positive) >= FEWEST:
        return None
    return f"{does}: {positive} {yes} and {len(there) - positive} {no}, {FEWEST} of each are needed"
