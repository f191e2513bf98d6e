"""Answers after a reasoning that was altered: one test on every text."""

from collections.abc import Sequence
from typing import Any

from tasks.checks import ReasoningTest
from tasks.endpoint.second import SecondEndpoint
from tasks.gather.answering import forced, going_on
from tasks.gather.second_model import other_words
from tasks.gather.versions import Tokens, Version, tokens_by, version
from tasks.gather.writing import Written
from tasks.measures.reasoning import sentences


def answers_under(
    subject: Any,
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
    tokens = tokens_by(subject)
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
    ask = going_on if test == "mistake" else forced
    answers = ask(
        subject,
        [texts[i] for i in usable],
        [written[i].reasoning for i in usable],
        [[v.text for v in row] for row in kept],
    )
    found: list[dict[str, Any] | None] = [None] * len(texts)
    for place, i in enumerate(usable):
        told = [row[place] for row in answers]
        if test == "mistake":  # the whole has none, so nothing was changed
            told = [
                written[i].answer if share == 1 else answer
                for share, answer in zip(shares, told, strict=True)
            ]
        found[i] = {"answers": told, "kept": [_length(tokens, row[place]) for row in kept]}
    return found


def _length(tokens: Tokens, one: Version) -> int:
    return len(tokens(one.same))
