"""How numbers, digests and dates are written: once, for report, model card and charts' tables."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tasks.definition import Gate
from tasks.definition.kinds import measure_named
from tasks.schema import Measurement


def title(name: str) -> str:
    """A measurement's name as the vocabulary writes it."""
    known = measure_named(name)
    return name.replace("_", " ").capitalize() if known is None else known.title


def number(value: float, name: str = "") -> str:
    """Shares in per cent, nats by name, layers with two digits, counts with none; else three."""
    unit = _unit(name)
    if unit == "share":
        return f"{_fixed(value * 100, 1)} %"
    if unit == "nats":
        return f"{_fixed(value, 3)} nats"
    return _fixed(value, {"layer": 2, "count": 0}.get(unit, 3))


def _unit(name: str) -> str:
    known = measure_named(name)
    return "" if known is None else known.unit


def _fixed(value: float, digits: int) -> str:
    written = f"{value:.{digits}f}"
    if float(written) == 0:
        written = written.removeprefix("-")
    return written.replace("-", "\N{MINUS SIGN}")


def value(m: Measurement) -> str:
    """The point estimate."""
    return number(m.value, m.name)


def interval(m: Measurement) -> str:
    """Both ends; the level too when it is not the usual 95 %."""
    if m.low is None or m.high is None:
        return "no interval"
    level = "" if m.level == 0.95 else f" (level {m.level * 100:.4g} %)"
    low = number(m.low, m.name).removesuffix(" %").removesuffix(" nats")
    return f"{low} to {number(m.high, m.name)}{level}"


def tests(m: Measurement) -> str:
    """Both p and q, where a test was made."""
    parts = [f"{sign} {p_value(x)}" for sign, x in (("p", m.p), ("q", m.q)) if x is not None]
    return ", ".join(parts)


def p_value(p: float) -> str:
    """A p value; the very small ones as a bound."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}".rstrip("0").rstrip(".") or "0"


def signed(value: float) -> str:
    """Three digits with the sign, for attributions."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def small(value: float) -> str:
    """Two significant digits, for errors that are meant to be near 0."""
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}")


def whole(count: int) -> str:
    """A count with its thousands apart."""
    return f"{count:,}"


def percent(share: float) -> str:
    """A share of words or sentences, as definitions name it."""
    return f"{share * 100:.4g} %"


def line(gate: Gate) -> str:
    """The line a gate draws."""
    ends = (("≥", gate.at_least), ("≤", gate.at_most))
    share = _unit(gate.measure) == "share"
    return " and ".join(
        f"{sign} {percent(end) if share else _plain(end)}" for sign, end in ends if end is not None
    )


def _plain(end: float) -> str:
    return f"{end:g}".replace("-", "\N{MINUS SIGN}")


def moment(written: str) -> str:
    """An ISO 8601 time to the minute, in UTC; anything else as it stands."""
    try:
        then = datetime.fromisoformat(written)
    except ValueError:
        return written
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return f"{then.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day(written: str) -> str:
    """The date of an ISO 8601 time."""
    return moment(written)[:10] if moment(written).endswith(" UTC") else written


def about_words(m: Measurement) -> str:
    """What a measurement is about; `all texts` rather than nothing."""
    return m.about.words() or "all texts"


def layer_words(m: Measurement) -> str:
    """The layer or layers alone; `all` for a measurement that has none."""
    if m.about.layers:
        return m.about.site.removeprefix("layers ")
    return "all" if m.about.layer is None else str(m.about.layer)


def joined(parts: Sequence[str], limit: int = 3) -> str:
    """A list as a sentence has it, the tail counted."""
    shown = parts[:limit]
    if len(parts) > limit:
        return f"{', '.join(shown)} and {len(parts) - limit} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else ""


FILTERS = {
    f.__name__: f
    for f in (
        title, number, value, interval, tests, signed, small, whole, percent, line, moment, day,
        about_words,
    )
}  # fmt: skip
"""What templates may write numbers with."""
