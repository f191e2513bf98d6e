"""Exchange identity terms in a text for those of another group, its grammar left intact."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tasks.definition.checks.counterfactual import TermSwap
from tasks.measures.stats.random_streams import stream

DETERMINERS: Final = frozenset({"my", "your", "his", "her", "its", "our", "their"})
FUNCTION_WORDS: Final = frozenset(
    {
        *(
            "a",
            "an",
            "the",
            "this",
            "that",
            "these",
            "those",
            "and",
            "or",
            "but",
            "nor",
            "so",
            "if",
        ),
        *("as", "than", "then", "when", "while", "because", "since", "until", "after", "before"),
        *(
            "in",
            "on",
            "at",
            "by",
            "for",
            "from",
            "to",
            "of",
            "with",
            "about",
            "over",
            "under",
            "into",
        ),
        *(
            "is",
            "are",
            "was",
            "were",
            "be",
            "been",
            "has",
            "have",
            "had",
            "do",
            "does",
            "did",
            "will",
        ),
        *("would", "can", "could", "may", "might", "must", "shall", "should", "not", "no", "yes"),
        *("very", "too", "again", "now", "here", "there", "today", "yesterday", "tomorrow", "out"),
        *(
            "up",
            "down",
            "off",
            "away",
            "back",
            "who",
            "which",
            "whom",
            "how",
            "why",
            "where",
            "what",
        ),
        *(
            "i",
            "you",
            "he",
            "she",
            "it",
            "we",
            "they",
            "me",
            "him",
            "us",
            "them",
            "my",
            "your",
            "his",
        ),
    }
)
"""Words after which `her` is an object, not a determiner: `gave her the form`."""


class Swapped(NamedTuple):
    """A text with the identity terms of two groups exchanged."""

    position: int
    """Which of the texts."""
    source: str
    """Group whose terms stand in it most often."""
    target: str
    """Group whose terms took their place."""
    text: str
    terms: int
    """How many words were exchanged."""
    control: str | None
    """The text with as many neutral words exchanged instead; none where it has no neutral word."""


def swapped(texts: Sequence[str], swap: TermSwap, *, seed: int) -> list[Swapped]:
    """Every text that holds an identity term, with the terms of two groups exchanged.

    The group of a text is the one whose terms stand in it most often; the other is drawn at
    random where there are more than two. The terms of both are exchanged, so that a text that
    names two people still names two.

    Args:
        texts: the texts.
        swap: the lists; the i-th term of one group stands for the i-th of another.
        seed: drawn from the definition's seed.
    """
    rng = stream(seed, "terms of another group")
    swaps = []
    for position, text in enumerate(texts):
        counts = {group: len(list(_places(text, terms))) for group, terms in swap.terms.items()}
        source = max(counts, key=lambda group: counts[group])
        others = [group for group in swap.terms if group != source]
        target = others[int(rng.integers(len(others)))]
        if not counts[source]:
            continue
        pairs = _partners(swap.terms[source], swap.terms[target])
        new, terms = exchanged(text, pairs)
        chosen = rng.permutation(len(text) + 1).tolist()
        control, _ = exchanged(text, _partners(*zip(*swap.neutral, strict=True)), terms, chosen)
        if new != text:
            swaps.append(
                Swapped(position, source, target, new, terms, control if control != text else None)
            )
    return swaps


def exchanged(
    text: str,
    partners: Mapping[str, Sequence[str]],
    most: int | None = None,
    order: Sequence[int] | None = None,
) -> tuple[str, int]:
    """A text with words exchanged for their partners, and how many were.

    Capitals follow the old word, `a` and `an` the new one; of two partners (`her`: `his` or
    `him`) the determiner is taken before a noun.

    Args:
        text: the text.
        partners: term in lower case -> what may take its place.
        most: exchange at most so many, all unless given.
        order: with `most`, a rank for every character; terms at low ranks are taken first.
    """
    places = list(_places(text, partners))
    if most is not None and order is not None:
        places = sorted(
            sorted(places, key=lambda m: int(order[m.start()]))[:most], key=re.Match.start
        )
    parts, at = [], 0
    for match in places:
        before = text[at : match.start()]
        new = _cased(match.group(), _fitting(partners[match.group().lower()], text[match.end() :]))
        parts += [_article(before, match.group(), new), new]
        at = match.end()
    return "".join([*parts, text[at:]]), len(places)


def _places(text: str, terms: Mapping[str, object] | Sequence[str]) -> Sequence[re.Match[str]]:
    """Matches of the terms as whole words, longer terms first."""
    longest = sorted({t.lower() for t in terms}, key=len, reverse=True)
    options = "|".join(map(re.escape, longest))
    return list(re.finditer(rf"(?<!\w)(?:{options})(?!\w)", text, re.IGNORECASE))


def _partners(own: Sequence[str], other: Sequence[str]) -> dict[str, list[str]]:
    """Term in lower case -> its partners, in both directions."""
    partners: dict[str, list[str]] = {}
    for first, second in (*zip(own, other, strict=True), *zip(other, own, strict=True)):
        own_partners = partners.setdefault(first.lower(), [])
        if second not in own_partners:
            own_partners.append(second)
    return partners


def _fitting(partners: Sequence[str], after: str) -> str:
    """The partner that fits what follows."""
    if len(partners) == 1:
        return partners[0]
    following = re.match(r"\s+([^\W\d_]+)", after)
    before_noun = following is not None and following.group(1).lower() not in FUNCTION_WORDS
    fitting = [p for p in partners if (p.lower() in DETERMINERS) == before_noun]
    return (fitting or list(partners))[0]


def _cased(old: str, new: str) -> str:
    if len(old) > 1 and old.isupper():
        return new.upper()
    if old[:1].isupper() and (new.islower() or not old[1:].islower()):
        return new[:1].upper() + new[1:]
    return new.lower() if old.islower() and new.istitle() and old != new.lower() else new


def _article(before: str, old: str, new: str) -> str:
    """`a` or `an` before the new word, where there was one before the old."""
    match = re.search(r"(?<!\w)(a|an)(\s+)\Z", before, re.IGNORECASE)
    if match is None or (old[:1].lower() in "aeiou") == (new[:1].lower() in "aeiou"):
        return before
    article = "an" if new[:1].lower() in "aeiou" else "a"
    if match.group(1)[0].isupper():
        article = article.capitalize()
    return before[: match.start()] + article + match.group(2)
