"""The notation of measurements: the same in table, sentence, chart, terminal and model card."""

from dataclasses import dataclass
from typing import Self

from tasks.definition import Gate, digits
from tasks.definition.digits import Unit
from tasks.definition.kinds import measure_named
from tasks.schema.measurement import Measurement
from tasks.schema.report import Report


def unit_of(name: str) -> Unit:
    """The unit of a measure, from the vocabulary; a plain number if the measure is not in it."""
    known = measure_named(name)
    return "ratio" if known is None else known.unit


def line(gate: Gate) -> str:
    """The line or lines of a gate."""
    ends = (("≥", gate.at_least), ("≤", gate.at_most))
    unit = unit_of(gate.measure)
    return " and ".join(
        f"{sign} {digits.given(end, unit)}" for sign, end in ends if end is not None
    )


def tests(m: Measurement) -> str:
    """Both p and q, where a test was made."""
    values = (("p", m.p), ("q", m.q))
    return ", ".join(f"{sign} {digits.p_value(x)}" for sign, x in values if x is not None)


@dataclass(frozen=True, slots=True)
class Notation:
    """The notation of one report's measurements, given the lines of its gates.

    One for a report, so that a measurement reads the same everywhere; the digits are those of
    `tasks.definition.digits`.
    """

    lines: frozenset[tuple[str, float]] = frozenset()
    """Measure and line of every gate."""

    @classmethod
    def of(cls, report: Report) -> Self:
        """The notation of a report."""
        gates = (*report.spec.gates, *(finding.gate for finding in report.findings))
        ends = ((g.measure, end) for g in gates for end in (g.at_least, g.at_most))
        return cls(frozenset((measure, end) for measure, end in ends if end is not None))

    def number(self, value: float, name: str) -> str:
        """A value of the measure with this name."""
        return digits.number(value, unit_of(name), self._beside(name))

    def value(self, m: Measurement) -> str:
        """The point estimate."""
        return self.number(m.value, m.name)

    def span(self, m: Measurement) -> str:
        """Both ends of the interval; `no interval` where there is none."""
        if m.low is None or m.high is None:
            return "no interval"
        return digits.span(m.low, m.high, unit_of(m.name), self._beside(m.name))

    def interval(self, m: Measurement) -> str:
        """Both ends; the level too when it is not the usual 95 %."""
        usual = m.low is None or m.level == 0.95
        return self.span(m) + ("" if usual else f" (level {digits.given(m.level, 'share')})")

    def estimate(self, m: Measurement) -> str:
        """The point estimate followed by its interval, as in a sentence."""
        return f"{self.value(m)} ({self.interval(m)})"

    def _beside(self, name: str) -> list[float]:
        return [end for measure, end in self.lines if measure == name]


PLAIN = Notation()
"""The notation without any gate."""
