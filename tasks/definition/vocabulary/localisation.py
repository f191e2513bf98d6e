"""Where inside the subject a decision forms."""

from tasks.definition.vocabulary.measure import Measure

LOCALISATION = {
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
    "swap_excess": Measure(
        "Swap effect beyond that within groups",
        "Mean over texts of the swap effect less that within groups, each on the same text; above "
        "0, the groups move the reading and not the exchange alone.",
        "low",
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
