"""Where an exchanged field takes effect: what patching recovers, and whether the lens agrees."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.checks.localisation.payload import Classes, Floats, PatchedPairs, PatchedSite
from tasks.measures.localisation.patching import MINIMUM, Recovery, recovered_share
from tasks.schema import About, Measurement

METHOD = (
    "sum of change towards the exchange over sum of |effect|, log-odds, "
    "percentile bootstrap over pairs whose decision flips"
)
LAYER = "first layer with at least half of the effect, percentile bootstrap over pairs"


class Recovered(NamedTuple):
    """Where a field takes effect."""

    measurements: list[Measurement]
    notes: tuple[str, ...]


class Lens(NamedTuple):
    """What the lens read of the same exchange."""

    rows: Sequence[int]
    """The counted rows."""
    change: Floats
    """Change of the log-odds read, [layers + 1, rows]."""
    flips: Classes
    """-1 nothing exchanged, 0 no flip, 1 flips, 2 flips but cannot be patched, [rows]."""


def recovered(column: str, lens: Lens, payloads: Sequence[PatchedPairs], *, seed: int) -> Recovered:
    """Recovered shares by site, their controls, and the layer by lens and by patching.

    Args:
        column: the exchanged field.
        lens: what the lens read.
        payloads: of the pairs that were patched; none where too few decisions flip.
        seed: drawn from the definition's seed.
    """
    flipped, exchanged = int((lens.flips > 0).sum()), int((lens.flips >= 0).sum())
    unpatched = int((lens.flips == 2).sum())
    notes = []
    if unpatched:
        notes.append(
            f"{unpatched} of the {flipped} pairs whose decision flips are not patched: their texts "
            "differ in more than the tokens of the field, or do not fit into one window."
        )
    if not payloads:
        few = f"; at least {MINIMUM} pairs are needed" if flipped else ""
        notes.append(
            f"Nothing to localise: the exchange flips {flipped} of {exchanged} decisions{few}."
        )
        return Recovered([], tuple(notes))
    patched = PatchedPairs.joined(payloads)
    share = recovered_share(patched.effect, patched.change, seed=seed)
    pairs = len(patched.effect)
    measurements = _shares("recovered_share", column, share, patched.sites, pairs)
    controlled = ~np.isnan(patched.control).any(axis=1)
    count = int(controlled.sum())
    if count >= MINIMUM:
        control = recovered_share(
            patched.effect[controlled], patched.control[controlled], seed=seed
        )
        measurements += _shares(
            "recovered_share_control", column, control, patched.control_sites, count
        )
    else:
        notes.append(
            f"No control: in {count} of {pairs} pairs another value of the same "
            f"group keeps the decision; at least {MINIMUM} are needed."
        )
    layers, agreement = _layers(column, lens, share, patched, seed)
    return Recovered(measurements + layers, (*notes, *patched.notes, *agreement))


def _shares(
    name: str, column: str, share: Recovery, sites: Sequence[PatchedSite], pairs: int
) -> list[Measurement]:
    return [
        Measurement.of(
            name,
            share.interval(i),
            pairs,
            METHOD,
            About(field=column, layer=site.layer, part=site.part, position=site.position),
        )
        for i, site in enumerate(sites)
    ]


def _layers(
    column: str, lens: Lens, share: Recovery, pairs: PatchedPairs, seed: int
) -> tuple[list[Measurement], list[str]]:
    """The layer at which the effect arrives, by the lens and by patching, over the same pairs."""
    at, rows = {row: i for i, row in enumerate(lens.rows)}, pairs.rows
    change = lens.change[:, [at[int(row)] for row in rows]].T
    read = recovered_share(change[:, -1], change, seed=seed).first_half()
    about = About(field=column)
    measurements = [Measurement.of("lens_layer", read, len(rows), LAYER, about)]
    head = [i for i, s in enumerate(pairs.sites) if (s.part, s.position) == ("residual", "head")]
    if not head:
        return measurements, []
    patched = Recovery(share.point[head], share.draws[:, head]).first_half()
    measurements.append(Measurement.of("patching_layer", patched, len(rows), LAYER, about))
    agree = read.low <= patched.high and patched.low <= read.high
    verb = "agree" if agree else "disagree"
    arrived = [
        f"at layer {interval.value:.0f} ({interval.low:.0f} to {interval.high:.0f}) {reading}"
        for reading, interval in (("by the lens", read), ("by patching", patched))
    ]
    return measurements, [
        f"Lens and patching {verb}: half of the effect of field {column} has reached the position "
        f"that the head reads {arrived[0]}, {arrived[1]}. The lens shows from which layer on the "
        "effect can be read, patching from which layer on that position alone carries it."
    ]
