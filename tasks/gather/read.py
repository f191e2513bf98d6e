"""What probes read, as measurements: accuracies, selectivity, description length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.measures import stats
from tasks.schema import About, Measurement
from tasks.shards import Payload

METHOD_PROBE = "held-out balanced accuracy over three folds, bootstrap within groups"
METHOD_CODE = "online code, linear probes on doubling portions; bootstrap over texts"

Floats = NDArray[np.float64]
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

    Args:
        payloads: of the shards of probes.
        main: the pooling that needs no mention.
        seed: drawn from the definition's seed.
        span: the field that the pooling `span` means.
    """
    found: list[Measurement] = []
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
                found += _accuracies(one, at, seed) + _lengths(one, at, seed)
    return found


def _majority(concept: NDArray[np.int64], at: About) -> Measurement:
    most = np.bincount(concept).argmax()
    n = len(concept)
    return Measurement.of("majority_accuracy", stats.share(concept == most), n, stats.SHARE, at)


def _accuracies(parts: dict[str, NDArray[Any]], at: About, seed: int) -> list[Measurement]:
    concept = parts["concept"]
    hits = [parts[name] == concept for name in ("read", "nonlinear")]
    means = stats.group_means(
        np.vstack([*hits, parts["control"]]).T.astype(float), concept, seed=seed
    )
    drawn, accuracy = means.draws.mean(axis=-2), means.point.mean(axis=0)
    controls = accuracy[2:]
    # a control's luck is that of its labelling, so labellings are drawn anew with the texts
    weight = np.random.default_rng(seed).multinomial(
        len(controls), np.full(len(controls), 1 / len(controls)), size=len(drawn)
    ) / len(controls)
    by_luck, control = (drawn[:, 2:] * weight).sum(axis=1), float(controls.mean())
    measured = {
        "probe_accuracy": (accuracy[0], drawn[:, 0]),
        "control_accuracy": (control, by_luck),
        "selectivity": (accuracy[0] - control, drawn[:, 0] - by_luck),
        "nonlinear_probe_accuracy": (accuracy[1], drawn[:, 1]),
    }
    return [
        Measurement.of(name, stats.spread(float(point), draws), len(concept), METHOD_PROBE, at)
        for name, (point, draws) in measured.items()
    ]


def _lengths(parts: dict[str, NDArray[Any]], at: About, seed: int) -> list[Measurement]:
    """Bits per text, and what a uniform code would take over them."""
    concept = parts["concept"]
    n, uniform = len(concept), float(np.log2(len(np.unique(concept))))
    means = stats.group_means(parts["bits"].T, np.zeros(n), seed=seed)
    mdl, control = (stats.spread(float(means.point[0, i]), means.draws[:, 0, i]) for i in range(2))
    shorter = stats.Interval(uniform / mdl.value, uniform / mdl.high, uniform / mdl.low)
    measured = {"mdl": mdl, "mdl_control": control, "compression": shorter}
    return [
        Measurement.of(name, interval, n, METHOD_CODE, at) for name, interval in measured.items()
    ]
