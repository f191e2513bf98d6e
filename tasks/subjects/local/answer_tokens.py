"""The tokens of an answer after its context, and their log-probabilities."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tasks.subjects.local.decoder import Decoder

Ids = list[int]


def with_answers(
    subject: Decoder, rendered: Sequence[str], answers: Sequence[str | None]
) -> tuple[list[Ids], list[Ids]]:
    """The tokens read before the last token of each answer, and the tokens of the answers.

    The whole string is tokenized, since a tokenizer may join words: a token that begins before the
    answer and ends in it belongs to the answer. Texts beyond the window are cut on the
    tokenizer's own side, so that the answer fits.

    Args:
        subject: the subject that will read them.
        rendered: the text before the answers, [texts].
        answers: one space after it, [texts]; none where there is none.

    Returns:
        Tokens up to the last but one of the answer, [texts], and tokens of the answer, [texts];
        all that was rendered, and no tokens, where there is no answer, none that the tokenizer
        writes down, or one longer than the window.
    """
    room = subject.window
    encoded = subject.tokenizer(list(rendered), truncation=room is not None, max_length=room)
    prompts = [list(ids) for ids in encoded["input_ids"]]
    ends: list[Ids] = [[] for _ in rendered]
    for i, answer in enumerate(answers):
        if answer:
            before, ends[i] = _parted(subject, rendered[i], answer)
            prompts[i] = before + ends[i][:-1]
    return prompts, ends


def log_probability(logits: Tensor, tokens: Ids) -> float:
    """Log-probability of tokens in nats, at most 0, from the logits before each token.

    Args:
        logits: [tokens, vocabulary].
        tokens: the tokens that follow.
    """
    targets = torch.tensor(tokens, device=logits.device).unsqueeze(1)
    return float(logits.double().log_softmax(dim=-1).gather(1, targets).sum())


def _parted(subject: Decoder, rendered: str, answer: str) -> tuple[Ids, Ids]:
    whole = subject.tokenizer(f"{rendered} {answer}", return_offsets_mapping=True, verbose=False)
    ids = list(whole["input_ids"])
    own = [at for at, (_, end) in enumerate(whole["offset_mapping"]) if end > len(rendered)]
    ends = ids[own[0] : own[-1] + 1] if own else []
    before = ids[: own[0]] if own else ids
    room = (subject.window or len(ids)) - max(0, len(ends) - 1)
    if room < 1:  # the answer alone is beyond the window
        room, ends = subject.window or len(ids), []
    left = subject.tokenizer.truncation_side == "left"
    return before[-room:] if left else before[:room], ends
