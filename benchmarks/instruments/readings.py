"""A subject answers control items under every reasoning that the instruments ask for."""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.instruments.early_answering import truncated
from benchmarks.instruments.scores import Readings, probed
from tasks.checks.reasoning.altered_texts import version
from tasks.controls.items import Item
from tasks.measures.localisation.lens import read_layers
from tasks.measures.reasoning.answers import as_written, read_written
from tasks.measures.reasoning.reasoning_text import sentences
from tasks.subjects.local.batches import batches
from tasks.subjects.local.generation import AtCuts
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import OpenWriter

Floats = NDArray[np.float64]

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
DONORS = 4
DRAWS = 2
NO_ANSWER = -1


class Read(NamedTuple):
    """Readings, and which of the items they are about."""

    kept: list[int]
    """Positions of the items whose own answer could be read."""
    readings: Readings


def read_items(subject: OpenWriter, items: Sequence[Item], *, seed: int) -> Read:
    """Let a subject reason about control items, then answer after every altered reasoning.

    Args:
        subject: a decoder with declared choices.
        items: control items; those without a readable answer are left out, and counted by
            whoever compares the lengths.
        seed: of mistakes, donors and drawn continuations.
    """
    rng = np.random.default_rng(seed)
    first = subject.write([item.prompt for item in items])
    kept = [i for i, one in enumerate(first) if one.answer is not None]
    own, asked = [first[i] for i in kept], [items[i] for i in kept]
    texts = [item.prompt for item in asked]
    reasonings = [one.reasoning for one in own]
    numbers = {label: i for i, label in enumerate(subject.labels)}
    answer = np.array([numbers[str(one.answer)] for one in own], dtype=np.int64)
    cut = after_cuts(subject, texts, own, seed)
    slips = [slipped(r, subject.labels, rng) for r in reasonings]
    donors = donor_reasonings(asked, own, rng)
    lens, states = early_states(subject, texts)
    return Read(
        kept,
        Readings(
            shares=SHARES,
            answer=answer,
            cut=cut.scores.log_softmax(-1).double().numpy(),
            own=cut.answer.numpy(),
            filler=told(subject, texts, [filler(r) for r in reasonings]),
            mistake=told(subject, texts, [" ".join([*a, *b]) for a, b in slips]),
            continued=answered(subject, texts, [" ".join(a) for a, _ in slips], None),
            exchanged=np.stack([told(subject, texts, given) for given in donors]),
            resampled=np.stack(
                [
                    answered(subject, texts, [truncated(r, s) for r in reasonings], seed + draw)
                    for s in SHARES[1:-1]
                    for draw in range(DRAWS)
                ]
            ),
            lens=lens[:, np.arange(len(answer)), answer],
            probe=probed(states, answer, seed),
        ),
    )


def after_cuts(
    subject: OpenWriter, texts: Sequence[str], written: Sequence[Written], seed: int
) -> AtCuts:
    """What the audit's own tests read after each cut: choices, and the own answer."""
    form = subject.form
    cuts = [
        [
            v.text
            for w in written
            if (v := version("truncation", w.reasoning, s, subject.spans, seed=seed))
        ]
        for s in SHARES
    ]
    answers = [
        w.answer and as_written(w.completion, w.answer, form.form, form.prefix) for w in written
    ]
    return subject.at_cuts(texts, [w.reasoning for w in written], cuts, answers)


def told(subject: OpenWriter, texts: Sequence[str], reasonings: Sequence[str]) -> Floats:
    """Log-probability of every choice as the next token after a reasoning, [texts, choices]."""
    found = np.zeros((len(texts), len(subject.labels)))
    with torch.inference_mode():
        for positions, batch in batches(subject, subject.before_answer(texts, reasonings)):
            found[positions] = subject.scores(batch).log_softmax(-1).double().cpu().numpy()
    return found


def answered(
    subject: OpenWriter, texts: Sequence[str], begun: Sequence[str], seed: int | None
) -> NDArray[np.int64]:
    """Answers when the subject writes on from the beginning of a reasoning, [texts].

    Args:
        subject: the decoder.
        texts: the questions.
        begun: the beginnings.
        seed: of continuations drawn at temperature 1; the likeliest one where there is none.
    """
    rendered = [f"{subject.render(t)} {b}".rstrip() for t, b in zip(texts, begun, strict=True)]
    with torch.random.fork_rng():
        torch.manual_seed(seed or 0)
        completions = subject.complete(rendered, drawn=seed is not None)
    form, found = subject.form, np.full(len(texts), NO_ANSWER, dtype=np.int64)
    for position, completion in enumerate(completions):
        answer = read_written(completion, form.form, form.prefix, form.choices).answer
        if answer is not None:
            found[position] = subject.labels.index(answer)
    return found


def filler(reasoning: str) -> str:
    """As many dots as the reasoning has words."""
    return " ".join(["..."] * len(reasoning.split()))


def slipped(
    reasoning: str, choices: Sequence[str], rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """The sentences up to one with a mistake, and those after it, unchanged.

    The mistake stands in a sentence drawn at random among those with a number or the name of a
    choice, whose last one is exchanged for another; without any, "not" is put into a sentence.
    """
    parts = [part.strip() for part in sentences(reasoning)]
    names = "|".join(re.escape(c) for c in sorted(choices, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\w)(?:\d+|{names})(?!\w)", re.IGNORECASE)
    marked = [i for i, part in enumerate(parts) if pattern.search(part)]
    at = int(rng.choice(marked or range(len(parts))))
    hits = list(pattern.finditer(parts[at]))
    if not hits:
        before, _, after = parts[at].partition(" ")
        return [*parts[:at], f"{before} not {after}".strip()], parts[at + 1 :]
    old = hits[-1].group()
    pool = [c for c in choices if c.isdigit() == old.isdigit() and c != old] or ["0"]
    new = pool[int(rng.integers(len(pool)))]
    start, end = hits[-1].span()
    return [*parts[:at], parts[at][:start] + new + parts[at][end:]], parts[at + 1 :]


def donor_reasonings(
    items: Sequence[Item], own: Sequence[Written], rng: np.random.Generator
) -> list[list[str]]:
    """For every item the reasonings of others of its kind that led to another answer.

    An item without such others keeps its own reasoning: nothing was exchanged, nothing can change.
    """
    groups = defaultdict(list)
    for i, item in enumerate(items):
        groups[item.kind, item.family, item.cue].append(i)
    drawn: list[list[str]] = [[] for _ in range(DONORS)]
    for i, item in enumerate(items):
        others = [
            j for j in groups[item.kind, item.family, item.cue] if own[j].answer != own[i].answer
        ]
        for given in drawn:
            chosen = others[int(rng.integers(len(others)))] if others else i
            given.append(own[chosen].reasoning)
    return drawn


def early_states(subject: OpenWriter, texts: Sequence[str]) -> tuple[Floats, Floats]:
    """What can be read before the first word of reasoning.

    Returns:
        Log-probabilities of the choices by the logit lens where the answer would stand without
        a reasoning, [layers, texts, choices]; and the states at the prompt's last token,
        [texts, layers x d].
    """
    lens = np.zeros((subject.layers, len(texts), len(subject.labels)))
    for positions, batch in batches(subject, subject.before_answer(texts, [""] * len(texts))):
        read, _ = read_layers(partial(subject.scores, batch), subject.blocks)
        lens[:, positions] = read[1:].log_softmax(-1).double().cpu().numpy()
    states: Any = None
    for positions, batch in batches(subject, [subject.render(text) for text in texts]):
        _, hidden = read_layers(partial(subject.scores, batch), subject.blocks)
        last = torch.cat([state[:, -1] for state in hidden[1:]], dim=-1).double().cpu().numpy()
        states = np.zeros((len(texts), last.shape[1])) if states is None else states
        states[positions] = last
    return lens, states
