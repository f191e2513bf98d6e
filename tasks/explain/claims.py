"""The claim checker: no sentence stands unless the facts it cites support it.

Claims are held against the facts with names of the data masked first, so that neither a group
called `40 and over` nor a word of a hostile text is read as part of the sentence.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from tasks.explain.comparisons import wrong_direction
from tasks.explain.facts import Fact, Quantity, Sheet
from tasks.explain.masking import Masked, mask, unknown_name
from tasks.explain.numerals import Written, numbers_in
from tasks.explain.phrases import forbidden_phrase
from tasks.explain.plain_words import is_plain

LONGEST_CLAIM: Final = 700
MOST_CLAIMS: Final = 8

_MARKUP: Final = re.compile(
    r"https?:|www\.|\]\(|</?\w|[*#`_|{}\\@~^=&]|\b[\w-]+\.(?:com|org|net|io|dev|eu|de)\b|[\n\r\t]",
    re.IGNORECASE,
)
_ALPHABET: Final = re.compile(r"[A-Za-z0-9 .,;:%()'/\-\ue000-\uf8ff]")
_TYPOGRAPHY: Final = str.maketrans(
    dict.fromkeys("\u201c\u201d", '"')
    | dict.fromkeys("\u2018\u2019", "'")
    | dict.fromkeys("\u2010\u2011\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u00a0\u2009\u202f", " ")
)
"""Typographic quotes, dashes and spaces are as good as plain ones."""


class Claim(NamedTuple):
    """One sentence and the facts it says it rests on."""

    text: str
    cites: tuple[str, ...]


class Ruling(NamedTuple):
    """Whether a claim stands, and if not, why."""

    ok: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    """A claim beside the facts it cites."""

    text: str
    masked: Masked
    facts: tuple[Fact, ...]
    sheet: Sheet
    said: str
    """The plain sentences of the facts."""


def check_text(
    claims: Iterable[Claim], sheet: Sheet, *, known: Mapping[str, str], said: Mapping[str, str]
) -> tuple[Ruling, ...]:
    """A ruling for every sentence.

    Args:
        claims: what a text says; a claim of several sentences is checked sentence by sentence.
        sheet: all facts that the text may cite.
        known: every name of the report, and what it is.
        said: fact id -> the plain sentence that says it.
    """
    sentences = [
        Claim(sentence, claim.cites) for claim in claims for sentence in _sentences(claim.text)
    ]
    if len(sentences) > MOST_CLAIMS:
        return (Ruling(False, f"more than {MOST_CLAIMS} sentences"),) * len(sentences)
    return tuple(check_claim(claim, sheet, known=known, said=said) for claim in sentences)


def check_claim(
    claim: Claim, sheet: Sheet, *, known: Mapping[str, str], said: Mapping[str, str]
) -> Ruling:
    """Whether one sentence is supported by the facts it cites; the first reason if not."""
    text = claim.text.translate(_TYPOGRAPHY).strip()
    if why := _malformed(text):
        return Ruling(False, why)
    strays = [cited for cited in claim.cites if cited not in sheet.ids]
    if strays or not claim.cites:
        return Ruling(False, f"cites fact {_cut(strays[0])}" if strays else "cites no fact")
    facts = sheet.cited(claim.cites)
    held = _Held(
        text=text,
        masked=mask(text, facts),
        facts=facts,
        sheet=sheet,
        said=" ".join(said[fact.id] for fact in facts).lower(),
    )
    reasons = (why for rule in _RULES for why in rule(held, known))
    why = next(reasons, "")
    return Ruling(not why, why)


def _sentences(text: str) -> list[str]:
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z\"“])", text.strip())
    return [part for part in parts if part] or [""]


def _malformed(text: str) -> str:
    if not text:
        return "an empty sentence"
    if len(text) > LONGEST_CLAIM:
        return f"a sentence of more than {LONGEST_CLAIM} characters"
    if re.search(r"[\ue000-\uf8ff]", text):
        return "characters of a private alphabet"
    return ""


def _cut(text: str) -> str:
    return f"{text[:40]!r}"


# --- rules: each yields the reasons to reject ---------------------------------------------


def _names(held: _Held, known: Mapping[str, str]) -> Iterator[str]:
    if found := unknown_name(held.masked, known):
        yield f"names {known[found]} {_cut(found)}, which is not in the facts it cites"
    if stray := re.search(r'"[^"]*"?|(?<![a-z])\'|\'(?![a-z])', held.masked.text):
        yield f"quotes {_cut(held.masked.plain(stray.group()))}, which is not in the facts it cites"


def _characters(held: _Held, known: Mapping[str, str]) -> Iterator[str]:
    if markup := _MARKUP.search(held.masked.text):
        yield f"markup or a link: {_cut(markup.group())}"
    if stray := re.sub(_ALPHABET, "", held.masked.text):
        yield f"character {stray[0]!a}"


def _numbers(held: _Held, known: Mapping[str, str]) -> Iterator[str]:
    quantities = [q for fact in held.facts for q in fact.quantities()]
    written = numbers_in(held.masked.text)
    ends = set(_interval_ends(written, quantities, held.masked.text))
    for number in written:
        if number not in ends and not any(_fits(number, q, held.masked.text) for q in quantities):
            yield f"number {_cut(number.text)} is not in the facts it cites, or not as that"
    numbered = any(numbers_in(mask(sentence, held.facts).text) for sentence in (held.said,))
    verdict = re.search(r"\b(?:pass|fail|inconclusive)", held.masked.text.lower())
    if numbered and not written and not verdict:
        yield "writes none of the numbers of the facts it cites"


def _interval_ends(
    written: list[Written], quantities: list[Quantity], text: str
) -> Iterator[Written]:
    """Both ends of an interval, written together and in order, where an interval is spoken of."""
    if "interval" not in text.lower():
        return
    intervals = [
        (q, Quantity(q.partner, q.unit))
        for q in quantities
        if q.role == "end" and q.partner is not None
    ]
    for first, second in pairwise(written):
        if not re.fullmatch(
            r"\s*(?:%|percent)?\s*(?:to|and|-)?\s*", text[first.end : second.start]
        ):
            continue
        for low, high in intervals:
            if _rounds(first, low) and _rounds(second, high):
                yield from (first, second)


def _fits(written: Written, q: Quantity, text: str) -> bool:
    """Whether the number is that quantity, in a place where it can be meant."""
    before, after = text[: written.start].lower()[-45:], text[written.end :].lower()[:30]
    of_layer = bool(re.search(r"\blayers? (?:[\d.]+(?:,| and| to) )*$", before))
    multiple = bool(re.match(r"\s*(?:times|x)\b", after))
    further = bool(re.match(r"\s*(?:more|further|additional)\b", after))
    place = {
        "level": bool(re.match(r"\s*(?:%|percent) (?:interval|confidence)", after)),
        "power": bool(re.match(r"\s*(?:%|percent) power", after)),
        "line": bool(
            re.search(r"\b(?:lines?|threshold|limit|least|most|below|above|between)\b", before)
        ),
        "more": further,
        "value": not further,
        "end": False,
    }[q.role]
    if re.search(r"\b(?:in|out of) $", before) and re.search(r"\d $|\d (?:in|out of) $", before):
        return False
    return (
        place
        and (q.role == "line" or of_layer == (q.unit == "layer"))
        and multiple <= (q.unit == "ratio")
        and (q.unit == "count" or not re.search(r"\bn $", before))
        and _rounds(written, q)
    )


def _rounds(written: Written, q: Quantity) -> bool:
    """Whether the number is the quantity, rounded to the precision in which it is written."""
    if written.spelled:
        slack = 0.005 if q.unit in ("share", "ratio", "difference") else 1e-9
        return not written.percent and abs(written.value - q.value) <= slack
    if q.unit == "count":
        return not written.percent and written.decimals == 0 and written.value == q.value
    if written.percent and q.unit in ("ratio", "nats", "layer"):
        return False
    value = written.value / 100 if written.percent else written.value
    decimals = written.decimals + (2 if written.percent else 0)
    error = abs(value - q.value)
    if error <= 1e-9:
        return True
    coarse = decimals < (1 if q.unit == "layer" else 2)
    as_0_or_1 = value in (0, 1) and decimals < 3
    return not coarse and not as_0_or_1 and error <= 0.5 * 10**-decimals + 1e-9


def _phrases(held: _Held, known: Mapping[str, str]) -> Iterator[str]:
    yield from forbidden_phrase(held.masked, held.facts, held.sheet, held.said)


def _direction(held: _Held, known: Mapping[str, str]) -> Iterator[str]:
    yield from wrong_direction(held.masked, held.facts, held.sheet)


def _words(held: _Held, known: Mapping[str, str]) -> Iterator[str]:
    """Capitals inside the sentence, and every word that is neither plain nor a name."""
    text = held.masked.text
    for match in re.finditer(r"[A-Za-z]+(?:'[a-z]+)?", text):
        word, opens = (
            match.group(),
            not re.search(r"[A-Za-z0-9\ue000-\uf8ff]", text[: match.start()]),
        )
        if not opens and word[0].isupper():
            yield f"name {_cut(word)} is not in the facts it cites"
        if not is_plain(word) and not numbers_in(word):
            yield f"word {_cut(word)} is neither plain nor in the facts it cites"


_RULES: Final[tuple[Callable[[_Held, Mapping[str, str]], Iterator[str]], ...]] = (
    _names,
    _characters,
    _numbers,
    _phrases,
    _direction,
    _words,
)
