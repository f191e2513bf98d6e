"""The counts as a table: each share with its interval, beside the target it is held against."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tasks.calibration.claims import TARGETS, Asked, Claim, Link, Tally, Verdict, verdict

LINKS: tuple[Link, ...] = ("gap", "readable", "used", "removed")
WORST_FIRST: tuple[Verdict, ...] = ("missed", "open", "met")
HEADINGS = ("link", "counted", "what", "organisms", "share", "95 % interval", "worst organism",
            "target", "held")  # fmt: skip


class Row(NamedTuple):
    """One claim over all organisms that it is made about."""

    link: Link
    asked: Asked
    measure: str
    organisms: int
    tally: Tally
    """Of all organisms together."""
    worst: Claim
    """The organism whose share lies furthest on the bad side of the target."""
    worst_tally: Tally
    verdict: Verdict
    """The worst of all organisms and of all together."""

    def cells(self) -> tuple[str, ...]:
        """The row as text, under `HEADINGS`."""
        interval = self.tally.interval
        return (
            self.link,
            self.asked,
            self.measure,
            str(self.organisms),
            f"{self.tally.share:.3f} of {self.tally.n}",
            f"{interval.low:.3f} to {interval.high:.3f}",
            f"{self.worst_tally.share:.3f} ({self.worst.organism})",
            target(self.asked),
            self.verdict,
        )


def target(asked: Asked) -> str:
    """A target in words."""
    least, most = TARGETS[asked]
    if most == 1:
        return f"at least {least:.0%}"
    return f"at most {most:.1%}" if least == 0 else f"{least:.0%} to {most:.0%}"


def rows(counts: Mapping[Claim, Tally]) -> list[Row]:
    """One row per link and claim, links in their order, over all organisms."""
    together: dict[tuple[Link, Asked, str], dict[Claim, Tally]] = {}
    for claim, tally in counts.items():
        key = (claim.link, claim.asked, claim.measure)
        together.setdefault(key, {})[claim] = tally
    family = len(counts) + len(together)
    asked_order, link_order = list(TARGETS), list(LINKS)
    ordered = sorted(
        together, key=lambda k: (link_order.index(k[0]), asked_order.index(k[1]), k[2])
    )
    return [_row(key, together[key], family) for key in ordered]


def _row(key: tuple[Link, Asked, str], of: Mapping[Claim, Tally], family: int) -> Row:
    link, asked, measure = key
    whole = sum(of.values(), Tally(0, 0))
    worst = max(of, key=lambda claim: (_outside(asked, of[claim]), claim.organism))
    verdicts = [verdict(asked, tally, family=family) for tally in (whole, *of.values())]
    reached = min(verdicts, key=WORST_FIRST.index)
    return Row(link, asked, measure, len(of), whole, worst, of[worst], reached)


def _outside(asked: Asked, tally: Tally) -> float:
    """How far a share lies from the middle of its target, towards the side that can be bad."""
    least, most = TARGETS[asked]
    if most == 1:
        return least - tally.share
    return tally.share - most if least == 0 else abs(tally.share - (least + most) / 2)


def markdown(table_rows: Sequence[Row], counts: Mapping[Claim, Tally]) -> str:
    """The table, and the counts of every organism, as Markdown."""
    claims = sorted(counts, key=lambda c: (LINKS.index(c.link), c.organism, c.asked, c.measure))
    family = len(counts) + len(table_rows)
    detail = [
        (
            *claim[:1],
            claim.organism,
            claim.asked,
            claim.measure,
            f"{counts[claim].share:.3f} of {counts[claim].n}",
            verdict(claim.asked, counts[claim], family=family),
        )
        for claim in claims
    ]
    parts = [
        _table(HEADINGS, [row.cells() for row in table_rows]),
        _table(("link", "organism", "counted", "what", "share", "held"), detail),
    ]
    return "\n".join(parts)


def _table(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
