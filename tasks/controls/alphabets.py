"""Possible answers of every family; a tokenizer may not distinguish all of them."""

from typing import Final

from tasks.controls.problems import COLOURS, COMPASS, DIGITS, PLACES

ANSWERS: Final[dict[str, tuple[str, ...]]] = {
    "modular": DIGITS,
    "lookup": DIGITS,
    "turning": COMPASS,
    "facing": COMPASS,
    "adding": DIGITS,
    "padded": DIGITS,
    "walk": PLACES,
    "relay": DIGITS,
    "route": PLACES,
    "stated": DIGITS,
    "listed": DIGITS,
    "notice": COMPASS,
    "tagged": COLOURS,
    "signed": PLACES,
}
"""Family of problems or stories -> every answer that one of its questions can have."""

ALPHABETS: Final = tuple(dict.fromkeys(ANSWERS.values()))
"""Sets of answers, in the order in which they are tried."""
