"""What erasing an attribute does to the decisions, as measurements: gap, rates, accuracy, cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.checks.probing.probe_evidence import METHOD_PROBE
from tasks.measures.fairness import group_rates
from tasks.measures.fairness.group_rates import Count
from tasks.measures.stats import intervals
from tasks.measures.stats.paired import CHANGE, paired_difference, turned
from tasks.measures.stats.permutation import beyond_control_p
from tasks.run.shards import Payload
from tasks.schema import About, ErasedCase, Measurement

METHOD_GAP = "largest gap between groups, joint Newcombe intervals (Tukey-Kramer) folded at 0"
METHOD_MEAN_GAP = f"mean over random subspaces; {METHOD_GAP}, mean of their ends"
METHOD_EFFECT = "gap after random minus gap after erasure, paired bootstrap within groups"
SHUFFLED = "shuffled"

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Erased:
    """One attribute over the texts it was erased in."""

    attribute: str
    groups: Sequence[str]
    names: Sequence[str]
    """Classes of the subject."""
    hoped: int
    """The favourable class."""
    rows: Sequence[int]
    ids: Sequence[str]
    right: Codes
    """True class of every text, -1 where there is none."""
    seed: int

    def measurements(self, sites: Sequence[Payload]) -> list[Measurement]:
        """All measurements of the places where the attribute was erased, one payload each."""
        found: list[Measurement] = []
        for payload in sites:
            about = _about(payload, self.attribute)
            found += self._read(payload, about)
            found += self._gaps(payload, about, len(sites))
            found += self._rates(payload, about)
            found += self._accuracy(payload, about)
        return self._tested(found, sites)

    def cases(self, sites: Sequence[Payload], shown: Sequence[int]) -> list[ErasedCase]:
        """What is decided about the texts that the report shows, place by place."""
        at = {row: i for i, row in enumerate(self.rows)}
        where = tuple(_about(payload, self.attribute).site for payload in sites)
        found = []
        for i in (at[row] for row in shown if row in at):
            plain = sites[0].arrays["plain"][i]
            moved = [payload.arrays["random"][:, i] != plain for payload in sites]
            found.append(
                ErasedCase(
                    id=self.ids[i],
                    attribute=self.attribute,
                    decision=self.names[plain],
                    sites=where,
                    decisions=tuple(self.names[p.arrays["after"][i]] for p in sites),
                    changed_at_random=tuple(float(m.mean()) for m in moved),
                )
            )
        return found

    def _tested(
        self, measurements: list[Measurement], sites: Sequence[Payload]
    ) -> list[Measurement]:
        """Effects at single layers with p: what random subspaces reach, at any of the layers.

        At several layers together there are too few random draws for a p.
        """
        single = [payload for payload in sites if _about(payload, self.attribute).layers is None]
        closed = [self._closed(payload) for payload in single]
        p = beyond_control_p(
            np.array([own for own, _ in closed]), np.stack([random for _, random in closed])
        )
        of = {
            _about(payload, self.attribute): float(x) for payload, x in zip(single, p, strict=True)
        }
        family = f"erasing {self.attribute} at {len(single)} layers"
        draws = len(closed[0][1])
        told = f"; p: the largest effect of each of {draws} random subspaces at any layer"
        return [
            m.model_copy(
                update={
                    "p": of[m.about],
                    "q": of[m.about],
                    "family": family,
                    "method": m.method + told,
                }
            )
            if m.name == "erasure_effect" and m.about in of
            else m
            for m in measurements
        ]

    def _closed(self, payload: Payload) -> tuple[float, Floats]:
        """How much of the gap goes with the attribute, and with each random subspace."""
        arrays = payload.arrays
        decided = np.vstack([arrays["plain"], arrays["after"], arrays["random"]]) == self.hoped
        rates = np.stack(
            [decided[:, arrays["concept"] == i].mean(axis=1) for i in range(len(self.groups))]
        )
        of = np.ptp(rates, axis=0)
        return float(of[0] - of[1]), of[0] - of[2:]

    def _read(self, payload: Payload, at: About) -> list[Measurement]:
        """What fresh probes read after erasure."""
        concept = payload.arrays["concept"]
        names = {"probe_after_erasure": "erased", "nonlinear_probe_after_erasure": "forest"}
        hits = np.stack([payload.arrays[name] == concept for name in names.values()], axis=1)
        means = intervals.group_means(hits.astype(float), concept, seed=self.seed)
        return [
            Measurement.of(
                name,
                intervals.spread(
                    float(means.point[:, i].mean()), means.draws[..., i].mean(axis=-1)
                ),
                len(concept),
                METHOD_PROBE,
                at,
            )
            for i, name in enumerate(names)
        ]

    def _gaps(self, payload: Payload, at: About, sites: int) -> list[Measurement]:
        """The gap before and after, and after erasing what should not matter."""
        arrays = payload.arrays
        concept, n = arrays["concept"], len(arrays["concept"])
        draws = len(arrays["random"])
        told: Any = payload.records[0]
        every = np.vstack([arrays["plain"], arrays["after"], arrays["random"], arrays["unrelated"]])
        selected = (every == self.hoped).T
        means = intervals.group_means(selected.astype(float), concept, seed=self.seed)
        random = slice(2, 2 + draws)

        def gaps(of: Floats) -> Floats:
            return np.asarray(of.max(axis=-2) - of.min(axis=-2))

        def effect(of: Floats) -> Floats:
            return np.asarray(gaps(of)[..., random].mean(axis=-1) - gaps(of)[..., 1])

        point = gaps(means.point)
        tables = [_table(column, concept) for column in selected.T]
        random_gap = group_rates.mean_gap(tables[random])
        interval = intervals.percentile(means, effect, level=intervals.bonferroni(0.95, sites))
        interval = _never_certain(interval, selected[:, 1], selected[:, random].T, n)
        method = f"{METHOD_EFFECT}; 95 % jointly over {sites} places"
        smallest = group_rates.largest_gap(tables[2 + int(point[random].argmin())])
        of_draws = f"smallest of {draws} random subspaces, its own interval; {METHOD_GAP}"
        changed = arrays["after"] != arrays["plain"]
        moved = (arrays["random"] != arrays["plain"]).mean(axis=0)
        return [
            Measurement.of("gap_before", group_rates.largest_gap(tables[0]), n, METHOD_GAP, at),
            Measurement.of(
                "gap_after_erasure", group_rates.largest_gap(tables[1]), n, METHOD_GAP, at
            ),
            Measurement.of("gap_after_random", random_gap, n, METHOD_MEAN_GAP, at),
            Measurement.of("gap_after_random_smallest", smallest, n, of_draws, at),
            Measurement.of("erasure_effect", interval, n, method, at),
            Measurement.of("decisions_changed", intervals.share(changed), n, intervals.SHARE, at),
            Measurement.of(
                "decisions_changed_random",
                intervals.bootstrap_mean(moved, seed=self.seed, bounds=(0.0, 1.0)),
                n,
                intervals.MEAN,
                at,
            ),
            *[
                Measurement.of(
                    "gap_after_unrelated",
                    group_rates.largest_gap(tables[2 + draws + i]),
                    n,
                    METHOD_GAP,
                    at.model_copy(update={"subset": unrelated_words(name)}),
                )
                for i, name in enumerate(told["unrelated"])
            ],
        ]

    def _rates(self, payload: Payload, at: About) -> list[Measurement]:
        """Change of each group's selection rate, after minus before."""
        concept = payload.arrays["concept"]
        before, after = (payload.arrays[name] == self.hoped for name in ("plain", "after"))
        return [
            Measurement.of(
                "selection_change",
                paired_difference(turned(before[concept == i], after[concept == i])),
                int((concept == i).sum()),
                CHANGE,
                at.model_copy(update={"group": group}),
            )
            for i, group in enumerate(self.groups)
        ]

    def _accuracy(self, payload: Payload, at: About) -> list[Measurement]:
        """Accuracy of the same texts before and after erasure, where they have labels."""
        known = self.right >= 0
        if not known.any():
            return []
        n = int(known.sum())
        hits = {
            name: (payload.arrays[column] == self.right)[known]
            for name, column in (("accuracy_before", "plain"), ("accuracy_after_erasure", "after"))
        }
        change = paired_difference(turned(*hits.values()))
        return [
            *[
                Measurement.of(m, intervals.share(h), n, intervals.SHARE, at)
                for m, h in hits.items()
            ],
            Measurement.of("accuracy_change", change, n, CHANGE, at),
        ]


def unrelated_words(name: str) -> str:
    """What was erased instead of the attribute, in words."""
    return "shuffled groups erased" if name == SHUFFLED else f"{name} erased instead"


def _table(selected: NDArray[np.bool_], concept: Codes) -> dict[str, Count]:
    return group_rates.counts(selected, concept.astype(np.str_))


def _about(payload: Payload, attribute: str) -> About:
    told: Any = payload.records[0]
    layers = tuple(told["layers"])
    if len(layers) == 1:
        return About(attribute=attribute, layer=layers[0])
    return About(attribute=attribute, layers=layers)


def _never_certain(
    interval: intervals.Interval, after: NDArray[np.bool_], random: NDArray[np.bool_], n: int
) -> intervals.Interval:
    """Where no decision differs the bootstrap sees no spread; the rule of three bounds it."""
    if (random != after).any():
        return interval
    most = intervals.unseen(n)
    return intervals.Interval(interval.value, interval.value - most, interval.value + most)
