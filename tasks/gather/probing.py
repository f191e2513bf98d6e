"""Can a protected attribute be read inside the subject, and is it used?

Two rounds of shards. The first keeps one state per layer and text. The second reads those states
with probes, many layers at a time, and erases every attribute at every layer while the subject
runs on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.checks import ProbingCheck
from tasks.dataset import MISSING
from tasks.gather.inputs import cut, read_all, shard
from tasks.gather.read import METHOD_PROBE, read_measurements
from tasks.measures import stats
from tasks.plan import Plan
from tasks.schema import About, Evidence, Measurement, TooSmall
from tasks.shards import Payload, ShardRef, StoredShard, read_payload

PER_SHARD = 200
CELLS = 1 << 26  # numbers in the states of one shard of probes: a quarter of a gigabyte
METHOD_GAP = "largest gap between groups, paired bootstrap within groups"

Floats = NDArray[np.float64]


def state_shards(plan: Plan, check: ProbingCheck) -> list[ShardRef]:
    """Shards that keep the states of a random sample of rows."""
    return cut(plan, check, "states", plan.rows_of(check), PER_SHARD, poolings=check.poolings)


def probe_shards(
    plan: Plan, check: ProbingCheck, store: Path, stored: Sequence[StoredShard]
) -> list[ShardRef]:
    """Shards that read some layers of one pooling, and one per attribute and layer that erases."""
    usable = {a: _usable(plan, check, a)[0] for a in plan.spec.attributes_of(check)}
    usable = {attribute: rows for attribute, rows in usable.items() if rows}
    if not usable or not stored:
        return []
    size: Any = read_payload(store, stored[0]).records[0]
    subject, layers = plan.spec.subject_of(check), size["layers"]
    common: dict[str, Any] = {
        "states": [s.model_dump() for s in stored],
        "sampled": plan.rows_of(check),
    }
    union = sorted({row for rows in usable.values() for row in rows})
    groups = {a: sorted({str(g) for g in plan.data.group(a)[rows]}) for a, rows in usable.items()}
    step = max(1, CELLS // (len(union) * size["width"]))
    reading = [
        shard(
            plan,
            subject,
            "probing",
            union,
            attributes=groups,
            pooling=pooling,
            layers=[first, min(first + step, layers)],
            **common,
        )
        for pooling in check.poolings
        for first in range(0, layers, step)
    ]
    erasing = [
        shard(
            plan,
            subject,
            "erasure",
            rows,
            attribute=attribute,
            layer=layer,
            pooling=check.pooling,
            random_subspaces=check.random_subspaces,
            **common,
        )
        for attribute, rows in usable.items()
        for layer in range(layers)
    ]
    return [*reading, *erasing]


def evidence(
    plan: Plan, check: ProbingCheck, store: Path, stored: Sequence[StoredShard]
) -> Evidence:
    """Probes, erasure and their controls, for every attribute at every layer."""
    payloads, seed = read_all(store, stored), plan.spec.seed
    favourable = plan.spec.data.favourable
    hoped = plan.labels(plan.spec.subject_of(check)).index(str(favourable))
    reading = [p for p in payloads if "pooling" in p.records[0]]
    erasing = [p for p in payloads if "pooling" not in p.records[0]]
    measurements = read_measurements(reading, check.pooling, seed=seed)
    named: list[Any] = [p.records[0] for p in erasing]
    for payload, about in zip(erasing, named, strict=True):
        layers = sum(other["attribute"] == about["attribute"] for other in named)
        at = About(attribute=about["attribute"], layer=about["layer"])
        measurements += _erased_measurements(payload, at, seed)
        measurements += _gap_measurements(payload, at, hoped, layers, seed)
        rows, _ = _usable(plan, check, about["attribute"])
        measurements += _accuracy_measurements(payload, at, _right(plan, check, rows))
    too_small = [s for a in plan.spec.attributes_of(check) for s in _usable(plan, check, a)[1]]
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        too_small=tuple(too_small),
        notes=(
            "Erasure effects hold jointly over the layers of an attribute (Bonferroni).",
            *_notes(measurements),
        ),
    )


def _notes(measurements: Sequence[Measurement]) -> list[str]:
    """Where erasure was incomplete, and where nothing that is done to the state shows."""
    found = []
    for attribute in dict.fromkeys(str(m.about.attribute) for m in measurements):
        # states that are read only are not erased
        of = [
            m for m in measurements if m.about.attribute == attribute and m.about.position is None
        ]
        read = {m.about.layer: m for m in of if m.name == "probe_after_erasure"}
        chance = {m.about.layer: m for m in of if m.name == "control_accuracy"}
        left = [
            str(layer)
            for layer, m in read.items()
            if m.low is not None and m.low > max(chance[layer].value, chance[layer].high or 0.0)
        ]
        if left:
            found.append(
                f"{attribute}: a fresh linear probe still reads it after erasure at layer "
                f"{', '.join(left)}; erasure, fitted on a third of the texts, is incomplete there, "
                "and its effect on the decisions at least what is shown."
            )
        moved = {
            layer: sum(m.value for m in of if m.about.layer == layer and "changed" in m.name)
            for layer in read
        }
        still = [str(layer) for layer, share in moved.items() if share == 0]
        if still:
            found.append(
                f"{attribute}: at layer {', '.join(still)} no erasure, of the attribute or at "
                "random, changes any decision; what is read there has no visible part in them."
            )
    return found


def _right(plan: Plan, check: ProbingCheck, rows: Sequence[int]) -> NDArray[np.int64]:
    """Index of the true class of every row; -1 where there is no label."""
    labels = plan.labels(plan.spec.subject_of(check))
    of = plan.data.labels()[list(rows)]
    return np.array([labels.index(name) if name in labels else -1 for name in of], dtype=np.int64)


def _usable(plan: Plan, check: ProbingCheck, attribute: str) -> tuple[list[int], list[TooSmall]]:
    """Sampled rows of groups that are large enough, and the groups that are not."""
    rows = plan.rows_of(check)
    group = plan.data.group(attribute)[rows]
    sizes = {str(g): int((group == g).sum()) for g in np.unique(group) if g != MISSING}
    least = plan.spec.data.minimum_group
    small = [TooSmall(attribute=attribute, group=g, n=n) for g, n in sizes.items() if n < least]
    large = [g for g, n in sizes.items() if n >= least]
    kept = [row for row, g in zip(rows, group, strict=True) if g in large]
    return (kept if len(large) > 1 else []), small


def _erased_measurements(payload: Payload, at: About, seed: int) -> list[Measurement]:
    """What fresh probes read after erasure."""
    concept = payload.arrays["concept"]
    names = {"probe_after_erasure": "erased", "nonlinear_probe_after_erasure": "forest"}
    hits = np.stack([payload.arrays[name] == concept for name in names.values()], axis=1)
    means = stats.group_means(hits.astype(float), concept, seed=seed)
    return [
        Measurement.of(
            name,
            stats.spread(float(means.point[:, i].mean()), means.draws[..., i].mean(axis=-1)),
            len(concept),
            METHOD_PROBE,
            at,
        )
        for i, name in enumerate(names)
    ]


def _gap_measurements(
    payload: Payload, at: About, hoped: int, layers: int, seed: int
) -> list[Measurement]:
    concept = payload.arrays["concept"]
    n = len(concept)
    plain: NDArray[np.int64] = payload.arrays["plain"]
    after: NDArray[np.int64] = payload.arrays["after"]
    random: NDArray[np.int64] = payload.arrays["random"]
    selected = np.isin(np.vstack([plain, after, random]).T, [hoped])
    means = stats.group_means(selected.astype(float), concept, seed=seed)

    def gaps(of: Floats) -> Floats:
        return np.asarray(of.max(axis=-2) - of.min(axis=-2))

    def effect(of: Floats) -> Floats:
        return np.asarray(gaps(of)[..., 2:].mean(axis=-1) - gaps(of)[..., 1])

    random_gap = stats.percentile(means, lambda of: gaps(of)[..., 2:].mean(axis=-1))
    found = [
        Measurement.of("gap_before", _gap(means, 0), n, METHOD_GAP, at),
        Measurement.of("gap_after_erasure", _gap(means, 1), n, METHOD_GAP, at),
        Measurement.of("gap_after_random", random_gap, n, METHOD_GAP, at),
    ]
    interval = stats.percentile(means, effect, level=stats.bonferroni(0.95, layers))
    interval = _never_certain(interval, selected[:, 1], selected[:, 2:].T, n)
    method = f"{METHOD_GAP}; 95 % jointly over {layers} layers"
    found.append(Measurement.of("erasure_effect", interval, n, method, at))
    changed, moved = after != plain, (random != plain).mean(axis=0)
    return [
        *found,
        Measurement.of("decisions_changed", stats.share(changed), n, stats.SHARE, at),
        Measurement.of(
            "decisions_changed_random",
            stats.bootstrap_mean(moved, seed=seed, bounds=(0.0, 1.0)),
            n,
            stats.MEAN,
            at,
        ),
    ]


def _gap(means: stats.GroupMeans, column: int) -> stats.Interval:
    """Largest minus smallest selection rate of one column.

    For two groups the signed difference is bootstrapped and folded at zero, since the percentiles
    of an absolute value can never reach it.
    """
    if len(means.point) == 2:
        return stats.folded(
            stats.percentile(means, lambda of: of[..., 0, column] - of[..., 1, column])
        )
    return stats.percentile(means, lambda of: np.asarray(np.ptp(of[..., column], axis=-1)))


def _accuracy_measurements(
    payload: Payload, at: About, right: NDArray[np.int64]
) -> list[Measurement]:
    """Accuracy of the same texts before and after erasure, where they have labels."""
    known = right >= 0
    if not known.any():
        return []
    return [
        Measurement.of(
            name,
            stats.share((payload.arrays[column] == right)[known]),
            int(known.sum()),
            stats.SHARE,
            at,
        )
        for name, column in (("accuracy_before", "plain"), ("accuracy_after_erasure", "after"))
    ]


def _never_certain(
    interval: stats.Interval, after: NDArray[np.bool_], random: NDArray[np.bool_], n: int
) -> stats.Interval:
    """Where no decision differs the bootstrap sees no spread; the rule of three bounds it."""
    if (random != after).any():
        return interval
    most = stats.unseen(n)
    return stats.Interval(interval.value, interval.value - most, interval.value + most)
