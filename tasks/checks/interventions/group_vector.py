"""What steering and remediation share: texts in three parts, and the vector between two groups."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.checks.interventions.states import place, pooled
from tasks.data.dataset import MISSING, Row
from tasks.data.field_swap import exchange
from tasks.definition.checks import LeverCheck, Swap
from tasks.errors import EvidenceError
from tasks.measures.interventions.levers import Step, Where, applied
from tasks.measures.interventions.steering import (
    contrast,
    difference_of_means,
    shuffled_contrast,
    shuffled_difference,
)
from tasks.measures.model.hooks import captured, recorded, resumed
from tasks.measures.probing.probes import three_folds
from tasks.run.plan import Plan
from tasks.run.shards import ShardRef
from tasks.schema import TooSmall
from tasks.subjects.local.batches import Batch, batches
from tasks.subjects.protocols import Opens

PARTS = 3

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]
Classes = NDArray[np.int64]


# --- which texts --------------------------------------------------------------------------


def usable(plan: Plan, check: LeverCheck) -> tuple[list[int], list[TooSmall]]:
    """Sampled rows of groups that are large enough in every third, and the groups that are not."""
    rows = plan.rows_of(check)
    group = plan.data.group(check.attribute)[rows]
    sizes = {str(g): int((group == g).sum()) for g in np.unique(group) if g != MISSING}
    least = plan.spec.data.minimum_group
    small = [
        TooSmall(attribute=check.attribute, group=g, n=n)
        for g, n in sizes.items()
        if n // PARTS < least
    ]
    large = [g for g, n in sizes.items() if n // PARTS >= least]
    kept = [row for row, g in zip(rows, group, strict=True) if g in large]
    return (kept if len(large) > 1 else []), small


def thirds(plan: Plan, check: LeverCheck) -> tuple[list[int], list[int], list[int]]:
    """The usable rows in three parts with the groups spread evenly; empty where none are usable."""
    rows, _ = usable(plan, check)
    if not rows:
        return [], [], []
    fold = three_folds(plan.data.group(check.attribute)[rows], seed=plan.spec.seed)
    first, second, third = (
        [row for row, f in zip(rows, fold, strict=True) if f == part] for part in range(PARTS)
    )
    return first, second, third


def note_on_thirds(plan: Plan, check: LeverCheck) -> list[str]:
    """Why a group is too small here that may not be elsewhere."""
    if not usable(plan, check)[1]:
        return []
    least = plan.spec.data.minimum_group
    return [
        f"The texts are split in three, so a group needs {PARTS * least} texts here, {least} in "
        "each third."
    ]


def right_classes(plan: Plan, check: LeverCheck, rows: Sequence[int]) -> Classes:
    """Index of the true class of every row, [rows]; -1 where there is no label."""
    labels = plan.labels(plan.spec.subject_of(check))
    if plan.spec.data.label is None:
        return np.full(len(rows), -1, dtype=np.int64)
    of = plan.data.labels()[list(rows)]
    return np.array([labels.index(name) if name in labels else -1 for name in of], dtype=np.int64)


def favourable_class(plan: Plan, check: LeverCheck) -> int:
    """Index of the class that people hope for."""
    labels = plan.labels(plan.spec.subject_of(check))
    return labels.index(str(plan.spec.data.favourable))


# --- states and runs ----------------------------------------------------------------------


def where_of(subject: Opens, pooling: str, layer: int) -> Where:
    """The tokens of `states.place`, said so that padding may be on either side."""
    if pooling == "mean" or layer == 0:
        return "all"
    if pooling == "head":
        return "last" if subject.left_padded else "first"
    return "first" if pooling == "first" else "last"


class Read(NamedTuple):
    """What a subject makes of some texts."""

    states: Floats
    """[layers + 1, texts, d]."""
    decided: Classes
    """[texts]."""


def read(subject: Opens, rendered: Sequence[str], pooling: str, steps: Sequence[Step] = ()) -> Read:
    """States of every layer and the decision; states at a layer of `steps` are before its step."""
    states: Floats = np.empty(0)
    decided = np.empty(len(rendered), dtype=np.int64)
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            with captured(subject.blocks) as hidden, applied(subject.model, steps):
                scores = batch.merged(subject.scores(batch))
            decided[positions] = scores.argmax(dim=-1).cpu().numpy()
            one = [
                pooled(batch, h, place(subject, batch, pooling, layer)).double().cpu().numpy()
                for layer, h in enumerate(hidden)
            ]
            if not states.size:
                states = np.empty((len(one), len(rendered), one[0].shape[1]))
            states[:, positions] = one
    return Read(states, decided)


@contextmanager
def onward(subject: Opens, outputs: list[Any], layer: int, steps: Sequence[Step]) -> Iterator[None]:
    """Run the subject with the steps, the first of them at `layer`; what lies below is known."""
    with ExitStack() as stack:
        stack.enter_context(resumed(subject.blocks, layer, outputs))
        stack.enter_context(applied(subject.model, steps))
        yield


def scores_with(subject: Opens, batch: Batch, several: Sequence[Sequence[Step]]) -> Tensor:
    """Scores of every text with each of several sets of steps, [sets, texts, classes]."""
    found = []
    with torch.inference_mode():
        with recorded(subject.blocks) as outputs:
            plain = subject.scores(batch)
        for steps in several:
            if not steps:
                found.append(plain)
                continue
            with onward(subject, outputs, min(step.layer for step in steps), steps):
                found.append(subject.scores(batch))
        return torch.stack([batch.merged(scores) for scores in found])


# --- the vector between two groups --------------------------------------------------------


class Direction(NamedTuple):
    """The vector that leads from the group selected least often to the one selected most often."""

    low: str
    high: str
    vectors: Floats
    """[layers + 1, d]."""
    shuffled: Floats
    """The same with the groups shuffled, [layers + 1, draws, d]."""
    n: int
    """Texts, or pairs of a text and its exchanged version."""


def direction(
    subject: Opens,
    rows: Sequence[Row],
    found: Read,
    attribute: str,
    groups: Sequence[str],
    swap: Swap | None,
    ref: ShardRef,
    pooling: str,
    draws: int,
) -> Direction:
    """The vector of an attribute, fitted on texts whose states were read.

    Args:
        subject: decides and gives states.
        rows: the texts.
        found: what the subject makes of them.
        attribute: what tells the groups apart.
        groups: groups that are large enough.
        swap: take it from exchanged texts; from means of groups where none.
        ref: the shard that fits it, for seed and favourable class.
        pooling: which state.
        draws: how often the groups are shuffled, for the control.

    Raises:
        EvidenceError: fewer than two groups have a text here.
        DataError: no text can be exchanged.
    """
    named = np.array([row.groups[attribute] for row in rows], dtype=np.str_)
    hoped = subject.labels.index(str(ref.data.spec.favourable))
    rates = {
        g: float((found.decided[named == g] == hoped).mean())
        for g in sorted(groups)
        if (named == g).any()
    }
    if len(rates) < 2:
        raise EvidenceError(f"steering: {attribute!r} has no two groups among the fitted texts")
    low = min(rates, key=lambda g: rates[g])
    high = max((g for g in rates if g != low), key=lambda g: rates[g])
    kept = np.flatnonzero((named == low) | (named == high))
    seed = ref.data.seed
    if swap is None:
        toward = named[kept] == high
        means = [of[kept] for of in found.states]
        vectors = [difference_of_means(of, toward) for of in means]
        control = [shuffled_difference(of, toward, draws, seed=seed) for of in means]
        return Direction(low, high, np.stack(vectors), np.stack(control), len(kept))
    pairs = exchange([rows[int(i)] for i in kept], swap, seed=seed)
    own = kept[[pair.position for pair in pairs]]
    other = read(subject, [subject.render(pair.text) for pair in pairs], pooling)
    both = [(of[own], after) for of, after in zip(found.states, other.states, strict=True)]
    vectors = [contrast(*of, named[own] == low) for of in both]
    control = [shuffled_contrast(*of, draws, seed=seed) for of in both]
    return Direction(low, high, np.stack(vectors), np.stack(control), len(pairs))
