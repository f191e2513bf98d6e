"""Mask the names of the data in a sentence, so that only its own words are checked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tasks.explain.facts import Fact
from tasks.explain.plain_words import is_plain

_FIRST: Final = 0xE000
"""Names are masked by characters of a private alphabet, one per name."""

_NOUNS: Final = ("group", "groups", "class", "field", "fields", "attribute", "label", "subject")
"""Words after which an ordinary word is read as a name."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A sentence whose known names are single characters."""

    text: str
    names: tuple[str, ...]
    """Name per character, in order of the alphabet."""

    def plain(self, part: str) -> str:
        """A part of the sentence with its names written out again."""
        signs = {chr(_FIRST + number): name for number, name in enumerate(self.names)}
        return "".join(signs.get(c, c) for c in part)

    def places(self, names: Iterable[str]) -> list[tuple[int, str]]:
        """Where names stand, in order."""
        lowered = {name.lower() for name in names}
        masked_names = (
            (at, self.names[ord(c) - _FIRST]) for at, c in enumerate(self.text) if c >= "\ue000"
        )
        return [(at, name) for at, name in masked_names if name.lower() in lowered]


def mask(text: str, facts: Iterable[Fact]) -> Masked:
    """Mask the names of the facts: words of the data only in quotes, distinctive names always."""
    facts = tuple(facts)
    bare = {name for fact in facts for name in fact.bare()}
    quoted = bare | {word for fact in facts for word in fact.quoted()}
    names = sorted(quoted, key=lambda name: (-len(name), name))
    for number, name in enumerate(names):
        sign = chr(_FIRST + number)
        text = re.sub(rf'"{re.escape(name)}"', sign, text, flags=re.IGNORECASE)
    for number, name in enumerate(names):
        if name in bare:
            text = _bare(name).sub(chr(_FIRST + number), text)
    return Masked(text, tuple(names))


def distinctive(name: str) -> bool:
    """Whether the name is recognised anywhere: it is neither an ordinary word nor a number."""
    words = re.findall(r"[^\W\d_]+", name)
    return sum(map(len, words)) >= 3 and not all(is_plain(word) for word in words)


def _bare(name: str) -> re.Pattern[str]:
    whole = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    if distinctive(name):
        return re.compile(whole, re.IGNORECASE)
    after_noun = "|".join(rf"(?<=\b{noun} ){whole}" for noun in _NOUNS)
    return re.compile(after_noun, re.IGNORECASE)


def unknown_name(masked: Masked, known: Mapping[str, str]) -> str | None:
    """A name of the report in the sentence that no cited fact has."""
    for name in sorted(known, key=len, reverse=True):
        quoted = re.search(rf'"{re.escape(name)}"', masked.text, re.IGNORECASE)
        if quoted or _bare(name).search(masked.text):
            return name
    return None
