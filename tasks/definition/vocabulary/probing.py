"""What is readable inside the subject, and what it uses."""

from tasks.definition.vocabulary.measure import Measure

PROBING = {
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
        "Change in accuracy",
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
