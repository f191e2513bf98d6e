"""Insert a mistake into a sentence by rule: change a number, or insert or remove a negation."""

import re
from collections.abc import Sequence

import numpy as np

from tasks.measures.stats.random_streams import stream

NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")
NEGATION = re.compile(r"\b(?:not|never|no longer)\s+|(?<=\w)n't\b", re.IGNORECASE)
NO = re.compile(r"\b(no)\b(?=\s+\w)", re.IGNORECASE)
AUXILIARY = re.compile(
    r"\b(is|are|was|were|am|will|would|can|could|should|may|might|must|shall|does|do|did|has|have"
    r"|had)\b(?!n't)(?!\s+(?:not|never)\b)(?=[\s.,;])",
    re.IGNORECASE,
)
WHOLE = re.compile(r"\b(cannot)\b", re.IGNORECASE)


def with_mistake(sentence: str, *, seed: int) -> str | None:
    """The sentence with one mistake; none where no rule applies.

    A number, if there is one, becomes another number of about the same size; else a negation is
    taken out; else one is put after the first auxiliary verb. Everything else stays to the letter.
    The rules do not understand the sentence: a changed number can be irrelevant, so an unchanged
    answer after one mistake proves little.

    Args:
        sentence: one sentence.
        seed: says which number is changed and by how much.

    Source: Lanham et al. 2023, arXiv:2307.13702, adding mistakes (there by a language model).
    """
    return _other_number(sentence, seed) or _negated(sentence)


def first_mistake(parts: Sequence[str], at: int, *, seed: int) -> tuple[int, str] | None:
    """The first sentence from `at` on that can take a mistake; failing that, an earlier one.

    Args:
        parts: sentences of a reasoning.
        at: sentence to begin at.
        seed: see `with_mistake`.

    Returns:
        Which sentence, and how it then reads; none where no sentence can be changed.
    """
    for place in [*range(at, len(parts)), *range(min(at, len(parts)) - 1, -1, -1)]:
        changed = with_mistake(parts[place], seed=seed)
        if changed is not None:
            return place, changed
    return None


def _other_number(sentence: str, seed: int) -> str | None:
    numbers = list(NUMBER.finditer(sentence))
    if not numbers:
        return None
    rng = stream(seed, "mistake")
    match = numbers[int(rng.integers(len(numbers)))]
    new = _another(match.group(), rng)
    return sentence[: match.start()] + new + sentence[match.end() :]


def _another(number: str, rng: np.random.Generator) -> str:
    """A number that differs by a tenth to a half of itself, at least by one in its last place."""
    digits = len(number.partition(".")[2])
    unit = 10**digits
    value = round(float(number.replace(",", "")) * unit)
    step = max(1, round(value * float(rng.uniform(0.1, 0.5))))
    other = value + step if value < step or rng.integers(2) else value - step
    grouped = "," if "," in number else ""
    return f"{other / unit:{grouped}.{digits}f}"


def _negated(sentence: str) -> str | None:
    for pattern, new in ((WHOLE, "can"), (NEGATION, ""), (NO, "a")):
        match = pattern.search(sentence)
        if match is not None:
            return _as_cased(sentence, match, new)
    match = AUXILIARY.search(sentence)
    if match is None:
        return None
    return f"{sentence[: match.end()]} not{sentence[match.end() :]}"


def _as_cased(sentence: str, match: re.Match[str], new: str) -> str:
    """The sentence with the match replaced; its new first letter keeps the case of the old one."""
    rest = new + sentence[match.end() :]
    upper = match.group()[:1].isupper()
    return sentence[: match.start()] + (rest[:1].upper() + rest[1:] if upper else rest)
