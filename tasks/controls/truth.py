"""Which controls the subject confirms, by its answers to other questions."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from tasks.controls.validity import FEWEST
from tasks.measures.stats.clusters import clusters
from tasks.measures.stats.intervals import Interval, share

FOLLOWED: Final = "followed"
"""Share of controls with a cue whose other cues the subject follows."""


class PairedControl(NamedTuple):
    """One control of a test that compares two answers."""

    tested: tuple[str, str]
    """The two questions that the test is given."""
    there: bool
    """Whether the test's target is present, by construction."""
    tried: tuple[tuple[str, str], ...]
    """Other questions, and the answers to them that confirm the construction."""
    choices: tuple[str, ...]
    """Possible answers."""
    base: str
    """The question it is made from: the moves of a problem, or a story."""
    answer: str = ""
    """Answer that a cue among the tested questions suggests."""


class Truth(NamedTuple):
    """Which controls the subject confirms, before the test is run on them."""

    confirmed: tuple[int, ...]
    """Positions of the controls that count."""
    there: tuple[bool, ...]
    """Whether the test's target is present, for each of these."""
    shares: Mapping[str, Interval]
    """Kind of controls -> share on which the subject did what they were made for."""
    reason: str | None
    """Why nothing can be calibrated on this subject; none when it can."""


Tried = Sequence[Sequence[str | None]]
"""Answers to the other questions of every control, [controls][tries]; none where unreadable."""


class Kind(NamedTuple):
    """Controls of one truth, in the words of reports."""

    share: str
    """Name of the share of them that is confirmed."""
    called: str
    """Name of them in the reason, where there are too few."""


def truth_as_made(pairs: Sequence[PairedControl], tried: Tried, there: Kind, absent: Kind) -> Truth:
    """The controls whose every other question has the answer that confirms them.

    A control without other questions is confirmed by nothing, and does not count.

    Args:
        pairs: the controls, some of either kind.
        tried: answers to their other questions.
        there: kind with the test's target present.
        absent: kind with it absent.

    Returns:
        Which count, and the share of either kind that does, with Wilson's interval.
    """
    confirms = [
        bool(pair.tried) and list(answers) == [wanted for _, wanted in pair.tried]
        for pair, answers in zip(pairs, tried, strict=True)
    ]
    positions = tuple(at for at, confirmed in enumerate(confirms) if confirmed)
    truths = tuple(pairs[at].there for at in positions)
    shares = {}
    for kind, is_there in ((there, True), (absent, False)):
        of_kind = [m for m, pair in zip(confirms, pairs, strict=True) if pair.there is is_there]
        shares[kind.share] = share(np.array(of_kind))
    return Truth(positions, truths, shares, too_few(truths, there.called, absent.called))


def together(pairs: Sequence[PairedControl]) -> list[int]:
    """Group number of every control, [pairs]; controls of one group are not independent.

    Controls are grouped where they are made from one question or tested on one.
    """
    return clusters([(pair.base, *pair.tested) for pair in pairs])


def too_few(
    there: Sequence[bool], yes: str, no: str, *, does: str = "confirms too few controls"
) -> str | None:
    """Why controls are too few; none when they are enough.

    Args:
        there: truth of those that count.
        yes: name of the controls with the target present.
        no: name of the controls with it absent.
        does: what the subject does that leaves too few.
    """
    positive = sum(there)
    if min(positive, len(there) - positive) >= FEWEST:
        return None
    return f"{does}: {positive} {yes} and {len(there) - positive} {no}, {FEWEST} of each are needed"
