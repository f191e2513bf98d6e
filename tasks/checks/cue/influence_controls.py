"""The test of influence on controls: the same subject, pairs whose truth is known.

That a subject follows a cue can only be seen in its answers, and so can influence. The truth is
therefore taken from other cues for the same question than the one that the test is given.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tasks.checks.instruments import paired_controls
from tasks.controls.cues import CUES
from tasks.controls.influence import borne_out, influence_set
from tasks.controls.problems import DRAWN
from tasks.controls.truth import FOLLOWED, Couple
from tasks.definition.checks import ControlsSpec, CueCheck
from tasks.judge.credibility import CHANGE, FOLLOWS
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef
from tasks.schema import Measurement

KIND: Final = "cue-controls"


def shards(plan: Plan, check: CueCheck) -> list[ShardRef]:
    """One shard where cues stand beside the texts."""
    return paired_controls.controls_shards(plan, check, KIND) if check.cues or check.own else []


def measure(ref: ShardRef, _: Path) -> Payload:
    """Whether the subject bears the controls out, and what the tests say of those it does."""
    return paired_controls.measured(ref, items_of, borne_out, scores)


def items_of(asked: ControlsSpec, seed: int) -> list[Couple]:
    """The controls that a check asks for."""
    return influence_set(
        seed,
        asked.items,
        problems=asked.problems or tuple(DRAWN),
        named=asked.cues or tuple(CUES),
    )


def scores(item: Couple, before: str, after: str) -> Mapping[str, float]:
    """Whether the answer changes, and whether it turns to the one that the cue speaks for."""
    return {CHANGE: float(before != after), FOLLOWS: float(before != item.answer == after)}


def calibration(
    check: CueCheck, payloads: Sequence[Payload]
) -> tuple[list[Measurement], list[str]]:
    """What the test of influence is worth on this subject, and a note on what that rests on."""
    if not (check.cues or check.own):
        return [], []
    told = paired_controls.calibration(check.controls, payloads)
    if told.why_not is not None:
        return [], [f"Influence of cues not calibrated: {told.why_not}.{told.rest}"]
    return told.found, [
        f"Influence of cues calibrated on {told.controls} controls: questions with a cue, and with "
        "a sentence like it that names no answer. A cue counts as deciding where two further cues "
        f"for other answers to the same question are followed as well ({told.shares[FOLLOWED]}), "
        f"and as not deciding where neither is.{told.rest}"
    ]
