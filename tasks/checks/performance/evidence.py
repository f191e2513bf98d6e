"""How often is the subject right?"""

from tasks.data.dataset import MISSING
from tasks.definition.checks import PerformanceCheck
from tasks.measures.stats import intervals
from tasks.run.decisions_table import Decided
from tasks.run.plan import Plan
from tasks.schema import About, Evidence, Measurement


def evidence(plan: Plan, check: PerformanceCheck, decided: Decided) -> Evidence:
    """Accuracy, and recall of every class, over rows with label and answer.

    Numbers and free labels are no classes: of them only the accuracy is stated.
    """
    labels = plan.data.labels()[list(decided.rows)]
    there = (labels != MISSING) & decided.parsed
    labels, decisions = labels[there], decided.decision[there]
    right = labels == decisions
    measurements = [Measurement.of("accuracy", intervals.share(right), len(right), intervals.SHARE)]
    for label in sorted(set(labels)) if _has_classes(plan, decided.subject) else ():
        of_class = labels == label
        measurements.append(
            Measurement.of(
                "recall",
                intervals.share(right[of_class]),
                int(of_class.sum()),
                intervals.SHARE,
                About(label=str(label)),
            )
        )
    return Evidence(
        check=check,
        subject=decided.subject,
        measurements=tuple(measurements),
        notes=unanswered(decided),
    )


def _has_classes(plan: Plan, subject: str) -> bool:
    form = plan.spec.subjects[subject].answer_form
    return form is None or form.form in {"choice", "yes-no"}


def unanswered(decided: Decided) -> tuple[str, ...]:
    """A note on rows without an answer, if there are any."""
    missing = int((~decided.parsed).sum())
    if not missing:
        return ()
    return (f"{missing} of {len(decided.rows)} texts left out: no answer could be read.",)
