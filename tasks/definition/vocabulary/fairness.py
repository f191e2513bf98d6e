"""Decisions by group."""

from tasks.definition.vocabulary.measure import Measure

FAIRNESS = {
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
