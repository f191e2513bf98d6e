"""Remediation: what would close the gap between groups, and at what price?"""

from typing import Annotated, Literal

from pydantic import Field

from tasks.definition.checks.lever import LeverCheck
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.remediation import REMEDIATION


class RemediationCheck(LeverCheck):
    """What would close the gap between groups, and at what price?"""

    kind: Literal["remediation"] = "remediation"
    texts: int = Field(default=1000, ge=90)
    alphas: Annotated[tuple[float, ...], Field(min_length=1)] = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
    """How often the steering vector is added; 1 is the whole difference between the means."""


KIND = Kind(
    definition=RemediationCheck,
    title="What would close the gap",
    vocabulary=REMEDIATION,
    needs=frozenset({"hidden states", "decisions"}),
    room="tasks.checks.remediation",
    headlines=(
        "untouched_gap",
        "remedied_gap",
        "remedied_gap_change",
        "untouched_accuracy",
        "remedied_accuracy",
        "remedied_accuracy_change",
    ),
    words=(r"\blevers?\b",),
)
