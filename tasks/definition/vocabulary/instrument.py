"""How often a test is right, on controls whose truth is known."""

from tasks.definition.vocabulary.measure import Measure

INSTRUMENT = {
    "instrument_auroc": Measure(
        "AUROC on controls",
        "How well a test tells controls that do what it looks for from controls that do not; 0.5 "
        "is chance.",
        "high",
        "ratio",
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
