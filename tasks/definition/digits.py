"""The one rule by which numbers are written: digits, unit and sign.

A *measured* number has fixed digits by its unit: a share is a percentage with one decimal
(57.7 %), a layer has two decimals, a whole count none, everything else three (0.577, 0.577 nats,
a mean count of 12.400). More decimals are
written only where the rounded number would be 0, 1, -1 or the line of a gate and the number is
not: 99.96 %, 0.0003, 0.7996 beside a line of 0.8. A number that is 0 or 1 to five decimals is
written with the usual digits.

A *given* number, one that a definition states (a line, a dose, a level), is written as stated:
0.8, 25 %, 95 %.

The sign is a true minus, and there is no negative zero. `tasks.explain.numerals` reads back what
is written here.
"""

from collections.abc import Collection, Iterable
from typing import Final, Literal, NamedTuple

Unit = Literal["share", "ratio", "difference", "nats", "layer", "count"]
"""What a measured number is."""

MINUS: Final = "\N{MINUS SIGN}"


class Form(NamedTuple):
    """How one unit is written."""

    decimals: int = 3
    suffix: str = ""
    times: int = 1


FORMS: Final[dict[Unit, Form]] = {
    "share": Form(decimals=1, suffix=" %", times=100),
    "ratio": Form(),
    "difference": Form(),
    "nats": Form(suffix=" nats"),
    "layer": Form(decimals=2),
    "count": Form(),
}

FURTHEST: Final = 5
"""Decimals at which a number that rounds to 0, 1 or -1 counts as equal to it."""

FURTHEST_BESIDE_A_LINE: Final = 9
"""The same for the line of a gate, on whose two sides verdicts differ."""


def number(value: float, unit: Unit, lines: Iterable[float] = ()) -> str:
    """A measured number with its unit; never rounded onto one of `lines` that it is not on."""
    return bare(value, unit, lines) + FORMS[unit].suffix


def span(low: float, high: float, unit: Unit, lines: Collection[float] = ()) -> str:
    """Both ends of an interval, the unit once: `27.0 to 36.4 %`."""
    return f"{bare(low, unit, lines)} to {number(high, unit, lines)}"


def bare(value: float, unit: Unit, lines: Iterable[float] = ()) -> str:
    """A measured number without its unit."""
    form = FORMS[unit]
    if unit == "count" and float(value).is_integer():
        return _signed(f"{value:,.0f}")
    further = 2 if form.times == 100 else 0
    limits = dict.fromkeys((0.0, 1.0, -1.0), FURTHEST)
    limits |= dict.fromkeys(lines, FURTHEST_BESIDE_A_LINE)
    beside = [x for x, most in limits.items() if not _shows(value, x, form, most - further)]
    decimals = form.decimals
    while any(_shows(value, x, form, decimals) for x in beside):
        decimals += 1
    return _signed(f"{form.times * value:.{decimals}f}")


def _shows(value: float, other: float, form: Form, decimals: int) -> bool:
    """Whether a number, written with so many decimals, reads as another."""
    return round(form.times * value, decimals) == float(f"{form.times * other:.10g}")


def given(value: float, unit: Unit = "ratio") -> str:
    """A number that a definition states, as it stands there."""
    return _signed(f"{FORMS[unit].times * value:.10g}") + FORMS[unit].suffix


def count(amount: int) -> str:
    """A count with its thousands apart."""
    return f"{amount:,}"


def signed(value: float) -> str:
    """Three decimals with the sign of either kind, for attributions."""
    return f"{value:+.3f}".replace("-", MINUS)


def small(value: float) -> str:
    """Two significant digits, for errors that are meant to be near 0."""
    return _signed(f"{value:.2g}")


def p_value(p: float) -> str:
    """A p value; the very small ones as a bound."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}".rstrip("0").rstrip(".") or "0"


def _signed(written: str) -> str:
    """A true minus, and none before a zero."""
    nought = not written.strip("-0.,")
    return written.removeprefix("-") if nought else written.replace("-", MINUS)
