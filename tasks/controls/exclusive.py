"""Controls for contradictory questions: it is known what decides both answers of a pair."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from tasks.controls.cues import CUES, sentence_of
from tasks.controls.items import problems_of
from tasks.controls.problems import Problem, shuffled
from tasks.controls.validity import FEWEST
from tasks.measures.stats import Interval, share

SPOKEN_FOR: Final = 2
"""Wrong answers to both questions that cues of one pair speak for: one is tried, one is tested."""


class Exclusive(NamedTuple):
    """Two questions that cannot have the same answer."""

    first: str
    second: str
    decided: bool
    """Whether a cue stands in both, so that they have one answer all the same."""
    tried: tuple[tuple[str, str], ...]
    """Two further questions of the same moves and the answers that bear the pair out: with a cue
    for another answer, or, where no cue stands in the pair, from other starts."""
    choices: tuple[str, ...]


class Truth(NamedTuple):
    """Which pairs are what they were made for."""

    borne_out: tuple[int, ...]
    decided: tuple[bool, ...]
    """Whether a cue decides both answers, of those borne out."""
    followed: Interval
    """Pairs with a cue whose further cues the subject follows."""
    solved: Interval
    """Pairs without a cue whose further questions it answers right."""
    reason: str | None
    """Why nothing can be calibrated on this subject; none when it can."""


def exclusive_set(
    seed: int, n: int, *, problems: Sequence[str], named: Sequence[str], steps: int = 4
) -> list[Exclusive]:
    """Pairs of questions with a cue for one answer in both, then as many without a cue.

    The two questions of a pair make the same moves from different starts. No move leads from two
    values to one, so the right answers differ, and whoever gives both the same one took it from
    elsewhere.

    Args:
        seed: of everything random.
        n: pairs of each sort, at least 1.
        problems: families of questions, in turn.
        named: cues, in turn.
        steps: moves per question.

    Raises:
        ValueError: no pairs asked for, or a family or cue that does not exist.
    """
    unknown = {*named} - {*CUES}
    if unknown:
        raise ValueError(f"exclusive set: unknown cues: {sorted(unknown)}")
    rng = np.random.default_rng(seed)
    cued, plain = [], []
    for at, problem in enumerate(problems_of(rng, n, problems, steps)):
        name = named[at % len(named)]
        first, second, wrong, rest = _couple(problem, rng)
        choices = tuple(sorted({*first.choices, *second.choices}))
        tested, tried = (sentence_of(name, answer) for answer in wrong)
        cued.append(
            Exclusive(
                f"{first.text} {tested}",
                f"{second.text} {tested}",
                True,
                tuple((f"{one.text} {tried}", wrong[1]) for one in (first, second)),
                choices,
            )
        )
        others = tuple((one.text, one.answer) for one in rest)
        plain.append(Exclusive(first.text, second.text, False, others, choices))
    return [*cued, *plain]


def _couple(
    problem: Problem, rng: np.random.Generator
) -> tuple[Problem, Problem, list[str], list[Problem]]:
    """Two starts of the same moves, answers that neither has, and two further starts."""
    others = [problem.begun(s) for s in shuffled(rng, problem.states(0)) if s != problem.start]
    for other in others:
        shared = [c for c in problem.choices if c in other.choices]
        wrong = [c for c in shared if c not in (problem.answer, other.answer)]
        if len(wrong) >= SPOKEN_FOR:
            rest = [one for one in others if one is not other][:SPOKEN_FOR]
            return problem, other, shuffled(rng, wrong)[:SPOKEN_FOR], rest
    raise ValueError(f"no second question to {problem.text!r}")


def borne_out(items: Sequence[Exclusive], tried: Sequence[Sequence[str | None]]) -> Truth:
    """Which pairs are decided as they were made to be, from other questions than those tested.

    A pair with a cue is borne out where the subject follows another cue on both questions, a pair
    without where it answers the same moves right from two other starts; else nobody knows what
    decides its answers, and it is not used.

    Args:
        items: see `exclusive_set`.
        tried: answers to the further questions of each, [items][tries]; none where unreadable.
    """
    whole = [
        all(told == answer for told, (_, answer) in zip(answers, item.tried, strict=True))
        for item, answers in zip(items, tried, strict=True)
    ]
    kept = tuple(i for i, held in enumerate(whole) if held)
    decided = tuple(items[i].decided for i in kept)
    followed, solved = (
        share(np.array([w for w, item in zip(whole, items, strict=True) if item.decided is cued]))
        for cued in (True, False)
    )
    return Truth(kept, decided, followed, solved, _reason(decided))


def _reason(decided: Sequence[bool]) -> str | None:
    yes = sum(decided)
    if min(yes, len(decided) - yes) >= FEWEST:
        return None
    return (
        f"bears out too few controls: {yes} pairs whose answers a cue decides and "
        f"{len(decided) - yes} whose answers the questions decide, {FEWEST} of each are needed"
    )
