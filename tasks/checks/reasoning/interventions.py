"""Answers after a reasoning that was altered: one test on every text."""

from collections.abc import Sequence
from typing import Any

from tasks.checks.instruments.second_model import other_words
from tasks.checks.reasoning.altered_texts import Tokens, Version, version
from tasks.definition.checks import LOG_PROBABILITY, ReasoningTest
from tasks.measures.reasoning.answers import as_written
from tasks.measures.reasoning.reasoning_text import sentences
from tasks.subjects.endpoint.second_model import SecondEndpoint
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import Resumes


def under_tests(
    subject: Resumes,
    texts: Sequence[str],
    written: Sequence[Written],
    tests: Sequence[ReasoningTest],
    shares: Sequence[float],
    *,
    seeds: Sequence[int],
    paraphraser: SecondEndpoint | None = None,
) -> dict[ReasoningTest, list[dict[str, Any] | None]]:
    """Every test on every text; see `answers_under` and `log_probabilities_under`.

    Truncation and log-probability cut at the same places: a subject reads them once for both.
    """
    found: dict[ReasoningTest, list[dict[str, Any] | None]] = {}
    if LOG_PROBABILITY in tests:
        both = log_probabilities_under(subject, texts, written, shares, seeds=seeds)
        found = {test: told for test, told in both.items() if test in tests}
    for test in tests:
        if test not in found:
            found[test] = answers_under(
                subject, texts, written, test, shares, seeds=seeds, paraphraser=paraphraser
            )
    return {test: found[test] for test in tests}


def log_probabilities_under(
    subject: Resumes,
    texts: Sequence[str],
    written: Sequence[Written],
    shares: Sequence[float],
    *,
    seeds: Sequence[int],
) -> dict[ReasoningTest, list[dict[str, Any] | None]]:
    """Log-probability of the own answer of every text after its reasoning is cut, by share.

    Returns:
        By test: for `log-probability` the `log_probabilities` of every text, in nats, and how many
        tokens were `kept`; none for a text without an answer, or where the subject gives no
        log-probabilities. Where the answers are known beforehand, what truncation finds as well.
    """
    tokens = subject.spans
    made = [
        [
            version("truncation", w.reasoning, share, tokens, seed=seed)
            for w, seed in zip(written, seeds, strict=True)
        ]
        for share in shares
    ]
    kept: list[list[Version]] = [[v for v in row if v] for row in made]
    form = subject.form
    own = [w.answer and as_written(w.completion, w.answer, form.form, form.prefix) for w in written]
    answers, likely = subject.early_likelihoods(
        texts, [w.reasoning for w in written], [[v.text for v in row] for row in kept], own
    )
    lengths = [[_length(tokens, row[i]) for row in kept] for i in range(len(texts))]
    by_text = [[row[i] for row in likely] for i in range(len(texts))]
    found: dict[ReasoningTest, list[dict[str, Any] | None]] = {
        LOG_PROBABILITY: [
            None if None in values else {"log_probabilities": values, "kept": length}
            for values, length in zip(by_text, lengths, strict=True)
        ]
    }
    if answers:
        found["truncation"] = [
            {"answers": [row[i] for row in answers], "kept": length}
            for i, length in enumerate(lengths)
        ]
    return found


def answers_under(
    subject: Resumes,
    texts: Sequence[str],
    written: Sequence[Written],
    test: ReasoningTest,
    shares: Sequence[float],
    *,
    seeds: Sequence[int],
    paraphraser: SecondEndpoint | None = None,
) -> list[dict[str, Any] | None]:
    """One test on every text: answers and how many tokens were left as they are, by share.

    Args:
        subject: whoever wrote.
        texts: the questions.
        written: reasoning and answer of each.
        test: what is done to the reasoning.
        shares: left as they are, rising from 0 to 1.
        seeds: of each text, for mistakes.
        paraphraser: who says a reasoning in other words.

    Returns:
        For every text `answers` and `kept`; none where the test cannot change its reasoning.
    """
    tokens = subject.spans
    said: list[Any] = [None] * len(texts)
    if test == "paraphrase" and paraphraser is not None:
        said = list(other_words(paraphraser, [sentences(w.reasoning) for w in written]))
    made = [
        [
            version(test, w.reasoning, share, tokens, seed=seed, other_words=words)
            for w, seed, words in zip(written, seeds, said, strict=True)
        ]
        for share in shares
    ]
    usable = [i for i in range(len(texts)) if all(row[i] is not None for row in made)]
    kept: list[list[Version]] = [[row[i] for i in usable if row[i]] for row in made]  # type: ignore[misc]
    ask = subject.resumed_answers if test == "mistake" else subject.early_answers
    answers = ask(
        [texts[i] for i in usable],
        [written[i].reasoning for i in usable],
        [[v.text for v in row] for row in kept],
    )
    found: list[dict[str, Any] | None] = [None] * len(texts)
    for place, i in enumerate(usable):
        given = [row[place] for row in answers]
        if test == "mistake":  # the whole has none, so nothing was changed
            given = [
                written[i].answer if share == 1 else answer
                for share, answer in zip(shares, given, strict=True)
            ]
        found[i] = {"answers": given, "kept": [_length(tokens, row[place]) for row in kept]}
    return found


def _length(tokens: Tokens, one: Version) -> int:
    return len(tokens(one.same))
