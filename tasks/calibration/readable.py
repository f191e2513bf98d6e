"""Is it readable? Gaussian states with a planted shift between groups, through the probes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.calibration import bench
from tasks.calibration.claims import Asked, Claim, Outcome
from tasks.calibration.gap import covers
from tasks.calibration.gaussian import Floats, accuracy, drawn
from tasks.checks.probing.rounds import READING
from tasks.explain.facts import above_zero
from tasks.measures.probing.logistic import Readers
from tasks.measures.stats.random_streams import stream
from tasks.schema import Evidence

WIDTH = 16


@dataclass(frozen=True)
class Shifted:
    """Groups whose means lie `shift` standard deviations apart, at every layer alike.

    The true accuracy is that of the fitted probes on unseen texts, the mean over the three turns;
    it has a closed form, since their scores are normal.
    """

    story: str
    sizes: tuple[int, ...]
    shift: float
    layers: int = 1

    @property
    def words(self) -> str:
        """The planted truth, in words."""
        layers = f", {self.layers} layers" if self.layers > 1 else ""
        return f"{self.story}: shift {self.shift:g}, n {' + '.join(map(str, self.sizes))}{layers}"

    @property
    def means(self) -> Floats:
        """[groups, d]: the first group at 0, each other one along a direction of its own."""
        return self.shift * np.eye(WIDTH)[np.arange(len(self.sizes)) - 1] * self._moved

    @property
    def _moved(self) -> Floats:
        return (np.arange(len(self.sizes)) > 0).astype(float)[:, None]

    def once(self, seed: int) -> Iterator[Outcome]:
        """Coverage where there is one layer; whether the attribute is said to be readable."""
        rng = stream(seed, "states to be read")
        first = drawn(self.means, self.sizes, rng)
        noise = rng.normal(size=(self.layers - 1, *first.states.shape))
        states = np.concatenate([first.states[None], self.means[first.concept] + noise])
        probed = bench.probed(states, first.concept, _by_merit, [READING], seed=seed)
        evidence = probed.evidence
        claimed = any(above_zero(m) for m in evidence.named("selectivity"))
        if self.shift == 0:
            yield self._claim("false alarms", "readable: selectivity above 0"), claimed
        elif self.shift >= 1:
            yield self._claim("power", "readable: selectivity above 0"), claimed
        if self.layers == 1 and probed.readers is not None:
            yield from self._covered(evidence, probed.readers)

    def _covered(self, evidence: Evidence, readers: Readers) -> Iterator[Outcome]:
        chance = 1 / len(self.sizes)
        turns = zip(readers.weight[0].numpy(), readers.bias[0].numpy(), strict=True)
        truth = float(np.mean([accuracy(self.means, w, b) for w, b in turns]))
        truths = {
            "probe_accuracy": truth,
            "control_accuracy": chance,
            "selectivity": truth - chance,
        }
        for name, value in truths.items():
            (m,) = evidence.named(name)
            # chance of the labelling and chance of the texts are not fully independent
            asked: Asked = "coverage at least" if name == "control_accuracy" else "coverage"
            yield self._claim(asked, name), covers(m, value)
        if self.shift == 0:  # a network's accuracy is chance, whatever it has learnt
            (curved,) = evidence.named("nonlinear_probe_accuracy")
            yield self._claim("coverage at least", curved.name), covers(curved, chance)

    def _claim(self, asked: Asked, measure: str) -> Claim:
        return Claim("readable", asked, measure, self.words)


def _by_merit(states: Floats) -> NDArray[np.bool_]:
    """Decisions that do not depend on the groups; they are not measured here."""
    chosen: NDArray[np.bool_] = states[:, -1] > 0
    return chosen


ORGANISMS = (
    Shifted("not there", (45, 45), 0.0),
    Shifted("not there", (450, 450), 0.0),
    Shifted("faint", (150, 150), 0.5),
    Shifted("there", (150, 150), 1.0),
    Shifted("plain", (450, 450), 2.0),
    Shifted("nearly perfect", (45, 45), 4.0),
    Shifted("there, unequal groups", (400, 50), 1.5),
    Shifted("three groups", (100, 100, 100), 1.5),
    Shifted("not there", (150, 150), 0.0, layers=7),
)
"""All organisms of the second link."""
QUICK = (ORGANISMS[0], ORGANISMS[3], ORGANISMS[5])
"""A few of them, which take a minute."""
