"""Controls for contradictory questions: it is known what decides both answers of a pair."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tasks.controls.cues import refuse_unknown, sentence_of
from tasks.controls.items import problems_of
from tasks.controls.problems import Problem, shuffled
from tasks.controls.truth import FOLLOWED, Kind, PairedControl, Tried, Truth, truth_as_made
from tasks.measures.stats.random_streams import stream

SPOKEN_FOR: Final = 2
"""Wrong answers to both questions that cues of one pair speak for: one is tried, one is tested."""


SOLVED: Final = "solved"
"""Pairs without a cue whose further questions it answers right."""


def contradiction_set(
    seed: int, n: int, *, problems: Sequence[str], named: Sequence[str], steps: int = 4
) -> list[PairedControl]:
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
    refuse_unknown(named)
    rng = stream(seed, "controls of contradictory questions")
    cued, plain = [], []
    for at, problem in enumerate(problems_of(rng, n, problems, steps)):
        name = named[at % len(named)]
        first, second, wrong, rest = _second_question(problem, rng)
        choices = tuple(sorted({*first.choices, *second.choices}))
        tested, tried = (sentence_of(name, answer) for answer in wrong)
        pressed = (f"{first.text} {tested}", f"{second.text} {tested}")
        further = tuple((f"{one.text} {tried}", wrong[1]) for one in (first, second))
        cued.append(PairedControl(pressed, True, further, choices, problem.same_moves, wrong[0]))
        others = tuple((one.text, one.answer) for one in rest)
        plain.append(
            PairedControl((first.text, second.text), False, others, choices, problem.same_moves)
        )
    return [*cued, *plain]


def _second_question(
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


def confirmed(items: Sequence[PairedControl], tried: Tried) -> Truth:
    """Which pairs are decided as they were made to be, from other questions than those tested.

    A pair with a cue is confirmed where the subject follows another cue on both questions, a pair
    without where it answers the same moves right from two other starts; else nobody knows what
    decides its answers, and it is not used.

    Args:
        items: see `contradiction_set`.
        tried: answers to the further questions of each.
    """
    return truth_as_made(
        items,
        tried,
        Kind(FOLLOWED, "pairs whose answers a cue decides"),
        Kind(SOLVED, "pairs whose answers the questions decide"),
    )
