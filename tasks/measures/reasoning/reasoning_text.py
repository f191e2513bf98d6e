"""Sentences of a reasoning, and the values that it names."""

import re
from collections.abc import Sequence

from sentencex import segment

ODD_SPACE = re.compile(r"[^\S\t\n\r ]")  # sentencex 1.0 panics on some, such as "A\u00a0."


def sentences(text: str) -> list[str]:
    """The sentences of `text`; joined they give the text again, less outer white space."""
    whole = text.strip()
    parts: list[str] = []
    end = 0
    for part in segment("en", ODD_SPACE.sub(" ", whole)):
        start, end = end, end + len(part)
        if part.strip() or not parts:
            parts.append(whole[start:end])
        else:  # the empty line between paragraphs belongs to the sentence before it
            parts[-1] += whole[start:end]
    return parts


def mentions(reasoning: str, values: Sequence[str]) -> bool:
    """Whether the reasoning names one of `values` as a word of its own, in any case."""
    return any(
        re.search(rf"(?<!\w){re.escape(value)}(?!\w)", reasoning, re.IGNORECASE) is not None
        for value in values
        if value
    )
