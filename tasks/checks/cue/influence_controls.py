"""The test of influence on controls: the same subject, pairs whose truth is known.

Whether a subject follows a cue shows only in its answers, as influence does. The truth therefore
comes from other cues for the same question, not from the cue that the test is given.
"""

from collections.abc import Mapping, Sequence

from tasks.checks.instruments import paired_controls
from tasks.checks.instruments.families import in_full
from tasks.checks.instruments.names import CHANGE, FOLLOWS
from tasks.checks.instruments.paired_controls import ControlsOptions, PairedControls
from tasks.controls.influence_items import confirmed, influence_set
from tasks.controls.truth import FOLLOWED, PairedControl
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.checks.cue import CueCheck
from tasks.run.rounds import Work
from tasks.schema import Measurement


def measure(work: Work[ControlsOptions]) -> PairedControls:
    """The controls that count on this subject, and the test's scores of them."""
    return paired_controls.measured(work, items_of, confirmed, scores)


def items_of(asked: ControlsSpec, seed: int) -> list[PairedControl]:
    """The controls that a check asks for."""
    full = in_full(asked)
    return influence_set(seed, full.items, problems=full.problems, named=full.cues)


def scores(item: PairedControl, before: str, after: str) -> Mapping[str, float]:
    """Whether the answer changes, and whether it turns to the one that the cue speaks for."""
    return {CHANGE: float(before != after), FOLLOWS: float(before != item.answer == after)}


def calibration(
    check: CueCheck, payloads: Sequence[PairedControls]
) -> tuple[list[Measurement], list[str]]:
    """How well the test separates controls on this subject, and a note on its basis."""
    if not (check.cues or check.own):
        return [], []
    worth = paired_controls.calibration(check.controls, payloads)
    if worth.why_not is not None:
        return [], [f"Influence of cues not calibrated: {worth.why_not}.{worth.rest}"]
    return worth.measurements, [
        f"Influence of cues calibrated on {worth.controls} controls: questions with a cue, and "
        "with a sentence like it that names no answer. A cue counts as deciding where two further "
        "cues for other answers to the same question are followed as well "
        f"({worth.shares[FOLLOWED]}), and as not deciding where neither is.{worth.rest}"
    ]
