"""What each kind of check measures: shards of heavy work, then evidence put together from them."""

from tasks.checks.attribution import rounds as attribution
from tasks.checks.contradiction import controls as contradiction_controls
from tasks.checks.contradiction import rounds as contradiction
from tasks.checks.counterfactual import rounds as counterfactual
from tasks.checks.cue import disclosure_controls, exchange_controls, influence_controls
from tasks.checks.cue import rounds as cue
from tasks.checks.interventions import states
from tasks.checks.localisation import patching, patching_maps, tuned_lens
from tasks.checks.localisation import rounds as localisation
from tasks.checks.probing import erasure, probes
from tasks.checks.reasoning import controls, factor_controls
from tasks.checks.reasoning import rounds as reasoning
from tasks.checks.remediation import measure as remedies
from tasks.checks.steering import rounds as steering
from tasks.run import decisions
from tasks.run.shards import Measure

MEASURES: dict[str, Measure] = {
    "decisions": decisions.measure,
    "attribution": attribution.measure,
    "localisation": localisation.measure,
    "patching": patching.measure,
    "patching-maps": patching_maps.measure,
    "tuned-lens": tuned_lens.measure,
    "counterfactual": counterfactual.measure,
    "states": states.measure,
    "probing": probes.measure,
    "erasure": erasure.measure,
    "directions": steering.measure_directions,
    "steering": steering.measure,
    "levers": remedies.measure_fit,
    "remedies": remedies.measure_decided,
    "controls": controls.measure,
    "factor-controls": factor_controls.measure,
    "reasoning": reasoning.measure,
    "cue": cue.measure,
    "cue-controls": influence_controls.measure,
    exchange_controls.KIND: exchange_controls.measure,
    "disclosure-controls": disclosure_controls.measure,
    "contradiction": contradiction.measure,
    contradiction_controls.KIND: contradiction_controls.measure,
}
"""Kind of shard -> the function that measures it."""
