"""Matched pairs: a text and itself with one field exchanged, token by token alike elsewhere."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tasks.data.dataset import MISSING, Row
from tasks.data.field_swap import Exchanged, exchange, replaced
from tasks.definition.checks.swap import Swap
from tasks.measures.stats.random_streams import stream
from tasks.subjects.local.batches import Batch, rendered_places
from tasks.subjects.protocols import Opens


def across(rows: Sequence[Row], swap: Swap, *, seed: int) -> dict[int, Exchanged]:
    """Row -> its text with the field's value of another group; see `field_swap.exchange`."""
    return {e.position: e for e in exchange(rows, swap, seed=seed)}


def within(rows: Sequence[Row], swap: Swap, *, seed: int) -> dict[int, Exchanged]:
    """Row -> its text with another value that the field has in the same group.

    The control of `across`: the effect of an exchange that does not change the group.
    """
    rng = stream(seed, "value within the group")
    values: dict[str, list[str]] = {}
    for row in rows:
        value = row.fields.get(swap.column, "")
        if row.groups[swap.across] != MISSING and value.strip():
            values.setdefault(row.groups[swap.across], []).append(value)
    values = {group: sorted(of_group) for group, of_group in values.items()}
    exchanged: dict[int, Exchanged] = {}
    for position, row in enumerate(rows):
        value, places = row.fields.get(swap.column, ""), row.places.get(swap.column, [])
        known = values.get(row.groups[swap.across], [])
        if not places or all(other == value for other in (known[:1] + known[-1:])):
            continue
        new = value
        while new == value:
            new = known[int(rng.integers(len(known)))]
        text = replaced(row.text, places, new)
        exchanged[position] = Exchanged(position, text, value, new)
    return exchanged


def field_tokens(subject: Opens, row: Row, swap: Swap, texts: Sequence[str]) -> Tensor | None:
    """Which tokens of a text are the field's, if its versions differ nowhere else.

    Args:
        subject: reads the texts.
        row: the row as it stands.
        swap: names the field.
        texts: versions of the row's text with the field exchanged.

    Returns:
        True for tokens of the field, [tokens]; none where a version has another number of tokens,
        differs outside the field, or does not fit into one window.
    """
    rendered = [subject.render(text) for text in (row.text, *texts)]
    if subject.too_long(rendered):
        return None
    plain, *others = [subject.encode([text]) for text in rendered]
    if any(other.ids.shape != plain.ids.shape for other in others):
        return None
    spans = rendered_places(subject, row.places[swap.column])
    own = torch.tensor(
        [any(a < end and start < b for start, end in spans) for a, b in plain.offsets[0]]
    )
    differs = torch.stack([other.ids[0] != plain.ids[0] for other in others]).any(dim=0).cpu()
    if not own.any() or bool((differs & ~own).any()):
        return None
    return own


class Groups(NamedTuple):
    """Named groups of token positions, for a batch of texts."""

    names: tuple[str, ...]
    masks: Tensor
    """[groups, texts, tokens]."""


def position_groups(
    batch: Batch, fields: Sequence[Tensor], head: Tensor | None, column: str
) -> Groups:
    """The field's tokens, those before and after them, the head's, and everything.

    Args:
        batch: the texts.
        fields: tokens of the field in every text, without padding; see `field_tokens`.
        head: position that the head reads in every text; none where it reads all of them.
        column: name of the field.
    """
    real = (batch.mask == 1).cpu()
    own, before, after, at = (torch.zeros_like(real) for _ in range(4))
    for i, field in enumerate(fields):
        places = real[i].nonzero().squeeze(-1)
        own[i, places] = field
        first = int(places[field.nonzero()[0, 0]])
        before[i, :first] = True
        after[i, first:] = True
    if head is not None:
        at[torch.arange(len(at)), head.cpu()] = True
    masks = {
        f"field {column}": own,
        "before": before & real & ~own & ~at,
        "after": after & real & ~own & ~at,
        **({"head": at} if head is not None else {}),
        "everything": real,
    }
    return Groups(tuple(masks), torch.stack(list(masks.values())).to(batch.ids.device))
