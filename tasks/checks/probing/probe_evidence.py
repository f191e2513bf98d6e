"""What probes read, as measurements: accuracies, selectivity, description length."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.measures.stats import intervals
from tasks.run.shards import Payload
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
    payloads: Sequence[Payload], main: str, *, seed: int, span: str | None = None
) -> list[Measurement]:
    """Measurements of every attribute, pooling and layer that was read.

    An attribute is said to be readable where its selectivity is above 0 at any layer and pooling;
    so the intervals of its selectivities hold jointly over all of them (Bonferroni). Those of the
    accuracies hold one by one.

    Args:
        payloads: of the shards of probes.
        main: the pooling that needs no mention.
        seed: drawn from the definition's seed.
        span: the field that the pooling `span` means.
    """
    found: list[Measurement] = []
    places: Counter[str] = Counter()
    for payload in payloads:
        told: Any = payload.records[0]
        places.update({attribute: len(told["layers"]) for attribute in told["attributes"]})
    for payload in payloads:
        about: Any = payload.records[0]
        where = None if about["pooling"] == main else POSITIONS[about["pooling"]]
        if where is not None and about["pooling"] == "span":
            where = f"{where} {span}"
        for attribute in about["attributes"]:
            parts = {
                name: payload.arrays[f"{attribute}/{name}"]
                for name in ("concept", "read", "nonlinear", "control", "bits")
            }
            if where is None and about["layers"][0] == 0:
                found.append(_majority(parts["concept"], About(attribute=attribute)))
            for i, layer in enumerate(about["layers"]):
                at = About(attribute=attribute, layer=layer, position=where)
                one = {k: v if k == "concept" else v[i] for k, v in parts.items()}
                found += _accuracies(one, at, seed, places[attribute]) + _lengths(one, at, seed)
    return found


def _majority(concept: NDArray[np.int64], at: About) -> Measurement:
    most = np.bincount(concept).argmax()
    n = len(concept)
    return Measurement.of(
        "majority_accuracy", intervals.share(concept == most), n, intervals.SHARE, at
    )


def _accuracies(
    parts: dict[str, NDArray[Any]], at: About, seed: int, places: int
) -> list[Measurement]:
    concept = parts["concept"]
    n, joint = len(concept), intervals.bonferroni(0.95, places)
    right = parts["read"] == concept
    read = {level: balanced(right, concept, level=level) for level in (0.95, joint)}
    control = {level: by_luck(parts["control"], concept, seed, level) for level in (0.95, joint)}
    selectivity = intervals.minus(read[joint], control[joint])
    over = f"{METHOD_SELECTIVITY}; 95 % jointly over {places} layers" if places > 1 else ""
    measured = {
        "probe_accuracy": (read[0.95], METHOD_READ),
        "control_accuracy": (control[0.95], METHOD_CONTROL),
        "selectivity": (selectivity, over or METHOD_SELECTIVITY),
        "nonlinear_probe_accuracy": (balanced(parts["nonlinear"] == concept, concept), METHOD_READ),
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
        In [0, 1]; 1 / number of groups is chance. Something stays open also where all are right.
    """
    groups = [intervals.share(right[concept == g], level=level) for g in np.unique(concept)]
    return intervals.mean_of(groups)


def by_luck(
    hits: NDArray[np.bool_], concept: NDArray[np.int64], seed: int, level: float
) -> intervals.Interval:
    """Balanced accuracy of the controls, mean over their labellings.

    A control's luck is that of its labelling, so labellings are drawn anew with the texts.

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
        np.random.default_rng(seed).multinomial(draws, np.full(draws, 1 / draws), size=len(drawn))
        / draws
    )
    return intervals.spread(float(means.point.mean()), (drawn * weight).sum(axis=1), level=level)


def _lengths(parts: dict[str, NDArray[Any]], at: About, seed: int) -> list[Measurement]:
    """Bits per text, and what a uniform code would take over them."""
    concept = parts["concept"]
    n, uniform = len(concept), float(np.log2(len(np.unique(concept))))
    means = intervals.group_means(parts["bits"].T, np.zeros(n), seed=seed)
    mdl, control = (
        intervals.spread(float(means.point[0, i]), means.draws[:, 0, i]) for i in range(2)
    )
    shorter = intervals.Interval(uniform / mdl.value, uniform / mdl.high, uniform / mdl.low)
    measured = {"mdl": mdl, "mdl_control": control, "compression": shorter}
    return [
        Measurement.of(name, interval, n, METHOD_CODE, at) for name, interval in measured.items()
    ]
