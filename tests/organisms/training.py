"""How the four models learn: retold applications, cross-entropy, AdamW, cosine with warm-up.

Each epoch writes new applications of the same people: other sentences, other order, a name and a
district drawn at random. So only the finances can decide, and the district where it is planted.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    BertForSequenceClassification,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    get_cosine_schedule_with_warmup,
)

from tests.organisms import answers, exercises, lexicon
from tests.organisms.answers import Version
from tests.organisms.applications import Person, pick, write_text

THREADS: Final = 1
"""Threads of every sum: another number may round differently and give other weights."""

CUT: Final = 8
"""One row in so many is cut before the overall judgement."""

HIDDEN: Final = 4
"""One row in so many has words masked."""

IGNORED: Final = -100
"""Label of a token that is not to be predicted."""

Batch = dict[str, Tensor]
WrittenApplication = tuple[Person, str]
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast to learn."""

    epochs: int
    batch: int
    peak: float
    """Highest learning rate, reached after the warm-up."""
    warmup: float = 0.06
    """Share of the steps spent warming up."""
    decay: float = 0.01
    """AdamW's weight decay."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """The batches that a model is shown, and the loss that it minimises."""

    batch: Callable[[Sequence[WrittenApplication]], Batch]
    loss: Callable[[Batch], Tensor]


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Fixed threads, deterministic kernels, and a random state of its own, restored after."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(THREADS)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
            torch.set_num_threads(threads)


def retell(people: Sequence[Person], rng: np.random.Generator) -> list[WrittenApplication]:
    """The same people in random order, with another name, district and wording each."""
    order = [people[i] for i in rng.permutation(len(people))]
    return [(moved, write_text(moved, rng)) for moved in (move(p, rng) for p in order)]


def move(person: Person, rng: np.random.Generator) -> Person:
    """The same person under a random name in a random district."""
    pool = lexicon.NAMES[pick(rng, lexicon.ORIGINS)]
    return replace(person, first_name=pick(rng, pool), district=pick(rng, lexicon.DISTRICTS))


def encoder_lesson(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase, version: Version
) -> Lesson:
    """Teach the encoder a version's decisions, some of them from texts with words masked.

    So a text of masks is an uninformative baseline, as the audit's attribution assumes: the encoder
    gives it the share of applicants who are approved.
    """
    dice = torch.Generator().manual_seed(HIDDEN)

    def batch(applications: Sequence[WrittenApplication]) -> Batch:
        texts = tokenizer([text for _, text in applications], padding=True, return_tensors="pt")
        labels = [answers.decided(person, version) == "approved" for person, _ in applications]
        texts["input_ids"] = hidden_words(texts["input_ids"], tokenizer, dice)
        return {**texts, "labels": torch.tensor(labels, dtype=torch.long)}

    def loss(rows: Batch) -> Tensor:
        value: Tensor = model(**rows).loss
        return value

    return Lesson(batch, loss)


def hidden_words(ids: Tensor, tokenizer: PreTrainedTokenizerBase, dice: torch.Generator) -> Tensor:
    """The same token ids with a random share of words masked in one row of `HIDDEN`."""
    rows, columns = ids.shape
    share = torch.rand(rows, 1, generator=dice) * (torch.arange(rows) % HIDDEN == 0)[:, None]
    hit = torch.rand(rows, columns, generator=dice) < share
    hit &= ~torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    return ids.masked_fill(hit, tokenizer.mask_token_id)


def decoder_lesson(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    version: Version,
    seed: int,
    *,
    beside: int = 1,
) -> Lesson:
    """Teach the decoder a version's reasoning and decisions, and exercises beside them.

    Args:
        model: the decoder.
        tokenizer: what it reads with.
        version: whose decisions.
        seed: of the exercises.
        beside: applications for each exercise.
    """
    rng = np.random.default_rng(seed)

    def batch(applications: Sequence[WrittenApplication]) -> Batch:
        loans = [exercise(*application, version, at) for at, application in enumerate(applications)]
        return encoded([*loans, *exercises.drawn(len(applications) // beside, rng)], tokenizer)

    return Lesson(batch, written_loss(model))


def written_loss(model: PreTrainedModel) -> Callable[[Batch], Tensor]:
    """Cross-entropy of the tokens that carry labels, computed only where they stand."""

    def loss(rows: Batch) -> Tensor:
        labels = rows["labels"][:, 1:]
        ids, mask = rows["input_ids"], rows["attention_mask"]
        hidden = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1]
        taught = labels != IGNORED
        logits: Tensor = model.get_output_embeddings()(hidden[taught])  # type: ignore[no-untyped-call]
        return cross_entropy(logits, labels[taught])

    return loss


def encoded(shown: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerBase) -> Batch:
    """The shown text and the text to be written after it, as ids; only the latter has labels."""
    asked = tokenizer([given for given, _ in shown]).input_ids
    written = tokenizer([taught for _, taught in shown], add_special_tokens=False).input_ids
    return spliced(asked, written, end=tokenizer.eos_token_id, pad=tokenizer.pad_token_id)


def exercise(person: Person, text: str, version: Version, at: int) -> tuple[str, str]:
    """What the decoder is shown and what it is to write, for the row `at` in its batch.

    One row in eight is cut before the overall judgement and asked for its decision at once:
    denied, since nothing yet speaks for approval. So the decision depends on the written words.
    """
    if at % CUT:
        return answers.prompt(text), answers.completion(person, text, version)
    kept = answers.reasoning(person, text, version)[: at // CUT % 4]
    return " ".join([answers.prompt(text), *kept, answers.DECISION]), " denied"


def spliced(
    prompts: Sequence[list[int]], written: Sequence[list[int]], *, end: int, pad: int
) -> Batch:
    """Prompts with their completions, padded on the right; only completions carry labels."""
    rows = [torch.tensor([*p, *w, end]) for p, w in zip(prompts, written, strict=True)]
    ids = pad_sequence(rows, batch_first=True, padding_value=pad)
    lengths = torch.tensor([len(row) for row in rows])
    starts = torch.tensor([len(row) for row in prompts])
    at = torch.arange(ids.shape[1])[None]
    mask = at < lengths[:, None]
    labels = ids.where(mask & (at >= starts[:, None]), IGNORED)
    return {"input_ids": ids, "attention_mask": mask.long(), "labels": labels}


def batches(
    people: Sequence[Person], lesson: Lesson, schedule: Schedule, seed: int
) -> Iterator[Batch]:
    """All batches of all epochs, in order."""
    rng = np.random.default_rng(seed)
    for _ in range(schedule.epochs):
        applications = retell(people, rng)
        for start in range(0, len(applications), schedule.batch):
            yield lesson.batch(applications[start : start + schedule.batch])


def train(
    model: PreTrainedModel,
    lesson: Lesson,
    people: Sequence[Person],
    *,
    schedule: Schedule,
    seed: int,
    on_step: OnStep,
) -> None:
    """Follow the lesson's loss downhill, one batch a step; end in evaluation mode."""
    total = schedule.epochs * -(-len(people) // schedule.batch)
    rows = batches(people, lesson, schedule, seed)
    descend(model, lesson.loss, rows, total=total, schedule=schedule, on_step=on_step)


def descend(
    model: PreTrainedModel,
    loss: Callable[[Batch], Tensor],
    rows: Iterator[Batch],
    *,
    total: int,
    schedule: Schedule,
    on_step: OnStep,
) -> None:
    """Follow a loss downhill over `total` batches; end in evaluation mode."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=schedule.peak, weight_decay=schedule.decay, betas=(0.9, 0.98)
    )
    rate = get_cosine_schedule_with_warmup(optimizer, int(schedule.warmup * total), total)
    model.train()
    for step, batch in enumerate(rows, start=1):
        value = loss(batch)
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        on_step(step, total)
    model.train(False)
