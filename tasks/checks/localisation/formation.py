"""When decisions form: over all texts, over errors, over refusals of each group."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.definition.checks.localisation import LocalisationCheck
from tasks.definition.subset import Subset
from tasks.measures.localisation.formation import PERMUTATIONS, formation_delay, formation_layer
from tasks.measures.stats import intervals
from tasks.run.plan import Plan
from tasks.schema import About, Measurement

SAME = 0.98  # a layer that reads one class for this share of texts, or more, reads nothing
HANDLED = Subset(as_labelled=True)
DELAY = (
    "difference of means against the other texts decided as labelled, MOVER of BCa bootstrap "
    f"intervals; permutation test, {PERMUTATIONS} draws"
)

Masks = dict[Subset | None, NDArray[np.bool_]]


def formed(classes: NDArray[np.int64], *, sampled: int) -> tuple[NDArray[np.int64], int]:
    """Formation layer per text, and how many of the first layers read nothing.

    Args:
        classes: class read at every layer, [layers + 1, texts].
        sampled: texts that are counted, the first ones; by them a layer is judged silent.
    """
    silent = silent_layers(classes[:, :sampled])
    return np.maximum(formation_layer(classes), silent), silent


def silent_layers(classes: NDArray[np.int64]) -> int:
    """How many of the first layers read the same class for (almost) every text.

    There the lens reads nothing, though it agrees with every final decision of that class.

    Args:
        classes: class read at every layer, [layers + 1, texts].
    """
    largest_share = [
        np.unique(layer, return_counts=True)[1].max() / len(layer) for layer in classes[:-1]
    ]
    silent = [i for i, share in enumerate(largest_share) if share >= SAME]
    return silent[-1] + 1 if silent else 0


def measurements(
    plan: Plan,
    check: LocalisationCheck,
    positions: Sequence[int],
    formed: NDArray[np.int64],
    targets: NDArray[np.str_],
    layers: int,
) -> list[Measurement]:
    """Mean and distribution of the formation layer by subset, and the delay of each subset.

    Args:
        plan: the audit.
        check: the question.
        positions: the rows, [texts].
        formed: their formation layer, [texts].
        targets: their decision, [texts].
        layers: the last layer.
    """
    masks = _subsets(plan, check, positions, targets)
    by_subset = []
    for subset, mask in masks.items():
        values = formed[mask]
        if len(values) < 2:
            continue
        bounds = (0.0, float(formed.max()))
        mean = intervals.bootstrap_mean(
            values.astype(np.float64), seed=plan.spec.seed, bounds=bounds
        )
        about = About(subset=subset)
        by_subset.append(
            Measurement.of("formation_layer", mean, len(values), intervals.MEAN, about)
        )
        by_subset += [
            Measurement.of(
                "formed_at",
                intervals.share(values == layer),
                len(values),
                intervals.SHARE,
                About(layer=layer, subset=subset),
            )
            for layer in range(layers + 1)
        ]
    return by_subset + _delays(masks, formed, layers, plan.spec.seed)


def _subsets(
    plan: Plan, check: LocalisationCheck, positions: Sequence[int], targets: NDArray[np.str_]
) -> Masks:
    masks: Masks = {None: np.ones(len(positions), dtype=np.bool_)}
    labels = plan.data.labels()[list(positions)]
    if plan.spec.data.label is not None and plan.labels(plan.spec.subject_of(check)):
        masks[Subset(as_labelled=False)] = (labels != targets) & (labels != "")
        masks[HANDLED] = labels == targets
    if plan.spec.data.favourable is not None:
        refused = targets != plan.spec.data.favourable
        for attribute in plan.spec.data.groups:
            group = plan.data.group(attribute)[list(positions)]
            for name in sorted(set(group) - {""}):
                part = Subset(favourable=False, attribute=attribute, group=str(name))
                masks[part] = refused & (group == name)
    return masks


def _delays(masks: Masks, formed: NDArray[np.int64], layers: int, seed: int) -> list[Measurement]:
    """Errors and refusals of each group against the other correctly handled cases."""
    if HANDLED not in masks:
        return []
    delays = []
    for subset, mask in masks.items():
        others = masks[HANDLED] & ~mask  # no text is on both sides
        if subset in (None, HANDLED) or mask.sum() < 2 or others.sum() < 2:
            continue
        delay = formation_delay(formed[mask], formed[others], layers=layers, seed=seed)
        measurement = Measurement.of(
            "formation_delay", delay.interval, int(mask.sum()), DELAY, About(subset=subset)
        )
        delays.append(measurement.model_copy(update={"p": delay.p}))
    adjusted = intervals.benjamini_hochberg([m.p for m in delays if m.p is not None])
    family = f"formation delay over {len(delays)} subsets"
    return [
        m.model_copy(update={"q": q, "family": family})
        for m, q in zip(delays, adjusted, strict=True)
    ]
