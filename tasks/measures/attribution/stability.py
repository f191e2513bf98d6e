"""Does an attribution stay the same when an edit keeps the meaning of the text?

The edits are for English and made by rule; where a rule could change the meaning, it does not
apply.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tasks.measures.stats.agreement import rank_agreement

Span = tuple[int, int]
"""First character, one past the last."""

WORD = re.compile(r"\w+(?:[.,'’\-]\w+)*|[^\w\s]")  # as texts are cut into units; a test compares

COMMON = 3  # fewest words for a rank correlation

NEGATIONS = {
    **{f"{verb} not": f"{verb}n't" for verb in (
        "do", "does", "did", "is", "are", "was", "were", "has", "have", "had", "would", "could",
        "should",
    )},
    "will not": "won't",
    "cannot": "can't",
}  # fmt: skip
COPULAS = {
    "i am": "i'm",
    **{f"{who} are": f"{who}'re" for who in ("you", "we", "they")},
    **{f"{who} is": f"{who}'s" for who in ("it", "he", "she", "that", "there")},
}
# "'s" is also "has" and possession, and "what it is." takes no short form: only before these
_COPULA_AHEAD = r"(?=\s+(?:an?|the|very|too|quite|so)\b)"
# "Don't you ..." and other questions would be left with their words in the wrong order
_NO_QUESTION_AHEAD = (
    r"(?!\s+(?:i|you|he|she|it|we|they|this|that|these|those|there|the|an?|my|your|his|her|its"
    r"|our|their)\b)(?![^.!?]*\?)"
)

_END = re.compile(r"(?<=\w)\.?(?=\s*\Z)")  # the full stop that ends a text, or its place


class Edit(NamedTuple):
    """A text with the same meaning in other words."""

    text: str
    alignment: tuple[tuple[int, int], ...]
    """(word before, word after) for every word that stayed, counted from 0 as in `WORD`; a word
    that was replaced, added or taken out is in no pair."""


def neutral_edits(text: str, pairs: Sequence[tuple[str, str]] = ()) -> list[Edit]:
    """Edits of an English text that change its words and keep its meaning.

    Args:
        text: the text.
        pairs: words or phrases that mean the same in this data, both ways, and fit after the same
            article; of several pairs with one word the first counts. Case is kept.

    Returns:
        One edit for every rule that changes the text, each made everywhere it applies: the
        caller's pairs, contractions expanded, contractions made, the full stop at the end added
        or taken out. Empty where no rule applies.
    """
    both_ways = [*pairs, *((b, a) for a, b in pairs)]
    swaps = {key: b for a, b in reversed(both_ways) for key in (a.lower(), a)}
    expansions = {short: long for long, short in NEGATIONS.items()}
    copulas = {short: long for long, short in COPULAS.items()}
    edits = [
        _rephrased(text, (swaps, "")),
        _rephrased(text, (expansions, _NO_QUESTION_AHEAD), (copulas, _COPULA_AHEAD)),
        _rephrased(text, (NEGATIONS, ""), (COPULAS, _COPULA_AHEAD)),
        _edited(text, [(m.span(), "" if m.group() else ".") for m in _END.finditer(text)]),
    ]
    return [edit for edit in edits if edit.text != text]


def stability(
    before: Sequence[float], after: Sequence[float], alignment: Sequence[tuple[int, int]]
) -> float:
    """Rank correlation of the attribution of the words that an edit did not change.

    High is good: 1 keeps the order of all words, 0 is no relation.

    Args:
        before: attribution of every word of the text, [words].
        after: the same on the edited text, [words after]; for the same target.
        alignment: (word before, word after) pairs, see `Edit`.

    Returns:
        Spearman correlation in [-1, 1]; nan where fewer than 3 words are in common, or one side
        gives all of them the same value.

    Raises:
        IndexError: the alignment is of another text.

    Source: the idea of Alvarez-Melis and Jaakkola 2018, On the robustness of interpretability
    methods, arXiv:1806.08049, with edits of words for perturbations.
    """
    if len(alignment) < COMMON:
        return float("nan")
    return rank_agreement([before[i] for i, _ in alignment], [after[j] for _, j in alignment])


def _rephrased(text: str, *rules: tuple[Mapping[str, str], str]) -> Edit:
    """The text with phrases replaced; a rule is a table and the context that must follow."""
    tables = [(table, ahead) for table, ahead in rules if table]
    pattern = "|".join(_pattern(table) + ahead for table, ahead in tables)
    merged = {phrase: new for table, _ in tables for phrase, new in table.items()}
    matches = re.finditer(pattern, text, re.IGNORECASE) if pattern else ()
    return _edited(text, [(m.span(), _in_place(m.group(), merged)) for m in matches])


def _pattern(phrases: Iterable[str]) -> str:
    """Matches the phrases as whole words, with either apostrophe and any space."""
    longest_first = sorted(phrases, key=len, reverse=True)
    known = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in longest_first)
    either = known.replace("'", "['’]")
    return rf"(?<![\w'’\-])(?:{either})(?!\w|['’\-]\w)"


def _in_place(phrase: str, table: Mapping[str, str]) -> str:
    """The replacement of a phrase, in the phrase's own case."""
    plain = " ".join(phrase.replace("’", "'").split())
    new = table.get(plain) or table.get(plain.lower(), phrase)
    if plain in table:
        return new
    if len(plain) > 1 and plain.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if plain[:1].isupper() else new


def _edited(text: str, changes: Sequence[tuple[Span, str]]) -> Edit:
    """The text with spans replaced, in order, and the words that stayed."""
    parts, done = [], 0
    for (start, end), new in changes:
        parts += [text[done:start], new]
        done = end
    after = "".join([*parts, text[done:]])
    place = {match.span(): i for i, match in enumerate(WORD.finditer(after))}
    stayed = []
    for i, match in enumerate(WORD.finditer(text)):
        first, last = match.span()
        if any(start < last and first < end for (start, end), _ in changes):
            continue
        moved = sum(len(new) - (end - start) for (start, end), new in changes if end <= first)
        j = place.get((first + moved, last + moved))
        if j is not None:
            stayed.append((i, j))
    return Edit(after, tuple(stayed))
