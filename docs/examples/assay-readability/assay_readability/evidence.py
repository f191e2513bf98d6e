"""The mean of every group that is large enough, and how far it is from that of the largest."""

import numpy as np

from assay_readability.kind import ReadabilityCheck
from assay_readability.rounds import COUNTING
from tasks.data.dataset import MISSING
from tasks.measures.stats import intervals
from tasks.run.rounds import Asked, Finished
from tasks.schema import About, Evidence, Measurement, TooSmall

MEAN = "mean over texts, BCa bootstrap"
APART = "difference of means, MOVER of their intervals"


def evidence(asked: Asked[ReadabilityCheck], finished: Finished) -> Evidence:
    """Every group's mean with its interval; small groups are named, not measured."""
    plan, attribute = asked.plan, asked.check.attribute
    words = np.concatenate([payload.words for payload in finished.of(COUNTING)])
    group = plan.data.group(attribute)[asked.sample]
    sizes = {str(g): int((group == g).sum()) for g in np.unique(group) if g != MISSING}
    least = plan.spec.data.minimum_group
    means = {
        g: intervals.bootstrap_mean(words[group == g], seed=asked.seed)
        for g, n in sizes.items()
        if n >= least
    }
    measurements = [
        Measurement.of(
            "words_per_sentence", mean, sizes[g], MEAN, About(attribute=attribute, group=g)
        )
        for g, mean in means.items()
    ]
    largest = max(means, key=lambda g: sizes[g], default="")
    for g in (g for g in means if g != largest):
        about = About(attribute=attribute, group=g, reference=largest)
        apart = intervals.minus(means[g], means[largest])
        n = sizes[g] + sizes[largest]
        measurements.append(Measurement.of("words_per_sentence_difference", apart, n, APART, about))
    return Evidence(
        check=asked.check,
        subject=asked.subject,
        measurements=tuple(measurements),
        too_small=tuple(
            TooSmall(attribute=attribute, group=g, n=n) for g, n in sizes.items() if n < least
        ),
    )
