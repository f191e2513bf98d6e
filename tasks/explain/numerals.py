"""Numbers as people write them in English: digits, percentages, fractions and number words."""

import math
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_CARDINALS: Final = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen":
    14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_MULTIPLES: Final = {
    "twice": 2, "thrice": 3, "dozen": 12, "couple": 2, "double": 2, "triple": 3, "treble": 3,
    "quadruple": 4, "quintuple": 5, "halve": 0.5, "once": 1, "nil": 0, "nought": 0,
}  # fmt: skip
_PARTS: Final = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip

_NOT_A_NUMBER: Final = re.compile(  # "one" as a pronoun
    r"\b(?:no|the|this|that|each|which|any|final|random|last|another) one\b(?! (?:in|out)\b)"
    r"|\bone (?:of|another)\b",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"-?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?", re.ASCII)
_FRACTION: Final = re.compile(r"(\d+)/(\d+)", re.ASCII)
_PERCENT: Final = re.compile(
    rf"(?:\s+to\s+{_PLAIN.pattern})?\s*(?:%|per ?cent\b|percentage points?\b)", re.ASCII
)
"""The lower end of `27.0 to 36.4 %` is a percentage too."""


class Written(NamedTuple):
    """A number in a text."""

    text: str
    value: float
    """As written, with 47 % read as 47; nan if it cannot be read."""
    decimals: int
    percent: bool
    start: int
    end: int
    spelled: bool = False
    """Written in words or as a fraction, so that its precision is not visible."""


def numbers_in(text: str) -> list[Written]:
    """All numbers of a text, in order; whatever holds a digit counts as one."""
    numbers = [*_with_digits(text), *_in_words(text)]
    return sorted(numbers, key=lambda number: number.start)


def _with_digits(text: str) -> Iterator[Written]:
    for match in re.finditer(r"[^\s()\"%]*\d[^\s()\"%]*", text):
        token = match.group().strip(",;:").removesuffix(".")
        start = match.start() + match.group().index(token)
        percent = bool(_PERCENT.match(text, match.end()))
        span = re.fullmatch(rf"({_PLAIN.pattern})-({_PLAIN.pattern})", token, re.ASCII)
        for part in span.groups() if span else (token,):
            yield _read(part, start, match.end(), percent)
            start += len(part) + 1


def _read(token: str, start: int, end: int, percent: bool) -> Written:
    if _PLAIN.fullmatch(token):
        decimals = len(token.partition(".")[2])
        return Written(token, float(token.replace(",", "")), decimals, percent, start, end)
    fraction = _FRACTION.fullmatch(token)
    if fraction and int(fraction[2]):
        value = int(fraction[1]) / int(fraction[2])
        return Written(token, value, 0, percent, start, end, spelled=True)
    return Written(token, math.nan, 0, percent, start, end)


def _in_words(text: str) -> Iterator[Written]:
    pronouns = [match.span() for match in _NOT_A_NUMBER.finditer(text)]
    words = [
        match
        for match in re.finditer(r"[a-z]+", text.lower())
        if not (match.group() == "one" and any(a <= match.start() < b for a, b in pronouns))
    ]
    at = 0
    while at < len(words):
        count, value = _value_at([word.group() for word in words[at : at + 8]])
        if count:
            start, end = words[at].start(), words[at + count - 1].end()
            percent = bool(_PERCENT.match(text.lower(), end))
            yield Written(text[start:end], value, 0, percent, start, end, spelled=True)
        at += max(count, 1)


def _value_at(words: list[str]) -> tuple[int, float]:
    """How many of the words form a number, and which."""
    count, value = _cardinal(words)
    following = words[count] if count < len(words) else ""
    if (part := _part(following)) and (count or following):
        return count + 1, (value if count else 1.0) / part
    if count:
        return count, value
    multiple = _multiple(words[0])
    return (1, multiple) if multiple is not None else (0, 0.0)


def _cardinal(words: list[str]) -> tuple[int, float]:
    total, current, count = 0.0, 0.0, 0
    for word in words:
        if word in _SCALES or word.removesuffix("s") in _SCALES:
            current = max(current, 1) * _SCALES[word.removesuffix("s")]
            if current >= 1000:
                total, current = total + current, 0.0
        elif word in _CARDINALS and not (count and _CARDINALS[word] == 0):
            current += _CARDINALS[word]
        else:
            break
        count += 1
    return count, total + current


def _part(word: str) -> int | None:
    return _PARTS.get(word) or _PARTS.get(word.removesuffix("s"))


def _multiple(word: str) -> float | None:
    stems = (word, word.removesuffix("s"), word.removesuffix("d"), word.removesuffix("ing") + "e")
    return next((_MULTIPLES[stem] for stem in stems if stem in _MULTIPLES), None)
