"""Is there a gap? Decisions drawn with known rates, through the fairness check and its gates."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.calibration import chain
from tasks.calibration.claims import Asked, Claim, Organism, Outcome
from tasks.definition import Gate
from tasks.definition.checks.fairness import FairnessCheck
from tasks.measures.stats.random_streams import stream
from tasks.schema import Evidence, Measurement, Verdict

LEAST = 10
"""Smallest group that is measured: below the usual 30, to test how small groups are treated."""
FOUR_FIFTHS = Gate(check="fairness", measure="adverse_impact_ratio", at_least=0.8)
FALSE = 0.05
"""Level of the tests for a gap, after correction over the family."""


@dataclass(frozen=True)
class Group:
    """How one group is labelled and decided about."""

    n: int
    base_rate: float
    """Share whose label is favourable."""
    true_positive_rate: float
    """Share of these that are selected."""
    false_positive_rate: float
    """Share of the others that are selected."""

    @property
    def selected(self) -> float:
        """True selection rate."""
        return (
            self.base_rate * self.true_positive_rate
            + (1 - self.base_rate) * self.false_positive_rate
        )

    @property
    def positive_predictive_value(self) -> float:
        """True share with a favourable label among the selected."""
        return self.base_rate * self.true_positive_rate / self.selected


def even(*selected: float, sizes: Sequence[int]) -> tuple[Group, ...]:
    """Groups decided about without regard to the label, which is favourable for half."""
    return tuple(Group(n, 0.5, p, p) for n, p in zip(sizes, selected, strict=True))


@dataclass(frozen=True)
class Population:
    """One attribute with known rates in every group: do intervals cover the true gaps?"""

    story: str
    groups: tuple[Group, ...]
    reference: str = "most-selected"

    @property
    def words(self) -> str:
        """The planted truth, in words."""
        rates = " / ".join(f"{g.selected:.3g}" for g in self.groups)
        sizes = " + ".join(str(g.n) for g in self.groups)
        return f"{self.story}: rates {rates}, n {sizes}"

    def drawn(self, seed: int) -> chain.Drawn:
        """Texts of every group with label and decision."""
        rng = stream(seed, "population of decisions")
        groups, labels, selected = [], [], []
        for i, g in enumerate(self.groups):
            label = rng.random(g.n) < g.base_rate
            groups += [f"g{i}"] * g.n
            labels.append(label)
            selected.append(
                rng.random(g.n) < np.where(label, g.true_positive_rate, g.false_positive_rate)
            )
        return chain.Drawn(
            {chain.ATTRIBUTE: groups}, np.concatenate(selected), np.concatenate(labels)
        )

    def audited(self, seed: int) -> chain.Audited:
        """An audit of one draw."""
        check = FairnessCheck.model_validate({"reference": self.reference})
        return chain.audited(self.drawn(seed), check, seed=seed, least=LEAST, gates=(FOUR_FIFTHS,))

    def once(self, seed: int) -> Iterator[Outcome]:
        """Whether each interval covers the truth."""
        evidence = self.audited(seed).evidence
        if len(set(self._treated)) == 1:
            yield self._claim("false alarms", FOUND_ANY), found_any(evidence)
        many: Asked = "coverage at least" if len(self.groups) > 2 else "coverage"
        for g, m in self._by_group(evidence, "selection_rate").items():
            if g == 0:  # one of them, so that repeats are independent
                yield self._claim("coverage", m.name), covers(m, self.groups[g].selected)
        ratios = self._by_group(evidence, "adverse_impact_ratio")
        if ratios:
            right = all(covers(m, self._ratio(g, m)) for g, m in ratios.items())
            yield self._claim(many, "adverse_impact_ratio"), right
        for name, (asked, truth) in self.truths(many).items():
            for m in evidence.named(name):
                if self._all_measured(evidence, name):
                    yield self._claim(asked, name), covers(m, truth)

    @property
    def _treated(self) -> list[tuple[float, float, float]]:
        return [(g.base_rate, g.true_positive_rate, g.false_positive_rate) for g in self.groups]

    def _claim(self, asked: Asked, measure: str) -> Claim:
        return Claim("gap", asked, measure, self.words)

    def _by_group(self, evidence: Evidence, name: str) -> dict[int, Measurement]:
        return {int((m.about.group or "g")[1:]): m for m in evidence.named(name)}

    def _ratio(self, g: int, m: Measurement) -> float:
        """Rate over that of the reference; over the truly best rate where the best is chosen."""
        rates = [group.selected for group in self.groups]
        if self.reference == "most-selected":
            return rates[g] / max(rates)
        return rates[g] / rates[int((m.about.reference or "g")[1:])]

    def truths(self, many: Asked) -> Mapping[str, tuple[Asked, float]]:
        """What each gap truly is, and how its interval is to be counted."""
        odds = (
            widest(g.true_positive_rate for g in self.groups),
            widest(g.false_positive_rate for g in self.groups),
        )
        rates = [g.selected for g in self.groups]
        return {
            "demographic_parity_difference": (many, widest(rates)),
            "demographic_parity_ratio": (many, min(rates) / max(rates)),
            "equal_opportunity_difference": (many, odds[0]),
            "equalized_odds_difference": ("coverage at least", max(odds)),
            "predictive_parity_difference": (
                many,
                widest(g.positive_predictive_value for g in self.groups),
            ),
        }

    def _all_measured(self, evidence: Evidence, name: str) -> bool:
        """Whether no group was too small in the tables the gap is taken from.

        Without some groups the true gap is another one. Which groups are left out depends on how
        many texts have a label or are selected, not on the rates measured in them.
        """
        tables = {
            "equal_opportunity_difference": ("true_positive_rate",),
            "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
            "predictive_parity_difference": ("positive_predictive_value",),
        }.get(name, ("selection_rate",))
        return all(len(evidence.named(table)) == len(self.groups) for table in tables)


@dataclass(frozen=True)
class Verdicts:
    """Selection rates at the four-fifths line or far from it: verdicts of the gate."""

    population: Population
    counted: tuple[tuple[Verdict, Asked], ...]
    """Verdicts that are counted, and as what."""

    @property
    def words(self) -> str:
        """The planted truth, in words."""
        return self.population.words

    def once(self, seed: int) -> Iterator[Outcome]:
        """Whether the gate gives each verdict that is counted."""
        verdicts = self.population.audited(seed).verdicts
        for verdict, asked in self.counted:
            measure = f"gate on adverse_impact_ratio >= .8: {verdict}"
            yield Claim("gap", asked, measure, self.words), verdicts == [verdict]


@dataclass(frozen=True)
class Tested:
    """Two attributes and their crossing: which gaps are significant after correction."""

    story: str
    n: int
    penalty: float
    """How much lower the selection rate of the first attribute's second group is."""

    @property
    def words(self) -> str:
        """The planted truth, in words."""
        return f"{self.story}, two attributes and their crossing, n {self.n}"

    def once(self, seed: int) -> Iterator[Outcome]:
        """Whether any gap is significant without a true gap, or the true gap is.

        Labels agree with the stated probabilities; so where no group is treated differently no
        measure differs, calibration included, and every significant gap is a false alarm.
        """
        rng = stream(seed, "population of two attributes")
        a, b = rng.integers(0, 2, self.n), rng.integers(0, 3, self.n)
        sure = rng.uniform(size=self.n)
        label = rng.random(self.n) < sure
        selected = sure > 0.5 + self.penalty * a
        groups = {"one": [f"a{i}" for i in a], "two": [f"b{i}" for i in b]}
        drawn = chain.Drawn(groups, selected, label, np.where(selected, sure, 1 - sure))
        check = FairnessCheck(intersections=True)
        evidence = chain.audited(drawn, check, seed=seed, least=LEAST).evidence
        if self.penalty == 0:
            yield Claim("gap", "false alarms", FOUND_ANY, self.words), found_any(evidence)
            return
        (gap,) = [m for m in evidence.named(GAP) if m.about.attribute == "one"]
        right = gap.q is not None and gap.q <= FALSE
        yield Claim("gap", "power", f"{GAP} with q <= .05", self.words), right


GAP = "demographic_parity_difference"
FOUND_ANY = "any gap with q <= .05"


def found_any(evidence: Evidence) -> bool:
    """Whether any test of the family is significant after correction."""
    return any(m.q is not None and m.q <= FALSE for m in evidence.measurements)


def covers(m: Measurement, truth: float) -> bool:
    """Whether the interval of a measurement covers the truth."""
    return m.low is not None and m.high is not None and m.low - 1e-9 <= truth <= m.high + 1e-9


def widest(values: Iterable[float]) -> float:
    """Largest difference between two of several values."""
    known = list(values)
    return max(known) - min(known)


POPULATIONS = (
    Population("no effect", even(0.5, 0.5, sizes=(30, 30))),
    Population("no effect", even(0.7, 0.7, sizes=(1000, 1000))),
    Population("mild", (Group(690, 0.7, 0.8, 0.53), Group(310, 0.65, 0.75, 0.48))),
    Population("strong", (Group(100, 0.6, 0.85, 0.5), Group(100, 0.5, 0.5, 0.2))),
    Population("rare", even(0.06, 0.02, sizes=(300, 300))),
    Population("one small group", even(0.6, 0.45, sizes=(1970, 30))),
    Population("no effect, three groups", even(0.5, 0.5, 0.5, sizes=(100, 100, 100))),
    Population("mild, three groups", even(0.6, 0.5, 0.5, sizes=(300, 200, 100))),
    Population("strong, four groups", even(0.7, 0.6, 0.5, 0.3, sizes=(1000, 700, 260, 40))),
    Population("reference given", even(0.6, 0.48, sizes=(200, 100)), "largest"),
    Population(
        "reference given, three groups", even(0.6, 0.5, 0.3, sizes=(300, 150, 50)), "largest"
    ),
)
AT_THE_LINE = (
    Population("ratio exactly .8", even(0.6, 0.48, sizes=(60, 60))),
    Population("ratio exactly .8", even(0.6, 0.48, sizes=(1000, 1000))),
    Population("ratio exactly .8, small group", even(0.9, 0.72, sizes=(500, 30))),
    Population("ratio exactly .8, three groups", even(0.6, 0.6, 0.48, sizes=(200, 200, 200))),
)
WRONG: tuple[tuple[Verdict, Asked], ...] = (("fail", "wrong verdicts"), ("pass", "wrong verdicts"))
RIGHT_FAIL: tuple[tuple[Verdict, Asked], ...] = (("fail", "power"),)
RIGHT_PASS: tuple[tuple[Verdict, Asked], ...] = (("pass", "power"),)
ORGANISMS: tuple[Organism, ...] = (
    *POPULATIONS,
    *(Verdicts(p, WRONG) for p in AT_THE_LINE),
    Verdicts(Population("ratio .5", even(0.6, 0.3, sizes=(250, 250))), RIGHT_FAIL),
    Verdicts(Population("ratio 1", even(0.7, 0.7, sizes=(500, 500))), RIGHT_PASS),
)
"""All organisms of the first link, except those for whole families of tests."""
QUICK: tuple[Organism, ...] = (
    POPULATIONS[0],
    POPULATIONS[3],
    POPULATIONS[7],
    Verdicts(AT_THE_LINE[0], WRONG),
    ORGANISMS[-1],
)
"""A few of them, which take a minute."""
FAMILIES: tuple[Organism, ...] = (
    Tested("no gap anywhere", 300, 0.0),
    Tested("no gap anywhere", 1500, 0.0),
    Tested("selection rates .5 and .3", 600, 0.2),
)
"""Families of tests; a draw of these takes ten times as long."""
