"""A local subject answers from many versions of one reasoning: what they share is read once."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from tasks.definition import CausalSubject
from tasks.subjects.local.answer_tokens import log_probability, with_answers
from tasks.subjects.local.subject import Subject

Ids = list[int]

CLOSE = 1e-3
"""Largest difference of scores, relative to the largest, at which the cache is trusted."""

TWISTS = ("repetition_penalty", "no_repeat_ngram_size", "min_new_tokens", "min_length",
          "suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "sequence_bias",
          "forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty",
          "encoder_repetition_penalty", "guidance_scale", "num_beams")  # fmt: skip
"""Settings under which the likeliest token is not what greedy generation writes."""


class Told(NamedTuple):
    """What a subject has to say at each cut."""

    scores: Tensor
    """Logits of the choices, [cuts, texts, choices], float32."""
    answer: Tensor
    """Log-probability of the given answer in nats, [cuts, texts], float64; NaN where none was."""


@dataclass(frozen=True)
class Reading:
    """Where the subject stands after a batch of texts."""

    logits: Tensor
    """Of the token after each of the last ones read, [rows, tokens, vocabulary]."""
    cache: DynamicCache
    mask: Tensor
    """1 for tokens that may be looked back at, [rows, columns of the cache]."""
    position: Tensor
    """Position of the next token, [rows]."""

    def rows(self, kept: Sequence[int]) -> "Reading":
        """Only some rows."""
        chosen = torch.tensor(kept, device=self.mask.device)
        cache = _view(self.cache, self.mask.shape[1])
        cache.batch_select_indices(chosen)
        return replace(self, cache=cache, mask=self.mask[chosen], position=self.position[chosen])


def answers_at_cuts(
    subject: Subject,
    texts: Sequence[str],
    reasonings: Sequence[str],
    cuts: Sequence[Sequence[str]],
) -> list[list[str]]:
    """The choice a subject gives when its reasoning reads as stated and it must answer now.

    Prompt and whole reasoning are read once; each version is read from where it departs from
    them. The answers are those of reading every version anew.

    Args:
        subject: a local subject that writes and knows its choices.
        texts: the questions, [texts].
        reasonings: the whole reasoning of each, [texts].
        cuts: the reasoning as it reads at each point, [cuts][texts].

    Returns:
        Answers, [cuts][texts].
    """
    scored = scores_at_cuts(subject, texts, reasonings, cuts)
    return [[subject.labels[i] for i in row] for row in scored.argmax(dim=-1).tolist()]


def scores_at_cuts(
    subject: Subject,
    texts: Sequence[str],
    reasonings: Sequence[str],
    cuts: Sequence[Sequence[str]],
) -> Tensor:
    """Logits of the choices, [cuts, texts, choices], float32; see `answers_at_cuts`."""
    return told_at_cuts(subject, texts, reasonings, cuts, [None] * len(texts)).scores


def told_at_cuts(
    subject: Subject,
    texts: Sequence[str],
    reasonings: Sequence[str],
    cuts: Sequence[Sequence[str]],
    answers: Sequence[str | None],
) -> Told:
    """Also how likely an answer is: all its tokens, each among all that there are.

    For an answer of one token that takes no reading beyond that of `answers_at_cuts`.

    Args:
        subject: a local subject that writes.
        texts: the questions, [texts].
        reasonings: the whole reasoning of each, [texts].
        cuts: the reasoning as it reads at each point, [cuts][texts].
        answers: the answer whose log-probability is asked for, [texts]; it stands one space after
            what introduces answers.
    """
    spec = writes(subject)
    whole = _ids(subject, [_joined(subject.render(t), r) for t, r in _pairs(texts, reasonings)])
    versions = [
        with_answers(
            subject,
            [_joined(subject.render(t), r, spec.answer.prefix) for t, r in _pairs(texts, cut)],
            answers,
        )
        for cut in cuts
    ]
    scores = torch.empty(len(cuts), len(texts), len(subject.choice_ids))
    told = torch.full((len(cuts), len(texts)), torch.nan, dtype=torch.float64)
    with torch.inference_mode():
        for rows in _groups(whole, spec.batch):
            read = _read(subject, [whole[i] for i in rows]) if cache_is_sound(subject) else None
            for at, (version, ends) in enumerate(versions):
                needed = [max(1, len(ends[i])) for i in rows]
                logits = _from(subject, read, whole, version, rows, needed).logits
                for place, row in enumerate(rows):
                    own = logits[place, logits.shape[1] - needed[place] :]
                    scores[at, row] = own[0, list(subject.choice_ids)].cpu()
                    if ends[row]:
                        told[at, row] = log_probability(own, ends[row])
    return Told(scores, told)


def continued(
    subject: Subject,
    texts: Sequence[str],
    reasonings: Sequence[str],
    cuts: Sequence[Sequence[str]],
) -> list[list[str]]:
    """What a subject writes, greedily, when it goes on from within a reasoning.

    Args:
        subject: a local subject that writes.
        texts: the questions, [texts].
        reasonings: the whole reasoning of each, [texts].
        cuts: the reasoning from whose end it goes on, at each point, [cuts][texts]; what stands
            there counts towards the longest completion.

    Returns:
        Completions without what stood there already, [cuts][texts].
    """
    spec = writes(subject)
    prompts = [subject.render(text) for text in texts]
    asked = _ids(subject, prompts)
    whole = _ids(subject, [_joined(p, r) for p, r in _pairs(prompts, reasonings)])
    versions = [_ids(subject, [_joined(p, r) for p, r in _pairs(prompts, cut)]) for cut in cuts]
    found = [[""] * len(texts) for _ in cuts]
    with torch.inference_mode():
        for rows in _groups(whole, spec.batch):
            read = _read(subject, [whole[i] for i in rows]) if cache_is_sound(subject) else None
            for at, version in enumerate(versions):
                room = [spec.max_new_tokens - len(version[i]) + len(asked[i]) for i in rows]
                if is_plainly_greedy(subject):
                    written = _greedy(subject, _from(subject, read, whole, version, rows), room)
                else:
                    written = _generated(subject, [version[i] for i in rows], room)
                told = subject.tokenizer.batch_decode(written, skip_special_tokens=True)
                for row, text in zip(rows, told, strict=True):
                    found[at][row] = text
    return found


def is_plainly_greedy(subject: Subject) -> bool:
    """Whether greedy generation of this subject is the likeliest token and nothing else."""
    config = subject.model.generation_config
    plain: tuple[object, ...] = (None, 0, 1, 1.0, [], {})
    return all(getattr(config, name, None) in plain for name in TWISTS)


@lru_cache(maxsize=4)
def cache_is_sound(subject: Subject) -> bool:
    """Whether reading on from a cache gives the scores of reading everything anew.

    Tried once per subject on two texts of different length; architectures whose cache is not
    one of keys and values are read anew every time.
    """
    whole = _ids(subject, ["One short text, and another sentence. And more.", "Another text."])
    version = [ids[: max(1, len(ids) // 2)] + ids[-1:] for ids in whole]
    with torch.inference_mode():
        read = _read(subject, whole)
        if not _plain_layers(read.cache):
            return False
        onward = _onward(subject, read, whole, version, [1] * len(whole)).logits
        anew = _read(subject, version).logits
    return bool((onward - anew).abs().max() <= CLOSE * anew.abs().max().clamp(min=1.0))


# --- reading --------------------------------------------------------------------------------


def _from(
    subject: Subject,
    read: Reading | None,
    whole: Sequence[Ids],
    version: Sequence[Ids],
    rows: Sequence[int],
    needed: Sequence[int] | None = None,
) -> Reading:
    """Versions read from where they depart from what was read; anew where that is not sound.

    What follows each of the last `needed` tokens of a row is told, one unless given.
    """
    needed = needed or [1] * len(rows)
    texts, versions = [whole[i] for i in rows], [version[i] for i in rows]
    longest = max(map(len, texts)) + max(map(len, versions))
    if read is None or longest > _attention_window(subject):
        return _read(subject, versions, max(needed))
    return _onward(subject, read, texts, versions, needed)


def _read(subject: Subject, texts: Sequence[Ids], told: int = 1) -> Reading:
    ids, mask = _padded(subject, texts)
    position = torch.tensor([len(text) for text in texts], device=subject.device)
    return _forward(
        subject, ids, mask, (mask.cumsum(-1) - 1).clamp(min=0), DynamicCache(), position, told
    )


def _onward(
    subject: Subject,
    read: Reading,
    texts: Sequence[Ids],
    versions: Sequence[Ids],
    needed: Sequence[int],
) -> Reading:
    """Read what versions have beyond the texts that were read.

    The columns of the cache in which a version differs are masked, so rows may depart at
    different places; positions are those of the version.
    """
    shared = [
        min(_common(text, version), len(version) - last)
        for text, version, last in zip(texts, versions, needed, strict=True)
    ]
    known = torch.tensor(shared, device=subject.device)
    before = read.mask.shape[1] - read.position  # padding of each row
    until = int((before + known).max())
    columns = torch.arange(until, device=subject.device)
    kept = read.mask[:, :until] * (columns < (before + known).unsqueeze(1))
    rest = [version[n:] for n, version in zip(shared, versions, strict=True)]
    ids, fresh = _padded(subject, rest)
    places = (fresh.cumsum(-1) - 1 + known.unsqueeze(1)).clamp(min=0)
    position = torch.tensor([len(version) for version in versions], device=subject.device)
    mask = torch.cat([kept, fresh], dim=1)
    return _forward(subject, ids, mask, places, _view(read.cache, until), position, max(needed))


def _forward(
    subject: Subject,
    ids: Tensor,
    mask: Tensor,
    places: Tensor,
    cache: DynamicCache,
    position: Tensor,
    told: int = 1,
) -> Reading:
    positions = {"position_ids": places} if subject._takes_positions else {}
    output = subject.model(
        input_ids=ids,
        attention_mask=mask,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=told,
        **positions,
    )
    return Reading(output.logits.float(), output.past_key_values, mask, position)


def _greedy(subject: Subject, reading: Reading, room: Sequence[int]) -> list[Ids]:
    """The likeliest token again and again, until the text ends or its room is used up."""
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
        reading = _forward(subject, ids, mask, places, reading.cache, reading.position + 1)
    return written


def _generated(subject: Subject, texts: Sequence[Ids], room: Sequence[int]) -> list[Ids]:
    """The same by the library's own loop, with whatever its settings ask for."""
    ids, mask = _padded(subject, texts)
    output = subject.model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=max(1, *room),
        do_sample=False,
        pad_token_id=subject.tokenizer.pad_token_id,
    )
    new = output[:, ids.shape[1] :].tolist()
    return [row[: max(0, n)] for row, n in zip(new, room, strict=True)]


# --- small parts ----------------------------------------------------------------------------


def _common(text: Ids, version: Ids) -> int:
    """How many first tokens two texts share."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(text, version, strict=False))
    return sum(1 for _ in same)


def _view(cache: DynamicCache, columns: int) -> DynamicCache:
    """The first columns of a cache; what is added to them leaves the cache as it is."""
    layers = []
    for layer in cache.layers:
        part: Any = copy.copy(layer)
        part.keys, part.values = part.keys[..., :columns, :], part.values[..., :columns, :]
        layers.append(part)
    view = DynamicCache()
    view.layers = layers
    return view


def _plain_layers(cache: Any) -> bool:
    return isinstance(cache, DynamicCache) and all(type(x) is DynamicLayer for x in cache.layers)


def _attention_window(subject: Subject) -> int:
    """Columns within which every token sees every earlier one."""
    window = getattr(subject.model.config.get_text_config(), "sliding_window", None)
    return window if isinstance(window, int) and window > 0 else 1_000_000_000


def _ends(subject: Subject) -> set[int]:
    end = subject.model.generation_config.eos_token_id
    return set(end) if isinstance(end, list | tuple) else {end}


def _padded(subject: Subject, texts: Sequence[Ids]) -> tuple[Tensor, Tensor]:
    longest = max(len(text) for text in texts)
    padding = subject.tokenizer.pad_token_id
    ids = [[padding] * (longest - len(text)) + text for text in texts]
    mask = [[0] * (longest - len(text)) + [1] * len(text) for text in texts]
    return (
        torch.tensor(ids, device=subject.device),
        torch.tensor(mask, device=subject.device),
    )


def _ids(subject: Subject, rendered: Sequence[str]) -> list[Ids]:
    room = subject.window
    encoded = subject.tokenizer(list(rendered), truncation=room is not None, max_length=room)
    return [list(ids) for ids in encoded["input_ids"]]


def _groups(texts: Sequence[Ids], size: int) -> Iterator[list[int]]:
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), i))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _pairs(texts: Sequence[str], reasonings: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(texts, reasonings, strict=True)


def writes(subject: Subject) -> CausalSubject:
    """How a local subject writes; raises TypeError for one that does not."""
    if not isinstance(subject.ref.spec, CausalSubject):
        raise TypeError(f"{subject.ref.name} is no causal-lm and does not write")
    return subject.ref.spec
