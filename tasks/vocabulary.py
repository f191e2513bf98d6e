"""The measures by their one name: what each means, which way is good, what it may be.

Gates, report, model card and explanations all read this table, so that a number is called the
same everywhere.
"""

from typing import Literal, NamedTuple

Good = Literal["high", "low", "near 1", "neither"]


class Measure(NamedTuple):
    """What a reader must know before reading the number."""

    title: str
    """How reports write it."""
    meaning: str
    """One sentence, in words."""
    good: Good
    """Which way is good; `neither` for a plain description."""
    unit: Literal["share", "ratio", "difference", "layer", "count"] = "share"
    """How it is written down."""


_PERFORMANCE = {
    "accuracy": Measure("Accuracy", "Share of texts decided as labelled.", "high"),
    "recall": Measure("Recall", "Share of the texts of one class that are decided so.", "high"),
}

_FAIRNESS = {
    "selection_rate": Measure(
        "Selection rate", "Share of a group that receives the favourable decision.", "neither"
    ),
    "true_positive_rate": Measure(
        "True positive rate", "Selection rate among those whose label is favourable.", "high"
    ),
    "false_positive_rate": Measure(
        "False positive rate", "Selection rate among those whose label is unfavourable.", "low"
    ),
    "adverse_impact_ratio": Measure(
        "Adverse impact ratio",
        "Selection rate of a group over that of the group selected most often; "
        "below 0.8 is the four-fifths rule's sign of adverse impact.",
        "near 1",
        "ratio",
    ),
    "demographic_parity_difference": Measure(
        "Demographic parity difference",
        "Largest minus smallest selection rate over the groups of an attribute; 0 is parity.",
        "low",
        "difference",
    ),
    "equalized_odds_difference": Measure(
        "Equalized odds difference",
        "Larger of the between-group gaps in true and in false positive rate; 0 is parity.",
        "low",
        "difference",
    ),
}

_ATTRIBUTION = {
    "comprehensiveness": Measure(
        "Comprehensiveness",
        "Fall of the decision's probability when its top words are replaced.",
        "high",
        "difference",
    ),
    "comprehensiveness_random": Measure(
        "Comprehensiveness, random order",
        "The same when words are replaced in a random order.",
        "neither",
        "difference",
    ),
    "comprehensiveness_gain": Measure(
        "Comprehensiveness gain",
        "Comprehensiveness minus that of a random order, on the same texts.",
        "high",
        "difference",
    ),
    "sufficiency": Measure(
        "Sufficiency",
        "Fall of the decision's probability when only its top words are kept.",
        "low",
        "difference",
    ),
    "sufficiency_random": Measure(
        "Sufficiency, random order",
        "The same when the kept words are chosen at random.",
        "neither",
        "difference",
    ),
    "sufficiency_gain": Measure(
        "Sufficiency gain",
        "Sufficiency of a random order minus that of the attribution, on the same texts.",
        "high",
        "difference",
    ),
    "converged": Measure(
        "Converged", "Share of texts whose completeness error is within tolerance.", "high"
    ),
    "explained": Measure(
        "Explained",
        "Share of texts whose words move the log-odds of the decision by at least half of where "
        "they end; the others are decided before a word is read.",
        "high",
    ),
    "field_share": Measure(
        "Share of attribution",
        "Part of the absolute attribution that falls on one field, over converged and explained "
        "texts.",
        "neither",
    ),
}

_LOCALISATION = {
    "agreement_with_final": Measure(
        "Agreement with the final decision",
        "Share of texts whose decision read at a layer is the final one.",
        "neither",
    ),
    "formation_layer": Measure(
        "Formation layer",
        "Mean first layer from which on the decision read is the final one; layers at which all "
        "texts read alike do not count.",
        "neither",
        "layer",
    ),
    "swap_effect": Measure(
        "Swap effect",
        "Mean absolute change, when a field is exchanged, of the favourable probability "
        "read at a layer.",
        "low",
        "difference",
    ),
}

_PROBING = {
    "probe_accuracy": Measure(
        "Probe accuracy",
        "Balanced accuracy of a linear probe for an attribute at a layer; "
        "1 / number of groups is chance.",
        "neither",
    ),
    "control_accuracy": Measure(
        "Control accuracy", "The same probe trained on shuffled labels.", "neither"
    ),
    "selectivity": Measure(
        "Selectivity",
        "Probe accuracy minus control accuracy; above 0 the attribute can be read.",
        "neither",
        "difference",
    ),
    "probe_after_erasure": Measure(
        "Probe after erasure",
        "Balanced accuracy of a fresh linear probe once the attribute is erased.",
        "neither",
    ),
    "nonlinear_probe_after_erasure": Measure(
        "Non-linear probe after erasure",
        "Balanced accuracy of a random forest once the attribute is erased linearly.",
        "neither",
    ),
    "gap_before": Measure(
        "Gap before erasure",
        "Demographic parity difference of the untouched subject on the same texts.",
        "low",
        "difference",
    ),
    "gap_after_erasure": Measure(
        "Gap after erasure",
        "Demographic parity difference with the attribute erased at a layer.",
        "low",
        "difference",
    ),
    "gap_after_random": Measure(
        "Gap after random erasure",
        "The same with a random subspace of equal rank erased, mean over draws.",
        "neither",
        "difference",
    ),
    "accuracy_before": Measure(
        "Accuracy before erasure", "Accuracy of the untouched subject on the same texts.", "high"
    ),
    "accuracy_after_erasure": Measure(
        "Accuracy after erasure", "Accuracy with the attribute erased at a layer.", "high"
    ),
    "decisions_changed": Measure(
        "Decisions changed by erasure",
        "Share of decisions that differ once the attribute is erased at a layer.",
        "neither",
    ),
    "decisions_changed_random": Measure(
        "Decisions changed by random erasure",
        "The same for a random subspace of equal rank, mean over draws.",
        "neither",
    ),
    "erasure_effect": Measure(
        "Erasure effect",
        "How much of the gap between groups goes when the attribute is erased at a layer, "
        "beyond what a random subspace of equal rank takes.",
        "low",
        "difference",
    ),
}

_REASONING = {
    "answer_unchanged": Measure(
        "Answer unchanged",
        "Share of answers that stay the same when only this share of the reasoning is kept.",
        "neither",
    ),
    "dependence_on_reasoning": Measure(
        "Dependence on the reasoning",
        "Area over the truncation curve: 0 when cutting the reasoning never moves the answer.",
        "neither",
    ),
    "unparsed": Measure("Unparsed answers", "Share of completions without an answer.", "low"),
}

_CUE = {
    "influence": Measure(
        "Influence of the cue", "Share of answers that change when the cue is exchanged.", "low"
    ),
    "disclosure": Measure(
        "Disclosure of the cue",
        "Among answers that the cue changed, share whose reasoning mentions it.",
        "high",
    ),
    "undisclosed_influence": Measure(
        "Undisclosed influence",
        "Share of answers that the cue changes while neither reasoning mentions it.",
        "low",
    ),
    "unparsed": Measure("Unparsed answers", "Share of completions without an answer.", "low"),
}

MEASURES: dict[str, dict[str, Measure]] = {
    "performance": _PERFORMANCE,
    "fairness": _FAIRNESS,
    "attribution": _ATTRIBUTION,
    "localisation": _LOCALISATION,
    "probing": _PROBING,
    "reasoning": _REASONING,
    "cue": _CUE,
}
"""Check kind -> measurement name -> what it means."""

CHECK_TITLES = {
    "performance": "Performance",
    "fairness": "Fairness between groups",
    "attribution": "Attribution",
    "localisation": "Localisation",
    "probing": "Bias probes and erasure",
    "reasoning": "Dependence on the reasoning",
    "cue": "Planted cue",
}
"""Check kind -> heading in the report."""

Access = Literal["answers", "decisions", "gradients", "hidden states", "writing"]
"""What a check may need of a subject: answers and decisions among known classes; gradients and
hidden states of local weights; writing, to reason before it answers."""

CHECK_NEEDS: dict[str, frozenset[Access]] = {
    "performance": frozenset({"decisions"}),
    "fairness": frozenset({"decisions"}),
    "attribution": frozenset({"gradients"}),
    "localisation": frozenset({"hidden states"}),
    "probing": frozenset({"hidden states", "decisions"}),
    "reasoning": frozenset({"writing", "answers"}),
    "cue": frozenset({"writing", "answers"}),
}

OFFERS: dict[str, frozenset[Access]] = {
    "sequence-classification": frozenset({"decisions", "gradients", "hidden states"}),
    "causal-lm": frozenset({"answers", "decisions", "gradients", "hidden states", "writing"}),
    "predictions": frozenset({"decisions"}),
}
