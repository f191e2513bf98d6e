"""The same text about somebody of another group."""

from tasks.definition.vocabulary.measure import Measure

COUNTERFACTUAL = {
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
