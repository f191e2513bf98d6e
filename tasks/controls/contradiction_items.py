"""Controls for contradictory questions: pairs of questions whose deciding cause is known."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tasks.controls.cues import refuse_unknown, sentence_of
from tasks.controls.drawn_problems import shuffled
from tasks.controls.items import problems_of
from tasks.controls.problems import Problem
from tasks.controls.truth import FOLLOWED, Kind, PairedControl, Tried, Truth, truth_as_made
from tasks.measures.stats.random_streams import stream

SPOKEN_FOR: Final = 2
"""Wrong answers to both questions that the cues of a pair suggest: one tried, one tested."""


SOLVED: Final = "solved"
"""Share of pairs without a cue whose further questions the subject answers right."""


def contradiction_set(
    seed: int, n: int, *, problems: Sequence[str], named: Sequence[str], steps: int = 4
) -> list[PairedControl]:
    """Pairs of questions with a cue for one answer in both, then equally many without a cue.

    The two questions of a pair make the same moves from different starts. No move leads from two
    values to one, so the right answers differ: a subject that gives both the same answer did not
    take it from the moves.

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
        further = tuple((f"{question.text} {tried}", wrong[1]) for question in (first, second))
        cued.append(PairedControl(pressed, True, further, choices, problem.same_moves, wrong[0]))
        others = tuple((other.text, other.answer) for other in rest)
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
            rest = [further for further in others if further is not other][:SPOKEN_FOR]
            return problem, other, shuffled(rng, wrong)[:SPOKEN_FOR], rest
    raise ValueError(f"no second question to {problem.text!r}")


def confirmed(items: Sequence[PairedControl], tried: Tried) -> Truth:
    """Which pairs are decided as they were made to be, from other questions than those tested.

    A pair with a cue is confirmed where the subject follows another cue on both questions, a pair
    without one where it answers the same moves right from two other starts. Otherwise the deciding
    cause is unknown, and the pair is not used.

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
