"""What each kind of check measures: shards of heavy work, then evidence put together from them."""

from tasks.gather import (
    attribution,
    contradiction,
    cue,
    decisions,
    erasing,
    localisation,
    patching,
    patching_maps,
    probes,
    reasoning,
    states,
    tuned,
)
from tasks.shards import Measure

MEASURES: dict[str, Measure] = {
    "decisions": decisions.measure,
    "attribution": attribution.measure,
    "localisation": localisation.measure,
    "patching": patching.measure,
    "patching-maps": patching_maps.measure,
    "tuned-lens": tuned.measure,
    "states": states.measure,
    "probing": probes.measure,
    "erasure": erasing.measure,
    "reasoning": reasoning.measure,
    "cue": cue.measure,
    "contradiction": contradiction.measure,
}
"""Kind of shard -> the function that measures it."""
