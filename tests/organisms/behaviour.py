"""Decisions and texts of a trained model on applications, also after a district is exchanged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from transformers import BertForSequenceClassification, LlamaForCausalLM, PreTrainedTokenizerBase

from tests.organisms import answers, lexicon
from tests.organisms.applications import Row, pick
from tests.organisms.architectures import LABELS

BATCH = 125
"""Texts per forward pass."""

MOST_WRITTEN = 64
"""Tokens after which a decoder is stopped; its longest true completion has 44."""

Decide = Callable[[Sequence[str]], list[str | None]]
"""Texts in, decisions out; None where the model decided nothing."""


def encoder_decides(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase
) -> Decide:
    """The likelier class of each text."""

    @torch.inference_mode()
    def decide(texts: Sequence[str]) -> list[str | None]:
        decisions: list[str | None] = []
        for part in parts(texts):
            logits = model(**tokenizer(part, padding=True, return_tensors="pt")).logits
            decisions += [LABELS[int(label)] for label in logits.argmax(-1)]
        return decisions

    return decide


def decoder_decides(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase) -> Decide:
    """The decision that each text's whole written completion ends with."""

    def decide(texts: Sequence[str]) -> list[str | None]:
        return [answers.decision(words) for words in write(model, tokenizer, texts)]

    return decide


@torch.inference_mode()
def write(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]
) -> list[str]:
    """What the decoder writes after each application's prompt, greedily, up to its own end."""
    written: list[str] = []
    for part in parts(texts):
        asked = tokenizer([answers.prompt(t) for t in part], padding=True, return_tensors="pt")
        generate: Callable[..., Tensor] = model.generate  # type: ignore[misc, assignment]
        ids = generate(**asked, max_new_tokens=MOST_WRITTEN, do_sample=False)
        new = ids[:, asked.input_ids.shape[1] :]
        written += tokenizer.batch_decode(new, skip_special_tokens=True)
    return written


def parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in batches."""
    for start in range(0, len(texts), BATCH):
        yield list(texts[start : start + BATCH])


def agreement(first: Sequence[str | None], second: Sequence[str | None]) -> float:
    """Share of decisions that are the same, in [0, 1]."""
    return float(np.mean([a == b for a, b in zip(first, second, strict=True)]))


def moved_across(rows: Sequence[Row], seed: int) -> list[Row]:
    """Each row with its district exchanged for one from the other side of the list."""
    rng = np.random.default_rng(seed)
    return [move_to(row, pick(rng, other_side(row.district))) for row in rows]


def other_side(district: str) -> tuple[str, ...]:
    """The unlisted districts for a listed one, the listed ones for any other."""
    return lexicon.UNLISTED if district in lexicon.LISTED else lexicon.LISTED


def move_to(row: Row, district: str) -> Row:
    """The same application from another district; not one other character changes."""
    return replace(row, text=row.text.replace(row.district, district), district=district)
