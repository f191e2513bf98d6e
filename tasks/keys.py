"""The key of an endpoint: named by a definition, held by the environment, shown to nobody."""

import os

from tasks.errors import SpecError
from tasks.spec import ExplainSpec


def endpoint_key(spec: ExplainSpec) -> str:
    """The key that a definition names for its explanations.

    Raises:
        SpecError: the environment variable with the key is not set.
    """
    key = os.environ.get(spec.key_env, "").strip()
    if not key:
        raise SpecError(
            f"explain.provider openai: environment variable {spec.key_env} holds no key; "
            "set it, or use provider template"
        )
    return key


def named_key(variable: str) -> str:
    """The key of a second model.

    Raises:
        SpecError: the environment variable with the key is not set.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise SpecError(f"second model: environment variable {variable} holds no key; set it")
    return key
