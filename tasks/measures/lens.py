"""What the subject would decide if it stopped at a layer: the hook-swap lens.

The block outputs are captured once; then the subject runs again with the output of its last
block replaced by that of an earlier one, so that final norm, pooler and head run as they are.
At the last layer the reading is the subject's own by construction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.errors import SubjectError

Edit = Callable[[Tensor], Tensor]
"""Hidden states [texts, tokens, d] -> hidden states of the same shape."""


def find_blocks(model: nn.Module) -> nn.ModuleList:
    """The stack of transformer blocks: the largest list of modules of one class.

    Raises:
        SubjectError: the model has no such list.
    """
    stacks = [
        module
        for module in model.modules()
        if isinstance(module, nn.ModuleList)
        and len(module) > 0
        and len({type(block) for block in module}) == 1
    ]
    if not stacks:
        raise SubjectError(
            f"no stack of transformer blocks found in {type(model).__name__}; layers cannot be read"
        )
    return max(stacks, key=lambda stack: sum(p.numel() for p in stack.parameters()))


@contextmanager
def resumed(blocks: nn.ModuleList, layer: int, outputs: list[Any]) -> Iterator[None]:
    """Run the subject from `layer` on: blocks below answer with what they gave before.

    Args:
        blocks: the stack, see `find_blocks`.
        layer: blocks 1 .. layer are not computed again.
        outputs: what every block returned for the same batch, see `recorded`.
    """
    skipped = list(blocks)[:layer]
    for block, output in zip(skipped, outputs, strict=False):
        block.forward = partial(_answer, output)
    try:
        yield
    finally:
        for block in skipped:
            del block.forward  # the class's own forward is back


@contextmanager
def recorded(blocks: nn.ModuleList) -> Iterator[list[Any]]:
    """Collect what every block returns in one forward pass, for `resumed`."""
    outputs: list[Any] = []
    hooks = [block.register_forward_hook(lambda _, __, o: outputs.append(o)) for block in blocks]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def captured(blocks: nn.ModuleList) -> Iterator[list[Tensor]]:
    """Collect the hidden states of one forward pass: embedding, then every block's output.

    Yields:
        A list that the forward pass fills with layers + 1 tensors [texts, tokens, d].
    """
    states: list[Tensor] = []

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        states.append((args[0] if args else kwargs["hidden_states"]).detach())

    def after(_: nn.Module, __: Any, output: Any) -> None:
        states.append(_hidden(output).detach())

    hooks = [blocks[0].register_forward_pre_hook(before, with_kwargs=True)]
    hooks += [block.register_forward_hook(after) for block in blocks]
    try:
        yield states
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def edited(blocks: nn.ModuleList, layer: int, edit: Edit) -> Iterator[None]:
    """Run the subject with the hidden states at `layer` changed by `edit`.

    Args:
        blocks: the stack, see `find_blocks`.
        layer: 0 is what enters the first block, l the output of the l-th block.
        edit: what to make of the hidden states.
    """

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            return (edit(args[0]), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": edit(kwargs["hidden_states"])}

    def after(_: nn.Module, __: Any, output: Any) -> Any:
        changed = edit(_hidden(output))
        return (changed, *output[1:]) if isinstance(output, tuple) else changed

    if layer == 0:
        hook = blocks[0].register_forward_pre_hook(before, with_kwargs=True)
    else:
        hook = blocks[layer - 1].register_forward_hook(after)
    try:
        yield
    finally:
        hook.remove()


def read_layers(run: Callable[[], Tensor], blocks: nn.ModuleList) -> tuple[Tensor, list[Tensor]]:
    """The subject's scores as they read at every layer.

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


def formation_layer(decisions: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first layer from which on the decision read is the final one.

    Args:
        decisions: class read at every layer, [layers + 1, texts].

    Returns:
        Layer per text, [texts], in 0 .. layers: low means that the decision forms early.
    """
    agrees = decisions == decisions[-1]
    settled = np.flip(np.cumprod(np.flip(agrees, axis=0), axis=0), axis=0).astype(bool)
    first: NDArray[np.int64] = settled.argmax(axis=0)
    return first


def _replace(by: Tensor, _: Tensor) -> Tensor:
    return by


def _answer(output: Any, *_: Any, **__: Any) -> Any:
    return output


def _hidden(output: Any) -> Tensor:
    hidden: Tensor = output[0] if isinstance(output, tuple) else output
    return hidden
