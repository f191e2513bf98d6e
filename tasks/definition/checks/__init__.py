"""The checks a definition can ask for: each one question with its options."""

from tasks.definition.checks.attribution import AttributionCheck, MethodName, Operator, Target
from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.checks.counterfactual import CounterfactualCheck, TermSwap
from tasks.definition.checks.cue import CueCheck, CueName, OwnCue
from tasks.definition.checks.fairness import FairnessCheck, LocalLaw144
from tasks.definition.checks.group_check import GroupCheck
from tasks.definition.checks.lever import LeverCheck
from tasks.definition.checks.localisation import LocalisationCheck
from tasks.definition.checks.performance import PerformanceCheck
from tasks.definition.checks.pooling import Pooling
from tasks.definition.checks.probing import ProbePooling, ProbingCheck
from tasks.definition.checks.reasoning import (
    LOG_PROBABILITY,
    WITHOUT_REASONING,
    ReasoningCheck,
    ReasoningTest,
)
from tasks.definition.checks.remediation import RemediationCheck
from tasks.definition.checks.second_model import SecondModel
from tasks.definition.checks.steering import SteeringCheck
from tasks.definition.checks.swap import Swap

__all__ = [
    "LOG_PROBABILITY",
    "WITHOUT_REASONING",
    "AttributionCheck",
    "BaseCheck",
    "ContradictionCheck",
    "ControlsSpec",
    "CounterfactualCheck",
    "CueCheck",
    "CueName",
    "FairnessCheck",
    "GroupCheck",
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
]
