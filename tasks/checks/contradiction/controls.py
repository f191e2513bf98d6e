"""The test of contradictory questions on controls: pairs whose deciding cause is known."""

from collections.abc import Mapping, Sequence

from tasks.checks.instruments import paired_controls
from tasks.checks.instruments.families import in_full
from tasks.checks.instruments.names import SAME
from tasks.checks.instruments.paired_controls import ControlsOptions, PairedControls
from tasks.controls.contradiction_items import SOLVED, confirmed, contradiction_set
from tasks.controls.truth import FOLLOWED, PairedControl
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.definition.checks.controls import ControlsSpec
from tasks.run.rounds import Work
from tasks.schema import Measurement


def measure(work: Work[ControlsOptions]) -> PairedControls:
    """The controls that count on this subject, and the test's scores of them."""
    return paired_controls.measured(work, items_of, confirmed, scores)


def items_of(asked: ControlsSpec, seed: int) -> list[PairedControl]:
    """The controls that a check asks for."""
    full = in_full(asked)
    return contradiction_set(seed, full.items, problems=full.problems, named=full.cues)


def scores(_: PairedControl, first: str, second: str) -> Mapping[str, float]:
    """Whether two questions that exclude each other have the same answer."""
    return {SAME: float(first == second)}


def calibration(
    check: ContradictionCheck, payloads: Sequence[PairedControls]
) -> tuple[list[Measurement], list[str]]:
    """How well the test separates controls on this subject, and a note on its basis."""
    worth = paired_controls.calibration(check.controls, payloads)
    if worth.why_not is not None:
        return [], [f"Not calibrated: {worth.why_not}.{worth.rest}"]
    return worth.measurements, [
        f"Calibrated on {worth.controls} pairs of questions that cannot have the same answer: the "
        "same moves from two starts, with a cue for one answer in both, and without. A pair with a "
        "cue counts where a cue for another answer is followed on both questions "
        f"({worth.shares[FOLLOWED]}), one without where the same moves from two other starts are "
        f"answered right ({worth.shares[SOLVED]}).{worth.rest} They have as many possible answers "
        "as their questions, not two, so chance gives the same answer more seldom than yes to both."
    ]
