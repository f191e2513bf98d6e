"""The controls that a test of the reasoning is calibrated on."""

from pydantic import Field

from tasks.definition.record import Record


class ControlsSpec(Record):
    """Questions made by Assay, for which it is known whether the answer depends on the steps."""

    items: int = Field(default=40, ge=20, le=1000)
    """Controls of each kind: the steps are needed; a cue decides; the text decides."""
    problems: tuple[str, ...] = ()
    """Families of questions that need their steps; all unless named."""
    stories: tuple[str, ...] = ()
    """Families of questions whose answer stands in the text; all unless named. Stated factors are
    calibrated on these, too: one field of such a text decides."""
    cues: tuple[str, ...] = ()
    """Cues that decide; all unless named."""
