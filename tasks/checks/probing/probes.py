"""What probes read: several layers, all attributes and all folds of one pooling at once."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.checks.interventions.states import stored_states
from tasks.measures.probing import probes
from tasks.measures.probing.description_length import online_code
from tasks.measures.probing.logistic import Design, design
from tasks.measures.probing.nonlinear import nonlinear_probes
from tasks.run.inputs import rows_of
from tasks.run.shards import Payload, ShardRef

CONTROLS = 10
TURNS = 3

Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Asked(NamedTuple):
    """One attribute over the rows of a shard."""

    attribute: str
    groups: list[str]
    concept: Codes
    """Group of every text, -1 where it has none that is large enough, [texts]."""
    fold: Codes
    """0, 1 or 2, and -1 where the text is not used, [texts]."""

    @property
    def used(self) -> Mask:
        """The texts that have a group."""
        return self.concept >= 0

    @property
    def trained(self) -> Mask:
        """The texts that the probe of each turn trains on, [turns, texts]."""
        return np.stack([self.fold == (turn + 1) % TURNS for turn in range(TURNS)])

    def tested(self, read: Codes) -> Codes:
        """What was read of every used text when it was tested on, [.., turns, texts] -> [.., used].

        The eraser of a turn is fitted on fold `turn`, its probe trains on the next and is tested
        on the one after.
        """
        turn = (self.fold[self.used] + 1) % TURNS
        return np.take_along_axis(
            read[..., self.used], turn.reshape(*[1] * (read.ndim - 1), -1), axis=-2
        )[..., 0, :]


def measure(ref: ShardRef, store: Path) -> Payload:
    """Classes read by linear, control and non-linear probes, and bits of the online code."""
    layers, seed = list(range(*ref.option("layers"))), ref.data.seed
    made = design(stored_states(ref, store, ref.option("pooling"), layers))
    asked = _asked(ref)
    arrays: dict[str, NDArray[Any]] = {}
    for classes in sorted({len(one.groups) for one in asked}):
        alike = [one for one in asked if len(one.groups) == classes]
        arrays |= linear_readings(made, alike, seed) | nonlinear_readings(made, alike, seed)
    for one in asked:
        dealt = probes.control_labels(one.concept[one.used], seed=seed)
        both = np.stack([one.concept[one.used], dealt])
        code = online_code(made.texts(np.flatnonzero(one.used)), both, len(one.groups), seed=seed)
        arrays[f"{one.attribute}/bits"] = code.bits
        arrays[f"{one.attribute}/concept"] = one.concept[one.used]
    told = {one.attribute: one.groups for one in asked}
    return Payload(
        arrays,
        [{"pooling": ref.option("pooling"), "layers": layers, "attributes": told}],
    )


def _asked(ref: ShardRef) -> list[Asked]:
    found = []
    for attribute, groups in ref.option("attributes").items():
        code = {name: i for i, name in enumerate(sorted(groups))}
        of = [code.get(row.groups[attribute], -1) for row in rows_of(ref)]
        concept = np.array(of, dtype=np.int64)
        fold = np.full(len(concept), -1, dtype=np.int64)
        fold[concept >= 0] = probes.three_folds(concept[concept >= 0], seed=ref.data.seed)
        found.append(Asked(attribute, sorted(groups), concept, fold))
    return found


def linear_readings(made: Design, asked: list[Asked], seed: int) -> dict[str, NDArray[Any]]:
    """Linear probes and their controls, attributes with the same number of groups together.

    Returns:
        For every attribute the class read of every text that has a group, `read` [layers, used],
        and whether probes trained on control labels read it, `control` [layers, draws, used].
    """
    classes, labels, trained = _together(asked)
    linear = probes.linear_probes(made, labels, trained, classes, seed=seed)
    seeds = [seed + draw for draw in range(CONTROLS)]
    control = probes.control_probes(made, labels, trained, classes, linear.strength, seeds)
    found: dict[str, NDArray[Any]] = {}
    for one, of in _turns(asked):
        hits = one.tested(control[:, of].swapaxes(1, 2)) == one.concept[one.used]
        found[f"{one.attribute}/read"] = one.tested(linear.read[:, of])
        found[f"{one.attribute}/control"] = hits
    return found


def nonlinear_readings(made: Design, asked: list[Asked], seed: int) -> dict[str, NDArray[Any]]:
    """The class non-linear probes read, `nonlinear` [layers, used]; see `linear_readings`."""
    classes, labels, trained = _together(asked)
    curved = nonlinear_probes(made, labels, trained, classes, seed=seed)
    return {f"{one.attribute}/nonlinear": one.tested(curved[:, of]) for one, of in _turns(asked)}


def _together(asked: list[Asked]) -> tuple[int, Codes, Mask]:
    """Groups, and labels and texts to train on of the probes of all turns, [probes, texts]."""
    labels = np.concatenate([np.tile(one.concept, (TURNS, 1)) for one in asked])
    return len(asked[0].groups), labels, np.concatenate([one.trained for one in asked])


def _turns(asked: list[Asked]) -> list[tuple[Asked, slice]]:
    """Every attribute with the places of its probes."""
    return [(one, slice(i * TURNS, (i + 1) * TURNS)) for i, one in enumerate(asked)]
