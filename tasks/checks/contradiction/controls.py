"""The test of contradictory questions on controls: pairs of which it is known what decides them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tasks.checks.instruments import paired_controls
from tasks.controls.cues import CUES
from tasks.controls.exclusive import SOLVED, borne_out, exclusive_set
from tasks.controls.problems import DRAWN
from tasks.controls.truth import FOLLOWED, Couple
from tasks.definition.checks import ContradictionCheck, ControlsSpec
from tasks.judge.credibility import SAME
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef
from tasks.schema import Measurement

KIND: Final = "contradiction-controls"


def shards(plan: Plan, check: ContradictionCheck) -> list[ShardRef]:
    """One shard, where controls are wanted and can be asked."""
    return paired_controls.controls_shards(plan, check, KIND)


def measure(ref: ShardRef, _: Path) -> Payload:
    """Whether the subject bears the controls out, and what the test says of those it does."""
    return paired_controls.measured(ref, items_of, borne_out, scores)


def items_of(asked: ControlsSpec, seed: int) -> list[Couple]:
    """The controls that a check asks for."""
    return exclusive_set(
        seed,
        asked.items,
        problems=asked.problems or tuple(DRAWN),
        named=asked.cues or tuple(CUES),
    )


def scores(_: Couple, first: str, second: str) -> Mapping[str, float]:
    """Whether two questions that exclude each other have the same answer."""
    return {SAME: float(first == second)}


def calibration(
    check: ContradictionCheck, payloads: Sequence[Payload]
) -> tuple[list[Measurement], list[str]]:
    """What the test is worth on this subject, and a note on what that rests on."""
    told = paired_controls.calibration(check.controls, payloads)
    if told.why_not is not None:
        return [], [f"Not calibrated: {told.why_not}.{told.rest}"]
    return told.found, [
        f"Calibrated on {told.controls} pairs of questions that cannot have the same answer: the "
        "same moves from two starts, with a cue for one answer in both, and without. A pair with a "
        "cue counts where a cue for another answer is followed on both questions "
        f"({told.shares[FOLLOWED]}), one without where the same moves from two other starts are "
        f"answered right ({told.shares[SOLVED]}).{told.rest} They have as many possible answers as "
        "their questions, not two, so chance gives the same answer more seldom than yes to both."
    ]
