"""How often the decision is the labelled one."""

from tasks.definition.vocabulary.measure import Measure

PERFORMANCE = {
    "accuracy": Measure("Accuracy", "Share of texts decided as labelled.", "high"),
    "recall": Measure("Recall", "Share of the texts of one class that are decided so.", "high"),
}
