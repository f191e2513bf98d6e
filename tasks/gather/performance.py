"""How often is the subject right?"""

from tasks.checks import PerformanceCheck
from tasks.dataset import MISSING
from tasks.decided import Decided
from tasks.measures import stats
from tasks.plan import Plan
from tasks.schema import About, Evidence, Measurement


def evidence(plan: Plan, check: PerformanceCheck, decided: Decided) -> Evidence:
    """Accuracy, and recall of every class, over rows with label and answer."""
    labels = plan.data.labels()[list(decided.rows)]
    there = (labels != MISSING) & decided.parsed
    labels, decisions = labels[there], decided.decision[there]
    right = labels == decisions
    measurements = [Measurement.of("accuracy", stats.share(right), len(right), stats.SHARE)]
    for label in sorted(set(labels)):
        of_class = labels == label
        measurements.append(
            Measurement.of(
                "recall",
                stats.share(right[of_class]),
                int(of_class.sum()),
                stats.SHARE,
                About(label=str(label)),
            )
        )
    return Evidence(
        check=check,
        subject=decided.subject,
        measurements=tuple(measurements),
        notes=unanswered(decided),
    )


def unanswered(decided: Decided) -> tuple[str, ...]:
    """A note on rows without an answer, if there are any."""
    missing = int((~decided.parsed).sum())
    if not missing:
        return ()
    return (f"{missing} of {len(decided.rows)} texts left out: no answer could be read.",)
