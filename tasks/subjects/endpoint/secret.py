"""Whether a text reveals a key."""

from typing import Final

_KEY_PART: Final = 8
"""Number of consecutive characters of a key that count as the key."""


def has_key(text: str, key: str) -> bool:
    """Whether the text contains the key, or enough of it in a row; an empty key is in no text."""
    if len(key) <= _KEY_PART:
        return bool(key) and key in text
    parts = (key[at : at + _KEY_PART] for at in range(len(key) - _KEY_PART + 1))
    return any(part.lower() in text.lower() for part in parts)
