"""At which layer does the decision form, and where does an exchanged field move it?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.gather.inputs import batches, cut, dataset_of, read_all, records, rows_of, subject_of
from tasks.measures import stats
from tasks.measures.lens import formation_layer, read_layers
from tasks.plan import Plan
from tasks.schema import About, Evidence, LayerReading, Measurement
from tasks.shards import Payload, ShardRef, StoredShard
from tasks.spec import LocalisationCheck, Swap
from tasks.subject import Subject
from tasks.swap import exchange

PER_SHARD = 100
SAME = 0.98  # share of texts read alike from which on a layer reads nothing


def rows(plan: Plan, check: LocalisationCheck, cases: Sequence[int]) -> list[int]:
    """The random sample that is counted, then the cases that are only shown."""
    sample = plan.rows_of(check)
    return sample + [case for case in cases if case not in set(sample)]


def shards(plan: Plan, check: LocalisationCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Shards over the rows that are read."""
    swap = check.swap.model_dump() if check.swap else None
    return cut(plan, check, "localisation", rows(plan, check, cases), PER_SHARD, swap=swap)


def measure(ref: ShardRef, _: Path) -> Payload:
    """Class and probabilities read at every layer, plain and with the field exchanged."""
    subject, texts = subject_of(ref), rows_of(ref)
    plain = [subject.render(row.text) for row in texts]
    classes, final, favourable = _readings(subject, plain, ref.data.spec.favourable)
    arrays = {"classes": classes, "final": final}
    swap = ref.option("swap")
    if swap is not None:
        exchanged = {
            e.position: e.text
            for e in exchange(dataset_of(ref).rows, Swap(**swap), seed=ref.data.seed)
        }
        moved = [i for i, position in enumerate(ref.rows) if position in exchanged]
        change = np.full(final.shape, np.nan)
        if moved:
            other = [subject.render(exchanged[ref.rows[i]]) for i in moved]
            after = _readings(subject, other, ref.data.spec.favourable)[2]
            change[:, moved] = np.abs(after - favourable[:, moved])
        arrays["change"] = change
    named = [
        {"id": row.id, "target": subject.class_name(int(classes[-1, i]))}
        for i, row in enumerate(texts)
    ]
    return Payload(arrays, named)


def evidence(
    plan: Plan,
    check: LocalisationCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """Agreement with the final decision by layer, formation by subset, swap effect by layer."""
    payloads = read_all(store, stored)
    classes = np.concatenate([p.arrays["classes"] for p in payloads], axis=1)
    final = np.concatenate([p.arrays["final"] for p in payloads], axis=1)
    named: list[Any] = records(payloads)
    positions = rows(plan, check, cases)
    sampled = np.arange(len(plan.rows_of(check)))
    silent = silent_layers(classes[:, sampled])
    formed = np.maximum(formation_layer(classes), silent)
    targets = np.array([r["target"] for r in named], dtype=np.str_)
    measurements = _agreement(classes[:, sampled])
    measurements += _formation(plan, check, positions, formed, targets, sampled)
    if check.swap is not None:
        change = np.concatenate([p.arrays["change"] for p in payloads], axis=1)[:, sampled]
        measurements += _swap_effect(plan, check.swap, change)
    shown = {plan.data.rows[case].id for case in cases}
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        cases=tuple(
            LayerReading(
                id=r["id"],
                target=r["target"],
                probabilities=tuple(min(1.0, float(p)) for p in final[:, i]),
                formed_at=int(formed[i]),
            )
            for i, r in enumerate(named)
            if r["id"] in shown
        ),
        notes=_notes(silent, len(classes)),
    )


def _readings(
    subject: Subject, rendered: list[str], favourable: str | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Per layer and text: class read, probability of the final class, of the favourable one."""
    shape = (subject.layers + 1, len(rendered))
    classes = np.zeros(shape, dtype=np.int64)
    final, hoped = np.zeros(shape), np.zeros(shape)
    index = subject.labels.index(favourable) if favourable in subject.labels else None
    for positions, batch in batches(subject, rendered):
        logits, _ = read_layers(lambda b=batch: subject.scores(b), subject.blocks)  # type: ignore[misc]
        merged = torch.stack([batch.merged(layer) for layer in logits]).double()
        probabilities = merged.softmax(dim=-1)
        best = probabilities.argmax(dim=-1)
        target = best[-1].expand(len(best), -1).unsqueeze(-1)
        of_final = probabilities.gather(-1, target).squeeze(-1)
        classes[:, positions] = best.cpu().numpy()
        final[:, positions] = of_final.cpu().numpy()
        watched = of_final if index is None else probabilities[..., index]
        hoped[:, positions] = watched.cpu().numpy()
    return classes, final, hoped


def _agreement(classes: NDArray[np.int64]) -> list[Measurement]:
    return [
        Measurement.of(
            "agreement_with_final",
            stats.share(layer == classes[-1]),
            classes.shape[1],
            stats.SHARE,
            About(layer=index),
        )
        for index, layer in enumerate(classes)
    ]


def _formation(
    plan: Plan,
    check: LocalisationCheck,
    positions: Sequence[int],
    formed: NDArray[np.int64],
    targets: NDArray[np.str_],
    sampled: NDArray[np.int64],
) -> list[Measurement]:
    """Formation layer over all sampled texts, errors, and unfavourable decisions by group."""
    subsets: dict[str, NDArray[np.bool_]] = {"all": np.ones(len(positions), dtype=np.bool_)}
    labels = plan.data.labels()[list(positions)]
    if plan.spec.data.label is not None and plan.labels(plan.spec.subject_of(check)):
        subsets["errors"] = (labels != targets) & (labels != "")
        subsets["decided as labelled"] = labels == targets
    if plan.spec.data.favourable is not None:
        refused = targets != plan.spec.data.favourable
        for attribute in plan.spec.data.groups:
            group = plan.data.group(attribute)[list(positions)]
            for name in sorted(set(group) - {""}):
                subsets[f"unfavourable, {attribute}={name}"] = refused & (group == name)
    found = []
    for subset, mask in subsets.items():
        values = formed[sampled][mask[sampled]].astype(np.float64)
        if len(values) < 2:
            continue
        interval = stats.bootstrap_mean(
            values, seed=plan.spec.seed, bounds=(0.0, float(formed.max()))
        )
        found.append(
            Measurement.of(
                "formation_layer",
                interval,
                len(values),
                stats.MEAN,
                About(subset=subset),
            )
        )
    return found


def _swap_effect(plan: Plan, swap: Swap, change: NDArray[np.float64]) -> list[Measurement]:
    moved = change[:, ~np.isnan(change[-1])]
    return [
        Measurement.of(
            "swap_effect",
            stats.bootstrap_mean(layer, seed=plan.spec.seed, bounds=(0.0, 1.0)),
            moved.shape[1],
            "mean over pairs of |change of favourable probability|, BCa bootstrap",
            About(field=swap.column, layer=index),
        )
        for index, layer in enumerate(moved)
    ]


def silent_layers(classes: NDArray[np.int64]) -> int:
    """How many of the first layers read the same class for (almost) every text.

    There the lens reads nothing, though it agrees with every final decision of that class.

    Args:
        classes: class read at every layer, [layers + 1, texts].
    """
    read = [np.unique(layer, return_counts=True)[1].max() / len(layer) for layer in classes[:-1]]
    telling = [i for i, most in enumerate(read) if most >= SAME]
    return telling[-1] + 1 if telling else 0


def _notes(silent: int, layers: int) -> tuple[str, ...]:
    if silent == 0:
        return ()
    where = "Layer 0 reads" if silent == 1 else f"Layers 0 to {silent - 1} read"
    if silent == layers - 1:
        where = f"No layer below the last, {layers - 1}, tells texts apart: it reads"
    return (
        f"{where} the same class for at least {SAME:.0%} of the texts; no decision is counted as "
        "formed there, whatever the agreement.",
    )
