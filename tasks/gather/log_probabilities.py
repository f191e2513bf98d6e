"""How much less likely the own answer gets when its reasoning is cut."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.checks import LOG_PROBABILITY
from tasks.measures import stats
from tasks.measures.dependence import log_probability_lost
from tasks.schema import About, Measurement

NAMES = ("log_probability_lost", "log_probability_change")
AREA = (
    "area between the log-probabilities after the whole and the cut reasoning, by share of "
    "sentences kept, mean over texts, BCa bootstrap"
)
CHANGE = "paired difference, mean over texts, BCa bootstrap"


def usable(sample: Sequence[Any]) -> list[Any]:
    """Texts with an answer whose log-probability is known at every share."""
    return [r for r in sample if r["answer"] is not None and r["tests"][LOG_PROBABILITY]]


def areas(shares: Sequence[float], whole: Sequence[Any]) -> stats.Floats:
    """Log-probability lost by every text, [texts], in nats."""
    return log_probability_lost(shares, _told(whole))


def curve(shares: Sequence[float], sample: Sequence[Any], seed: int) -> list[Measurement]:
    """Change at every share against the whole reasoning, and the area; none for fewer than 2."""
    whole = usable(sample)
    if len(whole) < 2:
        return []
    told, n = _told(whole), len(whole)
    found = [
        Measurement.of(
            "log_probability_change",
            stats.bootstrap_mean(change, seed=seed),
            n,
            CHANGE,
            About(share=share, method=LOG_PROBABILITY),
        )
        for share, change in zip(shares, told - told[-1], strict=True)
    ]
    area = stats.bootstrap_mean(areas(shares, whole), seed=seed)
    about = About(method=LOG_PROBABILITY)
    return [*found, Measurement.of("log_probability_lost", area, n, AREA, about)]


def left_out(sample: Sequence[Any]) -> list[str]:
    """How many texts with an answer have no log-probability of it."""
    answered = [r for r in sample if r["answer"] is not None]
    lost = len(answered) - len(usable(sample))
    if not lost:
        return []
    return [
        f"Test {LOG_PROBABILITY}: {lost} of {len(answered)} answers have no finite "
        "log-probability and are left out."
    ]


def _told(whole: Sequence[Any]) -> stats.Floats:
    """Log-probabilities, [points, texts]."""
    return np.array([r["tests"][LOG_PROBABILITY]["log_probabilities"] for r in whole]).T
