"""Hidden states inside a subject: captured, edited, patched, or replayed from an earlier pass.

Every context manager restores the subject, also when the run fails.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

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
    """Run the subject from `layer` on: blocks below return their recorded outputs.

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
            del block.forward  # restores the class's own forward


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
        states.append(hidden_of(output).detach())

    hooks = [blocks[0].register_forward_pre_hook(before, with_kwargs=True)]
    hooks += [block.register_forward_hook(after) for block in blocks]
    try:
        yield states
    finally:
        for hook in hooks:
            hook.remove()


class _EnoughError(Exception):
    """Ends a forward pass once the states asked for are captured."""


@contextmanager
def captured_up_to(blocks: nn.ModuleList, layer: int) -> Iterator[list[Tensor]]:
    """As `captured`, for a pass that ends after `layer`; later blocks are not run.

    Yields:
        A list that the forward pass fills with layer + 1 tensors [texts, tokens, d].
    """

    def enough(*_: Any) -> None:
        raise _EnoughError

    with captured(blocks) as states:
        hooks = [blocks[layer].register_forward_pre_hook(enough)] if layer < len(blocks) else []
        try:
            yield states
        except _EnoughError:
            pass
        finally:
            for hook in hooks:
                hook.remove()


@contextmanager
def edited(blocks: nn.ModuleList, layer: int, edit: Edit) -> Iterator[None]:
    """Run the subject with the hidden states at `layer` changed by `edit`.

    Args:
        blocks: the stack, see `find_blocks`.
        layer: 0 is the input of the first block, l the output of the l-th block.
        edit: maps hidden states to the changed ones.
    """

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            return (edit(args[0]), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": edit(kwargs["hidden_states"])}

    if layer > 0:
        with changed(blocks[layer - 1], edit):
            yield
        return
    hook = blocks[0].register_forward_pre_hook(before, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


Part = Literal["residual", "attention", "mlp"]
"""The patched part of a layer: the residual stream, or the output that half a block adds to it."""

_ATTENTION = ("attention.output.dense", "self_attn", "attn", "attention")
_MLP = ("output.dense", "mlp", "ffn")


def find_part(block: nn.Module, part: Literal["attention", "mlp"]) -> nn.Module:
    """The module of a block whose output is added to the residual stream.

    Found by name, the most specific first: `attention` alone is a container in BERT's family,
    whose output holds the residual already.

    Raises:
        SubjectError: the block's halves have no known names.
    """
    names = _ATTENTION if part == "attention" else _MLP
    # a further norm before they are added (gemma, olmo)
    if hasattr(block, "post_feedforward_layernorm"):
        normed = ("post_attention_layernorm", "post_feedforward_layernorm")
        names = (normed[part == "mlp"], *names)
    known: dict[str, nn.Module] = dict(block.named_modules())
    for name in names:
        if name in known:
            return known[name]
    raise SubjectError(f"no {part} output found in {type(block).__name__}; it cannot be patched")


@contextmanager
def watched(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect the first output of every module, [texts, tokens, d] each, in order of their call."""
    seen: list[Tensor] = []

    def after(_: nn.Module, __: Any, output: Any) -> None:
        seen.append(hidden_of(output).detach())

    hooks = [module.register_forward_hook(after) for module in modules]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def changed(module: nn.Module, edit: Edit) -> Iterator[None]:
    """Run the subject with the first output of a module changed by `edit`."""

    def after(_: nn.Module, __: Any, output: Any) -> Any:
        return with_hidden(output, edit(hidden_of(output)))

    hook = module.register_forward_hook(after)
    try:
        yield
    finally:
        hook.remove()


def hidden_of(output: Any) -> Tensor:
    """The hidden states in what a block returns."""
    hidden: Tensor = output[0] if isinstance(output, tuple) else output
    return hidden


def with_hidden(output: Any, hidden: Tensor) -> Any:
    """What a block returns, with other hidden states in it."""
    return (hidden, *output[1:]) if isinstance(output, tuple) else hidden


def _answer(output: Any, *_: Any, **__: Any) -> Any:
    return output
