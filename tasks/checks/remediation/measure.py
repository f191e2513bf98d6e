"""Levers on a subject: fitted on some texts, and what the subject decides with them on others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checks.interventions.group_vector import Read, direction, read, scores_with, where_of
from tasks.data.dataset import Row
from tasks.definition.checks import Swap
from tasks.measures.interventions.levers import Step, adding, erasing
from tasks.measures.probing.erasure import Eraser, leace
from tasks.run.inputs import rows_of
from tasks.run.shards import Payload, ShardRef, StoredShard, read_payload
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches
from tasks.subjects.protocols import Opens

Strings = NDArray[np.str_]


class Lever(NamedTuple):
    """What is done to a subject."""

    layers: tuple[int, ...] = ()
    """Where; nowhere for the untouched subject."""
    alpha: float | None = None
    """How often the steering vector is added; none where the attribute is erased."""
    every: bool = False
    """The layers are all there are."""

    @property
    def name(self) -> str:
        """What is done, in words."""
        if not self.layers:
            return "untouched"
        if self.alpha is not None:
            return f"steer by {self.alpha:g} at layer {self.layers[0]}"
        if len(self.layers) == 1:
            return f"erase at layer {self.layers[0]}"
        told = ", ".join(str(layer) for layer in self.layers)
        return "erase at every layer" if self.every else f"erase at layers {told} together"


def levers_of(layers: Sequence[int], last: int, alphas: Sequence[float]) -> list[Lever]:
    """Nothing, erasure at each layer and at all together, and every dose at each layer.

    Args:
        layers: the layers that are asked.
        last: the last layer that there is.
        alphas: doses of steering.
    """
    together = [Lever(tuple(layers), every=len(layers) == last + 1)] if len(layers) > 1 else []
    return [
        Lever(),
        *(Lever((layer,)) for layer in layers),
        *together,
        *(Lever((layer,), alpha) for layer in layers for alpha in alphas if alpha != 0),
    ]


def measure_fit(ref: ShardRef, _: Path) -> Payload:
    """Erasers for each layer alone and for all in order, and steering vectors."""
    subject, rows, pooling = opened(ref.subject), rows_of(ref), ref.option("pooling")
    attribute, groups = ref.option("attribute"), ref.option("groups")
    rendered = [subject.render(row.text) for row in rows]
    found = read(subject, rendered, pooling)
    named = np.array([row.groups[attribute] for row in rows], dtype=np.str_)
    swap = Swap(**ref.option("swap")) if ref.option("swap") else None
    of = direction(subject, rows, found, attribute, groups, swap, ref, pooling, draws=1)
    last = len(found.states) - 1
    layers = ref.option("layers") or list(range(last + 1))
    alone = {layer: leace(found.states[layer], named) for layer in layers}
    arrays = {"vectors": of.vectors}
    for name, erasers in (
        ("alone", alone),
        ("together", in_order(subject, rows, found, named, layers, pooling)),
    ):
        for layer, eraser in erasers.items():
            parts = zip(Eraser._fields, eraser, strict=True)
            arrays |= {f"{name}/{layer}/{part}": array.numpy() for part, array in parts}
    told = {
        "layers": layers,
        "last": last,
        "where": [where_of(subject, pooling, layer) for layer in range(last + 1)],
        "low": of.low,
        "high": of.high,
        "n": len(rows),
        "n_vector": of.n,
    }
    return Payload({**arrays}, [told])


def in_order(
    subject: Opens,
    rows: Sequence[Row],
    found: Read,
    named: Strings,
    layers: Sequence[int],
    pooling: str,
) -> dict[int, Eraser]:
    """Erasers for all layers together: each is fitted on what those below it leave.

    Args:
        subject: gives states.
        rows: the texts.
        found: what the untouched subject makes of them.
        named: group of every text.
        layers: where to erase.
        pooling: which state.
    """
    rendered = [subject.render(row.text) for row in rows]
    erasers: dict[int, Eraser] = {}
    steps: list[Step] = []
    for layer in sorted(layers):
        states = read(subject, rendered, pooling, steps).states if steps else found.states
        erasers[layer] = leace(states[layer], named)
        steps.append(erasing(layer, where_of(subject, pooling, layer), *erasers[layer]))
    return erasers


def steps_of(lever: Lever, fitted: Payload) -> list[Step]:
    """The steps of a lever."""
    told: Any = fitted.records[0]
    where = told["where"]
    if lever.alpha is not None:
        vectors = torch.from_numpy(fitted.arrays["vectors"])
        return [adding(at, where[at], lever.alpha * vectors[at]) for at in lever.layers]
    kind = "together" if len(lever.layers) > 1 else "alone"
    return [
        erasing(
            at,
            where[at],
            *(torch.from_numpy(fitted.arrays[f"{kind}/{at}/{part}"]) for part in Eraser._fields),
        )
        for at in lever.layers
    ]


def measure_decided(ref: ShardRef, store: Path) -> Payload:
    """Class that is decided for every text with every lever, [levers, texts]."""
    subject, rows = opened(ref.subject), rows_of(ref)
    fitted = read_payload(store, StoredShard.model_validate(ref.option("fitted")))
    levers = [Lever(tuple(layers), alpha, every) for layers, alpha, every in ref.option("levers")]
    several = [steps_of(lever, fitted) for lever in levers]
    decided = np.empty((len(levers), len(rows)), dtype=np.int64)
    for positions, batch in batches(subject, [subject.render(row.text) for row in rows]):
        scores = scores_with(subject, batch, several)
        decided[:, positions] = scores.argmax(dim=-1).cpu().numpy()
    return Payload({"decided": decided}, [{"stage": ref.option("stage")}])
