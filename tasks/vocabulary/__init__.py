"""The measures by their one name: what each means, which way is good, what it may be.

Gates, report, model card and explanations all read this table, so that a number is called the
same everywhere.
"""

from tasks.vocabulary.access import CHECK_NEEDS, OFFERS, Access
from tasks.vocabulary.attribution import ATTRIBUTION
from tasks.vocabulary.contradiction import CONTRADICTION
from tasks.vocabulary.counterfactual import COUNTERFACTUAL
from tasks.vocabulary.cue import CUE
from tasks.vocabulary.fairness import FAIRNESS
from tasks.vocabulary.localisation import LOCALISATION
from tasks.vocabulary.measure import Good, Measure
from tasks.vocabulary.performance import PERFORMANCE
from tasks.vocabulary.probing import PROBING
from tasks.vocabulary.reasoning import REASONING
from tasks.vocabulary.remediation import REMEDIATION
from tasks.vocabulary.steering import STEERING

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
