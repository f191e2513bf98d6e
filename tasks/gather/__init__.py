"""What each kind of check measures: shards of heavy work, then evidence put together from them."""

from tasks.gather import attribution, cue, decisions, localisation, probing, reasoning
from tasks.shards import Measure

MEASURES: dict[str, Measure] = {
    "decisions": decisions.measure,
    "attribution": attribution.measure,
    "localisation": localisation.measure,
    "states": probing.measure_states,
    "probing": probing.measure_probes,
    "reasoning": reasoning.measure,
    "cue": cue.measure,
}
"""Kind of shard -> the function that measures it."""
