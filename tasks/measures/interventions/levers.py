"""A lever: affine changes of hidden states at some layers, applied while a model runs.

The audit measures with it and a serving process applies it: one implementation, so that what is
served is what was measured. It imports nothing beside torch.
"""

import inspect
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from tasks.errors import SubjectError
from tasks.measures.model.hooks import edited, find_blocks

Where = Literal["all", "first", "last"]
"""Tokens that are changed: all, or the first or last one that is no padding."""


class Step(NamedTuple):
    """The change at one layer: x -> x - left @ right @ (x - mean) + shift."""

    layer: int
    """0 is the input of the first block, l the output of the l-th block."""
    where: Where
    left: Tensor
    """[d, k], float64; k = 0 where nothing is erased."""
    right: Tensor
    """[k, d], float64."""
    mean: Tensor
    """[d], float64."""
    shift: Tensor
    """[d], float64; 0 where nothing is added."""

    def __call__(self, x: Tensor) -> Tensor:
        """Change hidden states [..., d]; type and device stay as they are."""
        left, right, mean, shift = (part.to(x.device) for part in self[2:])
        wide = x.double()
        return (wide - (wide - mean) @ right.T @ left.T + shift).to(x.dtype)


def adding(layer: int, where: Where, vector: Tensor) -> Step:
    """The step that adds a vector [d]."""
    shift = vector.double()
    d = len(shift)
    nothing = torch.zeros(d, 0, dtype=torch.float64)
    return Step(layer, where, nothing, nothing.T, torch.zeros_like(shift), shift)


def erasing(layer: int, where: Where, left: Tensor, right: Tensor, mean: Tensor) -> Step:
    """The step that erases: x -> x - left @ right @ (x - mean)."""
    return Step(layer, where, left, right, mean, torch.zeros_like(mean))


def tokens(mask: Tensor, where: Where) -> Tensor:
    """True for the tokens that are changed, [texts, tokens]; padding may be on either side.

    Args:
        mask: 1 for tokens, 0 for padding, [texts, tokens].
        where: which of them.
    """
    real = mask.bool()
    if where == "all":
        return real
    at = real.int().argmax(dim=1)
    if where == "last":
        at = real.shape[1] - 1 - real.int().flip(1).argmax(dim=1)
    chosen = torch.zeros_like(real)
    chosen[torch.arange(len(real), device=real.device), at] = True
    return chosen & real


@contextmanager
def applied(model: nn.Module, steps: Sequence[Step]) -> Iterator[None]:
    """Run a transformers model with the steps; afterwards it is unchanged.

    Which tokens are padding is read from the `attention_mask` of every call.

    Raises:
        SubjectError: the model has fewer layers than the steps; or it is called with padded texts
            and no attention mask, or with a mask that does not say which tokens are padding.
    """
    blocks = find_blocks(model)
    beyond = [step.layer for step in steps if step.layer > len(blocks)]
    if beyond:
        raise SubjectError(
            f"a lever at layer {beyond[0]} does not fit {type(model).__name__}, whose last layer "
            f"is {len(blocks)}"
        )
    with ExitStack() as stack:
        mask = stack.enter_context(_masks(model))
        for step in steps:
            stack.enter_context(edited(blocks, step.layer, partial(_change, step, mask)))
        yield


def _change(step: Step, mask: threading.local, hidden: Tensor) -> Tensor:
    if hidden.shape[-1] != len(step.shift):
        raise SubjectError(
            f"a lever for states of width {len(step.shift)} does not fit states of width "
            f"{hidden.shape[-1]}"
        )
    # with a cache the mask also covers earlier tokens, which are not run
    where = tokens(mask.value[:, -hidden.shape[1] :].to(hidden.device), step.where)
    changed = hidden.clone()
    changed[where] = step(hidden[where])
    return changed


def _mask_of(given: Mapping[str, Any], config: Any) -> Tensor:
    """The attention mask of a call; it may be left out only where there is no padding."""
    mask, ids = given.get("attention_mask"), given.get("input_ids")
    if mask is None and isinstance(ids, Tensor):
        pad = getattr(config, "pad_token_id", None)
        if len(ids) == 1 or (pad is not None and not bool((ids == pad).any())):
            return torch.ones_like(ids)
    if not isinstance(mask, Tensor) or mask.ndim != 2:
        raise SubjectError(
            "a lever needs the attention_mask [texts, tokens] that the tokenizer gives: it must "
            "know which tokens are padding"
        )
    return mask


@contextmanager
def _masks(model: nn.Module) -> Iterator[threading.local]:
    """The attention mask of the call that runs, as `value`; every thread has its own."""
    seen = threading.local()
    signature = inspect.signature(model.forward)

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = signature.bind_partial(*args, **kwargs).arguments
        seen.value = _mask_of(given, getattr(model, "config", None))

    hook = model.register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield seen
    finally:
        hook.remove()
