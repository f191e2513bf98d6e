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
"""What is asked for and a seed -> the controls."""
Confirms = Callable[[Sequence[PairedControl], Tried], Truth]
"""Controls and the answers to their other questions -> which controls count."""
Scores = Callable[[PairedControl, str, str], Mapping[str, float]]
"""A control and its two answers -> the score of every test."""

TRUTHS = ("in which what the test looks for is there", "in which it is not")
"""What tested controls are called in reports, by their truth."""


class ControlsOptions(Record):
    """Which controls a subject is asked."""

    controls: ControlsSpec


class ControlScores(Record):
    """One control whose two answers could be read."""

    there: bool
    """Whether the tests' target is present."""
    question: int
    """Controls with the same number are not independent."""
    scores: dict[str, float]
    """Test -> its score of the control."""


class PairedControls(Payload):
    """A subject's answers to paired controls, scored."""

    reason: str | None
    """Why nothing can be calibrated on it; none when it can."""
    controls: int = 0
    """How many were asked."""
    left_out: str = ""
    """A sentence on the families that were left out."""
    shares: dict[str, Interval] = Field(default_factory=dict)
    """Kind of controls -> share on which the subject did what they were made for."""
    unread: int = 0
    """Controls that count, with an answer that could not be read."""
    own_words: bool = False
    """Whether they were asked in words other than the definition's."""
    tested: tuple[ControlScores, ...] = ()


def pieces(plan: Plan, subject: str, controls: ControlsSpec | None) -> list[Piece[ControlsOptions]]:
    """One piece; none for a subject that is not asked here, or where no controls are wanted."""
    if controls is None or "asking again" not in plan.offers(subject):
        return []
    return [Piece((0,), ControlsOptions(controls=controls))]


def measured(
    work: Work[ControlsOptions], items_of: Items, confirmed: Confirms, scores: Scores
) -> PairedControls:
    """Ask a subject the controls, where its tokenizer distinguishes their answers."""
    wanted = work.options.controls
    used = within_reach(work.ref.subject, wanted)
    pairs = items_of(used, work.seed)
    try:
        subject = answering(work.ref.subject, {c for pair in pairs for c in pair.choices})
    except ChoicesError as error:
        return PairedControls(reason=cannot_answer(error), left_out=left_out(wanted, used))
    answered = ask(subject, work.ref.subject.spec, pairs, confirmed, scores)
    return answered.model_copy(update={"left_out": left_out(wanted, used)})


def ask(
    subject: Writes,
    spec: SubjectSpec,
    pairs: Sequence[PairedControl],
    confirmed: Confirms,
    scores: Scores,
) -> PairedControls:
    """Ask a subject the controls; the tested questions only where enough controls count.

    Args:
        subject: the model that answers.
        spec: its settings.
        pairs: the controls.
        confirmed: decides which of them count.
        scores: gives the tests' scores of a control.
    """
    answers = answers_to(subject, spec, to_try(pairs))
    truth = confirmed(pairs, [[answers[text] for text, _ in pair.tried] for pair in pairs])
    if truth.reason is not None:
        return PairedControls(reason=truth.reason, controls=len(pairs))
    counted = [pairs[at] for at in truth.confirmed]
    answers = answers_to(subject, spec, to_test(counted))
    tested = _tested(counted, truth.there, answers, scores)
    few = too_few(
        [control.there for control in tested],
        *TRUTHS,
        does="gives too few answers to the controls to be read",
    )
    return PairedControls(
        reason=few,
        controls=len(pairs),
        shares=dict(truth.shares),
        unread=len(counted) - len(tested),
        own_words=spec.own_words,
        tested=tested,
    )


def _tested(
    pairs: Sequence[PairedControl],
    truths: Sequence[bool],
    answers: Mapping[str, str | None],
    scores: Scores,
) -> tuple[ControlScores, ...]:
    """Scores of the controls that count and whose two answers could be read."""
    readable = []
    for pair, truth in zip(pairs, truths, strict=True):
        before, after = (answers[text] for text in pair.tested)
        if before is not None and after is not None:
            readable.append((pair, truth, dict(scores(pair, before, after))))
    questions = together([pair for pair, _, _ in readable])
    return tuple(
        ControlScores(there=truth, question=question, scores=by_test)
        for (_, truth, by_test), question in zip(readable, questions, strict=True)
    )


def to_try(pairs: Sequence[PairedControl]) -> list[Question]:
    """The other questions, whose answers confirm controls or rule them out."""
    return [(text, pair.choices) for pair in pairs for text, _ in pair.tried]


def to_test(pairs: Sequence[PairedControl]) -> list[Question]:
    """The questions that the tests are given."""
    return [(text, pair.choices) for pair in pairs for text in pair.tested]


class Calibration(NamedTuple):
    """Calibration of tests on a subject, or why there is none."""

    measurements: list[Measurement]
    why_not: str | None
    """Why there is no calibration; none when there is."""
    controls: str
    """How many controls it rests on, of how many."""
    shares: Mapping[str, str]
    """The same shares in words."""
    rest: str
    """Further sentences for the note."""


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
    unread = f" {asked.unread} were left out because an answer could not be read."
    return Calibration(
        measurements=calibrated(_by_test(asked.tested)),
        why_not=None,
        controls=f"{len(asked.tested)} of {asked.controls}",
        shares={name: _in_words(share) for name, share in asked.shares.items()},
        rest=unread + OWN_WORDS * asked.own_words + asked.left_out,
    )


def _by_test(tested: Sequence[ControlScores]) -> dict[str, Scored]:
    truth = np.array([control.there for control in tested], dtype=np.bool_)
    questions = [control.question for control in tested]
    tests = dict.fromkeys(test for control in tested for test in control.scores)
    return {
        test: Scored(np.array([control.scores[test] for control in tested]), truth, questions)
        for test in tests
    }


def _in_words(share: Interval) -> str:
    return f"{share.value:.2f}, {share.low:.2f} to {share.high:.2f}"
