"""The tests of a reasoning on controls: the same subject, questions whose truth is known."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from tasks.checks import ControlsSpec, ReasoningCheck, second_model_of
from tasks.controls.cues import CUES
from tasks.controls.items import Item, control_set
from tasks.controls.problems import DRAWN
from tasks.controls.stories import TOLD
from tasks.controls.validity import Validity, elsewhere, unfit, validity
from tasks.errors import SubjectError
from tasks.gather.inputs import second_of, shard, subject_of
from tasks.gather.instruments import calibrated, scored
from tasks.gather.writing import Written, answer_after, write
from tasks.plan import Plan
from tasks.schema import Measurement
from tasks.shards import Payload, ShardRef
from tasks.spec import AnswerForm, CausalSubject, OpenAISubject, Prompting

Writes = TypeVar("Writes", bound=Prompting)

PREFIX: Final = "Answer:"
"""Introduces the answer of a control where the subject has no words of its own for that."""

ASKED: Final = (
    "{text}\n\nReason step by step, in short sentences, one for each step. Then write {prefix!r} "
    "followed by one of: {choices}."
)
"""How a control is put to an endpoint. The definition's own prompt asks for other answers."""


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
    items = items_of(ControlsSpec.model_validate(ref.option("controls")), seed)
    try:
        subject = subject_of(answering(ref, choices_of(items)))
    except SubjectError as error:
        why = str(error).split(" (")[0]  # without the list of all choices
        return Payload({}, [{"reason": f"cannot answer the controls: {why}"}])
    texts = texts_of(_writes(ref), items)
    written = write(subject, texts)
    held = held_against(subject, texts, items, written)
    told: dict[str, Any] = {"reason": held.reason, "controls": len(items), "tests": {}}
    told["own_words"] = isinstance(ref.subject.spec, OpenAISubject)
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
            seed=seed,
            paraphraser=second_of(ref, store),
        )
        told["tests"] = {
            test: {"scores": one.scores.tolist(), "truth": one.truth.tolist()}
            for test, one in found.items()
        }
    return Payload({}, [told])


def held_against(
    subject: Any, texts: Sequence[str], items: Sequence[Item], written: Sequence[Written]
) -> Validity:
    """What a subject that wrote about controls makes of them without words, and with others.

    Args:
        subject: whoever wrote.
        texts: the controls as they were put to it.
        items: the controls.
        written: reasoning and answer of each.
    """
    answers = [one.answer for one in written]
    forced = answer_after(subject, texts, [""] * len(items))
    others = elsewhere(items, answers) if unfit(items, answers, forced) is None else {}
    led = answer_after(
        subject, [texts[i] for i in others], [written[j].reasoning for j in others.values()]
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


def texts_of(spec: CausalSubject | OpenAISubject, items: Sequence[Item]) -> list[str]:
    """The controls as the texts of a subject; a model that was never shown one is told how."""
    if isinstance(spec, CausalSubject):
        return [item.prompt for item in items]
    prefix = spec.answer.prefix or PREFIX
    return [
        ASKED.format(text=item.prompt, prefix=prefix, choices=", ".join(item.choices))
        for item in items
    ]


def choices_of(items: Sequence[Item]) -> set[str]:
    """Every answer that the controls can have."""
    return {choice for item in items for choice in (*item.choices, item.answer)}


def answering(ref: ShardRef, choices: Collection[str]) -> ShardRef:
    """The same subject with the controls' answers for its own."""
    subject = ref.subject.model_copy(update={"spec": put_to(_writes(ref), choices)})
    return ref.model_copy(update={"subject": subject})


def put_to(spec: Writes, choices: Collection[str]) -> Writes:
    """A subject's settings with the controls' answers for its own.

    A local model reads a control in the definition's prompt. An endpoint does not: that prompt
    asks for answers that no control has. Its system message stays.
    """
    answer = AnswerForm(prefix=spec.answer.prefix or PREFIX, choices=tuple(sorted(choices)))
    bare = {"prompt": "{text}"} if isinstance(spec, OpenAISubject) else {}
    return spec.model_copy(update={"answer": answer, **bare})


def _writes(ref: ShardRef) -> CausalSubject | OpenAISubject:
    spec = ref.subject.spec
    if not isinstance(spec, CausalSubject | OpenAISubject):
        raise TypeError(f"{ref.subject.name} cannot be asked anything new")
    return spec


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
        f"reasoning, {told['chance']:.2f} by guessing. {told['kept'][0]} that depend and "
        f"{told['kept'][1]} that do not are borne out by what the subject answers after a "
        "reasoning that led it elsewhere; only these count."
        + " They were put to the endpoint in words of their own, not in the definition's prompt."
        * told["own_words"]
    ]
