"""Comparisons between groups: does their direction agree with the numbers?"""

import re
from collections.abc import Iterator
from typing import Final

from tasks.explain.facts import Fact, Sheet, shown
from tasks.explain.masking import Masked
from tasks.explain.numerals import Written, numbers_in

_MORE: Final = re.compile(r"\b(?:more|higher|larger|above|exceeds?|highest|largest|most)\b")
_LESS: Final = re.compile(r"\b(?:less|lower|smaller|fewer|below|lowest|smallest|least)\b")
_REFUSED: Final = re.compile(
    r"\b(?:den(?:y|ied|ials?)|refus\w+|reject\w*|unfavou?rabl[ey]\w*|decline\w*)\b"
)


def wrong_direction(masked: Masked, facts: tuple[Fact, ...], sheet: Sheet) -> Iterator[str]:
    """Reasons to reject a comparison of two groups, or numbers given to the wrong groups."""
    yield from _swapped_times(masked, facts)
    groups = {shown(g) for f in facts for m in f.measurements() for g in _groups(m.about) if g}
    places = masked.places(groups)
    if len({name for _, name in places}) < 2:
        return
    yield from _swapped_numbers(masked, facts, places)
    yield from _swapped_ratio(masked, facts, places)
    text = masked.text.lower()
    than = re.search(r"\bthan\b", text)
    if than is None:
        return
    before = [name for at, name in places if at < than.start()]
    after = [name for at, name in places if at > than.start()]
    if not before or not after:
        return
    more, less = _MORE.search(text[: than.start()]), _LESS.search(text[: than.start()])
    ordered = _order(facts, before[-1], after[0])
    if (more is None) == (less is None) or ordered is None:
        yield "compares two groups in a way that the facts it cites cannot decide"
        return
    claimed = 1 if more else -1
    if _speaks_of_refusal(masked, sheet):
        claimed = -claimed
    if claimed != ordered:
        yield f"says the reverse of the numbers about {before[-1][:40]!r} and {after[0][:40]!r}"


def _groups(about: object) -> tuple[str | None, ...]:
    return getattr(about, "group", None), getattr(about, "reference", None)


def _speaks_of_refusal(masked: Masked, sheet: Sheet) -> bool:
    text = masked.plain(masked.text).lower()
    favourable = (sheet.favourable or "").lower()
    return bool(_REFUSED.search(text.replace(favourable, "") if favourable else text))


def _order(facts: tuple[Fact, ...], first: str, second: str) -> int | None:
    """1 if the first group's rates are the higher ones, -1 if lower, none if not decidable."""
    signs = set()
    by_measure: dict[str, dict[str, float]] = {}
    for fact in facts:
        for name, group, value in fact.rates():
            by_measure.setdefault(name, {})[group] = value
        m = fact.m
        about = (shown(m.about.group or ""), shown(m.about.reference or "")) if m else ("", "")
        if m is not None and m.name == "adverse_impact_ratio":
            sign = _sign(m.value, 1.0)
            signs |= {sign} if about == (first, second) else set()
            signs |= {-sign} if about == (second, first) else set()
    for values in by_measure.values():
        if first in values and second in values:
            signs.add(_sign(values[first], values[second]))
    return signs.pop() if len(signs) == 1 and 0 not in signs else None


def _sign(a: float, b: float) -> int:
    return (a > b) - (a < b)


def _swapped_numbers(
    masked: Masked, facts: tuple[Fact, ...], places: list[tuple[int, str]]
) -> Iterator[str]:
    """Numbers that belong to one group each must come in the order in which the groups come."""
    owned = [
        owner for number in numbers_in(masked.text) if (owner := _owner(number, facts)) is not None
    ]
    named = [name for _, name in places]
    if len(owned) < 2 or len(set(owned)) < 2:
        return
    if set(owned) == set(named) and owned not in (named[: len(owned)], named[-len(owned) :]):
        yield "gives numbers of one group to another"


def _swapped_ratio(
    masked: Masked, facts: tuple[Fact, ...], places: list[tuple[int, str]]
) -> Iterator[str]:
    """`times as often as`: the group stands before it, its reference after it."""
    times = re.search(r"\btimes as\b", masked.text.lower())
    ratios = [f.m.about for f in facts if f.m is not None and f.m.name == "adverse_impact_ratio"]
    if times is None or not ratios:
        return
    before = [name for at, name in places if at < times.start()]
    after = [name for at, name in places if at > times.start()]
    pairs = {(shown(a.group or ""), shown(a.reference or "")) for a in ratios}
    if not before or not after or (before[-1], after[0]) not in pairs:
        yield "compares the groups of a ratio the other way round"


def _swapped_times(masked: Masked, facts: tuple[Fact, ...]) -> Iterator[str]:
    """A value measured before an erasure may not be stated as after it, nor the reverse."""
    values = [(m.name, m.value) for f in facts for m in f.measurements()]
    early = [value for name, value in values if name.endswith("_before")]
    late = [value for name, value in values if "_after" in name]
    times = re.findall(r"(\d+\.\d+) (before|after)\b", masked.text)
    times += [
        pair
        for a, b in re.findall(r"from (\d+\.\d+) to (\d+\.\d+)", masked.text)
        for pair in ((a, "before"), (b, "after"))
    ]
    for written, when in times if early and late else ():
        slack = 0.5 * 10.0 ** -len(written.partition(".")[2]) + 1e-9
        if not any(abs(float(written) - v) <= slack for v in (early if when == "before" else late)):
            yield f"tells {written} as {when} the erasure"


def _owner(number: Written, facts: tuple[Fact, ...]) -> str | None:
    """The group that the number is about, if it can belong to no other."""
    value = number.value / 100 if number.percent else number.value
    slack = 0.5 * 10.0 ** -(number.decimals + (2 if number.percent else 0)) + 1e-9
    owners = {
        q.group
        for fact in facts
        for q in fact.quantities()
        if q.unit != "count"
        and any(abs(x - value) <= slack for x in (q.value, q.partner or q.value))
    }
    return owners.pop() if len(owners) == 1 else None
