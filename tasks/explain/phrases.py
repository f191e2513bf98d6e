"""Words that are claims by themselves: verdicts, lines, causes, topics, negations."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from tasks.definition.kinds import kinds
from tasks.explain.facts import Fact, Sheet, shown
from tasks.explain.masking import Masked

_NEVER: Final = re.compile(
    r"\b(?:un)?faithful\w*|\bdecei\w+|\bdecept\w+|\bdiscriminat\w+|\bbias\w*|\b(?:un|il)?lawful\w*"
    r"|\b(?:il)?legal\w*|\b(?:un)?fair(?:ly|ness)?\b|\b(?:un)?safe\w*|\bcertif\w+|\bcomplian\w+"
    r"|\bsignificant\w*|\bprove[sdn]?\b|\bproof\b|\bguarantee\w*",
    re.IGNORECASE,
)
"""Judgements that no measurement here supports."""

_VERDICTS: Final = {
    "pass": re.compile(r"\bpass(?:es|ed|ing)?\b"),
    "fail": re.compile(r"\bfail(?:s|ed|ing|ure)?\b"),
    "inconclusive": re.compile(r"\binconclusive\b|\bundecided\b"),
}
_LINE: Final = r"(?: or \w+)?(?: the)?(?: \S+){0,3}? (?:lines?|threshold|limit|gate)\b"
_BELOW: Final = re.compile(rf"\b(?:below|under|less than|lower than){_LINE}")
_ABOVE: Final = re.compile(
    rf"\b(?:above|over|more than|higher than){_LINE}|\b(?:exceeds?|exceeded){_LINE}"
)
_STRADDLES: Final = re.compile(rf"\b(?:includes?|contains?|both sides){_LINE}")
_BETWEEN: Final = re.compile(rf"\bbetween{_LINE}|\bbeyond{_LINE}")

_CAUSAL: Final = re.compile(
    r"\bus(?:e|es|ed|ing)\b|\bbecause\b|\bsince\b|\bdue to\b|\bowing to\b|\bdriv(?:e|es|en|ing)\b"
    r"|\brel(?:y|ies|ied|ying)\b|\bdepend(?:s|ed|ing|ent)?\b|\bcaus(?:e|es|ed|ing|al)\b"
    r"|\bleads?\b|\bled to\b|\bbased on\b|\bdetermin\w+|\binfluenc\w+|\brest(?:s|ed|ing)? on\b"
    r"|\bhence\b|\bthus\b|\btherefore\b|\bexplains?\b|\bresults? in\b"
    r"|(?<!decided) \bso\b(?= [a-z])(?! the finding\b| no word is)",
    re.IGNORECASE,
)
_ASKED: Final = re.compile(r"\bwhether\b.{0,60}$", re.IGNORECASE)

_STRONG: Final = re.compile(
    r"\b(?:no|not|none|neither|nor|never|nothing|without|cannot|only|same|unchanged|all|always"
    r"|every|each|equal|alone|instead|clear|enough|stays?|remains?|whole|even|most|highest|lowest"
    r"|largest|smallest|across|both|often|wrongly|balanced|like)\b"
)
"""Words that make a strong claim without a number; a cited fact must contain them too."""

_SHARE_OF: Final = re.compile(r"(?:%|\)) of (?:the |its |all |these |those )*([a-z]+)")
"""The whole of a percentage; the cited facts must have the same whole."""

_QUANTIFIED: Final = re.compile(r"\b(?:majority|minority|everyone|nobody|hardly|nearly|almost)\b")


def forbidden_phrase(
    masked: Masked, facts: tuple[Fact, ...], sheet: Sheet, template_text: str
) -> Iterator[str]:
    """Reasons to reject a sentence for words other than its numbers and names."""
    text = masked.text.lower()
    for match in (_NEVER.search(text), _QUANTIFIED.search(text)):
        if match:
            yield f"nothing measured supports {match.group()!r}"
    yield from _wrong_verdict(text, sheet)
    yield from _wrong_side(text, sheet)
    yield from _cause(masked, facts)
    topics = {fact.topic for fact in facts}
    for pattern, allowed in _topics():
        if (match := pattern.search(text)) and not topics & allowed:
            yield f"speaks of {match.group()!r} without a fact about it"
    wholes = set(_SHARE_OF.findall(template_text))
    for whole in _SHARE_OF.findall(text):
        if wholes and whole not in wholes:
            yield f"gives a percentage of the {whole}, which the facts it cites do not"
    for match in _STRONG.finditer(text):
        if not re.search(rf"\b{match.group()}\b", template_text):
            yield f"says {match.group()!r}, which the facts it cites do not"


@cache
def _topics() -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    """Patterns that are allowed only where certain kinds of check are cited, with those kinds."""
    words = dict.fromkeys(pattern for kind in kinds() for pattern in kind.words)
    return tuple(
        (re.compile(pattern), frozenset(kind.name for kind in kinds() if pattern in kind.words))
        for pattern in words
    )


def _wrong_verdict(text: str, sheet: Sheet) -> Iterator[str]:
    for verdict, pattern in _VERDICTS.items():
        match = pattern.search(text)
        if match and verdict != sheet.verdict:
            is_what = f"is {sheet.verdict}" if sheet.verdict else "has no verdict"
            yield f"says {match.group()!r}, but the finding {is_what}"


def _wrong_side(text: str, sheet: Sheet) -> Iterator[str]:
    if _BETWEEN.search(text):
        text = _BETWEEN.sub("", text)
    below, above = _BELOW.search(text), _ABOVE.search(text)
    straddling = "straddles" in sheet.relations
    if straddling and (below is None) == (above is None):
        return
    for match, side in ((below, "below"), (above, "above")):
        if match and side not in sheet.relations:
            yield f"says {match.group()[:40]!r}, which the interval does not"
    if _STRADDLES.search(text) and not straddling:
        yield "says that the interval includes the line, which it does not"


def _cause(masked: Masked, facts: tuple[Fact, ...]) -> Iterator[str]:
    """A cause needs a fact that shows use, and may name nothing else as the cause."""
    text = masked.text
    claims = [m for m in _CAUSAL.finditer(text) if not _ASKED.search(text[: m.start()])]
    if not claims:
        return
    shown_use = {name.lower() for fact in facts for name in fact.use_of}
    word = claims[0].group().strip()
    if not shown_use:
        yield f"says {word!r}, but no fact it cites shows use"
        return
    causes = {n for f in facts for n in _possible_causes(f)}
    named = {name.lower() for _, name in masked.places(causes)}
    if not named or not named <= shown_use:
        yield f"says {word!r} of something whose use no fact it cites shows"


def _possible_causes(fact: Fact) -> Iterator[str]:
    yield from fact.use_of
    for m in fact.measurements():
        yield from (shown(name) for name in (m.about.attribute, m.about.field) if name)
    yield from (shown(fact.names[part]) for part in ("swapped", "across") if part in fact.names)
    yield from (shown(word.text) for word in fact.words)
