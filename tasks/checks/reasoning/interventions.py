"""Answers after a reasoning that was altered: every test on every text."""

from collections.abc import Sequence
from typing import NamedTuple

from tasks.checks.instruments.second_model import other_words
from tasks.checks.reasoning.altered_texts import Tokens, Version, version
from tasks.checks.reasoning.payload import Answered, UnderTest
from tasks.definition import AnswerForm
from tasks.definition.checks.reasoning import LOG_PROBABILITY, ReasoningTest
from tasks.measures.reasoning.answers import as_written
from tasks.measures.reasoning.reasoning_text import sentences
from tasks.subjects.endpoint.second_model import SecondEndpoint
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import Resumes


class Likelihoods(NamedTuple):
    """Measurements after reasonings that are cut after a sentence."""

    of_answers: list[tuple[float, ...] | None]
    """Log-probabilities of the own answer in nats, share by share, [texts]; none for a text without
    an answer, or where the subject gives no log-probabilities."""
    truncation: list[UnderTest | None] | None
    """Outcome of truncation; none where the answers are not known beforehand."""


def under_tests(
    subject: Resumes,
    texts: Sequence[str],
    written: Sequence[Written],
    tests: Sequence[ReasoningTest],
    shares: Sequence[float],
    *,
    seeds: Sequence[int],
    paraphraser: SecondEndpoint | None = None,
) -> list[Answered]:
    """Every test on every text; see `answers_under` and `log_probabilities_under`.

    Truncation and log-probability cut at the same places, so a subject reads each cut once.
    """
    likely: Sequence[tuple[float, ...] | None] = [None] * len(texts)
    outcomes: dict[ReasoningTest, list[UnderTest | None]] = {}
    if LOG_PROBABILITY in tests:
        likely, truncation = log_probabilities_under(subject, texts, written, shares, seeds=seeds)
        if truncation is not None:
            outcomes["truncation"] = truncation
    by_answers = [test for test in tests if test != LOG_PROBABILITY]
    for test in by_answers:
        if test not in outcomes:
            outcomes[test] = answers_under(
                subject, texts, written, test, shares, seeds=seeds, paraphraser=paraphraser
            )
    return [
        Answered(
            answer=own.answer,
            by_test={test: outcomes[test][i] for test in by_answers},
            log_probabilities=likely[i],
        )
        for i, own in enumerate(written)
    ]


def log_probabilities_under(
    subject: Resumes,
    texts: Sequence[str],
    written: Sequence[Written],
    shares: Sequence[float],
    *,
    seeds: Sequence[int],
) -> Likelihoods:
    """Log-probability of the own answer of every text after its reasoning is cut, by share."""
    tokens = subject.spans
    versions = [
        _versions("truncation", own.reasoning, shares, tokens, seed=seed) or []
        for own, seed in zip(written, seeds, strict=True)
    ]
    answers, likely = subject.early_likelihoods(
        texts,
        [own.reasoning for own in written],
        _texts(versions, shares),
        [_as_written(subject.form, own) for own in written],
    )
    of_answers = [_known([row[i] for row in likely]) for i in range(len(texts))]
    if not answers:
        return Likelihoods(of_answers, None)
    answers_of_texts = [[row[i] for row in answers] for i in range(len(texts))]
    return Likelihoods(
        of_answers,
        [
            _under_test(a, of_text, tokens)
            for a, of_text in zip(answers_of_texts, versions, strict=True)
        ],
    )


def answers_under(
    subject: Resumes,
    texts: Sequence[str],
    written: Sequence[Written],
    test: ReasoningTest,
    shares: Sequence[float],
    *,
    seeds: Sequence[int],
    paraphraser: SecondEndpoint | None = None,
) -> list[UnderTest | None]:
    """One test on every text: answers and how many tokens were kept, by share.

    Args:
        subject: the model that wrote.
        texts: the questions.
        written: reasoning and answer of each.
        test: what is done to the reasoning.
        shares: of the reasoning that are kept, rising from 0 to 1.
        seeds: of each text, for mistakes.
        paraphraser: model that says a reasoning in other words.

    Returns:
        Outcome for every text; none where the test cannot change its reasoning.
    """
    tokens = subject.spans
    other: Sequence[list[str] | None] = [None] * len(texts)
    if test == "paraphrase" and paraphraser is not None:
        other = other_words(paraphraser, [sentences(own.reasoning) for own in written])
    altered = [
        _versions(test, own.reasoning, shares, tokens, seed=seed, other_words=words)
        for own, seed, words in zip(written, seeds, other, strict=True)
    ]
    changed = {i: versions for i, versions in enumerate(altered) if versions is not None}
    ask = subject.resumed_answers if test == "mistake" else subject.early_answers
    answers = ask(
        [texts[i] for i in changed],
        [written[i].reasoning for i in changed],
        _texts([*changed.values()], shares),
    )
    outcomes: list[UnderTest | None] = [None] * len(texts)
    for place, (i, versions) in enumerate(changed.items()):
        given = [row[place] for row in answers]
        if test == "mistake":
            given = _whole_as_written(given, shares, written[i].answer)
        outcomes[i] = _under_test(given, versions, tokens)
    return outcomes


def _versions(
    test: ReasoningTest,
    reasoning: str,
    shares: Sequence[float],
    tokens: Tokens,
    *,
    seed: int,
    other_words: Sequence[str] | None = None,
) -> list[Version] | None:
    """One reasoning at every share; none where the test cannot change it."""
    versions = [
        version(test, reasoning, share, tokens, seed=seed, other_words=other_words)
        for share in shares
    ]
    whole = [v for v in versions if v is not None]
    return whole if len(whole) == len(versions) else None


def _texts(versions: Sequence[Sequence[Version]], shares: Sequence[float]) -> list[list[str]]:
    """The versions as texts, [shares][texts]."""
    return [[of_text[at].text for of_text in versions] for at in range(len(shares))]


def _under_test(
    answers: Sequence[str | None], versions: Sequence[Version], tokens: Tokens
) -> UnderTest:
    return UnderTest(answers=tuple(answers), kept=tuple(len(tokens(v.same)) for v in versions))


def _whole_as_written(
    given: Sequence[str | None], shares: Sequence[float], own: str | None
) -> list[str | None]:
    """The own answer at share 1: a whole reasoning has no mistake."""
    return [own if share == 1 else answer for share, answer in zip(shares, given, strict=True)]


def _known(values: Sequence[float | None]) -> tuple[float, ...] | None:
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else None


def _as_written(form: AnswerForm, own: Written) -> str | None:
    """The own answer, spelled as it was given."""
    if own.answer is None:
        return None
    return as_written(own.completion, own.answer, form.form, form.prefix)
