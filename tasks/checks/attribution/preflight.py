"""What is knowable of an attribution before a model loads."""

from importlib.util import find_spec

from tasks.definition.checks.attribution import AttributionCheck
from tasks.definition.problems import nearest
from tasks.errors import SpecError
from tasks.run.plan import Plan
from tasks.run.preflight import Preflight


def problems(plan: Plan, check: AttributionCheck) -> None:
    """The method is installed, and the target is a class of the subject."""
    if "partition" in check.methods and find_spec("shap") is None:
        raise SpecError("method partition needs the package shap: pip install assay-audit[shap]")
    name = plan.spec.subject_of(check)
    if check.target.answer is not None and "writing" not in plan.offers(name):
        raise SpecError(f"target.answer: subject {name} does not write; name a target.label")
    known = plan.labels(name)
    for label in (check.target.label, check.target.against):
        if label is not None and known and label not in known:
            raise SpecError(
                f"target {label!r} is no class of subject {name}; {nearest(label, known)}"
            )


PREFLIGHT = Preflight(problems=problems)
