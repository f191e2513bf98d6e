"""The facts a text may cite: numbers with their role, names, and what they prove."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final, Literal, NamedTuple

from tasks.definition import Gate
from tasks.definition.digits import Unit
from tasks.definition.kinds import kind_of
from tasks.schema import (
    AttributedText,
    CuePair,
    Evidence,
    Measurement,
    Report,
    Verdict,
)
from tasks.schema.notation import PLAIN, Notation, unit_of

Role = Literal["value", "end", "line", "level", "power", "more"]
Relation = Literal["below", "above", "straddles"]

LONGEST_NAME: Final = 40
"""Names and words of the data are shown up to this many characters."""

POWER: Final = 0.8
"""Power at which `Finding.more_texts` is computed."""

SMALLEST_USE: Final = 0.005
"""An effect counts as use only if its interval stays away from 0 at two decimals."""

RATES: Final = ("selection_rate", "true_positive_rate", "false_positive_rate", "recall")
"""Measurements that order the groups of an attribute."""


class Quantity(NamedTuple):
    """A number that may be written, and as what."""

    value: float
    unit: Unit
    role: Role = "value"
    group: str | None = None
    """The group that the number is about, if there is one."""
    partner: float | None = None
    """Upper end of the interval whose lower end this is."""


class WordShare(NamedTuple):
    """A word of one text and its part of the absolute attribution."""

    text: str
    field: str | None
    share: float


@dataclass(frozen=True, slots=True)
class Fact:
    """One measurement or observation, and the macro that states it."""

    id: str
    topic: str
    """Kind of check, or `gate`, `case`."""
    sentence: str
    """Template and macro that state it: `fairness.adverse_impact_ratio`."""
    m: Measurement | None = None
    beside: Mapping[str, Measurement] = field(default_factory=dict)
    """Further measurements that the sentence needs, by their part in it."""
    counts: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    layers: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """Groups, fields, classes, subjects, by their part in the sentence."""
    words: tuple[WordShare, ...] = ()
    """Words of the data; they are written in quotes only."""
    quotes: Mapping[str, str] = field(default_factory=dict)
    """Values of the data, by their part; likewise in quotes only."""
    gate: Gate | None = None
    verdict: Verdict | None = None
    other_subject: str | None = None
    """Name of the subject that answered, if it is not the one the text is about."""
    use_of: frozenset[str] = frozenset()
    """Attributes and fields whose use this fact shows."""
    notation: Notation = PLAIN
    """How its numbers are written."""

    def measurements(self) -> Iterator[Measurement]:
        """All measurements behind the fact."""
        yield from () if self.m is None else (self.m,)
        yield from self.beside.values()

    def quantities(self) -> Iterator[Quantity]:
        """All numbers that a sentence citing this fact may write."""
        for m in self.measurements():
            yield from _quantities_of(m)
        for part, count in self.counts.items():
            yield Quantity(count, "count", "more" if part == "more" else "value")
        if "more" in self.counts:
            yield Quantity(POWER, "share", "power")
        yield from (Quantity(share, "share") for share in self.shares.values())
        yield from (Quantity(layer, "layer") for layer in self.layers.values())
        yield from (Quantity(word.share, "share") for word in self.words)
        if self.gate is not None:
            unit = unit_of(self.gate.measure)
            for line in (self.gate.at_least, self.gate.at_most):
                if line is not None:
                    yield Quantity(line, unit, "line")

    def bare(self) -> frozenset[str]:
        """Names that may be written without quotes."""
        names = {self.other_subject, *self.names.values()}
        for m in self.measurements():
            a = m.about
            names |= {a.attribute, a.group, a.reference, a.label, a.field}
            names |= {a.subset.decided, a.subset.attribute, a.subset.group} if a.subset else set()
        names |= {word.field for word in self.words}
        return frozenset(shown(name) for name in names if name)

    def quoted(self) -> frozenset[str]:
        """Words and values of the data that may be written in quotes."""
        values = {*self.quotes.values(), *(word.text for word in self.words)}
        for m in self.measurements():
            a = m.about
            named = (a.method, a.baseline, a.other, a.test, a.cue, a.condition, a.instrument)
            further = (a.classifier, a.word, a.lever, a.erased)
            values |= {v for v in (*named, *further) if v is not None}
        if self.gate is not None:
            values.add(kind_of(self.gate.check).vocabulary[self.gate.measure].title)
        return frozenset(shown(value) for value in values)

    def rates(self) -> Iterator[tuple[str, str, float]]:
        """Measure, group and value of every measurement that orders groups."""
        for m in self.measurements():
            if m.name in RATES and m.about.group is not None:
                yield m.name, shown(m.about.group), m.value


@dataclass(frozen=True, slots=True)
class Sheet:
    """All facts that one text may cite, in the order of its sentences."""

    about: str
    """Id of the finding or of the case."""
    facts: tuple[Fact, ...]
    verdict: Verdict | None = None
    relations: frozenset[Relation] = frozenset()
    """Relation of the deciding interval to the gate's lines."""
    favourable: str | None = None

    def cited(self, ids: Iterable[str]) -> tuple[Fact, ...]:
        """The facts of these ids."""
        cited_ids = set(ids)
        return tuple(fact for fact in self.facts if fact.id in cited_ids)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all facts."""
        return tuple(fact.id for fact in self.facts)


def _quantities_of(m: Measurement) -> Iterator[Quantity]:
    unit = unit_of(m.name)
    about = m.about
    group = shown(about.group) if about.group and not about.reference else None
    yield Quantity(m.value, unit, "value", group)
    if m.low is not None and m.high is not None:
        yield Quantity(m.low, unit, "end", group, m.high)
        yield Quantity(m.level, "share", "level")
    yield Quantity(m.n, "count")
    yield from (Quantity(layer, "layer") for layer in about.all_layers)
    if about.share is not None:
        yield Quantity(about.share, "share")
    if about.alpha is not None:
        yield Quantity(about.alpha, "ratio")


def shown(name: str) -> str:
    """A name or word as texts write it: one line, no quotes, no edge punctuation, not too long."""
    printable = "".join(c if c.isprintable() else " " for c in name)
    line = " ".join(re.sub(r"[\"“”„«»`<>]", "", printable).split())
    stripped = line.strip(".,;:!?()[]'’‘ ") or line
    return stripped if len(stripped) <= LONGEST_NAME else stripped[: LONGEST_NAME - 1] + "…"


def relation(line: float, *, m: Measurement, line_is: Literal["floor", "ceiling"]) -> Relation:
    """Relation of the interval to one line; touching it from the good side is not crossing it."""
    low = m.value if m.low is None else m.low
    high = m.value if m.high is None else m.high
    if line_is == "floor":
        return "above" if low >= line else "below" if high < line else "straddles"
    return "below" if high <= line else "above" if low > line else "straddles"


def relations(gate: Gate, m: Measurement | None) -> frozenset[Relation]:
    """Relation of the deciding interval to the gate's lines; empty without an interval."""
    if m is None or m.low is None:
        return frozenset()
    sides: set[Relation] = set()
    if gate.at_least is not None:
        sides.add(relation(gate.at_least, m=m, line_is="floor"))
    if gate.at_most is not None:
        sides.add(relation(gate.at_most, m=m, line_is="ceiling"))
    return frozenset(sides)


def noted(facts: Iterable[Fact], report: Report) -> tuple[Fact, ...]:
    """Facts whose numbers are written as the whole report writes them."""
    notation = Notation.of(report)
    return tuple(replace(fact, notation=notation) for fact in facts)


def above_zero(m: Measurement, by: float = 0.0) -> bool:
    """Whether the whole interval lies above `by`, also after correction for many tests."""
    return m.low is not None and m.low > by and (m.q is None or m.q < 1 - m.level + 1e-12)


def evidence_of(report: Report, kind: str, subject: str | None = None) -> Evidence | None:
    """The evidence of one kind of check on a subject; none if it was not asked for or not run."""
    for evidence in report.evidence:
        same = subject is None or evidence.subject == subject
        if evidence.check.kind == kind and same and evidence.not_run is None:
            return evidence
    return None


def known_names(report: Report) -> dict[str, str]:
    """Every name of the report that a text could contain: name -> what it is."""
    data = report.provenance.data
    kinds: dict[str, str] = {}
    for text in _attributed(report):
        kinds |= dict.fromkeys(_values(text), "value")
    for pair in (c for e in report.evidence for c in e.cases if isinstance(c, CuePair)):
        values = (pair.original, pair.exchanged) if pair.cue is None else ()
        kinds |= dict.fromkeys(values, "value")
    kinds |= dict.fromkeys(report.spec.subjects, "subject")
    labels = [*data.labels, *(label for s in report.provenance.subjects for label in s.labels)]
    labels += [case.decision for case in report.cases]
    kinds |= dict.fromkeys(labels, "class")
    for attribute, groups in data.groups.items():
        kinds |= {attribute: "attribute", **dict.fromkeys(groups, "group")}
    kinds |= dict.fromkeys(report.spec.data.groups, "attribute")
    kinds |= dict.fromkeys(report.spec.data.field_names, "field")
    return {shown(name): kind for name, kind in kinds.items() if shown(name)}


def _attributed(report: Report) -> Iterator[AttributedText]:
    return (c for e in report.evidence for c in e.cases if isinstance(c, AttributedText))


def _values(text: AttributedText) -> Iterator[str]:
    """Values of the fields: neighbouring words of one field, joined."""
    for name, words in groupby(text.words, key=lambda word: word.field):
        if name is not None:
            yield " ".join(word.text for word in words)
