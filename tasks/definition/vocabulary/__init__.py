"""The measures by their one name: what each means, which way is good, what it may be.

Gates, report, model card and explanations all read this table, so that a number is called the
same everywhere.
"""

from tasks.definition.access import CHECK_NEEDS, OFFERS, Access
from tasks.definition.vocabulary.attribution import ATTRIBUTION
from tasks.definition.vocabulary.contradiction import CONTRADICTION
from tasks.definition.vocabulary.counterfactual import COUNTERFACTUAL
from tasks.definition.vocabulary.cue import CUE
from tasks.definition.vocabulary.fairness import FAIRNESS
from tasks.definition.vocabulary.localisation import LOCALISATION
from tasks.definition.vocabulary.measure import Good, Measure
from tasks.definition.vocabulary.performance import PERFORMANCE
from tasks.definition.vocabulary.probing import PROBING
from tasks.definition.vocabulary.reasoning import REASONING
from tasks.definition.vocabulary.remediation import REMEDIATION
from tasks.definition.vocabulary.steering import STEERING

__all__ = ["CHECK_NEEDS", "CHECK_TITLES", "MEASURES", "OFFERS", "Access", "Good", "Measure"]

MEASURES: dict[str, dict[str, Measure]] = {
    "performance": PERFORMANCE,
    "fairness": FAIRNESS,
    "attribution": ATTRIBUTION,
    "localisation": LOCALISATION,
    "counterfactual": COUNTERFACTUAL,
    "probing": PROBING,
    "steering": STEERING,
    "remediation": REMEDIATION,
    "reasoning": REASONING,
    "cue": CUE,
    "contradiction": CONTRADICTION,
}
"""Check kind -> measurement name -> what it means."""

CHECK_TITLES = {
    "performance": "Performance",
    "fairness": "Fairness between groups",
    "attribution": "Attribution",
    "localisation": "Localisation",
    "counterfactual": "Counterfactual identity swaps",
    "probing": "Bias probes and erasure",
    "steering": "Steering",
    "remediation": "What would close the gap",
    "reasoning": "Dependence on the reasoning",
    "cue": "Planted cue",
    "contradiction": "Contradictory questions",
}
"""Check kind -> heading in the report."""
