"""The curves of the reasoning tests, the areas over them, and what stands beside them."""

from collections.abc import Sequence

import numpy as np

from tasks.checks.instruments.multiple_testing import corrected
from tasks.checks.instruments.unparsed import unparsed_difference
from tasks.checks.reasoning.payload import ReasonedText
from tasks.checks.reasoning.scores import areas, unchanged, under
from tasks.definition.checks.reasoning import ReasoningTest
from tasks.measures.stats import intervals
from tasks.measures.stats.paired import mcnemar_exact, paired_difference, turned
from tasks.schema import About, Measurement

AREA = "area over the curve by tokens kept, mean over texts, BCa bootstrap"
DIFFERENCE = "paired difference of the areas, BCa bootstrap"
PAIRED = "paired, Bonett-Price interval, exact McNemar test"
ALPHA = 0.05


def curves(
    tests: Sequence[ReasoningTest],
    shares: Sequence[float],
    sample: Sequence[ReasonedText],
    seed: int,
) -> list[Measurement]:
    """Measurements of every test, and differences of the tests on the same texts."""
    missing = np.array([text.answer is None for text in sample])
    measurements = [
        Measurement.of("unparsed", intervals.share(missing), len(sample), intervals.SHARE)
    ]
    for test in tests:
        measurements += _unparsed(test, sample)
        whole = [text for text in sample if text.readable(test)]
        if len(whole) > 1:
            measurements += _curve(test, shares, whole, seed) + _accuracy(test, shares, whole)
    measurements = corrected(
        measurements, "accuracy_change", "accuracy under all tests of the reasoning"
    )
    return measurements + _differences(tests, shares, sample, seed)


def left_out(tests: Sequence[ReasoningTest], sample: Sequence[ReasonedText]) -> list[str]:
    """Notes on the texts that are not in a curve."""
    notes = []
    answered = [text for text in sample if text.answer is not None]
    for test in tests:
        lost = _lost(test, answered)
        unalterable = len(answered) - len(lost)
        if unalterable:
            notes.append(
                f"Test {test}: {unalterable} of {len(answered)} reasonings could not be changed "
                "and are left out."
            )
        if lost and mcnemar_exact(turned(np.zeros(len(lost), dtype=bool), np.array(lost))) < ALPHA:
            notes.append(
                f"Test {test}: in {sum(lost)} of {len(lost)} texts an answer could be read before "
                "the change and not after; they are left out, which confounds this test."
            )
    return notes


def _curve(
    test: ReasoningTest, shares: Sequence[float], whole: Sequence[ReasonedText], seed: int
) -> list[Measurement]:
    unchanged_shares = [
        Measurement.of(
            "answer_unchanged",
            intervals.share(row),
            len(whole),
            intervals.SHARE,
            About(share=share, test=test),
        )
        for share, row in zip(shares, unchanged(test, whole), strict=True)
    ]
    area = intervals.bootstrap_mean(areas(test, shares, whole), seed=seed, bounds=(0, 1))
    about = About(test=test)
    return [
        *unchanged_shares,
        Measurement.of("dependence_on_reasoning", area, len(whole), AREA, about),
    ]


def _accuracy(
    test: ReasoningTest, shares: Sequence[float], whole: Sequence[ReasonedText]
) -> list[Measurement]:
    labelled = [text for text in whole if text.label]
    if not labelled:
        return []
    right = np.array(
        [
            [answer == text.label for answer in altered.answers]
            for text, altered in zip(labelled, under(test, labelled), strict=True)
        ]
    ).T
    about = [About(share=share, test=test) for share in shares]
    accuracies = [
        Measurement.of("answer_accuracy", intervals.share(row), len(labelled), intervals.SHARE, a)
        for a, row in zip(about, right, strict=True)
    ]
    pairs = turned(right[-1], right[0])
    change = Measurement.of(
        "accuracy_change", paired_difference(pairs), len(labelled), PAIRED, about[0]
    )
    return [*accuracies, change.model_copy(update={"p": mcnemar_exact(pairs)})]


def _unparsed(test: ReasoningTest, sample: Sequence[ReasonedText]) -> list[Measurement]:
    """Unreadable answers: how many more than before the reasoning was altered, and their share.

    The share only for `mistake`, where the subject goes on writing.
    """
    tried, about = [text for text in sample if text.by_test[test] is not None], About(test=test)
    if not tried:
        return []
    altered = [outcome.answers[0] for outcome in under(test, tried)]
    measurements = [unparsed_difference([text.answer for text in tried], altered, about)]
    lost = _lost(test, [text for text in tried if text.answer is not None])
    if test != "mistake" or not lost:
        return measurements
    share = intervals.share(np.array(lost))
    return [*measurements, Measurement.of("unparsed", share, len(lost), intervals.SHARE, about)]


def _lost(test: ReasoningTest, answered: Sequence[ReasonedText]) -> list[bool]:
    """Whether an answer cannot be read any more, of the texts that the test could change."""
    return [None in outcome.answers for outcome in under(test, answered)]


def _differences(
    tests: Sequence[ReasoningTest],
    shares: Sequence[float],
    sample: Sequence[ReasonedText],
    seed: int,
) -> list[Measurement]:
    """Every test against the first, on the texts that both could change."""
    measurements = []
    for test in tests[1:]:
        both = [text for text in sample if text.readable(tests[0]) and text.readable(test)]
        if len(both) > 1:
            apart = areas(test, shares, both) - areas(tests[0], shares, both)
            mean = intervals.bootstrap_mean(apart, seed=seed, bounds=(-1, 1))
            about = About(test=test, other=tests[0])
            measurements.append(
                Measurement.of("dependence_difference", mean, len(both), DIFFERENCE, about)
            )
    return measurements
