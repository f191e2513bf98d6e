"""Which words matter, and whether the method is credible."""

from tasks.definition.vocabulary.measure import Measure

ATTRIBUTION = {
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
