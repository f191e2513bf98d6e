"""The attribution methods by name: how each is called, and what its attributions mean."""

from collections.abc import Callable
from typing import NamedTuple

from tasks.definition.checks.attribution import MethodName
from tasks.measures.attribution.attention import attention_rollout, gradient_x_attention
from tasks.measures.attribution.gradient_x_input import gradient_x_input
from tasks.measures.attribution.inputs import Attribution, Inputs
from tasks.measures.attribution.integrated_gradients import integrated_gradients
from tasks.measures.attribution.layer_conductance import layer_conductance
from tasks.measures.attribution.lime import lime
from tasks.measures.attribution.occlusion import leave_one_out, sliding_window
from tasks.measures.attribution.partition import partition_values
from tasks.measures.attribution.permutations import permutation_shapley
from tasks.measures.attribution.shapley import shapley_values


class Method(NamedTuple):
    """How one method is called: with the seed and the tolerance of the definition."""

    run: Callable[[Inputs, int, float], Attribution]
    adds_up: bool
    """Its attributions should sum to score - baseline score."""
    signed: bool = True
    """Its attributions have a sign, for or against; else only a size."""


def _middle(inputs: Inputs) -> int:
    """The middle block: states before it hardly mix words, states after it mix them wholly."""
    return max(1, (len(inputs.blocks or ()) + 1) // 2)


METHODS: dict[MethodName, Method] = {
    "integrated-gradients": Method(
        lambda inputs, _, tolerance: integrated_gradients(inputs, tolerance=tolerance), True
    ),
    "shapley": Method(lambda inputs, seed, _: shapley_values(inputs, seed=seed), True),
    "shapley-permutations": Method(
        lambda inputs, seed, _: permutation_shapley(inputs, seed=seed), True
    ),
    "partition": Method(lambda inputs, _, __: partition_values(inputs), True),
    "lime": Method(lambda inputs, seed, _: lime(inputs, seed=seed), False),
    "leave-one-out": Method(lambda inputs, _, __: leave_one_out(inputs), False),
    "sliding-window": Method(lambda inputs, _, __: sliding_window(inputs), False),
    "gradient-x-input": Method(lambda inputs, _, __: gradient_x_input(inputs), False),
    "layer-conductance": Method(
        lambda inputs, _, tolerance: layer_conductance(
            inputs, _middle(inputs), tolerance=tolerance
        ),
        False,  # at a block, special tokens carry a part that belongs to no unit
    ),
    "gradient-x-attention": Method(
        lambda inputs, _, __: gradient_x_attention(inputs), False, False
    ),
    "attention-rollout": Method(lambda inputs, _, __: attention_rollout(inputs), False, False),
}
"""Method -> how it is called."""
