"""What each kind of check measures: shards of heavy work, then evidence put together from them."""

from tasks.gather import (
    attribution,
    contradiction,
    controls,
    counterfactual,
    cue,
    cue_controls,
    decisions,
    disclosure_controls,
    erasing,
    factor_controls,
    localisation,
    patching,
    patching_maps,
    probes,
    reasoning,
    remedies,
    states,
    steering,
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
    "counterfactual": counterfactual.measure,
    "states": states.measure,
    "probing": probes.measure,
    "erasure": erasing.measure,
    "directions": steering.measure_directions,
    "steering": steering.measure,
    "levers": remedies.measure_fit,
    "remedies": remedies.measure_decided,
    "controls": controls.measure,
    "factor-controls": factor_controls.measure,
    "reasoning": reasoning.measure,
    "cue": cue.measure,
    "cue-controls": cue_controls.measure,
    "disclosure-controls": disclosure_controls.measure,
    "contradiction": contradiction.measure,
}
"""Kind of shard -> the function that measures it."""
