"""Where an exchanged field takes effect: what patching recovers, and whether the lens agrees."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.measures.localisation.patching import MINIMUM, Recovery, recovered_share
from tasks.run.shards import Payload
from tasks.schema import About, Measurement

METHOD = (
    "sum of change towards the exchange over sum of |effect|, log-odds, "
    "percentile bootstrap over pairs whose decision flips"
)
LAYER = "first layer with at least half of the effect, percentile bootstrap over pairs"

Floats = NDArray[np.float64]


class Places(NamedTuple):
    """What was found about where a field takes effect."""

    measurements: list[Measurement]
    notes: tuple[str, ...]


class Lens(NamedTuple):
    """What the lens read of the same exchange."""

    rows: Sequence[int]
    """The counted rows."""
    change: Floats
    """Change of the log-odds read, [layers + 1, rows]."""
    flips: NDArray[np.int64]
    """-1 nothing exchanged, 0 no flip, 1 flips, 2 flips but cannot be patched, [rows]."""


def places(column: str, lens: Lens, payloads: Sequence[Payload], *, seed: int) -> Places:
    """Recovered shares by site, their controls, and the layer by lens and by patching.

    Args:
        column: the exchanged field.
        lens: what the lens read.
        payloads: of the pairs that were patched; none where too few decisions flip.
        seed: drawn from the definition's seed.
    """
    flipped, exchanged = int((lens.flips > 0).sum()), int((lens.flips >= 0).sum())
    apart = int((lens.flips == 2).sum())
    notes = []
    if apart:
        notes.append(
            f"{apart} of the {flipped} pairs whose decision flips are not patched: their texts "
            "differ in more than the tokens of the field, or do not fit into one window."
        )
    if not payloads:
        few = f"; at least {MINIMUM} pairs are needed" if flipped else ""
        notes.append(
            f"Nothing to localise: the exchange flips {flipped} of {exchanged} decisions{few}."
        )
        return Places([], tuple(notes))
    meta: Any = payloads[0].records[0]
    joined = {
        name: np.concatenate([p.arrays[name] for p in payloads])
        for name in ("effect", "change", "control", "rows")
    }
    share = recovered_share(joined["effect"], joined["change"], seed=seed)
    pairs = len(joined["effect"])
    found = _shares("recovered_share", column, share, meta["sites"], pairs)
    controlled = ~np.isnan(joined["control"]).any(axis=1)
    if controlled.sum() >= MINIMUM:
        control = recovered_share(
            joined["effect"][controlled], joined["control"][controlled], seed=seed
        )
        found += _shares(
            "recovered_share_control", column, control, meta["control"], int(controlled.sum())
        )
    else:
        notes.append(
            f"No control: in {int(controlled.sum())} of {pairs} pairs another value of the same "
            f"group keeps the decision; at least {MINIMUM} are needed."
        )
    layers, said = _layers(column, lens, share, meta["sites"], joined["rows"], seed)
    told = [note for payload in payloads for note in payload.records[0]["notes"]]
    return Places(found + layers, (*notes, *dict.fromkeys(told), *said))


def _shares(
    name: str, column: str, share: Recovery, sites: Sequence[Sequence[Any]], pairs: int
) -> list[Measurement]:
    return [
        Measurement.of(
            name,
            share.interval(i),
            pairs,
            METHOD,
            About(field=column, layer=layer, part=part, position=position),
        )
        for i, (part, layer, position) in enumerate(sites)
    ]


def _layers(
    column: str,
    lens: Lens,
    share: Recovery,
    sites: Sequence[Sequence[Any]],
    rows: NDArray[np.int64],
    seed: int,
) -> tuple[list[Measurement], list[str]]:
    """The layer at which the effect arrives, by the lens and by patching, over the same pairs."""
    at = {row: i for i, row in enumerate(lens.rows)}
    change = lens.change[:, [at[int(row)] for row in rows]].T
    read = recovered_share(change[:, -1], change, seed=seed).first_half()
    about = About(field=column)
    found = [Measurement.of("lens_layer", read, len(rows), LAYER, about)]
    head = [i for i, (part, _, where) in enumerate(sites) if (part, where) == ("residual", "head")]
    if not head:
        return found, []
    patched = Recovery(share.point[head], share.draws[:, head]).first_half()
    found.append(Measurement.of("patching_layer", patched, len(rows), LAYER, about))
    agree = read.low <= patched.high and patched.low <= read.high
    verb = "agree" if agree else "disagree"
    told = [
        f"{way} layer {one.value:.0f} ({one.low:.0f} to {one.high:.0f})"
        for way, one in (("by the lens", read), ("by patching", patched))
    ]
    return found, [
        f"Lens and patching {verb}: half of the effect of field {column} has reached the position "
        f"that the head reads {told[0]}, {told[1]}. The lens says where it can be read, patching "
        "from where on it is carried there alone."
    ]
