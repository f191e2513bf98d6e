"""The test of an exchanged field on controls: texts whose deciding field is known."""

from collections.abc import Mapping, Sequence

from tasks.checks.instruments import paired_controls
from tasks.checks.instruments.families import in_full
from tasks.checks.instruments.names import EXCHANGED
from tasks.checks.instruments.paired_controls import ControlsOptions, PairedControls
from tasks.controls.field_swap_items import STAYED, TURNED, confirmed, field_swap_set
from tasks.controls.truth import PairedControl
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
    return field_swap_set(
        seed, full.items, problems=full.problems, stories=full.stories, named=full.cues
    )


def scores(_: PairedControl, before: str, after: str) -> Mapping[str, float]:
    """Whether the answer changes."""
    return {EXCHANGED: float(before != after)}


def calibration(
    check: CueCheck, payloads: Sequence[PairedControls]
) -> tuple[list[Measurement], list[str]]:
    """How well the test separates controls on this subject, and a note on its basis."""
    if check.swap is None:
        return [], []
    worth = paired_controls.calibration(check.controls, payloads)
    if worth.why_not is not None:
        return [], [
            f"Influence of {check.swap.column} not calibrated: {worth.why_not}.{worth.rest}"
        ]
    return worth.measurements, [
        f"Influence of {check.swap.column} calibrated on {worth.controls} controls: stories with "
        "the field exchanged that is their answer, or another one, and problems with another "
        "start, without a cue or with one. A field counts as deciding where the answer follows "
        f"its other values ({worth.shares[TURNED]}), and as not deciding where the answer stays "
        f"({worth.shares[STAYED]}).{worth.rest}"
    ]
