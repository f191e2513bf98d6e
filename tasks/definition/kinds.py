"""All kinds of check: those that ship with Assay, then those of other installed packages."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from tasks.definition.checks.base import BaseCheck
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.measure import Measure
from tasks.errors import SpecError

__all__ = [
    "BUILT_IN",
    "GROUP",
    "Kind",
    "built_in",
    "kind_of",
    "kinds",
    "measure_named",
    "package_of",
]

GROUP: Final = "assay.checks"
"""Entry points by which other packages name their kinds, as `module:KIND`."""

BUILT_IN: Final = (
    "tasks.definition.checks.performance:KIND",
    "tasks.definition.checks.fairness:KIND",
    "tasks.definition.checks.attribution:KIND",
    "tasks.definition.checks.localisation:KIND",
    "tasks.definition.checks.counterfactual:KIND",
    "tasks.definition.checks.probing:KIND",
    "tasks.definition.checks.steering:KIND",
    "tasks.definition.checks.remediation:KIND",
    "tasks.definition.checks.reasoning:KIND",
    "tasks.definition.checks.cue:KIND",
    "tasks.definition.checks.contradiction:KIND",
)
"""The kinds that ship, in the order of lists and pages; a new one adds its line."""


@cache
def kinds() -> tuple[Kind, ...]:
    """Every kind that a definition may ask for.

    Raises:
        SpecError: a package names a kind that does not load, is no kind, or clashes with another.
    """
    known = list(built_in())
    for entry in sorted(entry_points(group=GROUP), key=lambda e: (_package(e), e.name)):
        known.append(_plugged_in(entry, known))
    return tuple(known)


@cache
def built_in() -> tuple[Kind, ...]:
    """The kinds that ship with Assay."""
    places = (place.partition(":") for place in BUILT_IN)
    return tuple(_a_kind(getattr(import_module(module), name)) for module, _, name in places)


def kind_of(name: str) -> Kind:
    """The kind that definitions call `name`.

    Raises:
        SpecError: there is none.
    """
    for kind in kinds():
        if kind.name == name:
            return kind
    raise SpecError(
        f"no kind of check is called {name!r}; there are: {', '.join(k.name for k in kinds())}"
    )


def package_of(kind: Kind) -> str | None:
    """The package that offers a kind; none for those that ship with Assay."""
    offered = (entry for entry in entry_points(group=GROUP) if entry.load() is kind)
    return next(map(_package, offered), None)


def measure_named(name: str) -> Measure | None:
    """The measure of that name, whichever kind measures it; none if no kind does.

    Kinds that share a name share its title and unit; its meaning may differ.
    """
    return next((k.vocabulary[name] for k in kinds() if name in k.vocabulary), None)


def _plugged_in(entry: EntryPoint, known: Iterable[Kind]) -> Kind:
    """The kind of an entry point; any error is one line that names its package."""
    try:
        kind = _a_kind(entry.load())
        for problem in _clashes(kind, known):
            raise ValueError(problem)
    except Exception as error:
        message = " ".join(str(error).split())
        raise SpecError(
            f"package {_package(entry)} offers the check {entry.name!r} ({entry.value}), which "
            f"cannot be used: {type(error).__name__}: {message}; mend or uninstall the package"
        ) from error
    return kind


def _a_kind(loaded: Kind) -> Kind:
    """Check that the imported object is a kind."""
    if not isinstance(loaded, Kind):
        raise TypeError(f"expected a Kind, got {type(loaded).__name__}")
    if not issubclass(loaded.definition, BaseCheck):
        raise TypeError(f"expected a BaseCheck as definition, got {loaded.definition.__name__}")
    return loaded


def _clashes(kind: Kind, known: Iterable[Kind]) -> Iterator[str]:
    for other in known:
        if other.name == kind.name:
            yield f"the name {kind.name!r} is taken"
        for name in kind.vocabulary.keys() & other.vocabulary.keys():
            mine, theirs = kind.vocabulary[name], other.vocabulary[name]
            if (mine.title, mine.unit) != (theirs.title, theirs.unit):
                yield (
                    f"measure {name!r} has another title or unit than in check {other.name}: "
                    f"{theirs.title!r}, {theirs.unit}"
                )


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "of no name"
