"""A decoder answers after many versions of one reasoning, and goes on writing from them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tasks.subjects.local.answer_tokens import log_probability, with_answers
from tasks.subjects.local.cached_reading import (
    Ids,
    Reading,
    cache_is_sound,
    forward,
    padded,
    read_anew,
    read_from,
    token_ids,
)
from tasks.subjects.local.decoder import Decoder, joined

TWISTS = ("repetition_penalty", "no_repeat_ngram_size", "min_new_tokens", "min_length",
          "suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "sequence_bias",
          "forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty",
          "encoder_repetition_penalty", "guidance_scale", "num_beams")  # fmt: skip
"""Settings under which greedy generation does not write the likeliest token."""


class AtCuts(NamedTuple):
    """Scores and log-probabilities after each cut."""

    scores: Tensor
    """Logits of the choices, [cuts, texts, choices], float32."""
    answer: Tensor
    """Log-probability of the given answer in nats, [cuts, texts], float64; NaN where none was."""


def answers_at_cuts(
    subject: Decoder,
    texts: Sequence[str],
    reasonings: Sequence[str],
    cuts: Sequence[Sequence[str]],
) -> list[list[str]]:
    """The choice that a subject gives when it must answer right after the given reasoning.

    Prompt and whole reasoning are read once; each version is read from where it differs. The
    answers are the same as when every version is read anew.

    Args:
        subject: a local subject that writes and knows its choices.
        texts: the questions, [texts].
        reasonings: the whole reasoning of each, [texts].
        cuts: the reasoning as it reads at each point, [cuts][texts].

    Returns:
        Answers, [cuts][texts].
    """
    scored = at_cuts(subject, texts, reasonings, cuts, [None] * len(texts)).scores
    return [[subject.labels[i] for i in row] for row in scored.argmax(dim=-1).tolist()]


def at_cuts(
    subject: Decoder,
    texts: Sequence[str],
    reasonings: Sequence[str],
    cuts: Sequence[Sequence[str]],
    answers: Sequence[str | None],
) -> AtCuts:
    """Scores of the choices, and log-probability of an answer: of all its tokens, among all tokens.

    An answer of one token needs no further pass beyond that of `answers_at_cuts`.

    Args:
        subject: a local subject that writes.
        texts: the questions, [texts].
        reasonings: the whole reasoning of each, [texts].
        cuts: the reasoning as it reads at each point, [cuts][texts].
        answers: the answer whose log-probability is asked for, [texts]; one space separates it
            from the answer's prefix.
    """
    whole = _begun(subject, texts, reasonings)
    versions = [with_answers(subject, subject.before_answer(texts, cut), answers) for cut in cuts]
    scores = torch.empty(len(cuts), len(texts), len(subject.choice_ids))
    likely = torch.full((len(cuts), len(texts)), torch.nan, dtype=torch.float64)
    with torch.inference_mode():
        for rows in _groups(whole, subject.batch_size):
            first = _first(subject, whole, rows)
            for at, (version, ends) in enumerate(versions):
                needed = [max(1, len(ends[i])) for i in rows]
                logits = read_from(subject, first, whole, version, rows, needed).logits
                for place, row in enumerate(rows):
                    own = logits[place, logits.shape[1] - needed[place] :]
                    scores[at, row] = own[0, list(subject.choice_ids)].cpu()
                    if ends[row]:
                        likely[at, row] = log_probability(own, ends[row])
    return AtCuts(scores, likely)


def continued(
    subject: Decoder,
    texts: Sequence[str],
    reasonings: Sequence[str],
    cuts: Sequence[Sequence[str]],
) -> list[list[str]]:
    """A subject's greedy continuation from within a reasoning.

    Args:
        subject: a local subject that writes.
        texts: the questions, [texts].
        reasonings: the whole reasoning of each, [texts].
        cuts: the reasoning from whose end it goes on, at each point, [cuts][texts]; what stands
            there counts towards the longest completion.

    Returns:
        Completions without the given reasoning, [cuts][texts].
    """
    prompts = _begun(subject, texts, [""] * len(texts))
    whole = _begun(subject, texts, reasonings)
    versions = [_begun(subject, texts, cut) for cut in cuts]
    completions = [[""] * len(texts) for _ in cuts]
    with torch.inference_mode():
        for rows in _groups(whole, subject.batch_size):
            first = _first(subject, whole, rows)
            for at, version in enumerate(versions):
                room = [
                    subject.spec.max_new_tokens - len(version[i]) + len(prompts[i]) for i in rows
                ]
                if is_plainly_greedy(subject):
                    written = _greedy(
                        subject, read_from(subject, first, whole, version, rows), room
                    )
                else:
                    written = _generated(subject, [version[i] for i in rows], room)
                decoded = subject.tokenizer.batch_decode(written, skip_special_tokens=True)
                for row, text in zip(rows, decoded, strict=True):
                    completions[at][row] = text
    return completions


def is_plainly_greedy(subject: Decoder) -> bool:
    """Whether greedy generation of this subject is just the likeliest token."""
    config = subject.model.generation_config
    plain: tuple[object, ...] = (None, 0, 1, 1.0, [], {})
    return all(getattr(config, name, None) in plain for name in TWISTS)


def _greedy(subject: Decoder, reading: Reading, room: Sequence[int]) -> list[Ids]:
    """Append the likeliest token until the text ends or its room is used up."""
    ends = _ends(subject)
    written: list[Ids] = [[] for _ in room]
    alive = list(range(len(room)))
    while alive:
        best = reading.logits[:, -1].argmax(dim=-1).tolist()
        going = []
        for place, row in enumerate(alive):
            if len(written[row]) < room[row]:
                written[row].append(best[place])
                if best[place] not in ends and len(written[row]) < room[row]:
                    going.append(place)
        if not going:
            break
        if len(going) < len(alive):
            reading = reading.rows(going)
            alive = [alive[place] for place in going]
        ids = torch.tensor([[best[place]] for place in going], device=subject.device)
        mask = torch.cat([reading.mask, torch.ones_like(ids)], dim=1)
        places = reading.position.unsqueeze(1)
        reading = forward(subject, ids, mask, places, reading.cache, reading.position + 1)
    return written


def _generated(subject: Decoder, texts: Sequence[Ids], room: Sequence[int]) -> list[Ids]:
    """The same by the library's own loop, with all its settings."""
    ids, mask = padded(subject, texts)
    new = subject.generate(ids, mask, max(1, *room)).tolist()
    return [row[: max(0, n)] for row, n in zip(new, room, strict=True)]


def _ends(subject: Decoder) -> set[int]:
    end = subject.model.generation_config.eos_token_id
    return set(end) if isinstance(end, list | tuple) else {end}


def _groups(texts: Sequence[Ids], size: int) -> Iterator[list[int]]:
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), i))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _first(subject: Decoder, whole: Sequence[Ids], rows: Sequence[int]) -> Reading | None:
    """The state after the whole texts, if the cache is sound."""
    return read_anew(subject, [whole[i] for i in rows]) if cache_is_sound(subject) else None


def _begun(subject: Decoder, texts: Sequence[str], reasonings: Sequence[str]) -> list[Ids]:
    """Tokens of prompt and reasoning."""
    pairs = zip(texts, reasonings, strict=True)
    return token_ids(subject, [joined(subject.render(text), r) for text, r in pairs])
