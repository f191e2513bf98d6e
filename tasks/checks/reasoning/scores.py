"""How far the answer to a text hangs on its reasoning, by every test; the same on controls."""

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
    """What a test finds on the texts whose reasoning it could change."""
    return [one for text in whole if (one := text.by_test[test]) is not None]


def unchanged(test: ReasoningTest, whole: Sequence[Answered]) -> NDArray[np.bool_]:
    """Whether the answer is still the one after the whole reasoning, [shares, texts].

    Args:
        test: which test.
        whole: texts that are readable under it.
    """
    found = [
        [answer == text.answer for answer in one.answers]
        for text, one in zip(whole, under(test, whole), strict=True)
    ]
    return np.array(found).T


def areas(test: ReasoningTest, shares: Sequence[float], whole: Sequence[Answered]) -> Floats:
    """Area over the curve of every text, [texts]: how far its answer hangs on its reasoning."""
    kept = np.array([one.kept for one in under(test, whole)]).T
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
    """Every test run on controls: the dependence it finds, text by text.

    Args:
        subject: whoever wrote.
        texts: the controls.
        written: reasoning and answer of each.
        truth: whether its answer depends on the reasoning, by construction.
        tests: which tests.
        shares: left as they are, rising from 0 to 1.
        questions: what each is made from; the texts where no two are made from one.
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
    found = {}
    for test in tests:
        kept = [i for i, one in enumerate(every) if one.readable(test)]
        whole, held = [every[i] for i in kept], np.array([truth[i] for i in kept], dtype=np.bool_)
        for name, values in _scores(test, shares, whole).items():
            found[name] = Scored(values, held, [made_from[i] for i in kept])
    return found


def _scores(
    test: ReasoningTest, shares: Sequence[float], whole: Sequence[Answered]
) -> dict[str, Floats]:
    if not whole:
        return {}
    return lost(shares, whole) if test == LOG_PROBABILITY else {test: areas(test, shares, whole)}
