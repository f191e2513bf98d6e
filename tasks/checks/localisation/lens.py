"""What the lens reads of every text at every layer, as it stands and with a field exchanged."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tasks.checks.localisation.matched_pairs import across, field_tokens, within
from tasks.checks.localisation.payload import (
    Classes,
    Floats,
    LensOptions,
    LensReadings,
    ReadText,
)
from tasks.measures.localisation.lens import Stage, read_layers, read_positions
from tasks.measures.localisation.patching import log_odds
from tasks.run.rounds import Work
from tasks.schema import LensMap
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches
from tasks.subjects.local.head_position import head_of, one_position
from tasks.subjects.protocols import Opens

DIGITS = 4  # of what is only shown


def read(work: Work[LensOptions]) -> LensReadings:
    """Class and probabilities read at every layer, plain and with the field exchanged."""
    subject = opened(work.ref.subject)
    rows = work.rows
    favourable = work.ref.data.spec.favourable
    followed = None
    if favourable in subject.labels:
        followed = np.full(len(rows), subject.labels.index(favourable))
    plain = _readings(subject, [subject.render(row.text) for row in rows], followed)
    exchanged = _exchanged(work, subject, plain, followed)
    return LensReadings(
        classes=plain.classes,
        final=plain.final,
        change=exchanged.change,
        control=exchanged.control,
        odds=exchanged.odds,
        flips=exchanged.flips,
        texts=_texts(work, subject, plain.classes[-1]),
    )


def _texts(work: Work[LensOptions], subject: Opens, decided: Classes) -> tuple[ReadText, ...]:
    mapped = set(work.options.mapped)
    stage = one_position(subject) if mapped else None
    return tuple(
        ReadText(
            id=row.id,
            target=subject.class_name(int(of)),
            map=_map(subject, stage, row.id, row.text)
            if stage is not None and position in mapped
            else None,
        )
        for row, position, of in zip(work.rows, work.ref.rows, decided, strict=True)
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
    readings = Readings(
        np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    )
    for positions, batch in batches(subject, rendered):
        logits, _ = read_layers(partial(subject.scores, batch), subject.blocks)
        merged = torch.stack([batch.merged(layer) for layer in logits]).double()
        probabilities = merged.softmax(dim=-1)
        best = probabilities.argmax(dim=-1)
        own = best[-1]
        classes = own if followed is None else torch.from_numpy(followed[positions]).to(own.device)
        odds = torch.stack([log_odds(layer, classes) for layer in merged])
        readings.classes[:, positions] = best.cpu().numpy()
        readings.final[:, positions] = _of(probabilities, own)
        readings.followed[:, positions] = _of(probabilities, classes)
        readings.odds[:, positions] = odds.cpu().numpy()
    return readings


def _of(probabilities: Tensor, classes: Tensor) -> Floats:
    index = classes.expand(len(probabilities), -1).unsqueeze(-1)
    read: Floats = probabilities.gather(-1, index).squeeze(-1).cpu().numpy()
    return read


class Changes(NamedTuple):
    """What exchanges of a field change; see `LensReadings`."""

    change: Floats
    control: Floats
    odds: Floats
    flips: Classes


def _exchanged(
    work: Work[LensOptions], subject: Opens, plain: Readings, followed: Classes | None
) -> Changes:
    """What exchanges of the field change, across groups and within, and which decisions flip."""
    change, control, odds = (np.full(plain.final.shape, np.nan) for _ in range(3))
    changes = Changes(change, control, odds, np.full(len(work.rows), -1, dtype=np.int64))
    swap, rows, positions = work.options.swap, work.dataset.rows, work.ref.rows
    if swap is None:
        return changes
    if followed is None:
        followed = plain.classes[-1]
    for exchanged, changed in (
        (across(rows, swap, seed=work.seed), change),
        (within(rows, swap, seed=work.seed), control),
    ):
        moved = [i for i, position in enumerate(positions) if position in exchanged]
        if not moved:
            continue
        texts = [exchanged[positions[i]].text for i in moved]
        after = _readings(subject, [subject.render(t) for t in texts], followed[moved])
        changed[:, moved] = after.followed - plain.followed[:, moved]
        if changed is control:
            continue
        odds[:, moved] = after.odds - plain.odds[:, moved]
        flipped = after.classes[-1] != plain.classes[-1, moved]
        for i, text, flip in zip(moved, texts, flipped, strict=True):
            alike = flip and field_tokens(subject, work.rows[i], swap, [text]) is not None
            changes.flips[i] = int(flip) + int(flip and not alike)
    return changes


def _map(subject: Opens, stage: Stage, id: str, text: str) -> LensMap | None:
    """A text read token by token; none where it does not fit into one window."""
    batch = subject.encode([subject.render(text)])
    if len(batch.ids) > 1:
        return None
    logits, states = read_layers(partial(subject.scores, batch), subject.blocks)
    target = logits[-1].argmax(dim=-1)
    read = read_positions(stage, states, target, k=1)
    head = head_of(subject, batch)
    tops = [] if subject.labels else [subject.token_strings(t) for t in read.top[:, 0, :, 0]]
    return LensMap(
        id=id,
        target=subject.class_name(int(target[0])),
        tokens=tuple(subject.token_strings(batch.ids[0])),
        head=None if head is None else int(head[0]),
        probabilities=np.round(read.watched[:, 0].numpy(), DIGITS).tolist(),
        tops=tuple(tuple(layer) for layer in tops),
    )
