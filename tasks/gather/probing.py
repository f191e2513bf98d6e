"""Can a protected attribute be read inside the subject, and is it used?

Two rounds of shards. The first keeps one state per layer and text. The second, one shard per
attribute and layer, fits erasers and probes on those states and runs the subject on with the
attribute erased. Three folds take turns: one fits the eraser, one trains the probe, one is
tested on; so no number is taken from texts that anything was fitted on.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.dataset import MISSING
from tasks.gather.inputs import batches, cut, read_all, records, rows_of, shard, subject_of
from tasks.measures import erasure, probing, stats
from tasks.measures.erasure import Eraser
from tasks.measures.lens import captured, edited
from tasks.plan import Plan
from tasks.schema import About, Evidence, Measurement, TooSmall
from tasks.shards import Payload, ShardRef, StoredShard, read_payload
from tasks.spec import ProbingCheck
from tasks.subject import Batch, Subject

PER_SHARD = 200
METHOD_PROBE = "held-out balanced accuracy over three folds, bootstrap within groups"
METHOD_GAP = "largest gap between groups, paired bootstrap within groups"

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]


# --- first round: states ------------------------------------------------------------------


def state_shards(plan: Plan, check: ProbingCheck) -> list[ShardRef]:
    """Shards that keep the states of a random sample of rows."""
    return cut(plan, check, "states", plan.rows_of(check), PER_SHARD, pooling=check.pooling)


def measure_states(ref: ShardRef, _: Path) -> Payload:
    """One state per layer and text, float32 [layers + 1, texts, d]."""
    subject, texts = subject_of(ref), rows_of(ref)
    rendered = [subject.render(row.text) for row in texts]
    found: list[Tensor] = [torch.empty(0)] * len(texts)
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            with captured(subject.blocks) as states:
                subject.scores(batch)
            pooled = torch.stack(
                [_pooled(subject, batch, h, ref.option("pooling")) for h in states]
            )
            for row, position in enumerate(positions):
                found[position] = pooled[:, row].float().cpu()
    return Payload({"states": torch.stack(found, dim=1).numpy()}, [])


def _pooled(subject: Subject, batch: Batch, hidden: Tensor, pooling: str) -> Tensor:
    """One state per text, [texts, d]."""
    if pooling == "mean":
        weight = batch.mask.unsqueeze(-1).to(hidden.dtype)
        return batch.merged((hidden * weight).sum(1) / weight.sum(1))
    rows = torch.arange(len(hidden), device=hidden.device)
    return batch.merged(hidden[rows, subject.head_position(batch)])


# --- second round: probes and erasure -----------------------------------------------------


def probe_shards(
    plan: Plan, check: ProbingCheck, store: Path, stored: Sequence[StoredShard]
) -> list[ShardRef]:
    """One shard per attribute and layer that can be probed."""
    layers = len(read_payload(store, stored[0]).arrays["states"]) if stored else 0
    states = [s.model_dump() for s in stored]
    return [
        shard(
            plan,
            plan.spec.subject_of(check),
            "probing",
            rows,
            attribute=attribute,
            layer=layer,
            pooling=check.pooling,
            random_subspaces=check.random_subspaces,
            states=states,
            sampled=plan.rows_of(check),
        )
        for attribute in plan.spec.attributes_of(check)
        for layer in range(layers)
        if len(rows := _usable(plan, check, attribute)[0]) > 0
    ]


def measure_probes(ref: ShardRef, store: Path) -> Payload:
    """What probes read at one layer, and the decisions once the attribute is erased there."""
    subject, texts = subject_of(ref), rows_of(ref)
    attribute, layer, seed = ref.option("attribute"), ref.option("layer"), ref.data.seed
    concept = np.array([row.groups[attribute] for row in texts], dtype=np.str_)
    states = _states(ref, store)[layer]
    fold = probing.three_folds(concept, seed=seed)
    arrays = {
        name: np.empty(len(texts), dtype=object)
        for name in ("read", "control", "erased", "nonlinear")
    }
    draws = ref.option("random_subspaces")
    rendered = [subject.render(row.text) for row in texts]
    plain = _decide(subject, rendered, None, ref)
    after = np.empty_like(plain)
    random = np.empty((draws, len(texts)), dtype=plain.dtype)
    for turn in range(3):
        fits, trains, tests = (fold == (turn + k) % 3 for k in range(3))
        eraser = erasure.leace(states[fits], concept[fits])
        shuffled = probing.control_labels(concept[trains], seed=seed + turn)
        clean = eraser(torch.from_numpy(states)).numpy()
        x, y = states[trains], concept[trains]
        arrays["read"][tests] = probing.linear_probe(x, y, states[tests])
        arrays["control"][tests] = probing.linear_probe(x, shuffled, states[tests])
        arrays["erased"][tests] = probing.linear_probe(clean[trains], y, clean[tests])
        arrays["nonlinear"][tests] = probing.nonlinear_probe(
            clean[trains], y, clean[tests], seed=seed
        )
        tested = [rendered[i] for i in np.flatnonzero(tests)]
        after[tests] = _decide(subject, tested, eraser, ref)
        for draw in range(draws):
            other = erasure.random_eraser(states[fits], eraser.rank, seed=seed + 31 * turn + draw)
            random[draw, tests] = _decide(subject, tested, other, ref)
    coded, names = _coded(arrays, concept)
    return Payload(
        {**coded, "plain": plain, "after": after, "random": random},
        [{"attribute": attribute, "layer": layer, "groups": names}],
    )


def _states(ref: ShardRef, store: Path) -> Floats:
    """States of the shard's rows, float64 [layers + 1, texts, d]."""
    stored = [StoredShard.model_validate(s) for s in ref.option("states")]
    whole = np.concatenate([p.arrays["states"] for p in read_all(store, stored)], axis=1)
    place = {row: i for i, row in enumerate(ref.option("sampled"))}
    return whole[:, [place[row] for row in ref.rows]].astype(np.float64)


def _decide(
    subject: Subject, rendered: list[str], eraser: Eraser | None, ref: ShardRef
) -> NDArray[np.int64]:
    """Class decided for every text, with the attribute erased at the shard's layer or not."""
    found = np.empty(len(rendered), dtype=np.int64)
    layer, pooling = ref.option("layer"), ref.option("pooling")
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            if eraser is None:
                scores = subject.scores(batch)
            else:
                edit = partial(_erase, eraser, subject.head_position(batch), pooling)
                with edited(subject.blocks, layer, edit):
                    scores = subject.scores(batch)
            found[positions] = batch.merged(scores).argmax(dim=-1).cpu().numpy()
    return found


def _erase(eraser: Eraser, head: Tensor, pooling: str, hidden: Tensor) -> Tensor:
    """Erase where the state was taken: at the head's position, or at every position."""
    if pooling == "mean":
        return eraser(hidden)
    changed = hidden.clone()
    rows = torch.arange(len(hidden), device=hidden.device)
    changed[rows, head] = eraser(hidden[rows, head])
    return changed


def _coded(
    arrays: dict[str, NDArray[Any]], concept: Strings
) -> tuple[dict[str, NDArray[np.int64]], list[str]]:
    """Group names as numbers, so that they can be stored as arrays."""
    names = sorted(set(concept))
    code = {name: i for i, name in enumerate(names)}
    coded = {
        key: np.array([code[v] for v in values], dtype=np.int64) for key, values in arrays.items()
    }
    coded["concept"] = np.array([code[v] for v in concept], dtype=np.int64)
    return coded, names


# --- evidence -----------------------------------------------------------------------------


def evidence(
    plan: Plan, check: ProbingCheck, store: Path, stored: Sequence[StoredShard]
) -> Evidence:
    """Probes, erasure and their controls, for every attribute at every layer."""
    payloads = read_all(store, stored)
    favourable = plan.spec.data.favourable
    hoped = plan.labels(plan.spec.subject_of(check)).index(str(favourable))
    measurements: list[Measurement] = []
    named: list[Any] = records(payloads)
    for payload, about in zip(payloads, named, strict=True):
        layers = sum(other["attribute"] == about["attribute"] for other in named)
        at = About(attribute=about["attribute"], layer=about["layer"])
        measurements += _probe_measurements(payload, at, plan.spec.seed)
        measurements += _gap_measurements(payload, at, hoped, layers, plan.spec.seed)
    too_small = [s for a in plan.spec.attributes_of(check) for s in _usable(plan, check, a)[1]]
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        too_small=tuple(too_small),
        notes=("Erasure effects hold jointly over the layers of an attribute (Bonferroni).",),
    )


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


def _probe_measurements(payload: Payload, at: About, seed: int) -> list[Measurement]:
    concept = payload.arrays["concept"]
    strata = concept.astype(str)

    def accuracy(name: str, rows: NDArray[np.int64]) -> float:
        hits = payload.arrays[name][rows] == concept[rows]
        return float(np.mean([hits[concept[rows] == g].mean() for g in np.unique(concept)]))

    def selectivity(rows: NDArray[np.int64]) -> float:
        return accuracy("read", rows) - accuracy("control", rows)

    measured = {
        "probe_accuracy": partial(accuracy, "read"),
        "control_accuracy": partial(accuracy, "control"),
        "selectivity": selectivity,
        "probe_after_erasure": partial(accuracy, "erased"),
        "nonlinear_probe_after_erasure": partial(accuracy, "nonlinear"),
    }
    return [
        Measurement.of(
            name, stats.bootstrap(value, strata, seed=seed), len(concept), METHOD_PROBE, at
        )
        for name, value in measured.items()
    ]


def _gap_measurements(
    payload: Payload, at: About, hoped: int, layers: int, seed: int
) -> list[Measurement]:
    concept = payload.arrays["concept"]
    strata, n = concept.astype(str), len(concept)
    plain, after = payload.arrays["plain"] == hoped, payload.arrays["after"] == hoped
    random = payload.arrays["random"] == hoped

    def gap(selected: NDArray[np.bool_], rows: NDArray[np.int64]) -> float:
        of = [selected[rows][concept[rows] == g].mean() for g in np.unique(concept)]
        return float(max(of) - min(of))

    def after_random(rows: NDArray[np.int64]) -> float:
        return float(np.mean([gap(draw, rows) for draw in random]))

    def effect(rows: NDArray[np.int64]) -> float:
        return after_random(rows) - gap(after, rows)

    measured = {
        "gap_before": partial(gap, plain),
        "gap_after_erasure": partial(gap, after),
        "gap_after_random": after_random,
    }
    found = [
        Measurement.of(name, stats.bootstrap(value, strata, seed=seed), n, METHOD_GAP, at)
        for name, value in measured.items()
    ]
    joint = stats.bonferroni(0.95, layers)
    interval = stats.bootstrap(effect, strata, seed=seed, level=joint)
    found.append(
        Measurement.of(
            "erasure_effect",
            _never_certain(interval, after, random, n),
            n,
            f"{METHOD_GAP}; 95 % jointly over {layers} layers",
            at,
        )
    )
    changed = after != plain
    found.append(Measurement.of("decisions_changed", stats.share(changed), n, stats.SHARE, at))
    moved = (random != plain).mean(axis=0)
    found.append(
        Measurement.of(
            "decisions_changed_random",
            stats.bootstrap_mean(moved, seed=seed),
            n,
            stats.MEAN,
            at,
        )
    )
    return found


def _never_certain(
    interval: stats.Interval, after: NDArray[np.bool_], random: NDArray[np.bool_], n: int
) -> stats.Interval:
    """Where no decision differs the bootstrap sees no spread; the rule of three bounds it."""
    if (random != after).any():
        return interval
    most = stats.unseen(n)
    return stats.Interval(interval.value, interval.value - most, interval.value + most)
