"""A decoder reads many versions of one text; the tokens that they share are read once."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import Any, Final

import torch
from torch import Tensor
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from tasks.subjects.local.decoder import Decoder

Ids = list[int]

CLOSE: Final = 1e-3
"""Largest difference of scores, relative to the largest score, at which the cache is used."""

NO_LIMIT: Final = 1_000_000_000
"""Number of columns for a model without a limit on how far a token attends back."""


@dataclass(frozen=True)
class Reading:
    """The subject's state after a batch of texts."""

    logits: Tensor
    """Logits of the token after each of the last ones read, [rows, tokens, vocabulary]."""
    cache: DynamicCache
    mask: Tensor
    """1 for tokens that later ones attend to, [rows, columns of the cache]."""
    position: Tensor
    """Position of the next token, [rows]."""

    def rows(self, kept: Sequence[int]) -> "Reading":
        """Only some rows."""
        chosen = torch.tensor(kept, device=self.mask.device)
        cache = _view(self.cache, self.mask.shape[1])
        cache.batch_select_indices(chosen)
        return replace(self, cache=cache, mask=self.mask[chosen], position=self.position[chosen])


@lru_cache(maxsize=4)
def cache_is_sound(subject: Decoder) -> bool:
    """Whether reading on from a cache gives the same scores as reading everything anew.

    Tested once per subject on two texts of different length; architectures whose cache does not
    consist of keys and values are read anew every time.
    """
    whole = token_ids(subject, ["One short text, and another sentence. And more.", "Another text."])
    version = [ids[: max(1, len(ids) // 2)] + ids[-1:] for ids in whole]
    with torch.inference_mode():
        first = read_anew(subject, whole)
        if not _plain_layers(first.cache):
            return False
        onward = _onward(subject, first, whole, version, [1] * len(whole)).logits
        anew = read_anew(subject, version).logits
    return bool((onward - anew).abs().max() <= CLOSE * anew.abs().max().clamp(min=1.0))


def read_from(
    subject: Decoder,
    first: Reading | None,
    whole: Sequence[Ids],
    version: Sequence[Ids],
    rows: Sequence[int],
    needed: Sequence[int] | None = None,
) -> Reading:
    """Read versions from where they differ from the first text; anew if the cache is not sound.

    Args:
        subject: the decoder.
        first: its state after `whole`; none if its cache is not sound.
        whole: tokens of every text.
        version: tokens of every version.
        rows: which of them are read.
        needed: of how many last tokens of each row the logits are kept; one unless given.
    """
    needed = needed or [1] * len(rows)
    texts, versions = [whole[i] for i in rows], [version[i] for i in rows]
    longest = max(map(len, texts)) + max(map(len, versions))
    if first is None or longest > _attention_window(subject):
        return read_anew(subject, versions, max(needed))
    return _onward(subject, first, texts, versions, needed)


def read_anew(subject: Decoder, texts: Sequence[Ids], kept: int = 1) -> Reading:
    """Texts read from their beginning, with the logits of the last `kept` tokens."""
    ids, mask = padded(subject, texts)
    position = torch.tensor([len(text) for text in texts], device=subject.device)
    return forward(
        subject, ids, mask, (mask.cumsum(-1) - 1).clamp(min=0), DynamicCache(), position, kept
    )


def _onward(
    subject: Decoder,
    first: Reading,
    texts: Sequence[Ids],
    versions: Sequence[Ids],
    needed: Sequence[int],
) -> Reading:
    """Read the tokens of versions that differ from the first texts.

    The columns of the cache in which a version differs are masked, so rows may differ from
    different positions on; positions are those of the version.
    """
    shared = [
        min(_common(text, version), len(version) - last)
        for text, version, last in zip(texts, versions, needed, strict=True)
    ]
    known = torch.tensor(shared, device=subject.device)
    before = first.mask.shape[1] - first.position  # padding of each row
    until = int((before + known).max())
    columns = torch.arange(until, device=subject.device)
    visible = first.mask[:, :until] * (columns < (before + known).unsqueeze(1))
    rest = [version[n:] for n, version in zip(shared, versions, strict=True)]
    ids, fresh = padded(subject, rest)
    places = (fresh.cumsum(-1) - 1 + known.unsqueeze(1)).clamp(min=0)
    position = torch.tensor([len(version) for version in versions], device=subject.device)
    mask = torch.cat([visible, fresh], dim=1)
    return forward(subject, ids, mask, places, _view(first.cache, until), position, max(needed))


def forward(
    subject: Decoder,
    ids: Tensor,
    mask: Tensor,
    places: Tensor,
    cache: DynamicCache,
    position: Tensor,
    kept: int = 1,
) -> Reading:
    """One pass over further tokens, with the logits of the last `kept` of them."""
    positions = {"position_ids": places} if subject.takes_positions else {}
    output = subject.model(
        input_ids=ids,
        attention_mask=mask,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=kept,
        **positions,
    )
    return Reading(output.logits.float(), output.past_key_values, mask, position)


def _common(text: Ids, version: Ids) -> int:
    """Number of first tokens that two texts share."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(text, version, strict=False))
    return sum(1 for _ in same)


def _view(cache: DynamicCache, columns: int) -> DynamicCache:
    """A copy of the first columns of a cache; adding to it does not change the cache."""
    layers = []
    for layer in cache.layers:
        part: Any = copy.copy(layer)
        part.keys, part.values = part.keys[..., :columns, :], part.values[..., :columns, :]
        layers.append(part)
    view = DynamicCache()
    view.layers = layers
    return view


def _plain_layers(cache: Cache) -> bool:
    return isinstance(cache, DynamicCache) and all(type(x) is DynamicLayer for x in cache.layers)


def _attention_window(subject: Decoder) -> int:
    """Number of columns within which every token attends to every earlier one."""
    window = getattr(subject.model.config.get_text_config(), "sliding_window", None)
    return window if isinstance(window, int) and window > 0 else NO_LIMIT


def padded(subject: Decoder, texts: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    """Tokens and mask of texts, padded on the left, [rows, tokens] each."""
    longest = max(len(text) for text in texts)
    padding = subject.tokenizer.pad_token_id
    ids = [[padding] * (longest - len(text)) + text for text in texts]
    mask = [[0] * (longest - len(text)) + [1] * len(text) for text in texts]
    return (
        torch.tensor(ids, device=subject.device),
        torch.tensor(mask, device=subject.device),
    )


def token_ids(subject: Decoder, rendered: Sequence[str]) -> list[Ids]:
    """Tokens of every text, cut to the window."""
    room = subject.window
    encoded = subject.tokenizer(list(rendered), truncation=room is not None, max_length=room)
    return [list(ids) for ids in encoded["input_ids"]]
