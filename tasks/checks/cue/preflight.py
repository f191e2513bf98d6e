"""What is knowable of a cue check before a model loads."""

from tasks.checks.instruments.preflight import check_controls
from tasks.definition.checks.cue import CueCheck
from tasks.errors import SpecError
from tasks.run.plan import Plan
from tasks.run.preflight import Preflight


def not_run(plan: Plan, check: CueCheck) -> str | None:
    """Recorded answers can be compared only where they come in pairs."""
    name = plan.spec.subject_of(check)
    subject = plan.spec.subjects[name]
    if not subject.has_paired_conditions:
        return (
            "needs paired conditions; the definition names no columns.condition and columns.pair "
            f"of subject {name}"
        )
    return None


def problems(plan: Plan, check: CueCheck) -> None:
    """A cue can speak for an answer, and the controls exist."""
    if check.cues or check.own:
        name = plan.spec.subject_of(check)
        subject = plan.spec.subjects[name]
        form = subject.answer_form
        if form is not None and len(form.known) < 2:
            raise SpecError(
                f"check cue: a cue speaks for one of the known answers, and form "
                f"{form.form} of subject {name} names none; use swap, or form choice"
            )
    if "answer-position" in check.cues and not plan.spec.data.label:
        raise SpecError(
            "check cue: cue answer-position needs labelled examples; the definition names no "
            "data.label"
        )
    check_controls(plan, check, check.controls)


PREFLIGHT = Preflight(problems=problems, not_run=not_run)
