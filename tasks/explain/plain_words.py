"""The ordinary words that an explanation may be written in; every other word needs a fact.

The list (`templates/explanations/plain_words.txt`) holds no judgement beyond the verdicts: nothing
is fair, safe, small or certified, so that no such claim can be made, whatever a prompt injection
makes a language model write.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from tasks.definition.kinds import kinds

WORDS: Final = Path(__file__).resolve().parents[2] / "templates/explanations/plain_words.txt"

ENDINGS: Final = (
    ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("d", ""), ("ied", "y"),
    ("ing", ""), ("ing", "e"), ("'s", ""), ("s'", "s"),
)  # fmt: skip


@cache
def plain_words() -> frozenset[str]:
    """Base forms, those that kinds of check bring included; endings such as -s are understood."""
    of_kinds = (word for kind in kinds() for word in kind.plain_words)
    return frozenset([*WORDS.read_text(encoding="utf-8").split(), *of_kinds])


@lru_cache(maxsize=4096)
def is_plain(word: str) -> bool:
    """Whether the word, or its base form, is among the plain words."""
    lower = word.lower()
    stems = [lower] + [
        lower.removesuffix(ending) + base for ending, base in ENDINGS if lower.endswith(ending)
    ]
    return any(stem in plain_words() or _undoubled(stem) in plain_words() for stem in stems)


def _undoubled(stem: str) -> str:
    """`cutt` -> `cut`: the base of a doubled consonant."""
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem
