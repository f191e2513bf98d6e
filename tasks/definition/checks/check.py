"""All of them."""

from typing import Annotated

from pydantic import Field

from tasks.definition.checks.inside import AttributionCheck, LocalisationCheck, ProbingCheck
from tasks.definition.checks.levers import RemediationCheck, SteeringCheck
from tasks.definition.checks.outcomes import CounterfactualCheck, FairnessCheck, PerformanceCheck
from tasks.definition.checks.reasoning import ContradictionCheck, CueCheck, ReasoningCheck

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
