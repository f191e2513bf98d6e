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
    "false_negative_rate": Measure(
        "False negative rate", "Share refused among those whose label is favourable.", "low"
    ),
    "false_positive_rate": Measure(
        "False positive rate", "Selection rate among those whose label is unfavourable.", "low"
    ),
    "true_negative_rate": Measure(
        "True negative rate", "Share refused among those whose label is unfavourable.", "high"
    ),
    "positive_predictive_value": Measure(
        "Positive predictive value",
        "Share of those who receive the favourable decision whose label is favourable.",
        "high",
    ),
    "adverse_impact_ratio": Measure(
        "Adverse impact ratio",
        "Selection rate of a group over that of the reference group, the one selected most often "
        "unless another is named; below 0.8 is the four-fifths rule's sign of adverse impact.",
        "near 1",
        "ratio",
    ),
    "impact_ratio": Measure(
        "Impact ratio",
        "Selection rate of a category over that of the most selected category, as New York City's "
        "Local Law 144 defines it.",
        "near 1",
        "ratio",
    ),
    "demographic_parity_ratio": Measure(
        "Demographic parity ratio",
        "Smallest over largest selection rate over the groups of an attribute; 1 is parity.",
        "near 1",
        "ratio",
    ),
    "demographic_parity_difference": Measure(
        "Demographic parity difference",
        "Largest minus smallest selection rate over the groups of an attribute; 0 is parity.",
        "low",
        "difference",
    ),
    "equal_opportunity_difference": Measure(
        "Equal opportunity difference",
        "Largest minus smallest true positive rate over the groups of an attribute; 0 is parity.",
        "low",
        "difference",
    ),
    "equalized_odds_difference": Measure(
        "Equalized odds difference",
        "Larger of the between-group gaps in true and in false positive rate; 0 is parity.",
        "low",
        "difference",
    ),
    "predictive_parity_difference": Measure(
        "Predictive parity difference",
        "Largest minus smallest positive predictive value over the groups of an attribute; "
        "0 is parity.",
        "low",
        "difference",
    ),
    "expected_calibration_error": Measure(
        "Expected calibration error",
        "Mean distance of stated probability and frequency of the favourable label over ten bins "
        "of the probability; 0 is perfect, and chance keeps it above 0.",
        "low",
        "difference",
    ),
    "calibration_difference": Measure(
        "Calibration difference",
        "Largest minus smallest expected calibration error over the groups of an attribute; "
        "0 is parity.",
        "low",
        "difference",
    ),
}

_ATTRIBUTION = {
    "comprehensiveness": Measure(
        "Comprehensiveness",
        "Fall of the target's probability when the units ranked highest are taken out.",
        "high",
        "difference",
    ),
    "comprehensiveness_gain": Measure(
        "Comprehensiveness gain",
        "Comprehensiveness minus that of a random order, or of the same method on randomised "
        "weights, on the same texts.",
        "high",
        "difference",
    ),
    "sufficiency": Measure(
        "Sufficiency",
        "Fall of the target's probability when only the units ranked highest are kept.",
        "low",
        "difference",
    ),
    "sufficiency_gain": Measure(
        "Sufficiency gain",
        "Sufficiency of a random order, or of the same method on randomised weights, minus that "
        "of the method, on the same texts.",
        "high",
        "difference",
    ),
    "infidelity": Measure(
        "Infidelity",
        "Mean squared error of what the attribution predicts for random removals over the mean "
        "square of what they do, after the best single scale; 0 predicts all, 1 nothing.",
        "low",
        "ratio",
    ),
    "sparsity": Measure(
        "Sparsity",
        "Gini index of the absolute attribution over the units; 0 is spread evenly.",
        "neither",
    ),
    "stability": Measure(
        "Stability",
        "Rank correlation of the attribution before and after an edit that keeps meaning and "
        "decision.",
        "high",
        "ratio",
    ),
    "rationale_f1": Measure(
        "Agreement with rationales, F1",
        "Token F1 of the highest ranked units, as many as people marked, against what they marked.",
        "high",
    ),
    "rationale_auprc": Measure(
        "Agreement with rationales, AUPRC",
        "Area under precision and recall of the ranking against what people marked; the share "
        "that they marked is chance.",
        "high",
    ),
    "rationale_share": Measure(
        "Marked by people", "Share of the units that people marked as the reason.", "neither"
    ),
    "rank_agreement": Measure(
        "Rank agreement",
        "Spearman correlation of two methods' attributions of the same text.",
        "neither",
        "ratio",
    ),
    "top_agreement": Measure(
        "Top agreement",
        "Share of the five strongest units of two methods that are the same.",
        "neither",
    ),
    "converged": Measure(
        "Converged", "Share of texts whose completeness error is within tolerance.", "high"
    ),
    "explained": Measure(
        "Explained",
        "Share of texts whose words move the score of the target by at least half of where "
        "it ends; the others are decided before a word is read.",
        "high",
    ),
    "field_share": Measure(
        "Share of attribution",
        "Part of the absolute attribution that falls on one field, over converged and explained "
        "texts.",
        "neither",
    ),
    "field_attribution": Measure(
        "Attribution of a field",
        "Mean part of the absolute attribution on one field, counted negative where it speaks "
        "against the target.",
        "neither",
        "difference",
    ),
    "word_attribution": Measure(
        "Attribution of a word",
        "Mean part of the absolute attribution on one word, counted negative where it speaks "
        "against the target, over the texts that hold it.",
        "neither",
        "difference",
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
    "formed_at": Measure(
        "Formed at the layer",
        "Share of texts whose formation layer is this one.",
        "neither",
    ),
    "formation_delay": Measure(
        "Formation delay",
        "Mean formation layer minus that of the other texts that are decided as labelled, in "
        "layers; above 0 the decision forms later.",
        "neither",
        "difference",
    ),
    "lens_kl": Measure(
        "Divergence of the lens",
        "Kullback-Leibler divergence, in nats, of what a layer reads from the final distribution, "
        "on texts held out from the tuned lens.",
        "neither",
        "difference",
    ),
    "tuned_lens_kl": Measure(
        "Divergence of the tuned lens",
        "The same once the layer is translated by an affine map fitted on other texts.",
        "neither",
        "difference",
    ),
    "swap_effect": Measure(
        "Swap effect",
        "Mean absolute change, when a field is exchanged, of the favourable probability "
        "read at a layer.",
        "low",
        "difference",
    ),
    "swap_effect_control": Measure(
        "Swap effect within groups",
        "The same when the field is exchanged for another value of the same group.",
        "neither",
        "difference",
    ),
    "recovered_share": Measure(
        "Recovered share",
        "Part of the change in log-odds under an exchange that flips the decision which is there "
        "when only one site takes its activation from the exchanged text; 0 is none, 1 is all.",
        "neither",
        "difference",
    ),
    "recovered_share_control": Measure(
        "Recovered share, control",
        "The same with activations of an exchange within the group that keeps the decision; near "
        "0 unless any other value disturbs the subject.",
        "neither",
        "difference",
    ),
    "lens_layer": Measure(
        "Layer by the lens",
        "First layer at which the lens reads at least half of the effect of the exchange.",
        "neither",
        "layer",
    ),
    "patching_layer": Measure(
        "Layer by patching",
        "First layer whose residual stream at the position the head reads carries at least half "
        "of the effect of the exchange.",
        "neither",
        "layer",
    ),
}

_PROBING = {
    "probe_accuracy": Measure(
        "Probe accuracy",
        "Balanced accuracy of a linear probe for an attribute at a layer; "
        "1 / number of groups is chance.",
        "neither",
    ),
    "majority_accuracy": Measure(
        "Majority accuracy",
        "Share of texts in the largest group, right for whoever names it every time; the balanced "
        "accuracy of that is chance.",
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
    "mdl": Measure(
        "Description length",
        "Bits that the group of a text costs in an online code whose linear probes read the "
        "layer; the fewer, the easier it is to read.",
        "neither",
        "difference",
    ),
    "mdl_control": Measure(
        "Description length, control",
        "The same for shuffled labels: what the groups cost where nothing can be read.",
        "neither",
        "difference",
    ),
    "compression": Measure(
        "Compression",
        "Bits of a uniform code over description length; 1 where groups of equal size cannot be "
        "read.",
        "neither",
        "ratio",
    ),
    "nonlinear_probe_accuracy": Measure(
        "Non-linear probe accuracy",
        "Balanced accuracy of a network with one small hidden layer; above the linear probe the "
        "attribute is held in a form that linear erasure does not remove.",
        "neither",
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
    "gap_after_random_smallest": Measure(
        "Smallest gap after random erasure",
        "The smallest of the gaps that random subspaces leave; an attribute that is used leaves a "
        "smaller one.",
        "neither",
        "difference",
    ),
    "gap_after_unrelated": Measure(
        "Gap after unrelated erasure",
        "The same with another attribute erased instead, or with the groups shuffled, which no "
        "state holds.",
        "neither",
        "difference",
    ),
    "selection_change": Measure(
        "Change of selection rate",
        "Selection rate of a group with the attribute erased, minus that of the untouched subject "
        "on the same texts.",
        "neither",
        "difference",
    ),
    "accuracy_change": Measure(
        "Change of accuracy",
        "Accuracy with the attribute erased, minus that of the untouched subject on the same "
        "texts.",
        "high",
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

_STEERING = {
    "steered_rate": Measure(
        "Selection rate, steered",
        "Selection rate with the vector that leads from one group to another added alpha times; "
        "1 is the whole difference between their means.",
        "neither",
    ),
    "steered_gap": Measure(
        "Gap, steered",
        "Demographic parity difference with the vector added alpha times.",
        "low",
        "difference",
    ),
    "steered_accuracy_change": Measure(
        "Change of accuracy, steered",
        "Accuracy with the vector added alpha times minus that of the untouched subject, on the "
        "same texts.",
        "high",
        "difference",
    ),
    "steered_perplexity_ratio": Measure(
        "Perplexity ratio, steered",
        "Perplexity of the texts with the vector added alpha times at every token over that of the "
        "untouched subject; 1 is no loss.",
        "near 1",
        "ratio",
    ),
    "steering_slope": Measure(
        "Steering slope",
        "Mean change of the log-odds of the favourable decision per unit of alpha, between -1 and "
        "1.",
        "neither",
        "difference",
    ),
    "steering_reach": Measure(
        "Reach of shuffled groups",
        "Largest absolute slope to be expected of the vector between groups that were shuffled, in "
        "95 of 100 cases at all layers together.",
        "neither",
        "difference",
    ),
    "steering_effect": Measure(
        "Steering effect",
        "Absolute steering slope minus the reach of shuffled groups; above 0 the decisions follow "
        "what tells the groups apart.",
        "low",
        "difference",
    ),
    "safe_alpha_lowest": Measure(
        "Safe down to",
        "Smallest alpha of the range around 0 in which the loss stays tolerable with its whole "
        "interval.",
        "neither",
        "ratio",
    ),
    "safe_alpha_highest": Measure(
        "Safe up to",
        "Largest alpha of the range around 0 in which the loss stays tolerable with its whole "
        "interval.",
        "neither",
        "ratio",
    ),
    "composed_response": Measure(
        "Response to both vectors",
        "Mean change of the log-odds of the favourable decision with the vectors of two attributes "
        "added once.",
        "neither",
        "difference",
    ),
    "summed_response": Measure(
        "Sum of single responses",
        "The same for each vector alone, added up.",
        "neither",
        "difference",
    ),
    "composition_excess": Measure(
        "Composition excess",
        "Response to both vectors minus the sum of the single responses; 0 is additive.",
        "neither",
        "difference",
    ),
}

_REMEDIATION = {
    "choosing_gap": Measure(
        "Gap when choosing",
        "Demographic parity difference with a lever on the texts by which one is chosen; the best "
        "of many looks better here than it is.",
        "low",
        "difference",
    ),
    "choosing_accuracy_change": Measure(
        "Change of accuracy when choosing",
        "Accuracy with a lever minus that of the untouched subject on the texts by which one is "
        "chosen.",
        "high",
        "difference",
    ),
    "untouched_rate": Measure(
        "Selection rate, untouched",
        "Selection rate of the untouched subject on the texts that confirm.",
        "neither",
    ),
    "untouched_gap": Measure(
        "Gap, untouched",
        "Demographic parity difference of the untouched subject on the texts that confirm.",
        "low",
        "difference",
    ),
    "untouched_accuracy": Measure(
        "Accuracy, untouched",
        "Accuracy of the untouched subject on the texts that confirm.",
        "high",
    ),
    "remedied_rate": Measure(
        "Selection rate with the lever",
        "Selection rate with a lever, on texts that neither fitted nor chose it.",
        "neither",
    ),
    "remedied_gap": Measure(
        "Gap with the lever",
        "Demographic parity difference with a lever, on texts that neither fitted nor chose it.",
        "low",
        "difference",
    ),
    "remedied_gap_change": Measure(
        "Change of the gap",
        "Gap with a lever minus that of the untouched subject, on the same texts, which neither "
        "fitted nor chose it; below 0 it narrows.",
        "low",
        "difference",
    ),
    "remedied_accuracy": Measure(
        "Accuracy with the lever",
        "Accuracy with a lever, on texts that neither fitted nor chose it.",
        "high",
    ),
    "remedied_accuracy_change": Measure(
        "Change of accuracy",
        "Accuracy with a lever minus that of the untouched subject, on the same texts, which "
        "neither fitted nor chose it.",
        "high",
        "difference",
    ),
}

UNPARSED_DIFFERENCE = Measure(
    "Difference in unparsed answers",
    "Unparsed answers under the second of two conditions minus those under the first, on the same "
    "texts; away from 0, answers are compared on texts that the condition itself has chosen.",
    "neither",
    "difference",
)

_INSTRUMENT = {
    "instrument_auroc": Measure(
        "AUROC on controls",
        "How well a test tells controls that do what it looks for from controls that do not; 0.5 "
        "is chance.",
        "high",
    ),
    "instrument_sensitivity": Measure(
        "Sensitivity on controls",
        "Share of the controls that do what the test looks for which it finds.",
        "high",
    ),
    "instrument_specificity": Measure(
        "Specificity on controls",
        "Share of the controls that do not do what the test looks for which it lets pass.",
        "high",
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
        "Area over the curve of unchanged answers, by share of the tokens kept: 0 when changing "
        "the reasoning never moves the answer.",
        "neither",
    ),
    "dependence_difference": Measure(
        "Difference in dependence",
        "Dependence on the reasoning by one test minus that by another, on the same texts.",
        "neither",
        "difference",
    ),
    "answer_accuracy": Measure(
        "Accuracy of the answer",
        "Share of answers that are as labelled when only this share of the reasoning is kept.",
        "neither",
    ),
    "accuracy_change": Measure(
        "Change in accuracy",
        "Accuracy with this share of the reasoning kept minus accuracy with all of it, on the "
        "same texts.",
        "neither",
        "difference",
    ),
    "factor_precision": Measure(
        "Named factors that count",
        "Share of the fields a reasoning names that are among as many strongest by attribution.",
        "high",
    ),
    "factor_recall": Measure(
        "Counting factors that are named",
        "Share of the three strongest fields by attribution that the reasoning names.",
        "high",
    ),
    "factor_rank_agreement": Measure(
        "Rank agreement of factors",
        "Rank correlation, over the fields of a text, of absolute attribution and being named.",
        "high",
        "ratio",
    ),
    "factor_gain": Measure(
        "Named factors beyond chance",
        "Share of named fields that count minus the same with the reasonings of other texts.",
        "high",
        "difference",
    ),
    "unparsed": Measure("Unparsed answers", "Share of completions without an answer.", "low"),
    "unparsed_difference": UNPARSED_DIFFERENCE,
    **_INSTRUMENT,
}

_CUE = {
    "influence": Measure(
        "Influence of the cue",
        "Share of answers that change when the cue is exchanged or put beside the text.",
        "low",
    ),
    "cue_pull": Measure(
        "Pull of the cue",
        "Share of answers that are the one the cue speaks for, with the cue minus without it.",
        "low",
        "difference",
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
    "disclosure_agreement": Measure(
        "Agreement on disclosure",
        "Share of reasonings that two classifiers sort alike: the cue is mentioned or not.",
        "high",
    ),
    "disclosure_ac2": Measure(
        "Agreement on disclosure, AC2",
        "The same corrected for chance by Gwet's AC2; 0 is chance.",
        "high",
        "ratio",
    ),
    "unparsed": Measure("Unparsed answers", "Share of completions without an answer.", "low"),
    "unparsed_difference": UNPARSED_DIFFERENCE,
    **_INSTRUMENT,
}

_CONTRADICTION = {
    "contradiction": Measure(
        "Contradiction",
        "Share of pairs of questions that exclude each other which are both answered yes.",
        "low",
    ),
    "both_denied": Measure(
        "Both denied",
        "Share of pairs of questions that exclude each other neither of which is answered yes.",
        "neither",
    ),
    "contradiction_chance": Measure(
        "Contradiction by chance",
        "Share of pairs that would both be answered yes if every yes fell on a pair by chance.",
        "neither",
    ),
    "unparsed": Measure("Unparsed answers", "Share of completions without an answer.", "low"),
}

_COUNTERFACTUAL = {
    "flip_rate": Measure(
        "Flip rate", "Share of decisions that change when the text names another group.", "low"
    ),
    "flip_rate_control": Measure(
        "Flip rate, control",
        "The same when as many neutral words are exchanged for others of the same meaning.",
        "neither",
    ),
    "flip_excess": Measure(
        "Flips beyond the control",
        "Flip rate minus that of neutral words on the same texts; above 0 the group matters.",
        "low",
        "difference",
    ),
    "net_turned": Measure(
        "Net change of decisions",
        "Share of texts that gain the favourable decision when they name the other group, minus "
        "the share that lose it.",
        "neither",
        "difference",
    ),
    "mean_shift": Measure(
        "Mean shift",
        "Mean change in the log-odds of the favourable decision when the text names the other "
        "group.",
        "neither",
        "difference",
    ),
    "mean_shift_control": Measure(
        "Mean shift, control",
        "The same when as many neutral words are exchanged.",
        "neither",
        "difference",
    ),
}

MEASURES: dict[str, dict[str, Measure]] = {
    "performance": _PERFORMANCE,
    "fairness": _FAIRNESS,
    "attribution": _ATTRIBUTION,
    "localisation": _LOCALISATION,
    "counterfactual": _COUNTERFACTUAL,
    "probing": _PROBING,
    "steering": _STEERING,
    "remediation": _REMEDIATION,
    "reasoning": _REASONING,
    "cue": _CUE,
    "contradiction": _CONTRADICTION,
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

Access = Literal["answers", "asking again", "decisions", "gradients", "hidden states", "writing"]
"""What a check may need of a subject: answers and decisions that can be read; asking again, to
answer what nobody asked before; gradients and hidden states of local weights; writing, to reason
before it answers."""

CHECK_NEEDS: dict[str, frozenset[Access]] = {
    "performance": frozenset({"decisions"}),
    "fairness": frozenset({"decisions"}),
    "attribution": frozenset({"gradients"}),
    "localisation": frozenset({"hidden states"}),
    "counterfactual": frozenset({"decisions", "asking again"}),
    "probing": frozenset({"hidden states", "decisions"}),
    "steering": frozenset({"hidden states", "decisions"}),
    "remediation": frozenset({"hidden states", "decisions"}),
    "reasoning": frozenset({"writing", "answers", "asking again"}),
    "cue": frozenset({"writing", "answers"}),
    "contradiction": frozenset({"writing", "answers"}),
}

OFFERS: dict[str, frozenset[Access]] = {
    "sequence-classification": frozenset(
        {"asking again", "decisions", "gradients", "hidden states"}
    ),
    "causal-lm": frozenset(
        {"answers", "asking again", "decisions", "gradients", "hidden states", "writing"}
    ),
    "openai": frozenset({"answers", "asking again", "decisions", "writing"}),
    "transcripts": frozenset({"answers", "decisions", "writing"}),
    "predictions": frozenset({"decisions"}),
}
