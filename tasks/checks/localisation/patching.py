"""Which activation carries the effect of an exchanged field: pairs patched site by site."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tasks.checks.localisation.matched_pairs import across, field_tokens, position_groups, within
from tasks.checks.localisation.payload import Floats, PatchedPairs, PatchedSite, PatchOptions
from tasks.data.dataset import Row
from tasks.data.field_swap import Exchanged
from tasks.definition.checks.swap import Swap
from tasks.errors import SubjectError
from tasks.measures.localisation.patching import (
    Halves,
    Recorded,
    Site,
    log_odds,
    patched_scores,
    record,
)
from tasks.measures.model.hooks import find_part
from tasks.run.rounds import Work
from tasks.subjects.load import opened
from tasks.subjects.local.batches import Batch, batches
from tasks.subjects.local.head_position import READS_ALL, head_of
from tasks.subjects.protocols import Opens


class Pairs(NamedTuple):
    """A batch of texts, their exchanged versions, and the activations of both at every layer."""

    batch: Batch
    fields: list[Tensor]
    """Tokens of the field in every text."""
    original: Recorded
    exchanged: Recorded
    target: Tensor
    """Class whose log-odds are followed, [texts]."""
    head: Tensor | None
    """Position that the head reads, [texts]; none where it reads all of them."""

    @property
    def effect(self) -> Tensor:
        """Change of the log-odds under the whole exchange, [texts]."""
        return log_odds(self.exchanged.scores, self.target) - self.start

    @property
    def start(self) -> Tensor:
        """Log-odds of the text as it stands, [texts]."""
        return log_odds(self.original.scores, self.target)


def pairs_of(
    work: Work[PatchOptions],
    subject: Opens,
    batch: Batch,
    rows: Sequence[Row],
    texts: Sequence[str],
    halves: Halves,
) -> Pairs:
    """Both versions of some texts, run and recorded.

    Raises:
        SubjectError: a pair is not aligned token by token, so that nothing can be patched.
    """
    swap = work.options.swap
    fields = [field_tokens(subject, row, swap, [t]) for row, t in zip(rows, texts, strict=True)]
    aligned = [field for field in fields if field is not None]
    if len(aligned) < len(fields):
        raise SubjectError(f"subject {subject.name}: a pair to patch differs in its tokens")
    original = recorded_of(subject, batch, halves)
    favourable = work.ref.data.spec.favourable
    target = original.scores.argmax(dim=-1)
    if favourable in subject.labels:
        target = torch.full_like(target, subject.labels.index(favourable))
    exchanged = subject.encode([subject.render(text) for text in texts])
    return Pairs(
        batch,
        aligned,
        original,
        recorded_of(subject, exchanged, halves),
        target,
        head_of(subject, batch),
    )


def recorded_of(subject: Opens, batch: Batch, halves: Halves) -> Recorded:
    """One forward pass with everything that can be patched."""
    return record(lambda: subject.scores(batch), subject.blocks, halves)


def moved(
    subject: Opens, pairs: Pairs, halves: Halves, site: Site, donor: Recorded, masks: Tensor
) -> Tensor:
    """Change of the log-odds with the donor's activation at a site, [groups, texts].

    Args:
        subject: runs the texts.
        pairs: the texts.
        halves: modules beside the residual stream.
        site: part and layer.
        donor: a run over other versions of the same texts.
        masks: positions that are exchanged, [groups, texts, tokens].
    """
    groups, texts, tokens = masks.shape
    rows = torch.arange(texts, device=masks.device).repeat(groups)
    batch = pairs.batch
    scores = patched_scores(
        lambda chosen: subject.scores(batch.of(batch.ids[chosen], batch.mask[chosen])),
        subject.blocks,
        halves,
        site,
        pairs.original,
        donor.at(*site),
        rows,
        masks.reshape(groups * texts, tokens),
        subject.batch_size,
    )
    after = log_odds(scores, pairs.target.repeat(groups)).reshape(groups, texts)
    return after - pairs.start


class Moved(NamedTuple):
    """Change of the log-odds by site."""

    change: Floats
    """[texts, sites]."""
    sites: list[PatchedSite]


class Batched(NamedTuple):
    """What was measured on one batch of pairs."""

    positions: list[int]
    """Which rows of the shard."""
    effect: Floats
    change: Moved
    control: Moved
    reads_all: bool
    """The head reads all positions, not one."""


def measure(work: Work[PatchOptions]) -> PatchedPairs:
    """Effect of the exchange on every pair, the effect of each site, and their control."""
    subject = opened(work.ref.subject)
    rows, known, swap = work.rows, work.dataset.rows, work.options.swap
    others, same = across(known, swap, seed=work.seed), within(known, swap, seed=work.seed)
    halves, notes = halves_of(subject, rows[0].text)
    parts: list[Batched] = []
    for positions, batch in batches(subject, [subject.render(row.text) for row in rows]):
        at = [work.ref.rows[i] for i in positions]
        chosen = [rows[i] for i in positions]
        pairs = pairs_of(work, subject, batch, chosen, [others[i].text for i in at], halves)
        controls = [(row, same.get(i)) for row, i in zip(chosen, at, strict=True)]
        parts.append(
            Batched(
                positions,
                pairs.effect.cpu().numpy(),
                _changes(subject, pairs, halves, swap),
                _controls(subject, pairs, swap, controls),
                pairs.head is None,
            )
        )
    if any(part.reads_all for part in parts):
        notes = [*notes, f"No position is the head's: {READS_ALL}."]
    return _joined(work.ref.rows, parts, notes)


def _joined(rows: Sequence[int], parts: Sequence[Batched], notes: Sequence[str]) -> PatchedPairs:
    """All batches in the order of the rows."""
    order = np.argsort([i for part in parts for i in part.positions])
    return PatchedPairs(
        rows=np.array(rows),
        effect=np.concatenate([part.effect for part in parts])[order],
        change=np.concatenate([part.change.change for part in parts])[order],
        control=np.concatenate([part.control.change for part in parts])[order],
        sites=tuple(parts[-1].change.sites),
        control_sites=tuple(parts[-1].control.sites),
        notes=tuple(notes),
    )


def halves_of(subject: Opens, text: str) -> tuple[Halves, list[str]]:
    """Attention and MLP of every block, and why they are not read, if they are not."""
    blocks = subject.blocks
    try:
        halves: Halves = {
            "attention": [find_part(block, "attention") for block in blocks],
            "mlp": [find_part(block, "mlp") for block in blocks],
        }
    except SubjectError as error:
        return {}, [f"Attention and MLP are not read: {error}."]
    activations = recorded_of(subject, subject.encode([subject.render(text)]), halves).activations
    shape = activations["residual"][0].shape
    if any(
        [activation.shape for activation in activations[part]] != [shape] * len(blocks)
        for part in halves
    ):
        return {}, ["Attention and MLP are not read: their outputs are no hidden states."]
    return halves, []


def _changes(subject: Opens, pairs: Pairs, halves: Halves, swap: Swap) -> Moved:
    """Change of the log-odds by every site."""
    groups = position_groups(pairs.batch, pairs.fields, pairs.head, swap.column)
    layers = len(subject.blocks)
    patched = [Site("residual", layer) for layer in range(layers + 1)]
    patched += [Site(part, layer) for part in halves for layer in range(1, layers + 1)]
    changes: list[Floats] = []
    sites: list[PatchedSite] = []
    for site in patched:
        # `everything` checks the residual stream, whose share is known there; not so of a half
        count = len(groups.names) - (site.part != "residual")
        change = moved(subject, pairs, halves, site, pairs.exchanged, groups.masks[:count])
        changes.append(change.T.cpu().numpy())
        sites += _sites(site, groups.names[:count])
    return Moved(np.concatenate(changes, axis=1), sites)


def _controls(
    subject: Opens, pairs: Pairs, swap: Swap, chosen: Sequence[tuple[Row, Exchanged | None]]
) -> Moved:
    """The same from a version of the text with another value that keeps the decision.

    Method and positions are the same, and the activations are those of a real text that differs in
    the same field: only the effect is missing. NaN where there is no such version.
    """
    texts, usable = [], []
    for row, exchanged in chosen:
        text = row.text if exchanged is None else exchanged.text
        aligned = field_tokens(subject, row, swap, [text]) is not None
        usable.append(exchanged is not None and aligned)
        texts.append(text if usable[-1] else row.text)
    batch = subject.encode([subject.render(text) for text in texts])
    donor = recorded_of(subject, batch, {})
    keeps = donor.scores.argmax(dim=-1) == pairs.original.scores.argmax(dim=-1)
    out = ~(keeps.cpu().numpy() & np.array(usable))
    groups = position_groups(pairs.batch, pairs.fields, pairs.head, swap.column)
    controlled = [
        i for i, name in enumerate(groups.names) if name in (f"field {swap.column}", "head")
    ]
    changes: list[Floats] = []
    sites: list[PatchedSite] = []
    for layer in range(len(subject.blocks) + 1):
        site = Site("residual", layer)
        change = moved(subject, pairs, {}, site, donor, groups.masks[controlled])
        changes.append(change.T.cpu().numpy())
        sites += _sites(site, [groups.names[i] for i in controlled])
    whole = np.concatenate(changes, axis=1)
    whole[out] = np.nan
    return Moved(whole, sites)


def _sites(site: Site, positions: Sequence[str]) -> list[PatchedSite]:
    return [PatchedSite(part=site.part, layer=site.layer, position=name) for name in positions]
