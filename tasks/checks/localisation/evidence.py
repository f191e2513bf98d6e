"""At which layer does the decision form, and where does an exchanged field move it?"""

from collections.abc import Sequence

import numpy as np

from tasks.checks.localisation import formation
from tasks.checks.localisation.patching_evidence import Lens, recovered
from tasks.checks.localisation.payload import (
    Classes,
    Floats,
    LensDivergence,
    LensReadings,
)
from tasks.checks.localisation.rounds import LENS, MAPS, PATCHING, TUNED
from tasks.definition.checks.localisation import LocalisationCheck
from tasks.definition.checks.swap import Swap
from tasks.measures.stats import intervals
from tasks.run.rounds import Asked, Finished
from tasks.schema import About, CaseEvidence, Evidence, LayerReading, Measurement

DIVERGENCE = "mean over held-out texts of KL(final || lens) in nats, BCa bootstrap"

Part = tuple[list[Measurement], tuple[str, ...]]
"""Measurements, and notes on them."""


def evidence(asked: Asked[LocalisationCheck], finished: Finished) -> Evidence:
    """Agreement with the final decision by layer, formation by subset, effects of the exchange."""
    readings = LensReadings.joined(finished.of(LENS))
    formed, silent = formation.formed(readings.classes, sampled=len(asked.sample))
    parts = [
        _formation(asked, readings, formed, silent),
        _divergence(finished.of(TUNED), asked.seed),
        _exchange(asked, readings, finished),
    ]
    return Evidence(
        check=asked.check,
        subject=asked.subject,
        measurements=tuple(m for measurements, _ in parts for m in measurements),
        cases=(*_cases(asked, readings, formed), *_maps(readings, finished)),
        notes=tuple(note for _, notes in parts for note in notes),
    )


def _formation(
    asked: Asked[LocalisationCheck], readings: LensReadings, formed: Classes, silent: int
) -> Part:
    sampled, layers = len(asked.sample), len(readings.classes)
    targets = np.array([text.target for text in readings.texts], dtype=np.str_)
    by_subset = formation.measurements(
        asked.plan, asked.check, asked.sample, formed[:sampled], targets[:sampled], layers - 1
    )
    return _agreement(readings.classes[:, :sampled]) + by_subset, _notes(silent, layers)


def _divergence(fitted: Sequence[LensDivergence], seed: int) -> Part:
    """Held-out divergence by layer, of the plain lens and of the tuned one."""
    measurements = [
        Measurement.of(
            name, intervals.bootstrap_mean(texts, seed=seed), len(texts), DIVERGENCE,
            About(layer=layer),
        )
        for divergence in fitted
        for name, by_layer in (("lens_kl", divergence.plain), ("tuned_lens_kl", divergence.tuned))
        for layer, texts in enumerate(by_layer)
    ]  # fmt: skip
    return measurements, tuple(note for divergence in fitted for note in divergence.notes)


def _exchange(asked: Asked[LocalisationCheck], readings: LensReadings, finished: Finished) -> Part:
    swap, sampled = asked.check.swap, len(asked.sample)
    if swap is None:
        return [], ()
    change, control = (each[:, :sampled] for each in (readings.change, readings.control))
    effects = swap_effects(swap, change, control, seed=asked.seed)
    lens = Lens(asked.sample, readings.odds[:, :sampled], readings.flips[:sampled])
    patching = recovered(swap.column, lens, finished.of(PATCHING), seed=asked.seed)
    return effects + patching.measurements, patching.notes


def _cases(
    asked: Asked[LocalisationCheck], readings: LensReadings, formed: Classes
) -> list[CaseEvidence]:
    shown = {asked.plan.data.rows[case].id for case in asked.cases}
    return [
        LayerReading(
            id=text.id,
            target=text.target,
            probabilities=tuple(min(1.0, float(p)) for p in readings.final[:, i]),
            formed_at=int(formed[i]),
        )
        for i, text in enumerate(readings.texts)
        if text.id in shown
    ]


def _maps(readings: LensReadings, finished: Finished) -> list[CaseEvidence]:
    """Lens and patching, token by token."""
    return [
        *(text.map for text in readings.texts if text.map is not None),
        *(patching_map for payload in finished.of(MAPS) for patching_map in payload.maps),
    ]


def _agreement(classes: Classes) -> list[Measurement]:
    return [
        Measurement.of(
            "agreement_with_final",
            intervals.share(layer == classes[-1]),
            classes.shape[1],
            intervals.SHARE,
            About(layer=index),
        )
        for index, layer in enumerate(classes)
    ]


def swap_effects(swap: Swap, change: Floats, control: Floats, *, seed: int) -> list[Measurement]:
    """Effect of the exchange at every layer, across groups and within, and the difference.

    Args:
        swap: the exchange.
        change: change of the favourable probability for a value of another group, [layers,
            texts]; NaN where a text cannot be exchanged.
        control: the same for another value of the same group.
        seed: drawn from the definition's seed.

    Returns:
        By layer `swap_effect`, `swap_effect_control` and, on texts that have both, `swap_excess`:
        means over texts with BCa intervals.
    """
    across, within = np.abs(change), np.abs(control)
    measurements = []
    for name, changes, bounds, quantity in (
        ("swap_effect", across, (0.0, 1.0), "|change of favourable probability|"),
        ("swap_effect_control", within, (0.0, 1.0), "|change of favourable probability|"),
        ("swap_excess", across - within, (-1.0, 1.0), "difference of both on the same text"),
    ):
        moved = changes[:, ~np.isnan(changes[-1])]
        if moved.shape[1] == 0:
            continue
        measurements += [
            Measurement.of(
                name,
                intervals.bootstrap_mean(layer, seed=seed, bounds=bounds),
                moved.shape[1],
                f"mean over pairs of {quantity}, BCa bootstrap",
                About(field=swap.column, layer=index),
            )
            for index, layer in enumerate(moved)
        ]
    return measurements


def _notes(silent: int, layers: int) -> tuple[str, ...]:
    if silent == 0:
        return ()
    where = "Layer 0 reads" if silent == 1 else f"Layers 0 to {silent - 1} read"
    if silent == layers - 1:
        where = f"No layer below the last, {layers - 1}, tells texts apart: each reads"
    return (
        f"{where} the same class for at least {formation.SAME:.0%} of the texts; no decision is "
        "counted as formed there, whatever the agreement.",
    )
