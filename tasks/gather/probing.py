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
from tasks.measures.lens import captured, edited, recorded, resumed
from tasks.plan import Plan
from tasks.schema import About, Evidence, Measurement, TooSmall
from tasks.shards import Payload, ShardRef, StoredShard, read_payload
from tasks.spec import ProbingCheck
from tasks.subject import Batch, Subject

PER_SHARD = 200
CONTROLS = 10
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
                [
                    _pooled(subject, batch, hidden, whole_text(ref.option("pooling"), layer))
                    for layer, hidden in enumerate(states)
                ]
            )
            for row, position in enumerate(positions):
                found[position] = pooled[:, row].float().cpu()
    return Payload({"states": torch.stack(found, dim=1).numpy()}, [])


def whole_text(pooling: str, layer: int) -> bool:
    """Whether a layer is read, and erased, over all tokens instead of where the head reads.

    At the embedding the head's position is the same for every text and carries nothing.
    """
    return pooling == "mean" or layer == 0


def _pooled(subject: Subject, batch: Batch, hidden: Tensor, whole: bool) -> Tensor:
    """One state per text, [texts, d]."""
    if whole:
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
    arrays = {name: np.empty(len(texts), dtype=object) for name in ("read", "erased", "nonlinear")}
    control = np.empty((CONTROLS, len(texts)), dtype=np.bool_)
    draws = ref.option("random_subspaces")
    erasers: list[list[Eraser]] = []
    for turn in range(3):
        fits, trains, tests = (fold == (turn + k) % 3 for k in range(3))
        eraser = erasure.leace(states[fits], concept[fits])
        erasers.append([eraser])
        erasers[-1] += [
            erasure.random_eraser(states[fits], eraser.rank, seed=seed + 31 * turn + draw)
            for draw in range(draws)
        ]
        clean = eraser(torch.from_numpy(states)).numpy()
        x, y = states[trains], concept[trains]
        arrays["read"][tests] = probing.linear_probe(x, y, states[tests])
        control[:, tests] = _control_hits(x, y, states[tests], concept[tests], seed + turn)
        arrays["erased"][tests] = probing.linear_probe(clean[trains], y, clean[tests])
        arrays["nonlinear"][tests] = probing.nonlinear_probe(
            clean[trains], y, clean[tests], seed=seed
        )
    decisions = np.empty((draws + 2, len(texts)), dtype=np.int64)
    for turn in range(3):
        tested = np.flatnonzero(fold == (turn + 2) % 3)
        rendered = [subject.render(texts[i].text) for i in tested]
        decisions[:, tested] = _decide(subject, rendered, erasers[turn], ref)
    coded, names = _coded(arrays, concept)
    return Payload(
        {
            **coded,
            "control": control,
            "plain": decisions[0],
            "after": decisions[1],
            "random": decisions[2:],
        },
        [{"attribute": attribute, "layer": layer, "groups": names}],
    )


def _control_hits(
    train: Floats, concept: Strings, test: Floats, truth: Strings, seed: int
) -> NDArray[np.bool_]:
    """Where control probes, each trained on its own shuffled labels, are right, [draws, texts].

    Several, because one random labelling can by luck line up with what the states encode.
    """
    return np.stack(
        [
            probing.linear_probe(train, probing.control_labels(concept, seed=seed + 3 * d), test)
            == truth
            for d in range(CONTROLS)
        ]
    )


def _states(ref: ShardRef, store: Path) -> Floats:
    """States of the shard's rows, float64 [layers + 1, texts, d]."""
    stored = [StoredShard.model_validate(s) for s in ref.option("states")]
    whole = np.concatenate([p.arrays["states"] for p in read_all(store, stored)], axis=1)
    place = {row: i for i, row in enumerate(ref.option("sampled"))}
    return whole[:, [place[row] for row in ref.rows]].astype(np.float64)


def _decide(
    subject: Subject, rendered: list[str], erasers: Sequence[Eraser], ref: ShardRef
) -> NDArray[np.int64]:
    """Class decided for every text: untouched, then with each eraser, [erasers + 1, texts].

    Blocks below the layer are computed once and answer the same for every eraser.
    """
    found = np.empty((len(erasers) + 1, len(rendered)), dtype=np.int64)
    layer = ref.option("layer")
    whole = whole_text(ref.option("pooling"), layer)
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            with recorded(subject.blocks) as outputs:
                scores = [subject.scores(batch)]
            for eraser in erasers:
                edit = partial(_erase, eraser, subject.head_position(batch), whole)
                with resumed(subject.blocks, layer, outputs), edited(subject.blocks, layer, edit):
                    scores.append(subject.scores(batch))
            merged = torch.stack([batch.merged(s).argmax(dim=-1) for s in scores])
            found[:, positions] = merged.cpu().numpy()
    return found


def _erase(eraser: Eraser, head: Tensor, whole: bool, hidden: Tensor) -> Tensor:
    """Erase where the state was taken: at every position, or at the head's."""
    if whole:
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
        of = [m for m in measurements if m.about.attribute == attribute]
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


def _probe_measurements(payload: Payload, at: About, seed: int) -> list[Measurement]:
    concept = payload.arrays["concept"]
    names = ("read", "erased", "nonlinear")
    hits = [payload.arrays[name] == concept for name in names]
    columns = np.vstack([*hits, payload.arrays["control"]]).T.astype(float)
    means = stats.group_means(columns, concept, seed=seed)
    drawn, accuracy = means.draws.mean(axis=-2), means.point.mean(axis=0)
    controls = accuracy[len(names) :]
    # a control's luck is that of its labelling, so labellings are drawn anew with the texts
    weight = np.random.default_rng(seed).multinomial(
        len(controls), np.full(len(controls), 1 / len(controls)), size=len(drawn)
    ) / len(controls)
    by_luck, control = (drawn[:, len(names) :] * weight).sum(axis=1), float(controls.mean())
    measured = {
        "probe_accuracy": (accuracy[0], drawn[:, 0]),
        "control_accuracy": (control, by_luck),
        "selectivity": (accuracy[0] - control, drawn[:, 0] - by_luck),
        "probe_after_erasure": (accuracy[1], drawn[:, 1]),
        "nonlinear_probe_after_erasure": (accuracy[2], drawn[:, 2]),
    }
    return [
        Measurement.of(name, stats.spread(float(point), draws), len(concept), METHOD_PROBE, at)
        for name, (point, draws) in measured.items()
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
