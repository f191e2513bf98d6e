"""What erasing an attribute does to the decisions, as measurements: gap, rates, accuracy, cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tasks.checks.probing.payload import Erasure
from tasks.checks.probing.probe_evidence import METHOD_PROBE
from tasks.measures.fairness import group_rates
from tasks.measures.fairness.group_rates import LARGEST_GAP, Count
from tasks.measures.stats import intervals
from tasks.measures.stats.paired import CHANGE, paired_difference, turned
from tasks.measures.stats.permutation import beyond_control_p
from tasks.schema import ErasedCase, Measurement

METHOD_MEAN_GAP = f"mean over random subspaces; {LARGEST_GAP}, mean of their ends"
METHOD_EFFECT = "gap after random minus gap after erasure, paired bootstrap within groups"

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Erased:
    """One attribute over the texts it was erased in."""

    groups: Sequence[str]
    names: Sequence[str]
    """Classes of the subject."""
    favourable: int
    """The favourable class."""
    rows: Sequence[int]
    ids: Sequence[str]
    right: Codes
    """True class of every text, -1 where there is none."""
    seed: int

    def measurements(self, sites: Sequence[Erasure]) -> list[Measurement]:
        """All measurements of the places where the attribute was erased."""
        measurements: list[Measurement] = []
        for site in sites:
            measurements += self._read(site)
            measurements += self._gaps(site, len(sites))
            measurements += self._changed(site)
            measurements += self._instead(site)
            measurements += self._rates(site)
            measurements += self._accuracy(site)
        return self._tested(measurements, sites)

    def cases(self, sites: Sequence[Erasure], shown: Sequence[int]) -> list[ErasedCase]:
        """Decisions about the texts that the report shows, by place of erasure."""
        at = {row: i for i, row in enumerate(self.rows)}
        return [self._case(sites, at[row]) for row in shown if row in at]

    def _case(self, sites: Sequence[Erasure], i: int) -> ErasedCase:
        plain = sites[0].plain[i]
        return ErasedCase(
            id=self.ids[i],
            attribute=sites[0].attribute,
            decision=self.names[plain],
            sites=tuple(site.about.site for site in sites),
            decisions=tuple(self.names[site.after[i]] for site in sites),
            changed_at_random=tuple(float((site.random[:, i] != plain).mean()) for site in sites),
        )

    def _tested(
        self, measurements: Sequence[Measurement], sites: Sequence[Erasure]
    ) -> list[Measurement]:
        """Effects at single layers with p, against the largest of a random subspace at any layer.

        At several layers together there are too few random draws for a p.
        """
        single = [site for site in sites if site.about.layers is None]
        narrowed = [self._narrowed(site) for site in single]
        p = beyond_control_p(
            np.array([own for own, _ in narrowed]), np.stack([random for _, random in narrowed])
        )
        of = {site.about: float(x) for site, x in zip(single, p, strict=True)}
        family = f"erasing {single[0].attribute} at {len(single)} layers"
        draws = len(narrowed[0][1])
        test = f"; p: the largest effect of each of {draws} random subspaces at any layer"
        return [
            m.model_copy(
                update={
                    "p": of[m.about],
                    "q": of[m.about],
                    "family": family,
                    "method": m.method + test,
                }
            )
            if m.name == "erasure_effect" and m.about in of
            else m
            for m in measurements
        ]

    def _narrowed(self, site: Erasure) -> tuple[float, Floats]:
        """How far erasing the attribute narrows the gap, and how far each random subspace does."""
        decided = np.vstack([site.plain, site.after, site.random]) == self.favourable
        rates = np.stack(
            [decided[:, site.concept == i].mean(axis=1) for i in range(len(self.groups))]
        )
        gaps = np.ptp(rates, axis=0)
        return float(gaps[0] - gaps[1]), gaps[0] - gaps[2:]

    def _read(self, site: Erasure) -> list[Measurement]:
        """What fresh probes read after erasure."""
        concept = site.concept
        readings = {
            "probe_after_erasure": site.read,
            "nonlinear_probe_after_erasure": site.read_nonlinear,
        }
        hits = np.stack([read == concept for read in readings.values()], axis=1)
        means = intervals.group_means(hits.astype(float), concept, seed=self.seed)
        return [
            Measurement.of(
                name,
                intervals.spread(
                    float(means.point[:, i].mean()), means.draws[..., i].mean(axis=-1)
                ),
                len(concept),
                METHOD_PROBE,
                site.about,
            )
            for i, name in enumerate(readings)
        ]

    def _gaps(self, site: Erasure, sites: int) -> list[Measurement]:
        """The gap before and after erasure and with random subspaces erased, and the effect."""
        concept, n, draws = site.concept, len(site.concept), len(site.random)
        every = np.vstack([site.plain, site.after, site.random, site.unrelated])
        selected = (every == self.favourable).T
        means = intervals.group_means(selected.astype(float), concept, seed=self.seed)
        tables = [_table(column, concept) for column in selected[:, : 2 + draws].T]
        before, after, *random = (group_rates.largest_gap(table) for table in tables)
        smallest = random[int(_gap(means.point)[2 : 2 + draws].argmin())]
        of_draws = f"smallest of {draws} random subspaces, its own interval; {LARGEST_GAP}"
        jointly = intervals.bonferroni(0.95, sites)
        effect = intervals.percentile(means, partial(_effect, draws=draws), level=jointly)
        effect = _never_certain(effect, selected[:, 1], selected[:, 2 : 2 + draws].T, n)
        measured = {
            "gap_before": (before, LARGEST_GAP),
            "gap_after_erasure": (after, LARGEST_GAP),
            "gap_after_random": (group_rates.mean_gap(tables[2:]), METHOD_MEAN_GAP),
            "gap_after_random_smallest": (smallest, of_draws),
            "erasure_effect": (effect, f"{METHOD_EFFECT}; 95 % jointly over {sites} places"),
        }
        return [
            Measurement.of(name, interval, n, method, site.about)
            for name, (interval, method) in measured.items()
        ]

    def _changed(self, site: Erasure) -> list[Measurement]:
        """Share of decisions that change, with the attribute erased and with random subspaces."""
        n, at = len(site.concept), site.about
        moved = (site.random != site.plain).mean(axis=0)
        own = intervals.share(site.after != site.plain)
        random = intervals.bootstrap_mean(moved, seed=self.seed, bounds=(0.0, 1.0))
        return [
            Measurement.of("decisions_changed", own, n, intervals.SHARE, at),
            Measurement.of("decisions_changed_random", random, n, intervals.MEAN, at),
        ]

    def _instead(self, site: Erasure) -> list[Measurement]:
        """The gap with something unrelated erased, which should leave it whole."""
        return [
            Measurement.of(
                "gap_after_unrelated",
                group_rates.largest_gap(_table(decided == self.favourable, site.concept)),
                len(site.concept),
                LARGEST_GAP,
                site.about.model_copy(update={"erased": name}),
            )
            for name, decided in zip(site.instead, site.unrelated, strict=True)
        ]

    def _rates(self, site: Erasure) -> list[Measurement]:
        """Change of each group's selection rate, after minus before."""
        before, after = site.plain == self.favourable, site.after == self.favourable
        members = [site.concept == i for i in range(len(self.groups))]
        return [
            Measurement.of(
                "selection_change",
                paired_difference(turned(before[own], after[own])),
                int(own.sum()),
                CHANGE,
                site.about.model_copy(update={"group": group}),
            )
            for group, own in zip(self.groups, members, strict=True)
        ]

    def _accuracy(self, site: Erasure) -> list[Measurement]:
        """Accuracy of the same texts before and after erasure, where they have labels."""
        known, at = self.right >= 0, site.about
        if not known.any():
            return []
        n = int(known.sum())
        before, after = ((of == self.right)[known] for of in (site.plain, site.after))
        shares = {"accuracy_before": before, "accuracy_after_erasure": after}
        change = paired_difference(turned(before, after))
        return [
            *[
                Measurement.of(name, intervals.share(hits), n, intervals.SHARE, at)
                for name, hits in shares.items()
            ],
            Measurement.of("accuracy_change", change, n, CHANGE, at),
        ]


def _table(selected: NDArray[np.bool_], concept: Codes) -> dict[str, Count]:
    return group_rates.counts(selected, concept.astype(np.str_))


def _gap(rates: Floats) -> Floats:
    """Largest minus smallest rate over groups, [.., groups, columns] -> [.., columns]."""
    return np.asarray(rates.max(axis=-2) - rates.min(axis=-2))


def _effect(rates: Floats, *, draws: int) -> Floats:
    """Mean gap after random erasures minus that after the attribute's own."""
    gaps = _gap(rates)
    return np.asarray(gaps[..., 2 : 2 + draws].mean(axis=-1) - gaps[..., 1])


def _never_certain(
    interval: intervals.Interval, after: NDArray[np.bool_], random: NDArray[np.bool_], n: int
) -> intervals.Interval:
    """The interval; by the rule of three where no decision differs, as draws have no spread."""
    if (random != after).any():
        return interval
    most = intervals.unseen(n)
    return intervals.Interval(interval.value, interval.value - most, interval.value + most)
