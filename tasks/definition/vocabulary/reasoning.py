"""How the answer depends on the reasoning before it."""

from tasks.definition.vocabulary.instrument import INSTRUMENT
from tasks.definition.vocabulary.measure import UNPARSED_DIFFERENCE, Measure

REASONING = {
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
    "log_probability_lost": Measure(
        "Log-probability lost",
        "Area between the log-probabilities of the subject's own answer after its whole reasoning "
        "and after the cuts, by share of the sentences kept: 0 when cutting the reasoning leaves "
        "the answer as likely, log 2 = 0.69 nats when it halves its probability on average. "
        "Without reasoning: the fall when nothing of it is kept.",
        "neither",
        "nats",
    ),
    "log_probability_change": Measure(
        "Change in log-probability",
        "Log-probability of the subject's own answer when only this share of the reasoning is "
        "kept minus that after all of it.",
        "neither",
        "nats",
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
    **INSTRUMENT,
}
