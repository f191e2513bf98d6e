"""The checks a definition can ask for: each one question with its options."""

from tasks.definition.checks.base import BaseCheck, Swap
from tasks.definition.checks.check import Check, LeverCheck
from tasks.definition.checks.inside import (
    AttributionCheck,
    LocalisationCheck,
    MethodName,
    Operator,
    Pooling,
    ProbePooling,
    ProbingCheck,
    Target,
)
from tasks.definition.checks.levers import BaseLeverCheck, RemediationCheck, SteeringCheck
from tasks.definition.checks.outcomes import (
    CounterfactualCheck,
    FairnessCheck,
    LocalLaw144,
    PerformanceCheck,
    TermSwap,
)
from tasks.definition.checks.reasoning import (
    LOG_PROBABILITY,
    WITHOUT_REASONING,
    ContradictionCheck,
    ControlsSpec,
    CueCheck,
    CueName,
    OwnCue,
    ReasoningCheck,
    ReasoningTest,
    SecondModel,
    second_model_of,
)

__all__ = [
    "LOG_PROBABILITY",
    "WITHOUT_REASONING",
    "AttributionCheck",
    "BaseCheck",
    "BaseLeverCheck",
    "Check",
    "ContradictionCheck",
    "ControlsSpec",
    "CounterfactualCheck",
    "CueCheck",
    "CueName",
    "FairnessCheck",
    "LeverCheck",
    "LocalLaw144",
    "LocalisationCheck",
    "MethodName",
    "Operator",
    "OwnCue",
    "PerformanceCheck",
    "Pooling",
    "ProbePooling",
    "ProbingCheck",
    "ReasoningCheck",
    "ReasoningTest",
    "RemediationCheck",
    "SecondModel",
    "SteeringCheck",
    "Swap",
    "Target",
    "TermSwap",
    "second_model_of",
]
