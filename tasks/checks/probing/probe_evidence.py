"""What probes read, as measurements: accuracies, selectivity, description length."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.checks.probing.payload import LayerReading, Readings
from tasks.measures.stats import intervals
from tasks.measures.stats.random_streams import stream
from tasks.schema import About, Measurement

METHOD_PROBE = "held-out balanced accuracy over three folds, bootstrap within groups"
METHOD_READ = "held-out balanced accuracy over three folds, Wilson intervals of the groups (MOVER)"
METHOD_CONTROL = "the same, mean over control labellings; bootstrap over these and within groups"
METHOD_SELECTIVITY = "difference of the two (MOVER)"
METHOD_CODE = "online code, linear probes on doubling portions; bootstrap over texts"

POSITIONS = {
    "head": "the position that the head reads",
    "first": "first token",
    "last": "last token",
    "mean": "mean over tokens",
    "span": "field",
}


def read_measurements(
    readings: Sequence[Readings], main: str, *, seed: int, span: str | None = None
) -> list[Measurement]:
    """Measurements of every attribute, pooling and layer that was read.

    An attribute counts as readable if its selectivity is above 0 at any layer and pooling, so the
    intervals of its selectivities hold jointly over all layers and poolings (Bonferroni). Those of
    the accuracies hold one by one.

    Args:
        readings: what probes read, some layers of one pooling each.
        main: the pooling whose measurements name no position.
        seed: drawn from the definition's seed.
        span: the field that the pooling `span` means.
    """
    places: Counter[str] = Counter()
    for of in readings:
        places.update({attribute: len(of.layers) for attribute in of.attributes})
    measurements: list[Measurement] = []
    for of in readings:
        where = None if of.pooling == main else _position(of.pooling, span)
        for attribute in of.attributes:
            if where is None and of.layers[0] == 0:
                measurements.append(_majority(of.concept[attribute], About(attribute=attribute)))
            for layer in of.layers:
                at = About(attribute=attribute, layer=layer, position=where)
                reading = of.at(attribute, layer)
                measurements += _accuracies(reading, at, seed, places[attribute])
                measurements += _lengths(reading, at, seed)
    return measurements


def _position(pooling: str, span: str | None) -> str:
    where = POSITIONS[pooling]
    return f"{where} {span}" if pooling == "span" else where


def _majority(concept: NDArray[np.int64], at: About) -> Measurement:
    most = np.bincount(concept).argmax()
    n = len(concept)
    return Measurement.of(
        "majority_accuracy", intervals.share(concept == most), n, intervals.SHARE, at
    )


def _accuracies(of: LayerReading, at: About, seed: int, places: int) -> list[Measurement]:
    concept = of.concept
    n, joint = len(concept), intervals.bonferroni(0.95, places)
    right = of.read == concept
    read = {level: balanced(right, concept, level=level) for level in (0.95, joint)}
    control = {level: control_accuracy(of.control, concept, seed, level) for level in (0.95, joint)}
    selectivity = intervals.minus(read[joint], control[joint])
    over = f"{METHOD_SELECTIVITY}; 95 % jointly over {places} layers" if places > 1 else ""
    measured = {
        "probe_accuracy": (read[0.95], METHOD_READ),
        "control_accuracy": (control[0.95], METHOD_CONTROL),
        "selectivity": (selectivity, over or METHOD_SELECTIVITY),
        "nonlinear_probe_accuracy": (balanced(of.nonlinear == concept, concept), METHOD_READ),
    }
    return [
        Measurement.of(name, interval, n, method, at)
        for name, (interval, method) in measured.items()
    ]


def balanced(
    right: NDArray[np.bool_], concept: NDArray[np.int64], *, level: float = 0.95
) -> intervals.Interval:
    """Balanced accuracy with its interval; the groups' shares are independent of each other.

    Args:
        right: whether the group of a text was read rightly, [texts].
        concept: group of every text, [texts].
        level: coverage, in (0, 1).

    Returns:
        In [0, 1]; 1 / number of groups is chance. The interval has width even where all are right.
    """
    groups = [intervals.share(right[concept == g], level=level) for g in np.unique(concept)]
    return intervals.mean_of(groups)


def control_accuracy(
    hits: NDArray[np.bool_], concept: NDArray[np.int64], seed: int, level: float
) -> intervals.Interval:
    """Balanced accuracy of the controls, mean over their labellings.

    A control's accuracy depends on its labelling, so the bootstrap draws labellings and texts.

    Args:
        hits: whether a text was read rightly, [labellings, texts].
        concept: group of every text, [texts].
        seed: drawn from the definition's seed.
        level: coverage, in (0, 1).
    """
    means = intervals.group_means(hits.T.astype(float), concept, seed=seed)
    drawn = means.draws.mean(axis=-2)
    draws = len(hits)
    weight = (
        stream(seed, "bootstrap of control labellings").multinomial(
            draws, np.full(draws, 1 / draws), size=len(drawn)
        )
        / draws
    )
    return intervals.spread(float(means.point.mean()), (drawn * weight).sum(axis=1), level=level)


def _lengths(of: LayerReading, at: About, seed: int) -> list[Measurement]:
    """Bits per text, and how many times as many a uniform code would take."""
    concept = of.concept
    n, uniform = len(concept), float(np.log2(len(np.unique(concept))))
    means = intervals.group_means(of.bits.T, np.zeros(n), seed=seed)
    mdl, control = (
        intervals.spread(float(means.point[0, i]), means.draws[:, 0, i]) for i in range(2)
    )
    shorter = intervals.Interval(uniform / mdl.value, uniform / mdl.high, uniform / mdl.low)
    measured = {"mdl": mdl, "mdl_control": control, "compression": shorter}
    return [
        Measurement.of(name, interval, n, METHOD_CODE, at) for name, interval in measured.items()
    ]
