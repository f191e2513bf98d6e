"""The plain sentence for every fact: Jinja templates, and numbers as the whole report has them."""

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.definition import Gate
from tasks.definition.digits import count, given, number
from tasks.definition.kind import EXPLANATIONS
from tasks.definition.kinds import kind_of, kinds
from tasks.explain.facts import Fact, Sheet, relation, shown
from tasks.schema import Measurement
from tasks.schema.notation import unit_of


def tell(sheet: Sheet) -> str:
    """The template text of a finding or case: its facts, one sentence each."""
    return " ".join(say(fact) for fact in sheet.facts)


def say(fact: Fact) -> str:
    """One fact as a plain sentence."""
    template, macro = fact.sentence.split(".")
    module = _templates().get_template(f"{template}.j2").module
    if not hasattr(module, macro) and fact.m is not None and fact.gate is not None:
        module, macro = _templates().get_template("gate.j2").module, "measured"
    text = str(getattr(module, macro)(fact))
    line = " ".join(text.split())
    return line[0].upper() + line[1:]


@cache
def _templates() -> Environment:
    folders = list(dict.fromkeys([EXPLANATIONS, *(kind.templates for kind in kinds())]))
    # Plain text, so nothing is escaped here; the page escapes it.
    environment = Environment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
    )
    environment.filters |= {
        "value": lambda m, fact: fact.notation.value(m),
        "span": lambda m, fact: fact.notation.span(m),
        "line": lambda end, gate: given(end, unit_of(gate.measure)),
        "share": lambda value: number(value, "share"),
        "given": given,
        "count": count,
        "name": name,
        "quoted": quoted,
        "title": title,
        "fails_low": fails_low,
        "straddled": straddled,
    }
    return environment


def name(raw: str) -> str:
    """A group, field or class; in quotes unless it is one plain word."""
    word = shown(raw)
    plain = len(word) >= 3 and word.replace("_", "").replace("-", "").isalpha() and word.isascii()
    return word if plain else quoted(word)


def quoted(raw: str) -> str:
    """A word or value of the data, marked as such."""
    return f'"{shown(raw)}"'


def title(fact: Fact) -> str:
    """The measure of a gate, as reports write it."""
    return "" if fact.gate is None else kind_of(fact.gate.check).vocabulary[fact.gate.measure].title


def fails_low(gate: Gate, m: Measurement) -> bool:
    """Whether the lower line is the one that is crossed."""
    floor = gate.at_least
    return floor is not None and relation(floor, m=m, line_is="floor") == "below"


def straddled(gate: Gate, m: Measurement) -> float | None:
    """The line that the interval includes, if it includes one."""
    floor, ceiling = gate.at_least, gate.at_most
    if floor is not None and relation(floor, m=m, line_is="floor") == "straddles":
        return floor
    if ceiling is not None and relation(ceiling, m=m, line_is="ceiling") == "straddles":
        return ceiling
    return None
