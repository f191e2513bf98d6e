"""What is counted: how often a claim of the bias chain holds on an organism of known truth."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from scipy.stats import binom

from tasks.measures.stats import intervals

Link = Literal["gap", "readable", "used", "removed"]
Asked = Literal["coverage", "coverage at least", "false alarms", "wrong verdicts", "power"]
Verdict = Literal["met", "open", "missed"]

TARGETS: dict[Asked, tuple[float, float]] = {
    "coverage": (0.93, 0.97),
    # Simultaneous intervals, and those that allow for the choice of the worst group, cover a
    # single number more often than they state. So do intervals over cross-fitted folds, whose
    # errors partly cancel. Covering too often is accepted; covering too seldom is a miss.
    "coverage at least": (0.93, 1.0),
    "false alarms": (0.0, 0.05),
    "wrong verdicts": (0.0, 0.025),
    "power": (0.95, 1.0),
}
"""Smallest and largest acceptable share."""
LEVEL = 0.025


class Claim(NamedTuple):
    """One thing that is counted."""

    link: Link
    asked: Asked
    measure: str
    """Name of the measurement or verdict that is right or wrong."""
    organism: str
    """The planted truth, in words."""


Outcome = tuple[Claim, bool]


class Organism(Protocol):
    """A planted truth that can be drawn from and measured again and again."""

    @property
    def words(self) -> str:
        """The planted truth, in words."""

    def once(self, seed: int) -> Iterable[Outcome]:
        """Draw one data set, measure it, and yield for every claim whether it came true."""


@dataclass(frozen=True)
class Tally:
    """How often a claim came true."""

    hits: int
    n: int

    @property
    def share(self) -> float:
        """Share of repeats, in [0, 1]."""
        return self.hits / self.n

    @property
    def interval(self) -> intervals.Interval:
        """The share with its 95 % Wilson interval."""
        return intervals.wilson(self.hits, self.n)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.hits + other.hits, self.n + other.n)


def verdict(asked: Asked, tally: Tally, *, family: int) -> Verdict:
    """Whether a share meets its target.

    Args:
        asked: what the share is of.
        tally: how often it came true.
        family: shares that are judged together.

    Returns:
        `met` where the share lies within the target; `missed` where a true share within it would
        give a count this far outside with a probability below 2.5 % divided by the family (exact
        binomial, Bonferroni); else `open`: too few repeats to decide.
    """
    least, most = TARGETS[asked]
    if least <= tally.share <= most:
        return "met"
    few = binom.cdf(tally.hits, tally.n, least)
    many = binom.sf(tally.hits - 1, tally.n, most)
    return "missed" if min(few, many) < LEVEL / family else "open"
