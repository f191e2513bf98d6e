"""What a remedy changes."""

from tasks.definition.vocabulary.measure import Measure

REMEDIATION = {
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
