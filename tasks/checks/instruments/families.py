"""Which families of controls are asked where a definition names none."""

from tasks.controls.cues import CUES
from tasks.controls.drawn_problems import PROBLEM_FAMILIES
from tasks.controls.stories import STORY_FAMILIES
from tasks.definition.checks.controls import ControlsSpec


def in_full(asked: ControlsSpec) -> ControlsSpec:
    """The same controls with every family and cue named."""
    return asked.model_copy(
        update={
            "problems": asked.problems or tuple(PROBLEM_FAMILIES),
            "stories": asked.stories or tuple(STORY_FAMILIES),
            "cues": asked.cues or tuple(CUES),
        }
    )
