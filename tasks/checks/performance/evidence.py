"""How often is the subject right?"""

from tasks.data.dataset import MISSING
from tasks.definition.checks.performance import PerformanceCheck
from tasks.measures.stats import intervals
from tasks.run.decisions import decisions_of
from tasks.run.plan import Plan
from tasks.run.rounds import Asked, Finished
from tasks.schema import About, Evidence, Measurement


def evidence(asked: Asked[PerformanceCheck], finished: Finished) -> Evidence:
    """Accuracy, and recall of every class, over rows with label and answer.

    Numbers and free labels are no classes: for them only the accuracy is stated.
    """
    plan, decided = asked.plan, decisions_of(asked, finished)
    labels = plan.data.labels()[list(decided.rows)]
    counted = (labels != MISSING) & decided.parsed
    labels, decisions = labels[counted], decided.decision[counted]
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
        check=asked.check,
        subject=decided.subject,
        measurements=tuple(measurements),
        notes=decided.unanswered,
    )


def _has_classes(plan: Plan, subject: str) -> bool:
    spec = plan.spec.subjects[subject]
    form = spec.answer_form
    return form is None or form.form in {"choice", "yes-no"}
