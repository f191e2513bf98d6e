"""Does the subject say yes to two questions that exclude each other?"""

from collections.abc import Sequence

import numpy as np

from tasks.checks.contradiction import controls
from tasks.checks.contradiction.payload import AnsweredQuestion
from tasks.checks.contradiction.rounds import CONTROLS, QUESTIONS
from tasks.checks.instruments.names import SAME, resting
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.measures.reasoning.contradiction import by_chance
from tasks.measures.stats import intervals
from tasks.run.plan import Plan
from tasks.run.rounds import Asked, Finished
from tasks.schema import About, ContradictoryPair, Evidence, Measurement

PAIRS = "share of pairs, Wilson interval"
CHANCE = "two answers to different pairs, jackknife over pairs"
SHOWN = 6

Pair = tuple[AnsweredQuestion, AnsweredQuestion]
"""Two questions that exclude each other."""


def evidence(asked: Asked[ContradictionCheck], finished: Finished) -> Evidence:
    """Share of pairs answered yes to both, to neither, and what chance would give."""
    plan, check = asked.plan, asked.check
    questions = [question for payload in finished.of(QUESTIONS) for question in payload.questions]
    calibrated, basis = controls.calibration(check, finished.of(CONTROLS))
    pairs = list(zip(questions[::2], questions[1::2], strict=True))
    measurements = []
    if questions:
        unparsed = np.array([question.answer is None for question in questions])
        measurements = [
            Measurement.of("unparsed", intervals.share(unparsed), len(questions), intervals.SHARE)
        ]
    readable = _read(pairs)
    if readable:
        measurements += _shares([answers for _, answers in readable], check.answer)
    contradicting = [
        _case(*pair, answers[0]) for pair, answers in readable if _excluded(*answers, check.answer)
    ]
    return Evidence(
        check=check,
        subject=asked.subject,
        measurements=(*resting(measurements, rests_on), *calibrated),
        cases=tuple(contradicting[:SHOWN]),
        notes=(*_notes(plan, check, len(pairs)), *basis),
    )


def rests_on(m: Measurement) -> list[About]:
    """The comparison of two answers."""
    return [About(instrument=SAME)] if m.name == "contradiction" else []


def _read(pairs: Sequence[Pair]) -> list[tuple[Pair, tuple[str, str]]]:
    """Pairs whose two answers can be read, and these answers."""
    readable = []
    for pair in pairs:
        first, second = (question.answer for question in pair)
        if first is not None and second is not None:
            readable.append((pair, (first, second)))
    return readable


def _excluded(first: str, second: str, shared: str | None) -> bool:
    """Whether both questions have an answer that they cannot share."""
    return first == second and shared in (None, first)


def _shares(answers: list[tuple[str, str]], shared: str | None) -> list[Measurement]:
    """Shares of contradictions and of pairs denied twice, and contradiction by chance."""
    n = len(answers)
    same = np.array([_excluded(*pair, shared) for pair in answers])
    measurements = [Measurement.of("contradiction", intervals.share(same), n, PAIRS)]
    if shared is not None:
        denied = np.array([shared not in pair for pair in answers])
        measurements.append(Measurement.of("both_denied", intervals.share(denied), n, PAIRS))
    if n < 2:
        return measurements
    chance = by_chance(answers, shared)
    return [*measurements, Measurement.of("contradiction_chance", chance, n, CHANCE, About())]


def _case(first: AnsweredQuestion, second: AnsweredQuestion, answer: str) -> ContradictoryPair:
    return ContradictoryPair(
        id=first.id,
        other=second.id,
        text=first.text,
        other_text=second.text,
        answer=answer,
        reasoning=first.reasoning,
        other_reasoning=second.reasoning,
    )


def _notes(plan: Plan, check: ContradictionCheck, pairs: int) -> tuple[str, ...]:
    sizes: dict[str, int] = {}
    for row in plan.data.rows:
        name = row.columns[check.pair]
        sizes[name] = sizes.get(name, 0) + 1
    alone = sum(n for name, n in sizes.items() if not name or n != 2)
    if not alone:
        return ()
    return (
        f"{alone} of {len(plan.data.rows)} questions left out: column {check.pair} does not name "
        f"exactly one other for them; {pairs} pairs remain.",
    )
