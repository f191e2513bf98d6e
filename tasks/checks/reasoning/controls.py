"""The tests of a reasoning on controls: the same subject, questions whose truth is known."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks.instruments.asking import (
    OWN_WORDS,
    answering,
    cannot_answer,
    left_out,
    put,
    within_reach,
)
from tasks.checks.instruments.calibration import Scored, calibrated, scored
from tasks.controls.cues import CUES
from tasks.controls.items import Item, control_set
from tasks.controls.problems import DRAWN
from tasks.controls.stories import TOLD
from tasks.controls.validity import Validity, elsewhere, unfit, validity
from tasks.definition import SubjectSpec
from tasks.definition.checks import ControlsSpec, ReasoningCheck, second_model_of
from tasks.errors import ChoicesError
from tasks.run.inputs import second_of, shard
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef
from tasks.schema import Measurement
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import Resumes


def shards(plan: Plan, check: ReasoningCheck, tests: Sequence[str]) -> list[ShardRef]:
    """One shard; none where no controls are asked for."""
    name = plan.spec.subject_of(check)
    if check.controls is None or not tests:
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
            second=second_model_of(check),
        )
    ]


def measure(ref: ShardRef, store: Path) -> Payload:
    """Whether the subject bears the controls out, and what every test says of those it does."""
    seed = ref.data.seed
    wanted = ControlsSpec.model_validate(ref.option("controls"))
    made = within_reach(ref, wanted)
    items = items_of(made, seed)
    try:
        subject = answering(ref.subject, choices_of(items))
    except ChoicesError as error:
        return cannot_answer(error)
    texts = texts_of(ref.subject.spec, items)
    written = subject.write(texts)
    held = held_against(subject, texts, items, written)
    told: dict[str, Any] = {"reason": held.reason, "controls": len(items), "tests": {}}
    told["left_out"] = left_out(wanted, made)
    told["own_words"] = ref.subject.spec.own_words
    depend = sum(items[i].truth for i in held.borne_out)
    told["kept"] = [depend, len(held.borne_out) - depend]
    told |= {"chance": held.chance, "solved": list(held.solved), "guessed": list(held.guessed)}
    if held.reason is None:
        found = scored(
            subject,
            [texts[i] for i in held.borne_out],
            [written[i] for i in held.borne_out],
            [items[i].truth for i in held.borne_out],
            ref.option("tests"),
            ref.option("shares"),
            questions=[items[i].pair or items[i].id for i in held.borne_out],
            seed=seed,
            paraphraser=second_of(ref, store),
        )
        told["tests"] = {
            test: {
                "scores": one.scores.tolist(),
                "truth": one.truth.tolist(),
                "questions": one.questions,
            }
            for test, one in found.items()
        }
    return Payload({}, [told])


def held_against(
    subject: Resumes, texts: Sequence[str], items: Sequence[Item], written: Sequence[Written]
) -> Validity:
    """What a subject that wrote about controls makes of them without words, and with others.

    Args:
        subject: whoever wrote.
        texts: the controls as they were put to it.
        items: the controls.
        written: reasoning and answer of each.
    """
    answers = [one.answer for one in written]
    forced = subject.answer_after(texts, [""] * len(items))
    others = elsewhere(items, answers) if unfit(items, answers, forced) is None else {}
    led = subject.answer_after(
        [texts[i] for i in others], [written[j].reasoning for j in others.values()]
    )
    return validity(items, answers, forced, dict(zip(others, led, strict=True)))


def items_of(asked: ControlsSpec, seed: int) -> list[Item]:
    """The controls that a check asks for."""
    return control_set(
        seed,
        asked.items,
        problems=asked.problems or tuple(DRAWN),
        stories=asked.stories or tuple(TOLD),
        named=asked.cues or tuple(CUES),
    )


def texts_of(spec: SubjectSpec, items: Sequence[Item]) -> list[str]:
    """The controls as the texts of a subject."""
    return [put(spec, item.prompt, item.choices) for item in items]


def choices_of(items: Sequence[Item]) -> set[str]:
    """Every answer that the controls can have."""
    return {choice for item in items for choice in (*item.choices, item.answer)}


def calibration(
    check: ReasoningCheck, payloads: Sequence[Payload]
) -> tuple[list[Measurement], list[str]]:
    """What every test is worth on this subject, and a note on what that rests on."""
    if check.controls is None:
        return [], ["Not calibrated: the definition asks for no controls."]
    if not payloads:
        return [], ["Not calibrated: no test could be made."]
    told: Any = payloads[0].records[0]
    if told["reason"] is not None:
        return [], [f"Not calibrated: the subject {told['reason']}.{told.get('left_out', '')}"]
    found = calibrated(
        {
            test: Scored(
                np.array(one["scores"]), np.array(one["truth"], dtype=np.bool_), one["questions"]
            )
            for test, one in told["tests"].items()
        }
    )
    solved, low, high = told["solved"]
    return found, [
        f"Calibrated on {told['controls']} controls of known truth: {solved:.2f} of those that "
        f"need their steps solved ({low:.2f} to {high:.2f}), {told['guessed'][0]:.2f} before any "
        f"reasoning, {told['chance']:.2f} by guessing. {told['kept'][0]} that depend and "
        f"{told['kept'][1]} that do not are borne out by what the subject answers after a "
        "reasoning that led it elsewhere; only these count."
        + OWN_WORDS * told["own_words"]
        + told["left_out"]
    ]
