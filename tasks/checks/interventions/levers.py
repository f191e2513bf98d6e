"""Levers: changes to a subject that erase an attribute or add a vector between groups."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.checks.interventions.forward import read
from tasks.checks.interventions.group_vector import FitTexts
from tasks.checks.interventions.states import where_of
from tasks.definition.record import Record
from tasks.measures.interventions.levers import Step, erasing
from tasks.measures.probing.erasure import Eraser, leace

Strings = NDArray[np.str_]


class Lever(Record):
    """A change to a subject."""

    layers: tuple[int, ...] = ()
    """Layers that are changed; none for the untouched subject."""
    alpha: float | None = None
    """Multiple of the steering vector that is added; none where the attribute is erased."""
    every: bool = False
    """Whether `layers` are all layers of the subject."""

    @property
    def name(self) -> str:
        """What is done, in words."""
        if not self.layers:
            return "untouched"
        if self.alpha is not None:
            return f"steer by {self.alpha:g} at layer {self.layers[0]}"
        if len(self.layers) == 1:
            return f"erase at layer {self.layers[0]}"
        layers = ", ".join(str(layer) for layer in self.layers)
        return "erase at every layer" if self.every else f"erase at layers {layers} together"


UNTOUCHED = Lever()


def levers_of(layers: Sequence[int], last: int, alphas: Sequence[float]) -> list[Lever]:
    """The untouched subject, erasure at each layer and at all together, every dose at each layer.

    Args:
        layers: the layers that may be changed.
        last: the last layer of the subject.
        alphas: doses of steering.
    """
    whole = Lever(layers=tuple(layers), every=len(layers) == last + 1)
    return [
        UNTOUCHED,
        *(Lever(layers=(layer,)) for layer in layers),
        *([whole] if len(layers) > 1 else []),
        *(Lever(layers=(layer,), alpha=a) for layer in layers for a in alphas if a != 0),
    ]


def erasers_alone(texts: FitTexts, named: Strings, layers: Sequence[int]) -> dict[int, Eraser]:
    """An eraser of each layer that is used without the others."""
    return {layer: leace(texts.plain.states[layer], named) for layer in layers}


def erasers_in_order(texts: FitTexts, named: Strings, layers: Sequence[int]) -> dict[int, Eraser]:
    """Erasers of all layers together: each is fitted on the states that those below it leave.

    Args:
        texts: what they are fitted on.
        named: group of every text.
        layers: where to erase.
    """
    subject, pooling = texts.subject, texts.pooling
    rendered = [subject.render(row.text) for row in texts.rows]
    erasers: dict[int, Eraser] = {}
    steps: list[Step] = []
    for layer in sorted(layers):
        below = read(subject, rendered, pooling, steps) if steps else texts.plain
        erasers[layer] = leace(below.states[layer], named)
        steps.append(erasing(layer, where_of(subject, pooling, layer), *erasers[layer]))
    return erasers
