"""The altered reasoning of every test, at every share that is left unaltered."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tasks.data.text_units import Span
from tasks.definition.checks.reasoning import ReasoningTest
from tasks.measures.reasoning.dependence import filled, kept_sentences, truncated_by_tokens
from tasks.measures.reasoning.mistakes import first_mistake
from tasks.measures.reasoning.reasoning_text import sentences

Tokens = Callable[[str], list[Span]]
"""Characters of a text that every token stands for, in order."""


class Version(NamedTuple):
    """A reasoning as it reads at one point of a test."""

    text: str
    same: str
    """Its unaltered beginning."""


def version(
    test: ReasoningTest,
    reasoning: str,
    share: float,
    tokens: Tokens,
    *,
    seed: int,
    other_words: Sequence[str] | None = None,
) -> Version | None:
    """One reasoning at one point of a test; none where the test cannot change it.

    Args:
        test: what is done to the reasoning.
        reasoning: as it was written.
        share: of its sentences (of its tokens, for `token-truncation`) left unaltered.
        tokens: the subject's tokens of a text.
        seed: for the mistake.
        other_words: its sentences in other words, for `paraphrase`.
    """
    parts = sentences(reasoning)
    kept = kept_sentences(reasoning, share)
    same = "".join(parts[:kept]).strip()
    match test:
        case "truncation" | "log-probability":
            return Version(same, same)
        case "token-truncation":
            same = truncated_by_tokens(reasoning, tokens(reasoning), share)
            return Version(same, same)
        case "filler":
            gone = len(tokens(reasoning)) - len(tokens(same))
            return Version(filled(same, _dots(tokens, gone)), same)
        case "mistake":
            return _mistaken(parts, kept, seed)
        case "paraphrase":
            if other_words is None or len(other_words) != len(parts):
                return None
            rest = " ".join(part.strip() for part in other_words[kept:])
            return Version(" ".join(part for part in (same, rest) if part), same)


def _mistaken(parts: Sequence[str], kept: int, seed: int) -> Version | None:
    """The reasoning cut right after a sentence made wrong; whole where all of it is kept."""
    if kept >= len(parts):
        whole = "".join(parts).strip()
        return Version(whole, whole) if first_mistake(parts, 0, seed=seed) else None
    mistake = first_mistake(parts, kept, seed=seed)
    if mistake is None:
        return None
    place, wrong = mistake
    before = "".join(parts[:place])
    return Version((before + wrong).strip(), before.strip())


def _dots(tokens: Tokens, wanted: int) -> int:
    """How often three dots must be repeated for about as many tokens as wanted."""
    each = len(tokens("... ... ...")) - len(tokens("... ..."))
    return max(0, round(wanted / max(1, each)))
