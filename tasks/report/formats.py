"""Titles, dates and lists as report and model card write them, and the filters of templates."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tasks.definition.digits import count, given, number, signed, small
from tasks.definition.kinds import measure_named
from tasks.schema import Measurement
from tasks.schema.notation import Notation, line, tests


def title(name: str) -> str:
    """A measurement's name as the vocabulary writes it."""
    known = measure_named(name)
    return name.replace("_", " ").capitalize() if known is None else known.title


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
    """What a measurement is about; `all texts` if empty."""
    return m.about.words() or "all texts"


def layer_words(m: Measurement) -> str:
    """The layer or layers alone; `all` for a measurement that has none."""
    if m.about.layers:
        return m.about.site.removeprefix("layers ")
    return "all" if m.about.layer is None else str(m.about.layer)


def joined(parts: Sequence[str], limit: int = 3) -> str:
    """A list as in a sentence, with the number of items left out."""
    shown = parts[:limit]
    if len(parts) > limit:
        return f"{', '.join(shown)} and {len(parts) - limit} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else ""


def filters(notation: Notation) -> dict[str, Callable[..., str]]:
    """The filters of templates: measurements in the report's notation, then the rest."""
    return {
        "value": notation.value,
        "interval": notation.interval,
        "line": line,
        "tests": tests,
        "share": lambda value: number(value, "share"),
        "given": given,
        "signed": signed,
        "small": small,
        "count": count,
        "title": title,
        "moment": moment,
        "day": day,
        "about_words": about_words,
    }
