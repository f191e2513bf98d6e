"""What is knowable of controls before a model loads."""

from tasks.checks.instruments.families import in_full
from tasks.controls.cues import CUES
from tasks.controls.drawn_problems import PROBLEM_FAMILIES
from tasks.controls.items import control_set
from tasks.controls.stories import STORY_FAMILIES
from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.problems import nearest
from tasks.errors import SpecError
from tasks.run.plan import Plan


def check_controls(plan: Plan, check: BaseCheck, asked: ControlsSpec | None) -> None:
    """Families and cues exist, and have as many different questions as are asked for.

    Raises:
        SpecError: one does not exist, or there are too few questions.
    """
    if asked is None:
        return
    for key, known in (("problems", PROBLEM_FAMILIES), ("stories", STORY_FAMILIES), ("cues", CUES)):
        for name in getattr(asked, key):
            if name not in known:
                raise SpecError(
                    f"check {check.kind}: controls.{key}: nothing is called {name!r}; "
                    f"{nearest(name, known)}"
                )
    try:
        control_set(plan.spec.seed, asked.items, problems=in_full(asked).problems)
    except ValueError:
        raise SpecError(
            f"check {check.kind}: controls.items: there are no {asked.items} different questions "
            f"of {', '.join(in_full(asked).problems)}; ask for fewer, or name more "
            "families"
        ) from None
