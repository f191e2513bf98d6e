"""Performance: how often is the subject right?"""

from typing import Literal

from tasks.definition.checks.base import BaseCheck
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.performance import PERFORMANCE


class PerformanceCheck(BaseCheck):
    """How often is the subject right?"""

    kind: Literal["performance"] = "performance"


KIND = Kind(
    definition=PerformanceCheck,
    title="Performance",
    vocabulary=PERFORMANCE,
    needs=frozenset({"decisions"}),
    room="tasks.checks.performance",
    headlines=("accuracy", "recall"),
    indexed=True,
)
