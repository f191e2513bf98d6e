"""How much less likely the own answer gets when its reasoning is cut."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.definition.checks import LOG_PROBABILITY, WITHOUT_REASONING
from tasks.measures.reasoning.dependence import log_probability_lost, lost_without_reasoning
from tasks.measures.stats import intervals
from tasks.schema import About, Measurement

NAMES = ("log_probability_lost", "log_probability_change")
METHODS = (LOG_PROBABILITY, WITHOUT_REASONING)
AREA = (
    "area between the log-probabilities after the whole and the cut reasoning, by share of "
    "sentences kept, mean over texts, BCa bootstrap"
)
WITHOUT = "whole reasoning less none, paired difference, mean over texts, BCa bootstrap"
CHANGE = "paired difference, mean over texts, BCa bootstrap"


def usable(sample: Sequence[Any]) -> list[Any]:
    """Texts with an answer whose log-probability is known at every share."""
    return [r for r in sample if r["answer"] is not None and r["tests"][LOG_PROBABILITY]]


def lost(shares: Sequence[float], whole: Sequence[Any]) -> dict[str, intervals.Floats]:
    """Log-probability lost by every text over the cuts, and without any reasoning, in nats."""
    told = _told(whole)
    return {
        LOG_PROBABILITY: log_probability_lost(shares, told),
        WITHOUT_REASONING: lost_without_reasoning(told),
    }


def curve(shares: Sequence[float], sample: Sequence[Any], seed: int) -> list[Measurement]:
    """Change at every share against the whole reasoning, and the area; none for fewer than 2."""
    whole = usable(sample)
    if len(whole) < 2:
        return []
    told, n = _told(whole), len(whole)
    found = [
        Measurement.of(
            "log_probability_change",
            intervals.bootstrap_mean(change, seed=seed),
            n,
            CHANGE,
            About(share=share, method=LOG_PROBABILITY),
        )
        for share, change in zip(shares, told - told[-1], strict=True)
    ]
    for (test, values), how in zip(lost(shares, whole).items(), (AREA, WITHOUT), strict=True):
        mean, about = intervals.bootstrap_mean(values, seed=seed), About(method=test)
        found.append(Measurement.of("log_probability_lost", mean, n, how, about))
    return found


def left_out(sample: Sequence[Any]) -> list[str]:
    """How many texts with an answer have no log-probability of it."""
    answered = [r for r in sample if r["answer"] is not None]
    silent = len(answered) - len(usable(sample))
    if not silent:
        return []
    return [
        f"Test {LOG_PROBABILITY}: {silent} of {len(answered)} answers have no finite "
        "log-probability and are left out."
    ]


def _told(whole: Sequence[Any]) -> intervals.Floats:
    """Log-probabilities, [points, texts]."""
    return np.array([r["tests"][LOG_PROBABILITY]["log_probabilities"] for r in whole]).T
