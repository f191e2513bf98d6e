"""One line for the first thing wrong with a definition: where, the value, what exists instead."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tasks.definition.any_check import AnyKind
from tasks.definition.kinds import kinds


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem that pydantic reports for `model`, in one line."""
    problem = error.errors(include_url=False)[0]
    return f"{_where(problem['loc'])}{_what(problem, model)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """What exists instead of `word`: a close match first, then everything."""
    known = list(known)
    close = get_close_matches(word, known, n=1)
    guess = f"did you mean {close[0]!r}? " if close else ""
    return f"{guess}there are: {', '.join(known) or 'none'}"


def _where(loc: tuple[int | str, ...]) -> str:
    path = ".".join(str(part) for part in loc)
    return f"{path}: " if path else ""


def _what(problem: ErrorDetails, model: type[BaseModel]) -> str:
    value, kind = problem["input"], problem["type"]
    if kind == "extra_forbidden":
        keys = _keys_at(problem["loc"][:-1], model)
        return f"unknown key; {nearest(str(problem['loc'][-1]), keys)}"
    if kind == "union_tag_invalid":
        context = problem.get("ctx", {})
        known = [tag.strip(" '") for tag in str(context.get("expected_tags", "")).split(",")]
        return f"unknown kind {context.get('tag')!r}; {nearest(str(context.get('tag')), known)}"
    if kind == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        return "required, but absent"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    return message if isinstance(value, dict | list) else f"{message}, got {value!r}"


def _keys_at(loc: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """Keys that the record at `loc` may have."""
    candidates = [model]
    for part in loc:
        if isinstance(part, int):
            continue
        by_kind = [c for c in candidates if _kind_of(c) == part]
        if by_kind:
            candidates = by_kind
            continue
        fields = [c.model_fields[part] for c in candidates if part in c.model_fields]
        candidates = [m for f in fields for m in _models_in(f.annotation)] or candidates
    return list(dict.fromkeys(key for c in candidates for key in c.model_fields))


def _kind_of(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    return field.default if field else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, AnyKind):
        return [kind.definition for kind in kinds()]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
