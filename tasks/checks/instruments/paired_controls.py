"""Controls of tests that compare two answers: tried on other questions first, then tested."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field

from tasks.checks.instruments.asking import (
    OWN_WORDS,
    Question,
    answering,
    answers_to,
    cannot_answer,
    left_out,
    within_reach,
)
from tasks.checks.instruments.calibration import Scored, calibrated
from tasks.controls.truth import PairedControl, Tried, Truth, together, too_few
from tasks.definition import SubjectSpec
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.record import Record
from tasks.errors import ChoicesError
from tasks.measures.stats.intervals import Interval
from tasks.run.payload import Payload
from tasks.run.plan import Plan
from tasks.run.rounds import Piece, Work
from tasks.schema import Measurement
from tasks.subjects.protocols import Writes

Items = Callable[[ControlsSpec, int], list[PairedControl]]
"""The controls, by what is asked for and a seed."""
Confirms = Callable[[Sequence[PairedControl], Tried], Truth]
"""Which controls count, by the answers to their other questions."""
Scores = Callable[[PairedControl, str, str], Mapping[str, float]]
"""What every test says of a control, by its two answers."""

TRUTHS = ("in which what the test looks for is there", "in which it is not")
"""What controls are called once they were tested."""


class ControlsOptions(Record):
    """Which controls a subject is asked."""

    controls: ControlsSpec


class ControlScores(Record):
    """One control whose two answers could be read."""

    there: bool
    """Whether what the tests look for is there."""
    question: int
    """Controls of one number are not independent."""
    scores: dict[str, float]
    """What every test says of it."""


class PairedControls(Payload):
    """What a subject answers to controls."""

    reason: str | None
    """Why nothing can be calibrated on it; none when it can."""
    controls: int = 0
    """How many were asked."""
    left_out: str = ""
    """What a reader must know of families that were left out."""
    shares: dict[str, Interval] = Field(default_factory=dict)
    """How often the subject did what controls of one kind were made for."""
    unread: int = 0
    """Controls that count, of which an answer could not be read."""
    own_words: bool = False
    """Whether they were asked in other words than the definition's."""
    tested: tuple[ControlScores, ...] = ()


def pieces(plan: Plan, subject: str, controls: ControlsSpec | None) -> list[Piece[ControlsOptions]]:
    """One piece; none for a subject that is not asked here, or where no controls are wanted."""
    if controls is None or "asking again" not in plan.offers(subject):
        return []
    return [Piece((0,), ControlsOptions(controls=controls))]


def measured(
    work: Work[ControlsOptions], items_of: Items, confirmed: Confirms, scores: Scores
) -> PairedControls:
    """Ask the controls of a subject whose tokenizer tells their answers apart."""
    wanted = work.options.controls
    made = within_reach(work.ref.subject, wanted)
    pairs = items_of(made, work.seed)
    try:
        subject = answering(work.ref.subject, {c for pair in pairs for c in pair.choices})
    except ChoicesError as error:
        return PairedControls(reason=cannot_answer(error))
    answered = ask(subject, work.ref.subject.spec, pairs, confirmed, scores)
    return answered.model_copy(update={"left_out": left_out(wanted, made)})


def ask(
    subject: Writes,
    spec: SubjectSpec,
    pairs: Sequence[PairedControl],
    confirmed: Confirms,
    scores: Scores,
) -> PairedControls:
    """Ask controls of a subject; the tested questions only where enough of them count.

    Args:
        subject: whoever answers.
        spec: its settings.
        pairs: the controls.
        confirmed: which of them count.
        scores: of the tests.
    """
    answers = answers_to(subject, spec, to_try(pairs))
    truth = confirmed(pairs, [[answers[text] for text, _ in one.tried] for one in pairs])
    if truth.reason is not None:
        return PairedControls(reason=truth.reason, controls=len(pairs))
    kept = [pairs[at] for at in truth.confirmed]
    answers = answers_to(subject, spec, to_test(kept))
    tested = _tested(kept, truth.there, answers, scores)
    few = too_few(
        [one.there for one in tested],
        *TRUTHS,
        does="gives too few answers to the controls to be read",
    )
    return PairedControls(
        reason=few,
        controls=len(pairs),
        shares=dict(truth.shares),
        unread=len(kept) - len(tested),
        own_words=spec.own_words,
        tested=tested,
    )


def _tested(
    kept: Sequence[PairedControl],
    there: Sequence[bool],
    answers: Mapping[str, str | None],
    scores: Scores,
) -> tuple[ControlScores, ...]:
    """Scores of the controls that count and whose two answers could be read."""
    read = []
    for pair, truth in zip(kept, there, strict=True):
        before, after = (answers[text] for text in pair.tested)
        if before is not None and after is not None:
            read.append((pair, truth, dict(scores(pair, before, after))))
    questions = together([pair for pair, _, _ in read])
    return tuple(
        ControlScores(there=truth, question=question, scores=said)
        for (_, truth, said), question in zip(read, questions, strict=True)
    )


def to_try(pairs: Sequence[PairedControl]) -> list[Question]:
    """The other questions, which show which controls are what they were made for."""
    return [(text, pair.choices) for pair in pairs for text, _ in pair.tried]


def to_test(pairs: Sequence[PairedControl]) -> list[Question]:
    """The questions that the tests are given."""
    return [(text, pair.choices) for pair in pairs for text in pair.tested]


class Calibration(NamedTuple):
    """What tests are worth on a subject, or why that is not known."""

    measurements: list[Measurement]
    why_not: str | None
    """Why there is no calibration; none when there is."""
    controls: str
    """How many controls it rests on, of how many."""
    shares: Mapping[str, str]
    """How often the subject did what controls of one kind were made for, in words."""
    rest: str
    """What else a reader must know."""


def calibration(controls: ControlsSpec | None, payloads: Sequence[PairedControls]) -> Calibration:
    """AUROC, sensitivity and specificity of the tests, from what the subject answers to controls.

    Args:
        controls: what the definition asks for.
        payloads: of the round, if it was run.
    """
    if controls is None:
        return Calibration([], "the definition asks for no controls", "", {}, "")
    if not payloads:
        return Calibration([], "what is on record cannot be asked anything new", "", {}, "")
    (asked,) = payloads
    if asked.reason is not None:
        return Calibration([], f"the subject {asked.reason}", "", {}, asked.left_out)
    lost = f" {asked.unread} were left out because an answer could not be read."
    return Calibration(
        measurements=calibrated(_by_test(asked.tested)),
        why_not=None,
        controls=f"{len(asked.tested)} of {asked.controls}",
        shares={name: _in_words(share) for name, share in asked.shares.items()},
        rest=lost + OWN_WORDS * asked.own_words + asked.left_out,
    )


def _by_test(tested: Sequence[ControlScores]) -> dict[str, Scored]:
    truth = np.array([one.there for one in tested], dtype=np.bool_)
    questions = [one.question for one in tested]
    tests = dict.fromkeys(test for one in tested for test in one.scores)
    return {
        test: Scored(np.array([one.scores[test] for one in tested]), truth, questions)
        for test in tests
    }


def _in_words(share: Interval) -> str:
    return f"{share.value:.2f}, {share.low:.2f} to {share.high:.2f}"
