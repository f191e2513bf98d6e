"""Controls of tests that compare two answers: tried on other questions first, then tested."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

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
from tasks.controls.truth import Couple, Tried, Truth, together, too_few
from tasks.definition import SubjectSpec
from tasks.definition.checks import ContradictionCheck, ControlsSpec, CueCheck
from tasks.errors import ChoicesError
from tasks.measures.stats.intervals import Interval
from tasks.run.inputs import shard
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef
from tasks.schema import Measurement
from tasks.subjects.protocols import Writes

Scores = Callable[[Couple, str, str], Mapping[str, float]]
"""What every test says of a control, by its two answers."""

TRUTHS = ("in which what the test looks for is there", "in which it is not")
"""What controls are called once they were tested."""


def controls_shards(plan: Plan, check: CueCheck | ContradictionCheck, kind: str) -> list[ShardRef]:
    """One shard; none for a subject that is not asked here, or where no controls are wanted."""
    name = plan.spec.subject_of(check)
    if check.controls is None or "asking again" not in plan.offers(name):
        return []
    return [shard(plan, name, kind, [0], controls=check.controls.model_dump())]


def measured(
    ref: ShardRef,
    items_of: Callable[[ControlsSpec, int], list[Couple]],
    borne_out: Callable[[Sequence[Couple], Tried], Truth],
    scores: Scores,
) -> Payload:
    """Whether the subject bears the controls out, and what the tests say of those it does.

    Args:
        ref: the shard.
        items_of: the controls, by what is asked for and a seed.
        borne_out: which of them count, by the answers to their other questions.
        scores: of the tests.
    """
    wanted = ControlsSpec.model_validate(ref.option("controls"))
    made = within_reach(ref, wanted)
    couples = items_of(made, ref.data.seed)
    try:
        subject = answering(ref.subject, {c for couple in couples for c in couple.choices})
    except ChoicesError as error:
        return cannot_answer(error)
    found = told(subject, ref.subject.spec, couples, borne_out, scores)
    return Payload({}, [found | {"left_out": left_out(wanted, made)}])


def told(
    subject: Writes,
    spec: SubjectSpec,
    couples: Sequence[Couple],
    borne_out: Callable[[Sequence[Couple], Tried], Truth],
    scores: Scores,
) -> dict[str, Any]:
    """What a subject says to controls; the tested questions only where enough are borne out."""
    answers = answers_to(subject, spec, to_try(couples))
    truth = borne_out(couples, [[answers[text] for text, _ in one.tried] for one in couples])
    found: dict[str, Any] = {"reason": truth.reason, "controls": len(couples)}
    if truth.reason is not None:
        return found
    kept = [couples[at] for at in truth.borne_out]
    answers = answers_to(subject, spec, to_test(kept))
    read, scored = [], []
    for at, couple in enumerate(kept):
        before, after = (answers[text] for text in couple.tested)
        if before is not None and after is not None:
            read.append(at)
            scored.append(dict(scores(couple, before, after)))
    there = [truth.there[at] for at in read]
    return {
        **found,
        "reason": too_few(there, *TRUTHS, does="gives too few answers to the controls to be read"),
        "shares": {name: list(value) for name, value in truth.shares.items()},
        "unread": len(kept) - len(read),
        "own_words": spec.own_words,
        "truth": there,
        "together": together([kept[at] for at in read]),
        "scores": scored,
    }


def to_try(couples: Sequence[Couple]) -> list[Question]:
    """The other questions, which show which controls are what they were made for."""
    return [(text, couple.choices) for couple in couples for text, _ in couple.tried]


def to_test(couples: Sequence[Couple]) -> list[Question]:
    """The questions that the tests are given."""
    return [(text, couple.choices) for couple in couples for text in couple.tested]


class Calibration(NamedTuple):
    """What tests are worth on a subject, or why that is not known."""

    found: list[Measurement]
    why_not: str | None
    """Why there is no calibration; none when there is."""
    controls: str
    """How many controls it rests on, of how many."""
    shares: Mapping[str, str]
    """How often the subject did what controls of one kind were made for, in words."""
    rest: str
    """What else a reader must know."""


def calibration(controls: ControlsSpec | None, payloads: Sequence[Payload]) -> Calibration:
    """AUROC, sensitivity and specificity of the tests, from what the subject said to controls.

    Args:
        controls: what the definition asks for.
        payloads: of the shard, if there was one.
    """
    if controls is None:
        return Calibration([], "the definition asks for no controls", "", {}, "")
    if not payloads:
        return Calibration([], "what is on record cannot be asked anything new", "", {}, "")
    said: Any = payloads[0].records[0]
    if said["reason"] is not None:
        return Calibration([], f"the subject {said['reason']}", "", {}, said.get("left_out", ""))
    truth = np.array(said["truth"], dtype=np.bool_)
    tests = dict.fromkeys(test for one in said["scores"] for test in one)
    found = calibrated(
        {
            test: Scored(np.array([one[test] for one in said["scores"]]), truth, said["together"])
            for test in tests
        }
    )
    lost = f" {said['unread']} were left out because an answer could not be read."
    shares = {name: _in_words(Interval(*value)) for name, value in said["shares"].items()}
    rest = lost + OWN_WORDS * said["own_words"] + said.get("left_out", "")
    return Calibration(found, None, f"{len(truth)} of {said['controls']}", shares, rest)


def _in_words(share: Interval) -> str:
    return f"{share.value:.2f}, {share.low:.2f} to {share.high:.2f}"
