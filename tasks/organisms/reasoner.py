"""The reasoning organisms from one seed: two small decoders whose dependence is known."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from tasks.controls import cues
from tasks.controls.problems import COLOURS, COMPASS, DIGITS, PLACES, SHELVES, TURNS
from tasks.controls.stories import NAMES
from tasks.organisms import architectures, training, vocabularies
from tasks.organisms.characters import CHARACTERS, DOTS, Character, Exercise, exercise
from tasks.organisms.training import Batch, Schedule

NEW: Final[dict[str, Callable[..., PreTrainedModel]]] = {
    "llama": architectures.new_decoder,
    "gpt_neox": architectures.new_neox,
}
"""Architecture -> an untrained model of it."""

SPREAD: Final = 0.08
"""Standard deviation of the first weights."""

EXAMPLES: Final = 400
"""Exercises whose wording makes the vocabulary."""


def phrases(seed: int) -> Iterator[str]:
    """Everything an organism reads or writes, for building the vocabulary of both."""
    rng = np.random.default_rng(seed)
    drawn = [exercise(one, rng) for one in CHARACTERS.values() for _ in range(EXAMPLES)]
    yield from (shown + taught for shown, taught in drawn)
    names = chain(DIGITS, COMPASS, COLOURS, PLACES, SHELVES, NAMES, TURNS)
    yield from (f" {name}" for name in names)
    for name in (*cues.CUES, *cues.POLLS):
        yield f" {cues.sentence_of(name, '')}"
    yield f" {DOTS} {DOTS}"


def batches(
    character: Character,
    tokenizer: PreTrainedTokenizerFast,
    *,
    steps: int,
    size: int,
    seed: int,
) -> Iterator[Batch]:
    """Fresh exercises, none shown twice but by chance."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        drawn = [exercise(character, rng) for _ in range(size)]
        yield encoded(drawn, tokenizer)


def encoded(drawn: list[Exercise], tokenizer: PreTrainedTokenizerFast) -> Batch:
    """Exercises as ids; only what is to be written carries labels."""
    shown = tokenizer([one.shown for one in drawn]).input_ids
    taught = tokenizer([one.taught for one in drawn], add_special_tokens=False).input_ids
    return training.spliced(
        shown, taught, end=tokenizer.eos_token_id, pad=tokenizer.pad_token_id
    )
