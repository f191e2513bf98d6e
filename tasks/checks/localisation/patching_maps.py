"""For single texts: the share of an exchanged field's effect at every layer and position."""

import numpy as np
import torch

from tasks.checks.localisation.matched_pairs import across
from tasks.checks.localisation.patching import moved, pairs_of
from tasks.checks.localisation.payload import PatchingMaps, PatchOptions
from tasks.data.dataset import Row
from tasks.data.field_swap import Exchanged
from tasks.measures.localisation.patching import Site
from tasks.run.rounds import Work
from tasks.schema import PatchingMap
from tasks.subjects.load import opened
from tasks.subjects.protocols import Opens

DIGITS = 4  # it is only shown


def measure(work: Work[PatchOptions]) -> PatchingMaps:
    """Recovered share by layer of the residual stream and token, one text at a time."""
    subject = opened(work.ref.subject)
    others = across(work.dataset.rows, work.options.swap, seed=work.seed)
    return PatchingMaps(
        maps=tuple(
            _map(work, subject, row, others[position])
            for position, row in zip(work.ref.rows, work.rows, strict=True)
        )
    )


def _map(work: Work[PatchOptions], subject: Opens, row: Row, other: Exchanged) -> PatchingMap:
    batch = subject.encode([subject.render(row.text)])
    pairs = pairs_of(work, subject, batch, [row], [other.text], {})
    one_each = torch.eye(batch.ids.shape[1], dtype=torch.bool, device=batch.ids.device)
    recovered = [
        moved(subject, pairs, {}, Site("residual", layer), pairs.exchanged, one_each.unsqueeze(1))[
            :, 0
        ]
        / pairs.effect
        for layer in range(len(subject.blocks) + 1)
    ]
    decided = pairs.original.scores.argmax(dim=-1), pairs.exchanged.scores.argmax(dim=-1)
    return PatchingMap(
        id=row.id,
        field=work.options.swap.column,
        original=other.original,
        exchanged=other.exchanged,
        decision=subject.class_name(int(decided[0])),
        decision_exchanged=subject.class_name(int(decided[1])),
        tokens=tuple(subject.token_strings(batch.ids[0])),
        head=None if pairs.head is None else int(pairs.head[0]),
        recovered=np.round(torch.stack(recovered).cpu().numpy(), DIGITS).tolist(),
    )
