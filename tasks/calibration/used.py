"""Is it used, and is it gone? Linear decisions on Gaussian states, through erasure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.calibration import bench
from tasks.calibration.claims import Asked, Claim, Link, Outcome
from tasks.calibration.gap import covers
from tasks.calibration.gaussian import Floats, accuracy, drawn, selected, through
from tasks.checks.probing.erasure import Turn
from tasks.checks.probing.rounds import ERASURE
from tasks.definition.checks.probing import ProbingCheck
from tasks.explain.facts import above_zero
from tasks.measures.stats.random_streams import stream

WIDTH = 16
SHIFT = 1.5
DRAWS = ProbingCheck().random_subspaces
"""Random subspaces, as many as a definition has by default."""
SMALL_GAP = 0.15


@dataclass(frozen=True)
class Decider:
    """Decides by a merit plus `weight` times the direction in which the groups differ.

    With weight 0 the attribute is readable and affects no decision. The true gap is that with the
    fitted erasers on unseen texts, the mean over the three turns: a decision after erasure is an
    affine function of normal states.
    """

    story: str
    sizes: tuple[int, ...]
    weight: float

    @property
    def words(self) -> str:
        """The planted truth, in words."""
        sizes = " + ".join(map(str, self.sizes))
        return f"{self.story}: weight {self.weight:g} on a shift of {SHIFT:g}, n {sizes}"

    @property
    def means(self) -> Floats:
        """[groups, d], evenly spaced along the first direction."""
        at = SHIFT * (np.arange(len(self.sizes)) - (len(self.sizes) - 1) / 2)
        return np.asarray(at[:, None] * np.eye(WIDTH)[0])

    @property
    def rule(self) -> Floats:
        """Selected where this times the state is above 0, [d]."""
        along: Floats = self.weight * np.eye(WIDTH)[0] + np.eye(WIDTH)[1]
        return along

    def decide(self, states: Floats) -> NDArray[np.bool_]:
        """The rest of the model, [texts, d] -> [texts]."""
        chosen: NDArray[np.bool_] = states @ self.rule > 0
        return chosen

    def once(self, seed: int) -> Iterator[Outcome]:
        """Coverage of the gaps and the effect; whether use is claimed, and removal confirmed."""
        rng = stream(seed, "states that decide")
        states, concept = drawn(self.means, self.sizes, rng)
        probed = bench.probed(states[None], concept, self.decide, [ERASURE], seed=seed)
        by_name = {m.name: m for m in probed.evidence.measurements}
        effect, after = by_name["erasure_effect"], by_name["gap_after_erasure"]
        exact = {"erasure_effect"} if len(self.sizes) > 2 else {"erasure_effect", "gap_before"}
        for name, value in self.truths(probed.turns, concept).items():
            link: Link = "removed" if "after_erasure" in name else "used"
            asked: Asked = "coverage" if name in exact else "coverage at least"
            yield self._claim(link, asked, name), covers(by_name[name], value)
        if self.weight == 0:
            yield (
                self._claim("used", "false alarms", "used: erasure effect above 0"),
                above_zero(effect),
            )
        elif self.weight >= 1:
            yield self._claim("used", "power", "used: erasure effect above 0"), above_zero(effect)
            if sum(self.sizes) >= 900:
                is_removed = after.high is not None and after.high <= SMALL_GAP
                measure = f"removed: gap after erasure at most {SMALL_GAP:g}"
                yield self._claim("removed", "power", measure), is_removed

    def truths(self, turns: Sequence[Turn], concept: NDArray[np.int64]) -> dict[str, float]:
        """True rates on unseen texts of the erasers and probes that were fitted."""
        rates = np.zeros((DRAWS + 2, len(self.sizes)))
        reads = 0.0
        for turn in turns:
            part = np.bincount(concept[turn.tests], minlength=len(self.sizes)) / self.sizes
            own, *random = (erasers[0] for erasers in (turn.own, *turn.controls[:DRAWS]))
            maps = [(self.rule, np.zeros(()))]
            maps += [through(e, self.rule, np.zeros(())) for e in (own, *random)]
            for i, (weight, bias) in enumerate(maps):
                rates[i] += part * selected(self.means, weight, float(bias))
            probe = (part[0, 0].numpy() for part in (turn.probe.weight, turn.probe.bias))
            weight, bias = through(own, *probe)
            reads += accuracy(self.means, weight, bias) * float(np.mean(part))
        gaps = np.ptp(rates, axis=1)
        return {
            "gap_before": float(gaps[0]),
            "gap_after_erasure": float(gaps[1]),
            "gap_after_random": float(gaps[2:].mean()),
            "erasure_effect": float(gaps[2:].mean() - gaps[1]),
            "probe_after_erasure": reads,
        }

    def _claim(self, link: Link, asked: Asked, measure: str) -> Claim:
        return Claim(link, asked, measure, self.words)


ORGANISMS = (
    Decider("not used", (75, 75), 0.0),
    Decider("not used", (450, 450), 0.0),
    Decider("hardly used", (150, 150), 0.2),
    Decider("used", (150, 150), 1.0),
    Decider("used", (450, 450), 1.0),
    Decider("little but it", (150, 150), 3.0),
    Decider("used, unequal groups", (500, 100), 1.0),
    Decider("not used, three groups", (150, 150, 150), 0.0),
    Decider("used, three groups", (150, 150, 150), 1.0),
)
"""All organisms of the third and the fourth link."""
QUICK = (ORGANISMS[0], ORGANISMS[3], ORGANISMS[7])
"""A few of them, which take a minute."""
