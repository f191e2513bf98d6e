"""What is knowable of contradictory questions before a model loads."""

from tasks.checks.instruments.preflight import check_controls
from tasks.data.dataset import MISSING
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.definition.problems import nearest
from tasks.errors import DataError, SpecError
from tasks.measures.reasoning.answers import Form, whole_answer
from tasks.run.plan import Plan
from tasks.run.preflight import Preflight


def problems(plan: Plan, check: ContradictionCheck) -> None:
    """Two questions can share the answer, the column names pairs, and the controls exist."""
    name = plan.spec.subject_of(check)
    known, subject = plan.labels(name), plan.spec.subjects[name]
    if not known and subject.answer_form is not None:
        _check_shared_answer(check, name, subject.answer_form.form)
    if known and check.answer is not None and check.answer not in known:
        raise SpecError(
            f"check contradiction: answer: {check.answer!r} is no answer of the subject; "
            f"{nearest(check.answer, known)}"
        )
    names = [row.columns[check.pair] for row in plan.data.rows]
    if all(names.count(name) != 2 for name in set(names) - {MISSING}):
        raise DataError(
            f"check contradiction: column {check.pair!r} names no pair: no value stands in "
            f"exactly two rows; the first is {names[0]!r}"
        )
    check_controls(plan, check, check.controls)


def _check_shared_answer(check: ContradictionCheck, name: str, form: Form) -> None:
    """The shared answer is given, and in the form in which answers are read."""
    if "answer" not in check.model_fields_set:
        raise SpecError(
            f"check contradiction: the answers of subject {name} (form {form}) are not known "
            "beforehand; name the answer that two questions cannot have, or null for any"
        )
    if check.answer is not None and check.answer != whole_answer(check.answer, form):
        raise SpecError(
            f"check contradiction: answer: {check.answer!r} is not written as the answers of "
            f"subject {name} (form {form}) will be"
        )


PREFLIGHT = Preflight(problems=problems)
