"""The subject's decision if it stopped at a layer: the hook-swap lens.

The block outputs are captured once; then the subject runs again with the output of its last
block replaced by that of an earlier one, so that final norm, pooler and head run as they are.
At the last layer the reading is the subject's own by construction.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tasks.measures.model.hooks import captured, edited, recorded, resumed, with_hidden
from tasks.measures.model.passes import in_passes

Stage = Callable[[Tensor], Tensor]
"""Hidden states of single positions [rows, d] -> scores the head gives them [rows, classes]."""

PASS = 1024  # single positions per pass; each takes the memory of one token


def read_layers(run: Callable[[], Tensor], blocks: nn.ModuleList) -> tuple[Tensor, list[Tensor]]:
    """The subject's scores, read at every layer.

    Args:
        run: one forward pass over a batch; returns scores [texts, classes].
        blocks: the stack, see `find_blocks`.

    Returns:
        Scores [layers + 1, texts, classes], layer 0 the embedding, the last one the subject's
        own to the bit; and the captured hidden states.

    Source: nostalgebraist 2020, the logit lens; here through the subject's own last stage.
    """
    with torch.no_grad():
        with captured(blocks) as states, recorded(blocks) as outputs:
            final = run()
        readings = []
        for hidden in states[:-1]:
            edit = partial(_replace, hidden)
            with resumed(blocks, len(blocks), outputs), edited(blocks, len(blocks), edit):
                readings.append(run())
    return torch.stack([*readings, final]), states


def last_stage(run: Callable[[int], Tensor], blocks: nn.ModuleList) -> Stage:
    """The subject's last stage for the hidden states of one position: final norm, pooler, head.

    It runs a text of one token, all of whose blocks return those hidden states: a head that reads
    the first token, the last one or the mean over tokens then reads only them. Gradients pass.

    Args:
        run: one forward pass over so many texts of one token; returns scores [texts, classes].
        blocks: the stack, see `find_blocks`.
    """
    with torch.no_grad(), recorded(blocks) as outputs:
        run(1)

    def stage(hidden: Tensor) -> Tensor:
        answers = [with_hidden(output, hidden.unsqueeze(1)) for output in outputs]
        with resumed(blocks, len(blocks), answers):
            return run(len(hidden))

    return stage


class PositionReadings(NamedTuple):
    """The decision if the head read one position at one layer."""

    watched: Tensor
    """Probability of the watched class of each text, [layers + 1, texts, tokens]."""
    top: Tensor
    """Likeliest classes or tokens, the likeliest first, [layers + 1, texts, tokens, k]."""
    probabilities: Tensor
    """Their probabilities, [layers + 1, texts, tokens, k]."""


def read_positions(
    stage: Stage, states: Sequence[Tensor], watched: Tensor, k: int
) -> PositionReadings:
    """The subject's decision, read from every position at every layer.

    Args:
        stage: see `last_stage`.
        states: hidden states from the embedding on, layers + 1 of [texts, tokens, d].
        watched: class or token to follow in each text, [texts].
        k: how many of the likeliest to keep; as many as there are classes keeps them all.

    Returns:
        Probabilities in [0, 1]; exact at the last layer at the position that the head reads.
    """
    texts, tokens, _ = states[0].shape
    follow = watched.repeat_interleave(tokens)

    def read(flat: Tensor, rows: slice) -> Tensor:
        shares = stage(flat[rows]).double().softmax(dim=-1)
        best = shares.topk(min(k, shares.shape[-1]), dim=-1)
        of_watched = shares.gather(-1, follow[rows].unsqueeze(-1))
        return torch.cat([of_watched, best.values, best.indices.double()], dim=-1).cpu()

    layers = []
    with torch.no_grad():
        for hidden in states:
            run = partial(read, hidden.reshape(texts * tokens, -1))
            layers.append(in_passes(run, texts * tokens, PASS).reshape(texts, tokens, -1))
    whole = torch.stack(layers)
    count = (whole.shape[-1] - 1) // 2
    return PositionReadings(
        whole[..., 0], whole[..., 1 + count :].long(), whole[..., 1 : 1 + count]
    )


def reads_one_position(run: Callable[[], Tensor], blocks: nn.ModuleList, head: Tensor) -> bool:
    """Whether the head reads only one position of the last layer.

    Args:
        run: one forward pass over a batch.
        blocks: the stack.
        head: the position in question, [texts].
    """
    with torch.no_grad(), captured(blocks) as states, recorded(blocks) as outputs:
        before = run()
    keep = torch.zeros(states[-1].shape[:2], dtype=torch.bool, device=head.device)
    keep[torch.arange(len(head), device=head.device), head] = True
    other = torch.where(keep.unsqueeze(-1), states[-1], states[-1].flip(-1) * 1.5 + 1)
    with (
        torch.no_grad(),
        resumed(blocks, len(blocks), outputs),
        edited(blocks, len(blocks), partial(_replace, other)),
    ):
        return torch.allclose(run(), before, atol=1e-4, rtol=1e-4)


def _replace(by: Tensor, _: Tensor) -> Tensor:
    return by
