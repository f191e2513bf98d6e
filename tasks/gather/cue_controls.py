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
from tasks.errors import SubjectError
from tasks.gather.controls import answering
from tasks.gather.inputs import shard, subject_of
from tasks.gather.instruments import calibrated
from tasks.gather.writing import write
from tasks.plan import Plan
from tasks.schema import Measurement
from tasks.shards import Payload, ShardRef
from tasks.spec import CausalSubject

KIND = "cue-controls"


def shards(plan: Plan, check: CueCheck) -> list[ShardRef]:
    """One shard; none for a subject that is not run here, or where no controls are asked for."""
    name = plan.spec.subject_of(check)
    if check.controls is None or not isinstance(plan.spec.subjects[name], CausalSubject):
        return []
    return [shard(plan, name, KIND, [0], controls=check.controls.model_dump())]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Whether the subject bears the controls out, and what the test says of those it does."""
    asked = ControlsSpec.model_validate(ref.option("controls"))
    items = influence_set(
        ref.data.seed,
        asked.items,
        problems=asked.problems or tuple(DRAWN),
        named=asked.cues or tuple(CUES),
    )
    try:
        subject = subject_of(answering(ref, {c for item in items for c in item.choices}))
    except SubjectError as error:
        why = str(error).split(" (")[0]  # without the list of all choices
        return Payload({}, [{"reason": f"cannot answer the controls: {why}"}])
    return Payload({}, [_told(subject, items)])


def _told(subject: Any, items: Sequence[Pressed]) -> dict[str, Any]:
    texts = dict.fromkeys(
        text for item in items for text in (item.plain, item.pressed, *(t for t, _ in item.tried))
    )
    answers = dict(zip(texts, (one.answer for one in write(subject, list(texts))), strict=True))
    truth = borne_out(items, [[answers[text] for text, _ in item.tried] for item in items])
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
        "reason": truth.reason,
        "controls": len(items),
        "followed": list(truth.followed),
        "unread": len(truth.borne_out) - len(decides),
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
        return [], ["Influence not calibrated: controls are put to local models alone."]
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
    ]
