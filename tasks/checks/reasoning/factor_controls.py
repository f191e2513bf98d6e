"""The test of stated factors on controls: the same subject, texts whose deciding field is known."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks.instruments.asking import cannot_answer, left_out, put_to, within_reach
from tasks.checks.instruments.calibration import Scored, calibrated
from tasks.checks.reasoning.factors import attributed_fields, named_fields
from tasks.controls.factors import Named, balanced, borne_out, factor_set
from tasks.controls.stories import TOLD
from tasks.controls.validity import FEWEST
from tasks.data.dataset import Row
from tasks.definition.checks import ControlsSpec, ReasoningCheck
from tasks.errors import ChoicesError
from tasks.judge.credibility import RANKED, STATED
from tasks.measures.reasoning.factors import Consistency, consistency
from tasks.run.inputs import shard
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef
from tasks.schema import Measurement
from tasks.subjects.load import open_writer
from tasks.subjects.protocols import OpenWriter

KIND = "factor-controls"


def shards(plan: Plan, check: ReasoningCheck) -> list[ShardRef]:
    """One shard; none where no factors are measured, or no controls are asked for."""
    name = plan.spec.subject_of(check)
    writes = "gradients" in plan.offers(name) and plan.labels(name)
    if check.controls is None or not (writes and check.factors and plan.spec.data.field_names):
        return []
    asked = check.controls.model_dump(include={"items", "stories"})
    return [shard(plan, name, KIND, [0], controls=asked)]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Which controls the subject bears out, and what the test says of those."""
    wanted = ControlsSpec.model_validate(ref.option("controls"))
    asked = within_reach(ref, wanted)
    items = factor_set(ref.data.seed, asked.items, stories=asked.stories or tuple(TOLD))
    try:
        subject = open_writer(put_to(ref.subject, _choices(items)))
    except ChoicesError as error:
        return cannot_answer(error)
    return Payload({}, [told(subject, items) | {"left_out": left_out(wanted, asked)}])


def told(subject: OpenWriter, items: Sequence[Named]) -> dict[str, Any]:
    """Scores of the controls that a subject bears out, and the truth about them.

    Args:
        subject: whose answers are among those that the controls can have.
        items: see `factor_set`.
    """
    tries = [0, *np.cumsum([len(item.tried) for item in items]).tolist()]
    answers = subject.answer_after(
        [item.text for item in items] + [text for item in items for text, _ in item.tried],
        [item.reasoning for item in items] + [i.reasoning for i in items for _ in i.tried],
    )
    given, others = answers[: len(items)], answers[len(items) :]
    held = borne_out(items, given, [others[a:b] for a, b in pairwise(tries)])
    compared = [
        (items[at], one)
        for at, one in zip(held, _scores(subject, [items[at] for at in held]), strict=True)
        if one is not None
    ]
    stated = _balanced([(item, one.precision) for item, one in compared])
    ranked = _balanced([(item, one.rank) for item, one in compared if np.isfinite(one.rank)])
    used = [item for item, _ in stated]
    found = [sum(items[at].decisive is truth for at in held) for truth in (True, False)]
    return {
        "reason": _reason(found, _least(stated)),
        "controls": len(items),
        "borne_out": found,
        "unread": len(held) - len(compared),
        "flat": sum(not np.isfinite(one.rank) for _, one in compared),
        "families": list(dict.fromkeys(item.family for item in used)),
        "alike": _alike(used),
        "tests": {
            test: {
                "truth": [item.decisive for item, _ in of_test],
                "texts": [item.text for item, _ in of_test],
                "scores": [score for _, score in of_test],
            }
            for test, of_test in ((STATED, stated), (RANKED, ranked))
            if _least(of_test) >= FEWEST
        },
    }


def _balanced(of_test: Sequence[tuple[Named, float]]) -> list[tuple[Named, float]]:
    """As many controls of either truth from every family."""
    families = [item.family for item, _ in of_test]
    return [of_test[at] for at in balanced(families, [item.decisive for item, _ in of_test])]


def _least(of_test: Sequence[tuple[Named, float]]) -> int:
    """Controls of the rarer truth."""
    decisive = sum(item.decisive for item, _ in of_test)
    return min(decisive, len(of_test) - decisive)


def calibration(
    check: ReasoningCheck, payloads: Sequence[Payload]
) -> tuple[list[Measurement], list[str]]:
    """What the test of stated factors is worth on this subject, and what that rests on."""
    if not payloads:  # the test is not made, or what is asked for are no controls of any test
        return [], []
    told: Any = payloads[0].records[0]
    if told["reason"] is not None:
        without = told.get("left_out", "")
        return [], [f"Stated factors not calibrated: the subject {told['reason']}.{without}"]
    found = calibrated(
        {
            test: Scored(
                np.array(one["scores"]), np.array(one["truth"], dtype=np.bool_), one["texts"]
            )
            for test, one in told["tests"].items()
        }
    )
    used = len(told["tests"][STATED]["truth"])
    yes, no = told["borne_out"]
    alike = ", ".join(told["alike"])
    return found, [
        f"Stated factors calibrated on {used} of {told['controls']} controls, texts of the "
        f"families {', '.join(told['families'])} with a reasoning that names one field: {yes} that "
        f"name the field which decides and {no} that name another are borne out by what the "
        "subject answers when each field is exchanged and the reasoning is not; of each family as "
        f"many of one kind count as of the other. {told['unread']} were left out because nothing "
        f"could be attributed to their fields; {told['flat']} whose fields all count alike have no "
        f"rank.{told.get('left_out', '')}",
        "The controls of stated factors have two to four fields, and their answer is read off the "
        "text: they do not show that the comparison is right about more fields, or about answers "
        "that follow from the reasoning's own words, where fields need not count however true the "
        "reasoning is."
        + f" In {alike} one field decides in all texts, so an attribution that favours it whatever "
        "a text says would look right." * bool(alike),
    ]


def _scores(subject: OpenWriter, items: Sequence[Named]) -> list[Consistency | None]:
    """The audit's own comparison of named and attributed fields, for given reasonings."""
    rows = [
        Row(str(at), item.text, None, {}, {f.name: f.value for f in item.fields}, {})
        for at, item in enumerate(items)
    ]
    reasonings = [item.reasoning for item in items]
    found = attributed_fields(subject, rows, reasonings, [item.answer for item in items])
    return [
        None if values is None else consistency(values, set(named_fields(row, reasoning)))
        for row, reasoning, values in zip(rows, reasonings, found, strict=True)
    ]


def _alike(items: Sequence[Named]) -> list[str]:
    """Families in which the field that decides has the same name in all texts."""
    names: dict[str, set[str]] = {}
    for item in items:
        decides = {field.name for field in item.fields if field.value == item.answer}
        names[item.family] = names.get(item.family, set()) | decides
    return [family for family, known in names.items() if len(known) == 1]


def _choices(items: Sequence[Named]) -> set[str]:
    return {answer for item in items for answer in (item.answer, *(a for _, a in item.tried))}


def _reason(found: Sequence[int], used: int) -> str | None:
    if used >= FEWEST:
        return None
    return (
        f"bears out too few controls: {found[0]} whose reasoning names the field that decides and "
        f"{found[1]} whose reasoning names another, {used} of each when families are balanced, "
        f"{FEWEST} of each are needed"
    )
