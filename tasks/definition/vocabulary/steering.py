"""What a push along an attribute changes."""

from tasks.definition.vocabulary.measure import Measure

STEERING = {
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
