"""The claim checker: no sentence stands unless the facts it cites support it.

Names of the data are masked before a claim is compared with the facts, so that neither a group
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
    """One sentence and the facts that it cites."""

    text: str
    cites: tuple[str, ...]


class Ruling(NamedTuple):
    """Whether a claim stands, and if not, why."""

    ok: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One sentence of a claim, with the facts that it cites."""

    text: str
    masked: Masked
    facts: tuple[Fact, ...]
    sheet: Sheet
    template_text: str
    """The template's sentences for the facts, in lower case."""


def check_text(
    claims: Iterable[Claim],
    sheet: Sheet,
    *,
    known: Mapping[str, str],
    template_texts: Mapping[str, str],
) -> tuple[Ruling, ...]:
    """A ruling for every sentence.

    Args:
        claims: what a text says; a claim of several sentences is checked sentence by sentence.
        sheet: all facts that the text may cite.
        known: every name of the report, and what it is.
        template_texts: fact id -> the sentence of the template that states it.
    """
    sentences = [
        Claim(sentence, claim.cites) for claim in claims for sentence in _sentences(claim.text)
    ]
    if len(sentences) > MOST_CLAIMS:
        return (Ruling(False, f"more than {MOST_CLAIMS} sentences"),) * len(sentences)
    return tuple(
        check_claim(claim, sheet, known=known, template_texts=template_texts) for claim in sentences
    )


def check_claim(
    claim: Claim, sheet: Sheet, *, known: Mapping[str, str], template_texts: Mapping[str, str]
) -> Ruling:
    """Whether one sentence is supported by the facts it cites; the first reason if not."""
    text = claim.text.translate(_TYPOGRAPHY).strip()
    if why := _malformed(text):
        return Ruling(False, why)
    strays = [cited for cited in claim.cites if cited not in sheet.ids]
    if strays or not claim.cites:
        return Ruling(False, f"cites fact {_cut(strays[0])}" if strays else "cites no fact")
    facts = sheet.cited(claim.cites)
    sentence = _Sentence(
        text=text,
        masked=mask(text, facts),
        facts=facts,
        sheet=sheet,
        template_text=" ".join(template_texts[fact.id] for fact in facts).lower(),
    )
    reasons = (why for rule in _RULES for why in rule(sentence, known))
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


def _names(sentence: _Sentence, known: Mapping[str, str]) -> Iterator[str]:
    if name := unknown_name(sentence.masked, known):
        yield f"names {known[name]} {_cut(name)}, which is not in the facts it cites"
    if stray := re.search(r'"[^"]*"?|(?<![a-z])\'|\'(?![a-z])', sentence.masked.text):
        quoted = _cut(sentence.masked.plain(stray.group()))
        yield f"quotes {quoted}, which is not in the facts it cites"


def _characters(sentence: _Sentence, known: Mapping[str, str]) -> Iterator[str]:
    if markup := _MARKUP.search(sentence.masked.text):
        yield f"markup or a link: {_cut(markup.group())}"
    if stray := re.sub(_ALPHABET, "", sentence.masked.text):
        yield f"character {stray[0]!a}"


def _numbers(sentence: _Sentence, known: Mapping[str, str]) -> Iterator[str]:
    quantities = [q for fact in sentence.facts for q in fact.quantities()]
    written = numbers_in(sentence.masked.text)
    ends = set(_interval_ends(written, quantities, sentence.masked.text))
    for number in written:
        if number not in ends and not any(
            _fits(number, q, sentence.masked.text) for q in quantities
        ):
            yield f"number {_cut(number.text)} is not in the facts it cites, or not as that"
    numbered = numbers_in(mask(sentence.template_text, sentence.facts).text)
    verdict = re.search(r"\b(?:pass|fail|inconclusive)", sentence.masked.text.lower())
    if numbered and not written and not verdict:
        yield "writes none of the numbers of the facts it cites"


def _interval_ends(
    written: list[Written], quantities: list[Quantity], text: str
) -> Iterator[Written]:
    """Both ends of an interval, written together and in order, if the text says `interval`."""
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
    """Whether the number is that quantity, in a place that fits the quantity's role."""
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
    if q.unit == "count" and float(q.value).is_integer():
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


def _phrases(sentence: _Sentence, known: Mapping[str, str]) -> Iterator[str]:
    yield from forbidden_phrase(
        sentence.masked, sentence.facts, sentence.sheet, sentence.template_text
    )


def _direction(sentence: _Sentence, known: Mapping[str, str]) -> Iterator[str]:
    yield from wrong_direction(sentence.masked, sentence.facts, sentence.sheet)


def _words(sentence: _Sentence, known: Mapping[str, str]) -> Iterator[str]:
    """Capitals inside the sentence, and every word that is neither plain nor a name."""
    text = sentence.masked.text
    for match in re.finditer(r"[A-Za-z]+(?:'[a-z]+)?", text):
        word, opens = (
            match.group(),
            not re.search(r"[A-Za-z0-9\ue000-\uf8ff]", text[: match.start()]),
        )
        if not opens and word[0].isupper():
            yield f"name {_cut(word)} is not in the facts it cites"
        if not is_plain(word) and not numbers_in(word):
            yield f"word {_cut(word)} is neither plain nor in the facts it cites"


_RULES: Final[tuple[Callable[[_Sentence, Mapping[str, str]], Iterator[str]], ...]] = (
    _names,
    _characters,
    _numbers,
    _phrases,
    _direction,
    _words,
)
