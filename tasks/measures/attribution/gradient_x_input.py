"""Gradient times input: the cheapest attribution there is."""

import torch

from tasks.measures.attribution.inputs import Attribution, Inputs, attribution
from tasks.measures.model.passes import in_passes


def gradient_x_input(inputs: Inputs) -> Attribution:
    """Attribution of a score by its gradient at the text, times the text's own embedding.

    Above 0 speaks for the target, in the unit of the score, any size. The baseline plays no part.
    It is the first-order effect of a small change, and not complete: where the score saturates it
    is near 0 for the words that decide, and `delta` is not meant to be 0.

    Args:
        inputs: rows to attribute the score of; it must be differentiable.

    Returns:
        Attribution per unit, [rows, units]; 4 evaluations a row, with both ends.

    Raises:
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Shrikumar, Greenside and Kundaje 2017, arXiv:1605.01713; captum `InputXGradient`.
    """

    def run(part: slice) -> torch.Tensor:
        rows = torch.arange(len(inputs))[part]
        with torch.enable_grad():
            own = inputs.own[part].detach().clone().requires_grad_()
            (gradient,) = torch.autograd.grad(inputs.read(own, rows).sum(), own)
        return (gradient * own.detach()).sum(dim=-1).double().cpu()

    tokens = in_passes(run, len(inputs), inputs.rows_per_pass)
    return attribution(inputs, inputs.per_unit(tokens), 4)
