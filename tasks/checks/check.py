"""All of them."""

from typing import Annotated

from pydantic import Field

from tasks.checks.inside import AttributionCheck, LocalisationCheck, ProbingCheck
from tasks.checks.levers import RemediationCheck, SteeringCheck
from tasks.checks.outcomes import CounterfactualCheck, FairnessCheck, PerformanceCheck
from tasks.checks.reasoning import ContradictionCheck, CueCheck, ReasoningCheck

LeverCheck = SteeringCheck | RemediationCheck
"""Checks that change hidden states along a protected attribute."""


Check = Annotated[
    PerformanceCheck
    | FairnessCheck
    | AttributionCheck
    | LocalisationCheck
    | CounterfactualCheck
    | ProbingCheck
    | SteeringCheck
    | RemediationCheck
    | ReasoningCheck
    | CueCheck
    | ContradictionCheck,
    Field(discriminator="kind"),
]
