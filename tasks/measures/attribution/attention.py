"""Attribution from attention: paths along which information can flow, not its effect."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from tasks.measures.attribution.inputs import Attended, Attribution, Inputs, attribution
from tasks.measures.model.passes import in_passes

Fusion = Literal["mean", "max", "min"]


def attention_rollout(
    inputs: Inputs, *, fusion: Fusion = "mean", discard: float = 0.0
) -> Attribution:
    """Share of the head's input that attention carried from every unit.

    Each block passes on half of a position and half of what it attends to, 0.5 A + 0.5 I with rows
    scaled to sum to 1; the product over blocks is read at the head's position. In [0, 1] and
    unsigned: it says nothing for or against the target. Sums to at most 1; tokens of no unit hold
    the rest. Does not add up to the score, so `delta` means nothing.

    Args:
        inputs: rows to attribute the score of, with `attend` and `read_at`.
        fusion: how the heads of a block are combined.
        discard: share of the positions a query can see, in [0, 1), whose attention is dropped,
            the weakest first; a position's attention to itself is never dropped.

    Returns:
        Share per unit, [rows, units]; 3 evaluations a row, with both ends.

    Raises:
        ValueError: the subject does not show its attention, or discard is out of range.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Abnar and Zuidema 2020, arXiv:2005.00928; fusion and discard after Gildenblat 2020,
    vit-explain.
    """
    if not 0 <= discard < 1:
        raise ValueError(f"attention: discard {discard} is not in [0, 1)")

    def roll(attended: Attended) -> Tensor:
        rolled = _identity(attended.attention[0][:, 0])
        for layer in attended.attention:
            mixed = _weakest_dropped(_fused(layer.detach(), fusion), discard)
            mixed = 0.5 * mixed + 0.5 * _identity(mixed)
            rolled = (mixed / mixed.sum(dim=-1, keepdim=True)) @ rolled
        return rolled

    with torch.no_grad():
        return attribution(inputs, inputs.per_unit(_read(inputs, roll)), 3)


def gradient_x_attention(inputs: Inputs) -> Attribution:
    """Share of the head's input that attention in favour of the target carried from every unit.

    Attention of every block times its gradient, clipped at 0 and averaged over heads, is rolled up
    over the blocks and read at the head's position, without the identity, and scaled to sum to 1
    over all tokens. In [0, 1] and unsigned; tokens of no unit hold the
    rest. All 0 where no attention speaks for the target. `delta` means nothing.

    Args:
        inputs: rows to attribute the score of, with `attend` and `read_at`.

    Returns:
        Share per unit, [rows, units]; 4 evaluations a row, with both ends.

    Raises:
        ValueError: the subject does not show its attention.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Chefer, Gur and Wolf 2021, arXiv:2103.15679, rules 5 and 6 for self-attention.
    """

    def roll(attended: Attended) -> Tensor:
        gradients = torch.autograd.grad(attended.score.sum(), attended.attention)
        start = _identity(attended.attention[0][:, 0]).detach()
        rolled = start
        for layer, gradient in zip(attended.attention, gradients, strict=True):
            rolled = rolled + (layer.detach() * gradient).clamp(min=0).mean(dim=1) @ rolled
        return rolled - start

    with torch.enable_grad():
        tokens = _read(inputs, roll)
    total = tokens.sum(dim=1, keepdim=True)
    shares = torch.where(total > 0, tokens / total, torch.zeros_like(tokens))
    return attribution(inputs, inputs.per_unit(shares), 4)


def _read(inputs: Inputs, roll: Callable[[Attended], Tensor]) -> Tensor:
    """Rolled-up attention of the position that the head reads, [rows, tokens], float64."""
    if inputs.attend is None or inputs.read_at is None:
        raise ValueError("attention: the subject does not show its attention")
    attend, read_at = inputs.attend, inputs.read_at

    def run(part: slice) -> Tensor:
        rows = torch.arange(len(inputs))[part]
        # with frozen weights the embeddings are the only leaf that can require a gradient
        own = inputs.own[part].detach().clone().requires_grad_(torch.is_grad_enabled())
        rolled = roll(attend(own, rows))
        rows_ = torch.arange(len(rolled), device=rolled.device)
        return rolled[rows_, read_at[part].to(rolled.device)].double().cpu()

    return in_passes(run, len(inputs), inputs.rows_per_pass)


def _fused(heads: Tensor, fusion: Fusion) -> Tensor:
    """[k, heads, tokens, tokens] -> [k, tokens, tokens]."""
    if fusion == "mean":
        return heads.mean(dim=1)
    return heads.amax(dim=1) if fusion == "max" else heads.amin(dim=1)


def _weakest_dropped(attention: Tensor, share: float) -> Tensor:
    """Attention without the weakest share of the positions that each query sees."""
    hidden = (attention == 0).sum(dim=-1, keepdim=True)
    seen = attention.shape[-1] - hidden
    rank = attention.argsort(dim=-1, stable=True).argsort(dim=-1, stable=True)
    dropped = rank < hidden + (share * seen).floor()
    return attention.masked_fill(dropped & ~_identity(attention).bool(), 0.0)


def _identity(like: Tensor) -> Tensor:
    """[k, tokens, tokens] -> as many identity matrices."""
    return torch.eye(like.shape[-1], dtype=like.dtype, device=like.device).expand_as(like)
