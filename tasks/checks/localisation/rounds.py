"""At which layer does the decision form, and where does an exchanged field move it?"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.checks.localisation import formation, patching, patching_maps, tuned_lens
from tasks.checks.localisation.matched_pairs import across, field_tokens, within
from tasks.checks.localisation.patching_evidence import Lens, places
from tasks.definition.checks.localisation import LocalisationCheck
from tasks.definition.checks.swap import Swap
from tasks.measures.localisation.lens import Stage, read_layers, read_positions
from tasks.measures.localisation.patching import log_odds
from tasks.measures.stats import intervals
from tasks.run.inputs import dataset_of, read_all, records, rows_of, shard
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef, StoredShard
from tasks.schema import About, CaseEvidence, Evidence, LayerReading, LensMap, Measurement
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches
from tasks.subjects.local.head_position import head_of, one_position
from tasks.subjects.protocols import Opens

PER_SHARD = 100
DIGITS = 4  # of what is only shown

Classes = NDArray[np.int64]
Floats = NDArray[np.float64]


def rows(plan: Plan, check: LocalisationCheck, cases: Sequence[int]) -> list[int]:
    """The random sample that is counted, then the cases that are only shown."""
    sample = plan.rows_of(check)
    return sample + [case for case in cases if case not in set(sample)]


def shards(plan: Plan, check: LocalisationCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Shards over the rows that are read."""
    swap = check.swap.model_dump() if check.swap else None
    name, wanted = plan.spec.subject_of(check), rows(plan, check, cases)
    chunks = [wanted[start : start + PER_SHARD] for start in range(0, len(wanted), PER_SHARD)]
    return [
        # only its own cases: another choice elsewhere leaves a shard what it was
        shard(plan, name, "localisation", chunk, swap=swap, mapped=sorted({*cases} & {*chunk}))
        for chunk in chunks
    ]


def further_shards(
    plan: Plan,
    check: LocalisationCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> list[ShardRef]:
    """Shards of what rests on the lens's readings: patching, and the tuned lens."""
    found: list[ShardRef] = []
    if check.swap is not None:
        flips = np.concatenate([p.arrays["flips"] for p in read_all(store, stored)])
        wanted = rows(plan, check, cases)
        found += patching.shards(plan, check, wanted, flips)
        found += patching_maps.shards(plan, check, cases, wanted, flips)
    return found + (tuned_lens.shards(plan, check) if check.tuned else [])


def measure(ref: ShardRef, _: Path) -> Payload:
    """Class and probabilities read at every layer, plain and with the field exchanged."""
    subject, texts = opened(ref.subject), rows_of(ref)
    favourable = ref.data.spec.favourable
    index = subject.labels.index(favourable) if favourable in subject.labels else None
    followed = None if index is None else np.full(len(texts), index)
    plain = _readings(subject, [subject.render(row.text) for row in texts], followed)
    arrays = {"classes": plain.classes, "final": plain.final}
    if ref.option("swap") is not None:
        arrays |= _exchanged(ref, subject, plain, followed)
    mapped = ref.option("mapped")
    stage = one_position(subject) if mapped else None
    named: list[dict[str, Any]] = [
        {"id": row.id, "target": subject.class_name(int(decided)), "map": None}
        for row, decided in zip(texts, plain.classes[-1], strict=True)
    ]
    for i, row in enumerate(texts):
        if stage is not None and ref.rows[i] in mapped:
            named[i]["map"] = _map(subject, stage, row.text)
    return Payload(arrays, named)


def evidence(
    plan: Plan,
    check: LocalisationCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """Agreement with the final decision by layer, formation by subset, what an exchange moves."""
    payloads = read_all(store, _of_kind(stored, "localisation"))
    classes = np.concatenate([p.arrays["classes"] for p in payloads], axis=1)
    final = np.concatenate([p.arrays["final"] for p in payloads], axis=1)
    named: list[Any] = records(payloads)
    positions = rows(plan, check, cases)
    sampled = len(plan.rows_of(check))
    formed, silent = formation.formed(classes, sampled=sampled)
    targets = np.array([r["target"] for r in named], dtype=np.str_)
    measurements = _agreement(classes[:, :sampled])
    measurements += formation.measurements(
        plan, check, positions[:sampled], formed[:sampled], targets[:sampled], len(classes) - 1
    )
    notes = _notes(silent, len(classes))
    maps: list[CaseEvidence] = [LensMap(id=r["id"], **r["map"]) for r in named if r["map"]]
    if check.tuned:
        fitted = read_all(store, _of_kind(stored, "tuned-lens"))
        measurements += tuned_lens.measurements(fitted, seed=plan.spec.seed)
        notes += tuned_lens.notes(fitted)
    if check.swap is not None:
        joined = {
            name: np.concatenate([p.arrays[name] for p in payloads], axis=-1)
            for name in ("change", "control", "odds", "flips")
        }
        measurements += swap_effects(plan, check.swap, joined, sampled)
        lens = Lens(positions[:sampled], joined["odds"][:, :sampled], joined["flips"][:sampled])
        patched = read_all(store, _of_kind(stored, "patching"))
        found = places(check.swap.column, lens, patched, seed=plan.spec.seed)
        measurements += found.measurements
        notes += found.notes
        maps += patching_maps.maps(read_all(store, _of_kind(stored, "patching-maps")))
    shown = {plan.data.rows[case].id for case in cases}
    readings: list[CaseEvidence] = [
        LayerReading(
            id=r["id"],
            target=r["target"],
            probabilities=tuple(min(1.0, float(p)) for p in final[:, i]),
            formed_at=int(formed[i]),
        )
        for i, r in enumerate(named)
        if r["id"] in shown
    ]
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        cases=(*readings, *maps),
        notes=notes,
    )


class Readings(NamedTuple):
    """What the lens reads, by layer and text, [layers + 1, texts] each."""

    classes: Classes
    final: Floats
    """Probability of the class that is finally decided."""
    followed: Floats
    """Probability of the class that is followed."""
    odds: Floats
    """Log-odds of the class that is followed."""


def _readings(subject: Opens, rendered: Sequence[str], followed: Classes | None) -> Readings:
    """Read some texts; without a class to follow, each text's own decision is followed."""
    shape = (subject.layers + 1, len(rendered))
    found = Readings(np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape), np.zeros(shape))
    for positions, batch in batches(subject, rendered):
        logits, _ = read_layers(lambda b=batch: subject.scores(b), subject.blocks)  # type: ignore[misc]
        merged = torch.stack([batch.merged(layer) for layer in logits]).double()
        probabilities = merged.softmax(dim=-1)
        best = probabilities.argmax(dim=-1)
        own = best[-1]
        wanted = own if followed is None else torch.from_numpy(followed[positions]).to(own.device)
        odds = torch.stack([log_odds(layer, wanted) for layer in merged])
        found.classes[:, positions] = best.cpu().numpy()
        found.final[:, positions] = _of(probabilities, own)
        found.followed[:, positions] = _of(probabilities, wanted)
        found.odds[:, positions] = odds.cpu().numpy()
    return found


def _of(probabilities: Tensor, classes: Tensor) -> Floats:
    index = classes.expand(len(probabilities), -1).unsqueeze(-1)
    found: Floats = probabilities.gather(-1, index).squeeze(-1).cpu().numpy()
    return found


def _exchanged(
    ref: ShardRef, subject: Opens, plain: Readings, followed: Classes | None
) -> dict[str, NDArray[Any]]:
    """What exchanges of the field change, across groups and within them, and whom they flip.

    `change` and `control` are of the followed probability, `odds` of its log-odds, [layers + 1,
    texts]; `flips` is 1 for texts that flip and can be patched, 2 for those that flip and cannot,
    0 for those that do not flip, -1 for those that have nothing to exchange.
    """
    swap, rows, seed = Swap(**ref.option("swap")), dataset_of(ref).rows, ref.data.seed
    if followed is None:
        followed = plain.classes[-1]
    found = {name: np.full(plain.followed.shape, np.nan) for name in ("change", "control", "odds")}
    flips = np.full(len(ref.rows), -1, dtype=np.int64)
    for exchanged, name in (
        (across(rows, swap, seed=seed), "change"),
        (within(rows, swap, seed=seed), "control"),
    ):
        moved = [i for i, position in enumerate(ref.rows) if position in exchanged]
        if not moved:
            continue
        texts = [exchanged[ref.rows[i]].text for i in moved]
        after = _readings(subject, [subject.render(t) for t in texts], followed[moved])
        found[name][:, moved] = after.followed - plain.followed[:, moved]
        if name == "control":
            continue
        found["odds"][:, moved] = after.odds - plain.odds[:, moved]
        flipped = after.classes[-1] != plain.classes[-1, moved]
        for i, text, flip in zip(moved, texts, flipped, strict=True):
            alike = flip and field_tokens(subject, rows[ref.rows[i]], swap, [text]) is not None
            flips[i] = int(flip) + int(flip and not alike)
    return {**found, "flips": flips}


def _map(subject: Opens, stage: Stage, text: str) -> dict[str, Any] | None:
    batch = subject.encode([subject.render(text)])
    if len(batch.ids) > 1:
        return None
    logits, states = read_layers(lambda: subject.scores(batch), subject.blocks)
    target = logits[-1].argmax(dim=-1)
    read = read_positions(stage, states, target, k=1)
    head = head_of(subject, batch)
    tops = []
    if not subject.labels:
        tops = [subject.token_strings(layer) for layer in read.top[:, 0, :, 0]]
    return {
        "target": subject.class_name(int(target[0])),
        "tokens": subject.token_strings(batch.ids[0]),
        "head": None if head is None else int(head[0]),
        "probabilities": np.round(read.watched[:, 0].numpy(), DIGITS).tolist(),
        "tops": tops,
    }


def _agreement(classes: Classes) -> list[Measurement]:
    return [
        Measurement.of(
            "agreement_with_final",
            intervals.share(layer == classes[-1]),
            classes.shape[1],
            intervals.SHARE,
            About(layer=index),
        )
        for index, layer in enumerate(classes)
    ]


def swap_effects(
    plan: Plan, swap: Swap, joined: dict[str, NDArray[Any]], sampled: int
) -> list[Measurement]:
    """What the exchange moves at every layer, across groups and within, and the difference.

    Args:
        plan: for the seed.
        swap: the exchange.
        joined: `change` and `control` of the favourable probability, [layers, texts]; not a number
            where a text cannot be exchanged.
        sampled: so many texts are the sample; cases that are only shown come after them.

    Returns:
        By layer `swap_effect`, `swap_effect_control` and, on texts that have both, `swap_excess`:
        means over texts with BCa intervals.
    """
    across, within = (np.abs(joined[part][:, :sampled]) for part in ("change", "control"))
    found = []
    for name, moves, bounds, what in (
        ("swap_effect", across, (0.0, 1.0), "|change of favourable probability|"),
        ("swap_effect_control", within, (0.0, 1.0), "|change of favourable probability|"),
        ("swap_excess", across - within, (-1.0, 1.0), "difference of both on the same text"),
    ):
        moved = moves[:, ~np.isnan(moves[-1])]
        if moved.shape[1] == 0:
            continue
        found += [
            Measurement.of(
                name,
                intervals.bootstrap_mean(layer, seed=plan.spec.seed, bounds=bounds),
                moved.shape[1],
                f"mean over pairs of {what}, BCa bootstrap",
                About(field=swap.column, layer=index),
            )
            for index, layer in enumerate(moved)
        ]
    return found


def _of_kind(stored: Sequence[StoredShard], kind: str) -> list[StoredShard]:
    return [one for one in stored if PurePosixPath(one.path).parent.name == kind]


def _notes(silent: int, layers: int) -> tuple[str, ...]:
    if silent == 0:
        return ()
    where = "Layer 0 reads" if silent == 1 else f"Layers 0 to {silent - 1} read"
    if silent == layers - 1:
        where = f"No layer below the last, {layers - 1}, tells texts apart: it reads"
    return (
        f"{where} the same class for at least {formation.SAME:.0%} of the texts; no decision is "
        "counted as formed there, whatever the agreement.",
    )
