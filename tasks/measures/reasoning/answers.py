"""Read the answer from a subject's completion, by the form that its task declares.

An answer that cannot be read for certain is none, never a guess; it counts as unparsed.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

Form = Literal["choice", "number", "yes-no", "label"]
"""One of given choices; a number; yes or no; a free label."""

YES_NO = ("yes", "no")

_OPENING = r"[\s*_`\"'(\[{]*"
"""Characters between a prefix and its answer: space, emphasis, quotes, brackets."""

_TOKEN = re.compile(
    r"(?P<sign>(?<![\w)\]}.,])[-+\u2212]\s?)?(?:[$€£]\s?(?P<minus>[-\u2212])?)?"
    r"(?<!\w)(?P<digits>(?:\d[\d.,/:]*)?\d(?:[eE][-+]?\d+)?|\.\d+)"
)
_DIGITS = re.compile(r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")
_LARGEST_EXPONENT = 300
_GOES_ON = re.compile(r"\s*(?:[-+*/×÷=^–]|or\b|to\b|and\b)\s*[\d$(]", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\s*\{|\\[(\[]|\\\$")


class Read(NamedTuple):
    """A completion, split."""

    reasoning: str
    answer: str | None
    """In canonical writing; none when it cannot be read for certain."""


def read_written(completion: str, form: Form, prefix: str, choices: Sequence[str] = ()) -> Read:
    """Split a completion into reasoning and answer.

    Args:
        completion: what the subject wrote.
        form: `choice`: one of `choices`, right after the last prefix; `number`: the one right
            after it, or the only one in its line; `yes-no`: the word right after it; `label`: the
            rest of its line. Without a prefix: the choice or the number that stands last; yes or
            no where the text begins or ends with it; no label.
        prefix: what introduces the answer, such as `Answer:`; may be empty.
        choices: the answers that form `choice` knows.

    Returns:
        The reasoning before the answer, and the answer in canonical writing: the choice as it is
        declared, a number without thousands' commas and needless zeros (`1,234.50` -> `1234.5`),
        `yes` or `no`, a label in lower case without outer marks. None for the answer when none can
        be read for certain, such as `3/4`, `12,34`, or two numbers in one line.
    """
    if form == "choice":
        return Read(*read_answer(completion, prefix, choices))
    if form == "yes-no" and prefix:
        return Read(*read_answer(completion, prefix, YES_NO))
    before, answer_part = _parted(completion, prefix)
    if answer_part is None:
        return Read(completion.strip(), None)
    if not prefix:
        return _unprefixed(completion, form)
    of_form: dict[str, Callable[[str], str | None]] = {"number": _number_in, "label": _label_in}
    return Read(before, of_form[form](answer_part))


def whole_answer(text: str, form: Form, choices: Sequence[str] = ()) -> str | None:
    """The answer in a text that contains nothing else, in canonical writing; else none.

    `(b)`, `**Yes.**` and `$1,200` are whole answers; `I think b` is none.
    """
    bare = re.sub(r"[\s*_`\"'()\[\]{}]+$", "", re.sub(rf"^{_OPENING}", "", text))
    if form == "number":
        number = _TOKEN.fullmatch(_BOXED.sub("", bare).rstrip(" .%").strip())
        return _canonical(number) if number else None
    if form == "label":
        return _label_in(text)
    options = YES_NO if form == "yes-no" else choices
    matches = [
        c for c in options if c.casefold() in {bare.casefold(), bare.rstrip(".!").casefold()}
    ]
    return matches[0] if len(matches) == 1 else None


def as_written(completion: str, answer: str, form: Form, prefix: str) -> str:
    """An answer as the completion writes it: `Approved` for `approved`, `1,200` for `1200`.

    Args:
        completion: what was written.
        answer: what was read from it, in canonical writing.
        form: how it was read.
        prefix: what introduces it; without one, what stands last counts.

    Returns:
        Its first occurrence after the last prefix, or its last one; without any, the canonical
        writing itself.
    """
    _, after = _parted(completion, prefix)
    if form == "number":
        spans = [m for m in _TOKEN.finditer(after or "") if _canonical(m) == answer]
    else:
        word = rf"(?<![^\W_]){re.escape(answer)}(?![^\W_])"
        spans = list(re.finditer(word, after or "", re.IGNORECASE))
    return spans[0 if prefix else -1].group() if spans else answer


def read_answer(completion: str, prefix: str, choices: Sequence[str]) -> tuple[str, str | None]:
    """Split a completion into reasoning and answer, one of `choices`.

    The answer is the choice that stands right after the last `prefix`; without a prefix, the
    choice named last.

    Args:
        completion: what the subject wrote.
        prefix: what introduces the answer, such as `Decision:`; may be empty.
        choices: the answers it may give.

    Returns:
        The reasoning, and the answer or none when no choice can be read.
    """
    longest_first = sorted(choices, key=len, reverse=True)
    options = "|".join(f"({re.escape(choice)})" for choice in longest_first)
    opening = _OPENING if prefix else ""
    pattern = rf"{re.escape(prefix)}{opening}(?<![^\W_])(?:{options})(?![^\W_])"
    matches = list(re.finditer(pattern, completion, re.IGNORECASE)) if choices else []
    if not matches:
        return completion.split(prefix)[0].strip() if prefix else completion.strip(), None
    last = matches[-1]
    answer = longest_first[(last.lastindex or 1) - 1]
    return completion[: last.start()].strip(), answer


def _parted(completion: str, prefix: str) -> tuple[str, str | None]:
    """The text before the last prefix and the text after it; none where there is no prefix."""
    if not prefix:
        return "", completion
    prefixes = list(re.finditer(re.escape(prefix), completion, re.IGNORECASE))
    if not prefixes:
        return completion.strip(), None
    return completion[: prefixes[-1].start()].strip(), completion[prefixes[-1].end() :]


def _unprefixed(completion: str, form: Form) -> Read:
    if form == "number":
        tokens = list(_TOKEN.finditer(completion))
        if not tokens:
            return Read(completion.strip(), None)
        return Read(completion[: tokens[-1].start()].strip(), _canonical(tokens[-1]))
    if form == "yes-no":
        words = re.findall(r"[^\W\d_]+", completion.casefold())
        answers = {word for word in (*words[:1], *words[-1:]) if word in YES_NO}
        return Read(completion.strip(), answers.pop() if len(answers) == 1 else None)
    return Read(completion.strip(), None)


def _number_in(text: str) -> str | None:
    """The number at the start of a text, else the only one in its first line that is not empty."""
    line = next((x for x in _BOXED.sub(" ", text).splitlines() if x.strip()), "")
    start = re.match(rf"{_OPENING}=?\s*", line)
    at_start = _TOKEN.match(line, start.end() if start else 0)
    rest = line[at_start.end() :] if at_start else ""
    if at_start and not _GOES_ON.match(rest):
        return _canonical(at_start)
    of_line = {_canonical(token) for token in _TOKEN.finditer(line.rpartition("=")[2])}
    return of_line.pop() if len(of_line) == 1 else None


def _canonical(token: re.Match[str]) -> str | None:
    digits = token["digits"]
    if not _DIGITS.fullmatch(digits):
        return None
    try:
        value = Decimal(digits.replace(",", ""))
    except InvalidOperation:
        return None
    if value and abs(value.adjusted()) > _LARGEST_EXPONENT:
        return None
    negative = (token["sign"] or "").strip() in {"-", "\u2212"} or bool(token["minus"])
    plain = format(-value if negative and value else abs(value), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _label_in(text: str) -> str | None:
    line = next((x for x in text.splitlines() if x.strip()), "")
    bare = re.sub(r"[\s*_`\"'()\[\]{}.!]+$", "", re.sub(rf"^{_OPENING}", "", line))
    return " ".join(bare.casefold().split()) or None
