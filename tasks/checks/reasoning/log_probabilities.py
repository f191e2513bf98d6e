"""How much less likely the own answer gets when its reasoning is cut."""

from collections.abc import Sequence

from tasks.checks.reasoning.payload import Answered
from tasks.checks.reasoning.scores import log_probabilities, lost
from tasks.definition.checks.reasoning import LOG_PROBABILITY, WITHOUT_REASONING
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


def curve(shares: Sequence[float], sample: Sequence[Answered], seed: int) -> list[Measurement]:
    """Change at every share against the whole reasoning, and the area; none for fewer than 2."""
    whole = [text for text in sample if text.readable(LOG_PROBABILITY)]
    if len(whole) < 2:
        return []
    known, n = log_probabilities(whole), len(whole)
    measurements = [
        Measurement.of(
            "log_probability_change",
            intervals.bootstrap_mean(change, seed=seed),
            n,
            CHANGE,
            About(share=share, test=LOG_PROBABILITY),
        )
        for share, change in zip(shares, known - known[-1], strict=True)
    ]
    for (test, values), how in zip(lost(shares, whole).items(), (AREA, WITHOUT), strict=True):
        mean, about = intervals.bootstrap_mean(values, seed=seed), About(test=test)
        measurements.append(Measurement.of("log_probability_lost", mean, n, how, about))
    return measurements


def left_out(sample: Sequence[Answered]) -> list[str]:
    """How many texts with an answer have no log-probability of it."""
    answered = sum(text.answer is not None for text in sample)
    silent = answered - sum(text.readable(LOG_PROBABILITY) for text in sample)
    if not silent:
        return []
    return [
        f"Test {LOG_PROBABILITY}: {silent} of {answered} answers have no finite "
        "log-probability and are left out."
    ]
