"""What lies between shards and evidence: subsets, words, silent layers, honest notes."""

import numpy as np
import pytest

from tasks.checks.localisation.formation import silent_layers
from tasks.measures.stats.intervals import bootstrap_mean
from tasks.schema import AttributedText, Measurement


@pytest.mark.parametrize(
    ("classes", "silent"),
    [
        pytest.param([[0] * 100, [0] * 50 + [1] * 50, [0] * 50 + [1] * 50], 1, id="embedding"),
        pytest.param([[0] * 100, [1] * 100, [0] * 50 + [1] * 50], 2, id="all but the last"),
        pytest.param([[0] * 97 + [1] * 3, [0] * 50 + [1] * 50], 0, id="three texts differ"),
        pytest.param([[0] * 50 + [1] * 50, [0] * 100, [0] * 50 + [1] * 50], 2, id="silent again"),
        pytest.param([[0] * 99 + [1], [0] * 50 + [1] * 50], 1, id="one text differs"),
    ],
)
def test_a_layer_that_reads_all_texts_alike_reads_nothing(classes, silent):
    assert silent_layers(np.array(classes)) == silent


@pytest.mark.parametrize(
    ("score", "baseline", "foregone"),
    [
        pytest.param(8.0, -0.5, False, id="moved from neutral"),
        pytest.param(8.0, 7.7, True, id="already decided"),
        pytest.param(8.0, 3.9, False, id="more than half is moved"),
        pytest.param(8.0, 4.1, True, id="less than half is moved"),
        pytest.param(-1.0, -8.0, False, id="unlikely token made likelier"),
        pytest.param(-1.0, -1.2, True, id="unlikely token left as it was"),
    ],
)
def test_a_decision_that_stands_before_a_word_is_read_is_foregone(score, baseline, foregone):
    text = AttributedText(
        id="a",
        target="yes",
        words=(),
        score=score,
        baseline_score=baseline,
        delta=0.0,
        method="shapley",
        evaluations=32,
        converged=True,
    )
    assert text.foregone is foregone


def test_equal_values_are_not_certain_where_their_bounds_are_known():
    """Twelve texts that all form at layer 6 of 6: 1 - .05 ** (1 / 12) = .22 may lie lower."""
    found = bootstrap_mean(np.full(12, 6.0), seed=0, bounds=(0.0, 6.0))
    assert (found.value, found.high) == (6.0, 6.0)
    assert found.low == pytest.approx(6.0 * 0.05 ** (1 / 12))


def test_an_interval_that_excludes_its_value_is_refused():
    with pytest.raises(ValueError, match=r"accuracy: value 0.5 lies outside \[0.6, 0.7\]"):
        Measurement.of("accuracy", (0.5, 0.6, 0.7), 10, "by hand")
