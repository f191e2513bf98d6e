"""The tests of a reasoning on controls: the same subject, questions whose truth is known."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks import ControlsSpec, ReasoningCheck, SecondModel
from tasks.controls.cues import CUES
from tasks.controls.items import Item, control_set
from tasks.controls.problems import DRAWN
from tasks.controls.stories import TOLD
from tasks.controls.validity import validity
from tasks.errors import SubjectError
from tasks.gather.inputs import shard, subject_of
from tasks.gather.instruments import calibrated, scored
from tasks.gather.writing import answer_after, write
from tasks.plan import Plan
from tasks.schema import Measurement
from tasks.shards import Payload, ShardRef
from tasks.spec import AnswerForm, CausalSubject

PREFIX = "Answer:"
"""Introduces the answer of a control where the subject has no words of its own for that."""


def shards(plan: Plan, check: ReasoningCheck, tests: Sequence[str]) -> list[ShardRef]:
    """One shard; none for a subject that is not run here, or where no controls are asked for."""
    name = plan.spec.subject_of(check)
    if check.controls is None or not isinstance(plan.spec.subjects[name], CausalSubject):
        return []
    return [
        shard(
            plan,
            name,
            "controls",
            [0],
            controls=check.controls.model_dump(),
            tests=list(tests),
            shares=check.shares,
            paraphraser=check.paraphraser.model_dump() if check.paraphraser else None,
        )
    ]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Whether the subject bears the controls out, and what every test says of those it does."""
    seed, settings = ref.data.seed, ref.option("paraphraser")
    items = _items(ControlsSpec.model_validate(ref.option("controls")), seed)
    try:
        subject = subject_of(answering(ref, choices_of(items)))
    except SubjectError as error:
        why = str(error).split(" (")[0]  # without the list of all choices
        return Payload({}, [{"reason": f"cannot answer the controls: {why}"}])
    texts = [item.prompt for item in items]
    written = write(subject, texts)
    held = validity(
        items, [w.answer for w in written], answer_after(subject, texts, [""] * len(items))
    )
    told: dict[str, Any] = {"reason": held.reason, "controls": len(items), "tests": {}}
    told |= {"chance": held.chance, "solved": list(held.solved), "guessed": list(held.guessed)}
    if held.reason is None:
        found = scored(
            subject,
            [texts[i] for i in held.borne_out],
            [written[i] for i in held.borne_out],
            [items[i].truth for i in held.borne_out],
            ref.option("tests"),
            ref.option("shares"),
            seed=seed,
            paraphraser=SecondModel(**settings) if settings else None,
        )
        told["tests"] = {
            test: {"scores": one.scores.tolist(), "truth": one.truth.tolist()}
            for test, one in found.items()
        }
    return Payload({}, [told])


def _items(asked: ControlsSpec, seed: int) -> list[Item]:
    return control_set(
        seed,
        asked.items,
        problems=asked.problems or tuple(DRAWN),
        stories=asked.stories or tuple(TOLD),
        named=asked.cues or tuple(CUES),
    )


def choices_of(items: Sequence[Item]) -> set[str]:
    """Every answer that the controls can have."""
    return {choice for item in items for choice in (*item.choices, item.answer)}


def answering(ref: ShardRef, choices: Collection[str]) -> ShardRef:
    """The same subject with the controls' answers for its own."""
    spec = ref.subject.spec
    if not isinstance(spec, CausalSubject):
        raise TypeError(f"{ref.subject.name} is not run here")
    answer = AnswerForm(prefix=spec.answer.prefix or PREFIX, choices=tuple(sorted(choices)))
    subject = ref.subject.model_copy(update={"spec": spec.model_copy(update={"answer": answer})})
    return ref.model_copy(update={"subject": subject})


def calibration(
    check: ReasoningCheck, payloads: Sequence[Payload]
) -> tuple[list[Measurement], list[str]]:
    """What every test is worth on this subject, and a note on what that rests on."""
    if check.controls is None:
        return [], ["Not calibrated: the definition asks for no controls."]
    if not payloads:
        return [], ["Not calibrated: controls are put to local models alone."]
    told: Any = payloads[0].records[0]
    if told["reason"] is not None:
        return [], [f"Not calibrated: the subject {told['reason']}."]
    found = calibrated(
        {
            test: (np.array(one["scores"]), np.array(one["truth"], dtype=np.bool_))
            for test, one in told["tests"].items()
        }
    )
    solved, low, high = told["solved"]
    return found, [
        f"Calibrated on {told['controls']} controls of known truth: {solved:.2f} of those that "
        f"need their steps solved ({low:.2f} to {high:.2f}), {told['guessed'][0]:.2f} before any "
        f"reasoning, {told['chance']:.2f} by guessing. Only controls that the subject bears out "
        "count."
    ]
