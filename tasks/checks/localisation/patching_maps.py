"""For single texts: what every position at every layer carries of an exchanged field's effect."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checks.localisation.matched_pairs import across
from tasks.checks.localisation.patching import moved, pairs_of
from tasks.definition.checks.localisation import LocalisationCheck
from tasks.definition.checks.swap import Swap
from tasks.measures.localisation.patching import Site
from tasks.run.inputs import cut, dataset_of, records, rows_of
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef
from tasks.schema import PatchingMap
from tasks.subjects.load import opened

PER_SHARD = 4
DIGITS = 4  # it is only shown


def shards(
    plan: Plan,
    check: LocalisationCheck,
    cases: Sequence[int],
    rows: Sequence[int],
    flips: NDArray[np.int64],
) -> list[ShardRef]:
    """Shards over the cases whose decision flips; see `patching.shards`."""
    if check.swap is None:
        return []
    flipping = {row for row, flip in zip(rows, flips, strict=True) if flip == 1}
    mapped = [case for case in cases if case in flipping]
    return cut(plan, check, "patching-maps", mapped, PER_SHARD, swap=check.swap.model_dump())


def measure(ref: ShardRef, _: Path) -> Payload:
    """Recovered share by layer of the residual stream and token, one text at a time."""
    subject, swap = opened(ref.subject), Swap(**ref.option("swap"))
    others = across(dataset_of(ref).rows, swap, seed=ref.data.seed)
    found = []
    for position, row in zip(ref.rows, rows_of(ref), strict=True):
        batch = subject.encode([subject.render(row.text)])
        pairs = pairs_of(ref, subject, batch, [row], [others[position].text], {})
        one_each = torch.eye(batch.ids.shape[1], dtype=torch.bool, device=batch.ids.device)
        recovered = [
            moved(
                subject, pairs, {}, Site("residual", layer), pairs.exchanged, one_each.unsqueeze(1)
            )[:, 0]
            / pairs.effect
            for layer in range(len(subject.blocks) + 1)
        ]
        decided = pairs.original.scores.argmax(dim=-1), pairs.exchanged.scores.argmax(dim=-1)
        found.append(
            {
                "id": row.id,
                "field": swap.column,
                "original": others[position].original,
                "exchanged": others[position].exchanged,
                "decision": subject.class_name(int(decided[0])),
                "decision_exchanged": subject.class_name(int(decided[1])),
                "tokens": subject.token_strings(batch.ids[0]),
                "head": None if pairs.head is None else int(pairs.head[0]),
                "recovered": np.round(torch.stack(recovered).cpu().numpy(), DIGITS).tolist(),
            }
        )
    return Payload({}, found)


def maps(payloads: Sequence[Payload]) -> list[PatchingMap]:
    """The maps of all cases."""
    named: list[dict[str, Any]] = records(payloads)
    return [PatchingMap(**one) for one in named]
