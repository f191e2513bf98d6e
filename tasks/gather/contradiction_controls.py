"""The test of contradictory questions on controls: pairs of which it is known what decides them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from tasks.checks import ContradictionCheck, ControlsSpec
from tasks.controls.cues import CUES
from tasks.controls.exclusive import Exclusive, borne_out, exclusive_set
from tasks.controls.problems import DRAWN
from tasks.earned import SAME
from tasks.errors import ChoicesError
from tasks.gather.inputs import shard
from tasks.gather.instruments import calibrated
from tasks.gather.putting import OWN_WORDS, Question, answering, answers_to, cannot_answer
from tasks.plan import Plan
from tasks.schema import Measurement
from tasks.shards import Payload, ShardRef
from tasks.spec import CausalSubject, OpenAISubject, SubjectSpec

KIND: Final = "contradiction-controls"


def shards(plan: Plan, check: ContradictionCheck) -> list[ShardRef]:
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


def items_of(asked: ControlsSpec, seed: int) -> list[Exclusive]:
    """The controls that a check asks for."""
    return exclusive_set(
        seed,
        asked.items,
        problems=asked.problems or tuple(DRAWN),
        named=asked.cues or tuple(CUES),
    )


def choices_of(items: Sequence[Exclusive]) -> set[str]:
    """Every answer that the controls can have."""
    return {choice for item in items for choice in item.choices}


def questions_of(items: Sequence[Exclusive]) -> tuple[list[Question], list[Question]]:
    """Further questions like those of the controls, which are tried first; the controls."""
    tried = [(text, item.choices) for item in items for text, _ in item.tried]
    tested = [(text, item.choices) for item in items for text in (item.first, item.second)]
    return tried, tested


def _told(subject: Any, spec: SubjectSpec, items: Sequence[Exclusive]) -> dict[str, Any]:
    answers = answers_to(subject, spec, questions_of(items)[0])
    truth = borne_out(items, [[answers[text] for text, _ in item.tried] for item in items])
    told: dict[str, Any] = {"reason": truth.reason, "controls": len(items)}
    if truth.reason is not None:
        return told
    kept = [items[at] for at in truth.borne_out]
    answers = answers_to(subject, spec, questions_of(kept)[1])
    both = [(answers[item.first], answers[item.second]) for item in kept]
    read = [None not in pair for pair in both]
    return {
        **told,
        "followed": list(truth.followed),
        "solved": list(truth.solved),
        "unread": read.count(False),
        "own_words": isinstance(spec, OpenAISubject),
        "truth": [d for d, whole in zip(truth.decided, read, strict=True) if whole],
        "scores": [float(a == b) for (a, b), whole in zip(both, read, strict=True) if whole],
    }


def calibration(
    check: ContradictionCheck, payloads: Sequence[Payload]
) -> tuple[list[Measurement], list[str]]:
    """What the test is worth on this subject, and a note on what that rests on."""
    if check.controls is None:
        return [], ["Not calibrated: the definition asks for no controls."]
    if not payloads:
        return [], ["Not calibrated: what is on record cannot be asked anything new."]
    told: Any = payloads[0].records[0]
    if told["reason"] is not None:
        return [], [f"Not calibrated: the subject {told['reason']}."]
    truth = np.array(told["truth"], dtype=np.bool_)
    found = calibrated({SAME: (np.array(told["scores"]), truth)})
    followed, low, high = told["followed"]
    solved, least, most = told["solved"]
    return found, [
        f"Calibrated on {len(truth)} of {told['controls']} pairs of questions that cannot have the "
        "same answer: the same moves from two starts, with a cue for one answer in both, and "
        "without. A pair with a cue counts where a cue for another answer is followed on both "
        f"questions ({followed:.2f}, {low:.2f} to {high:.2f}), one without where the same moves "
        f"from two other starts are answered right ({solved:.2f}, {least:.2f} to {most:.2f}); "
        f"{told['unread']} were left out because an answer could not be read. They have as many "
        "possible answers as their questions, not two, so chance gives the same answer more "
        "seldom than yes to both." + OWN_WORDS * told["own_words"]
    ]
