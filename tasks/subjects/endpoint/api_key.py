"""The key of an endpoint: named by a definition, read from the environment, never shown."""

import os
from typing import overload

from tasks.errors import SpecError


@overload
def key_in(variable: str, who: str, instead: str = "") -> str: ...
@overload
def key_in(variable: None, who: str, instead: str = "") -> None: ...
@overload
def key_in(variable: str | None, who: str, instead: str = "") -> str | None: ...


def key_in(variable: str | None, who: str, instead: str = "") -> str | None:
    """The key that a definition names; the only place that reads it.

    Args:
        variable: environment variable that holds it; none where the endpoint asks for none.
        who: whose key it is, in words.
        instead: what else could be done.

    Raises:
        SpecError: the environment variable holds no key.
    """
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        remedy = instead or "set it, or write key_env: null where the endpoint asks for none"
        raise SpecError(f"{who}: environment variable {variable} holds no key; {remedy}")
    return key
