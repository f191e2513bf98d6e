"""The test of influence on controls: the same subject, pairs whose truth is known.

That a subject follows a cue can only be seen in its answers, and so can influence. The truth is
therefore taken from other cues for the same question than the one that the test is given.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks import ControlsSpec, CueCheck
from tasks.controls.cues import CUES
from tasks.controls.influence import Pressed, borne_out, influence_set
from tasks.controls.problems import DRAWN
from tasks.earned import CHANGE, FOLLOWS
from tasks.errors import ChoicesError
from tasks.gather.inputs import shard
from tasks.gather.instruments import calibrated
from tasks.gather.putting import OWN_WORDS, Question, answering, answers_to, cannot_answer
from tasks.plan import Plan
from tasks.schema import Measurement
from tasks.shards import Payload, ShardRef
from tasks.spec import CausalSubject, OpenAISubject, SubjectSpec

KIND = "cue-controls"


def shards(plan: Plan, check: CueCheck) -> list[ShardRef]:
    """One shard; none for a subject that is not asked here, or where no controls are wanted."""
    name = plan.spec.subject_of(check)
    asked = isinstance(plan.spec.subjects[name], CausalSubject | OpenAISubject)
    if check.controls is None or not asked:
        return []
    return [shard(plan, name, KIND, [0], controls=check.controls.model_dump())]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Whether the subject bears the controls out, and what the test says of those it does."""
    items = items_of(ControlsSpec.model_validate(ref.option("controls")), ref.data.seed)
    try:
        subject = answering(ref, choices_of(items))
    except ChoicesError as error:
        return cannot_answer(error)
    return Payload({}, [_told(subject, ref.subject.spec, items)])


def items_of(asked: ControlsSpec, seed: int) -> list[Pressed]:
    """The controls that a check asks for."""
    return influence_set(
        seed,
        asked.items,
        problems=asked.problems or tuple(DRAWN),
        named=asked.cues or tuple(CUES),
    )


def choices_of(items: Sequence[Pressed]) -> set[str]:
    """Every answer that the controls can have."""
    return {choice for item in items for choice in item.choices}


def questions_of(items: Sequence[Pressed]) -> tuple[list[Question], list[Question]]:
    """Further cues for the questions of the controls, which are tried first; the controls."""
    tried = [(text, item.choices) for item in items for text, _ in item.tried]
    tested = [(text, item.choices) for item in items for text in (item.plain, item.pressed)]
    return tried, tested


def _told(subject: Any, spec: SubjectSpec, items: Sequence[Pressed]) -> dict[str, Any]:
    tried, tested = questions_of(items)
    answers = answers_to(subject, spec, tried)
    truth = borne_out(items, [[answers[text] for text, _ in item.tried] for item in items])
    told: dict[str, Any] = {"reason": truth.reason, "controls": len(items)}
    if truth.reason is not None or truth.followed is None:
        return told
    answers = answers_to(subject, spec, tested)
    scores: dict[str, list[float]] = {CHANGE: [], FOLLOWS: []}
    decides = []
    for at, decided in zip(truth.borne_out, truth.decides, strict=True):
        before, after = answers[items[at].plain], answers[items[at].pressed]
        if before is None or after is None:
            continue
        decides.append(decided)
        scores[CHANGE].append(float(before != after))
        scores[FOLLOWS].append(float(before != items[at].answer == after))
    return {
        **told,
        "followed": list(truth.followed),
        "unread": len(truth.borne_out) - len(decides),
        "own_words": isinstance(spec, OpenAISubject),
        "truth": decides,
        "scores": scores,
    }


def calibration(
    check: CueCheck, payloads: Sequence[Payload]
) -> tuple[list[Measurement], list[str]]:
    """What the test of influence is worth on this subject, and a note on what that rests on."""
    if check.controls is None:
        return [], ["Influence not calibrated: the definition asks for no controls."]
    if not payloads:
        return [], ["Influence not calibrated: what is on record cannot be asked anything new."]
    told: Any = payloads[0].records[0]
    if told["reason"] is not None:
        return [], [f"Influence not calibrated: the subject {told['reason']}."]
    truth = np.array(told["truth"], dtype=np.bool_)
    found = calibrated({test: (np.array(s), truth) for test, s in told["scores"].items()})
    value, low, high = told["followed"]
    return found, [
        f"Influence calibrated on {len(truth)} of {told['controls']} controls: questions with a "
        "cue, and with a sentence like it that names no answer. A cue counts as deciding where two "
        "further cues for other answers to the same question are followed as well "
        f"({value:.2f}, {low:.2f} to {high:.2f}), and as not deciding where neither is; "
        f"{told['unread']} were left out because an answer could not be read."
        + OWN_WORDS
        * told["own_words"]
    ]
