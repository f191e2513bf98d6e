"""How far the answer to a text depends on its reasoning, by every test; also on controls."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.checks.instruments.calibration import Scored
from tasks.checks.reasoning.interventions import under_tests
from tasks.checks.reasoning.payload import Answered, UnderTest
from tasks.definition.checks.reasoning import LOG_PROBABILITY, WITHOUT_REASONING, ReasoningTest
from tasks.measures.reasoning.dependence import (
    area_by_tokens,
    log_probability_lost,
    lost_without_reasoning,
    token_shares,
)
from tasks.measures.stats.intervals import Floats
from tasks.measures.stats.random_streams import subseed
from tasks.subjects.endpoint.second_model import SecondEndpoint
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import Resumes


def under(test: ReasoningTest, whole: Sequence[Answered]) -> list[UnderTest]:
    """Outcomes of a test on the texts whose reasoning it could change."""
    return [outcome for text in whole if (outcome := text.by_test[test]) is not None]


def unchanged(test: ReasoningTest, whole: Sequence[Answered]) -> NDArray[np.bool_]:
    """Whether the answer is still the one after the whole reasoning, [shares, texts].

    Args:
        test: which test.
        whole: texts that are readable under it.
    """
    same = [
        [answer == text.answer for answer in outcome.answers]
        for text, outcome in zip(whole, under(test, whole), strict=True)
    ]
    return np.array(same).T


def areas(test: ReasoningTest, shares: Sequence[float], whole: Sequence[Answered]) -> Floats:
    """Area over the curve of every text, [texts]: how far its answer depends on its reasoning."""
    kept = np.array([outcome.kept for outcome in under(test, whole)]).T
    return area_by_tokens(token_shares(kept, shares), unchanged(test, whole).astype(float))


def log_probabilities(whole: Sequence[Answered]) -> Floats:
    """Log-probability of the own answer, [shares, texts]."""
    return np.array([text.log_probabilities for text in whole]).T


def lost(shares: Sequence[float], whole: Sequence[Answered]) -> dict[str, Floats]:
    """Log-probability lost by every text over the cuts, and without any reasoning, in nats."""
    known = log_probabilities(whole)
    return {
        LOG_PROBABILITY: log_probability_lost(shares, known),
        WITHOUT_REASONING: lost_without_reasoning(known),
    }


def scored(
    subject: Resumes,
    texts: Sequence[str],
    written: Sequence[Written],
    truth: Sequence[bool],
    tests: Sequence[ReasoningTest],
    shares: Sequence[float],
    *,
    questions: Sequence[str] | None = None,
    seed: int,
    paraphraser: SecondEndpoint | None = None,
) -> dict[str, Scored]:
    """Every test run on controls: the dependence it measures, text by text.

    Args:
        subject: the model that wrote.
        texts: the controls.
        written: reasoning and answer of each.
        truth: whether its answer depends on the reasoning, by construction.
        tests: which tests.
        shares: of the reasoning that are kept, rising from 0 to 1.
        questions: what each is made from; unless given, its own text.
        seed: the definition's.
        paraphraser: for the test that needs one.

    Returns:
        Test -> scores and truth, over the controls that it could change and read. Tests by
        log-probability give two scores: over the cuts, and without any reasoning.
    """
    seeds = [subseed(seed, "control of the reasoning", i) for i in range(len(texts))]
    every = under_tests(
        subject, texts, written, tests, shares, seeds=seeds, paraphraser=paraphraser
    )
    made_from = questions or texts
    by_test = {}
    for test in tests:
        kept = [i for i, answered in enumerate(every) if answered.readable(test)]
        whole, truths = [every[i] for i in kept], np.array([truth[i] for i in kept], dtype=np.bool_)
        for name, values in _scores(test, shares, whole).items():
            by_test[name] = Scored(values, truths, [made_from[i] for i in kept])
    return by_test


def _scores(
    test: ReasoningTest, shares: Sequence[float], whole: Sequence[Answered]
) -> dict[str, Floats]:
    if not whole:
        return {}
    return lost(shares, whole) if test == LOG_PROBABILITY else {test: areas(test, shares, whole)}
