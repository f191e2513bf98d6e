"""A subject with randomised weights, to test whether an attribution depends on them."""

import copy
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from tasks.measures.stats.random_streams import torch_stream

Model = TypeVar("Model", bound=nn.Module)


def randomised(
    model: Model, how: Literal["top", "all"], blocks: nn.ModuleList, *, seed: int
) -> Model:
    """A copy of the model with the entries of its weight tensors shuffled.

    An attribution that stays the same on it does not depend on what the model learned. Shuffled,
    not initialised anew as in the source: every tensor keeps its distribution, so that scores and
    attributions keep their scale and only what was learned is lost; and no architecture's rule
    of initialisation is needed. A tensor of equal entries stays as it is.

    Args:
        model: the model; it is left untouched. Called once on a single token.
        how: `top`: the last block and everything behind it (final norm, pooler, head), which is
            every weight that the input of the last block does not depend on. A head tied to the
            embeddings therefore stays. `all`: every weight; a tied one is shuffled once and stays
            tied.
        blocks: the model's stack of transformer blocks, see `hooks.find_blocks`.
        seed: drawn from the definition's seed.

    Returns:
        The shuffled copy, on the same device and in the same mode; under `top` all hidden states
        below the last block are the model's own to the bit.

    Raises:
        ValueError: `blocks` is no part of the model.

    Source: Adebayo et al. 2018, Sanity checks for saliency maps, arXiv:1810.03292.
    """
    name = next((name for name, module in model.named_modules() if module is blocks), None)
    if name is None:
        raise ValueError("randomised: the blocks are no part of the model")
    unchanged = _below(model, blocks) if how == "top" else set()
    shuffled = copy.deepcopy(model)
    generator = torch_stream(seed, "shuffled weights")
    for path, weight in shuffled.named_parameters():
        if path not in unchanged:
            _shuffle(weight, generator)
    return shuffled


def _below(model: nn.Module, blocks: nn.ModuleList) -> set[str]:
    """Names of the weights that the input of the last block depends on, all of earlier blocks'."""
    named = dict(model.named_parameters())
    needed = {id(p): p.requires_grad for p in named.values()}
    try:
        for weight in named.values():
            weight.requires_grad_(weight.is_floating_point())
        entering = _entering(model, blocks[-1])
    finally:
        for weight in named.values():
            weight.requires_grad_(needed[id(weight)])
    # experts to which the single token is not routed are missing from the graph
    below = _leaves(entering) | {id(p) for block in list(blocks)[:-1] for p in block.parameters()}
    return {name for name, weight in named.items() if id(weight) in below}


def _entering(model: nn.Module, block: nn.Module) -> list[Tensor]:
    """All inputs of a block in one pass over a single token, with their graph."""
    block_inputs: list[Tensor] = []

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        block_inputs.extend(a for a in (*args, *kwargs.values()) if isinstance(a, Tensor))

    # T5 classifies at the end-of-sequence token and refuses texts without it
    end = getattr(model.config, "eos_token_id", None)
    token = end if isinstance(end, int) and end >= 0 else 1
    ids = torch.tensor([[token]], device=next(model.parameters()).device)
    hook = block.register_forward_pre_hook(before, with_kwargs=True)
    try:
        with torch.enable_grad():
            model(input_ids=ids)
    finally:
        hook.remove()
    return block_inputs


def _leaves(tensors: list[Tensor]) -> set[int]:
    """Weights that tensors depend on, by identity; no gradient is computed or held."""
    waiting: list[Any] = [t.grad_fn for t in tensors]
    seen, leaves = set(waiting), {id(t) for t in tensors}
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if hasattr(node, "variable"):
            leaves.add(id(node.variable))
        further = {following for following, _ in node.next_functions} - seen
        seen |= further
        waiting.extend(further)
    return leaves


def _shuffle(weight: nn.Parameter, generator: torch.Generator) -> None:
    flat = weight.data.flatten()
    order = torch.randperm(len(flat), generator=generator).to(flat.device)
    weight.data.copy_(flat[order].view_as(weight))
