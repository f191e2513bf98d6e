"""Probes: a planted concept is found, nothing is found where nothing was planted."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tasks.checks.interventions.states import place, pooled
from tasks.checks.probing.payload import Readings
from tasks.checks.probing.probe_evidence import balanced, control_accuracy, read_measurements
from tasks.definition.checks.probing import ProbingCheck
from tasks.errors import EvidenceError
from tasks.measures.probing.description_length import online_code, portions
from tasks.measures.probing.logistic import Problems, design, fit
from tasks.measures.probing.nonlinear import forest_probe, nonlinear_probes
from tasks.measures.probing.probes import (
    STRENGTHS,
    coded,
    control_labels,
    control_probes,
    linear_probes,
    living,
    three_folds,
)
from tasks.measures.stats.intervals import wilson
from tasks.measures.stats.random_streams import stream
from tasks.subjects.local.subject import Batch

CONCEPT = np.repeat([0, 1], [200, 400])
EVEN = np.arange(600) % 2 == 0


def states(seed=0, d=16):
    return np.random.default_rng(seed).normal(size=(600, d))


def planted(shift=3.0):
    found = states()
    found[CONCEPT == 1] += shift * np.eye(16)[3]
    return found


def crossed(d=8):
    """Four clouds; the concept is whether they lie on one diagonal, which no line tells."""
    x = states(seed=1, d=d)
    side = np.random.default_rng(2).integers(0, 2, 600)
    x[:, 0] += 2.5 * (2 * side - 1)
    x[:, 1] += 2.5 * (2 * (side ^ CONCEPT) - 1)
    return x


def linear(x, concept=CONCEPT, groups=2):
    """Held-out balanced accuracy on every other text of a probe trained on the rest."""
    read = linear_probes(design(x[None]), concept[None], EVEN[None], groups, seed=0).read[0, 0]
    return balanced_accuracy_score(concept[~EVEN], read[~EVEN])


def network(x, concept=CONCEPT):
    read = nonlinear_probes(design(x[None]), concept[None], EVEN[None], 2, seed=0)[0, 0]
    return balanced_accuracy_score(concept[~EVEN], read[~EVEN])


def forest(x, concept=CONCEPT):
    read = forest_probe(x[EVEN], concept[EVEN], x[~EVEN], seed=0)
    return balanced_accuracy_score(concept[~EVEN], read)


PROBES = [linear, network, forest]


@pytest.mark.parametrize("probe", PROBES)
def test_a_planted_concept_is_read(probe):
    # two normal curves 3 apart: the best reader is right with probability Phi(1.5) = .933
    assert probe(planted()) == pytest.approx(0.933, abs=0.08)


@pytest.mark.parametrize("probe", PROBES)
def test_where_nothing_is_planted_nothing_is_read(probe):
    found = [probe(states(seed)) for seed in range(4)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("probe", PROBES)
def test_a_concept_that_is_taken_out_again_is_not_read(probe):
    x = planted()
    x[CONCEPT == 1] -= 3.0 * np.eye(16)[3]
    assert probe(x) < 0.6


def test_what_no_line_separates_the_non_linear_probes_read():
    assert linear(crossed()) == pytest.approx(0.5, abs=0.07)
    assert network(crossed()) > 0.9
    assert forest(crossed(d=4)) > 0.9


def test_three_groups_are_read_and_rare_ones_weigh_the_same():
    rng = np.random.default_rng(0)
    concept = np.repeat([0, 1, 2], [500, 60, 40])
    x = rng.normal(size=(600, 5)) + 5 * np.eye(5)[concept]
    assert linear(x, concept, groups=3) > 0.95
    # where nothing is planted the many are not simply read for everyone
    nothing = design(rng.normal(size=(1, 600, 5)))
    read = linear_probes(nothing, concept[None], EVEN[None], 3, seed=0).read
    assert all(0.15 < np.mean(read == group) < 0.6 for group in range(3))


def test_the_scale_of_a_column_does_not_matter():
    x, scale = planted(), 10.0 ** np.linspace(-2, 2, 16)
    assert linear(x * scale) == pytest.approx(linear(x), abs=0.01)


@pytest.mark.parametrize("probe", PROBES)
def test_round_off_in_dead_columns_does_not_leak_the_concept(probe):
    x = states()
    x[:, 5] = 1e-17 * CONCEPT  # what is left in an erased column
    x[:, 6] = 1 + 1e-7 * CONCEPT  # one step of float32 at 1
    assert living(x).tolist() == [i not in {5, 6} for i in range(16)]
    assert probe(x) < 0.6
    x[:, 5] = CONCEPT
    assert probe(x) > 0.95  # alive, it is read


@pytest.mark.parametrize("value", [0.0, 1.0, -7.5])
@pytest.mark.parametrize("probe", PROBES)
def test_the_same_state_for_every_text_reads_at_chance(probe, value):
    assert probe(np.full((600, 16), value)) == 0.5


def test_living_by_hand():
    # spreads 0, .5, 5e-8 (0.05 of the 1e-6 of the largest value, 1)
    x = np.array([[1.0, 0.0, 0.5], [1.0, 1.0, 0.5 + 1e-7]])
    assert living(x).tolist() == [False, True, False]
    assert not living(np.zeros((3, 2))).any()


@pytest.mark.parametrize("probe", [nonlinear_probes, linear_probes])
def test_a_probe_repeats_with_its_seed(probe):
    made = design(states()[None])
    one, same = (probe(made, CONCEPT[None], EVEN[None], 2, seed=4) for _ in range(2))
    assert np.array_equal(one[0], same[0])


# --- the batched fit ----------------------------------------------------------------------


def correlated(layers, texts, d, seed=0):
    """States with unlike, correlated columns far from 0, different in every layer."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(layers, d, d)) * 10 ** rng.uniform(-1.5, 0, size=(layers, d, 1))
    return rng.normal(size=(layers, texts, d)) @ mixing + 5 * rng.normal(size=(layers, 1, d))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("c", [0.01, 1.0])
def test_the_batched_fit_is_sklearns_fold_by_fold(classes, balanced, c):
    x = correlated(2, 400, 12)
    rng = np.random.default_rng(1)
    scores = x[0] @ rng.normal(size=(12, classes))
    scores = scores - scores.mean(axis=0) + 2 * rng.gumbel(size=scores.shape)
    labels, fold = scores.argmax(axis=1), np.arange(400) % 3
    trained = np.stack([fold != f for f in range(3)])
    problems = Problems(np.tile(labels, (3, 1)), trained, np.full(3, c), classes, balanced)
    made = design(x)
    ours = fit(made, problems, tolerance=1e-6).log_probabilities(made.x).exp().numpy()
    for layer in range(2):
        for f in range(3):
            oracle = make_pipeline(
                StandardScaler(),
                LogisticRegression(
                    C=c, class_weight="balanced" if balanced else None, tol=1e-8, max_iter=9999
                ),
            ).fit(x[layer][trained[f]], labels[trained[f]])
            expected = oracle.predict_proba(x[layer]).T
            np.testing.assert_allclose(ours[layer, f], expected, atol=2e-3)


def test_without_states_the_fit_is_the_log_odds_of_the_groups():
    # only the intercept is left: log(150 / 50), and 0 where groups weigh the same
    made = design(np.ones((1, 200, 3)))
    labels = np.tile(np.repeat([0, 1], [50, 150]), (1, 1))
    for even, expected in ((False, np.log(3)), (True, 0.0)):
        problems = Problems(labels, np.ones((1, 200), dtype=bool), np.ones(1), 2, even)
        assert fit(made, problems).bias.item() == pytest.approx(expected, abs=1e-3)


def test_fitted_together_is_fitted_one_by_one():
    x = correlated(3, 200, 6)
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, size=(5, 200))
    trained = rng.random((5, 200)) < 0.7
    strength = np.array([1e-3, 1e-2, 1e-1, 1.0, 10.0])
    made = design(x)
    whole = fit(made, Problems(labels, trained, strength, 2, True))
    for layer in range(3):
        for i in range(5):
            one = slice(i, i + 1)
            alone = fit(
                design(x[layer : layer + 1]),
                Problems(labels[one], trained[one], strength[one], 2, True),
            )
            np.testing.assert_allclose(alone.weight[0, 0], whole.weight[layer, i], atol=2e-3)


def test_texts_that_are_not_trained_on_do_not_matter():
    x = correlated(1, 300, 6)
    labels = np.random.default_rng(3).integers(0, 2, 300)
    kept = np.arange(300) < 200
    problems = Problems(labels[None], kept[None], np.ones(1), 2, True)
    other = problems._replace(labels=np.where(kept, labels, -1)[None])
    made = design(x)
    np.testing.assert_allclose(fit(made, problems).weight, fit(made, other).weight)


def test_the_strength_is_weak_where_there_is_much_to_read_and_strong_where_not():
    made = design(np.stack([planted(6.0), states()]))
    strength = linear_probes(made, CONCEPT[None], EVEN[None], 2, seed=0).strength[:, 0]
    assert strength[0] > strength[1] == STRENGTHS[0]


def test_too_few_texts_of_a_group_say_so():
    labels = np.array([0] * 20 + [1] * 2)
    everyone = np.ones((1, 22), dtype=bool)
    with pytest.raises(EvidenceError, match=r"2 groups of 20, 2 texts; two groups of 3 are needed"):
        linear_probes(design(np.random.rand(1, 22, 3)), labels[None], everyone, 2, seed=0)  # noqa: NPY002
    with pytest.raises(EvidenceError, match="no text to train on"):
        fit(
            design(np.eye(22)[None]),
            Problems(labels[None], ~everyone, np.ones(1), 2, balanced=False),
        )


# --- description length -------------------------------------------------------------------


def test_portions_double_up_to_all_texts():
    assert portions(1024, 2) == [8, 16, 32, 64, 128, 256, 512, 1024]
    assert portions(1000, 3) == [16, 32, 63, 125, 250, 500, 1000]
    with pytest.raises(EvidenceError, match="15 texts of 2 classes; 16 are needed"):
        portions(15, 2)


def test_what_can_be_read_is_short_and_what_cannot_is_as_long_as_a_uniform_code():
    labels = np.arange(600) % 2
    x = states()
    x[labels == 1] += 6.0 * np.eye(16)[3]
    dealt = control_labels(labels, seed=0)
    code = online_code(design(np.stack([x, states(1)])), np.stack([labels, dealt]), 2, seed=0)
    length = code.bits.mean(axis=-1)
    assert code.uniform == 1.0
    assert length[0, 0] < 0.2
    assert length[1, 0] == pytest.approx(1.0, abs=0.03)
    assert length[:, 1] == pytest.approx(1.0, abs=0.03)


def test_the_online_code_by_hand_where_only_the_groups_sizes_can_be_learnt():
    """States that do not vary: every portion is coded with the shares of the texts before it."""
    labels = (np.random.default_rng(0).random(256) < 0.2).astype(int)
    code = online_code(design(np.ones((1, 256, 2))), labels[None], 2, seed=5)
    told = labels[stream(5, "order of the online code").permutation(256)]
    bits = 8.0
    for known in (8, 16, 32, 64, 128):
        one = told[:known].sum() / known
        for label in told[known : 2 * known]:
            share = one if label else 1 - one
            bits -= np.log2((known * share + 1) / (known + 2))
    expected = (bits + np.log2(5)) / 256
    assert code.bits.mean() == pytest.approx(expected, abs=0.01)
    # near the entropy of one in five, .72 bits
    assert 0.65 < code.bits.mean() < 0.85


def test_bits_stand_with_their_text():
    """One text that is labelled against what it says costs most."""
    labels = np.arange(600) % 2
    x = states()
    x[:, 3] += 8.0 * labels
    last = stream(0, "order of the online code").permutation(600)[-1]
    labels[last] = 1 - labels[last]
    code = online_code(design(x[None]), labels[None], 2, seed=0)
    assert code.bits[0, 0].argmax() == last


# --- accuracy, folds, control -------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_three_folds_hold_every_group_evenly(seed):
    concept = np.repeat(["a", "b", "c"], [3, 31, 200])
    fold = three_folds(concept, seed=seed)
    for group, n in [("a", 3), ("b", 31), ("c", 200)]:
        sizes = np.bincount(fold[concept == group], minlength=3)
        assert sizes.sum() == n
        assert len(sizes) == 3
        assert np.ptp(sizes) <= 1


def test_folds_are_dealt_at_random_and_repeat_with_their_seed():
    fold = three_folds(CONCEPT, seed=0)
    assert (fold == three_folds(CONCEPT, seed=0)).all()
    assert np.mean(fold == three_folds(CONCEPT, seed=1)) == pytest.approx(1 / 3, abs=0.07)
    # no fold sits at one end of the data
    assert np.ptp([np.mean(np.flatnonzero(fold == f)) for f in range(3)]) < 80


def test_a_group_of_two_cannot_be_put_into_three_folds():
    with pytest.raises(EvidenceError, match="group 'b' has 2 texts; three folds need three"):
        three_folds(np.array(["a"] * 5 + ["b"] * 2), seed=0)


def test_groups_are_coded_in_the_order_of_their_names():
    codes, names = coded(np.array(["b", "a", "b"]))
    assert (codes.tolist(), names) == ([1, 0, 1], ["a", "b"])


def test_control_labels_have_the_same_groups_and_nothing_to_read():
    control = control_labels(CONCEPT, seed=0)
    assert sorted(control) == sorted(CONCEPT)
    assert (control == control_labels(CONCEPT, seed=0)).all()
    assert (control != control_labels(CONCEPT, seed=1)).any()
    made, trained = design(planted()[None]), EVEN[None]
    strength = np.full((1, 1), 0.1)
    read = control_probes(made, CONCEPT[None], trained, 2, strength, list(range(20)))[0, 0]
    found = [balanced_accuracy_score(CONCEPT[~EVEN], one[~EVEN]) for one in read]
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)
    assert linear(planted()) > np.max(found)


# --- measurements -------------------------------------------------------------------------


def readings(x, concept, draws=10):
    """What a shard of probes leaves behind, for one layer."""
    made, labels = design(x[None]), np.tile(concept, (3, 1))
    fold = three_folds(concept, seed=0)
    trained = np.stack([fold == f for f in range(3)])
    turn, rows = (fold + 1) % 3, np.arange(len(concept))
    linear = linear_probes(made, labels, trained, 2, seed=0)
    control = control_probes(made, labels, trained, 2, linear.strength, list(range(draws)))
    nonlinear = nonlinear_probes(made, labels, trained, 2, seed=0)
    both = np.stack([concept, control_labels(concept, seed=0)])
    hits = (control[:, turn, :, rows] == concept[:, None, None]).transpose(1, 2, 0)
    return Readings(
        pooling="head",
        layers=(0,),
        attributes=("side",),
        concept={"side": concept},
        read={"side": linear.read[:, turn, rows]},
        nonlinear={"side": nonlinear[:, turn, rows]},
        control={"side": hits},
        bits={"side": online_code(made, both, 2, seed=0).bits},
    )


def measured(x, concept):
    found = read_measurements([readings(x, concept)], "head", seed=0)
    return {m.name: m for m in found}


def test_where_nothing_is_planted_every_interval_holds_what_chance_gives():
    found = measured(states(), np.arange(600) % 2)
    assert found["selectivity"].low <= 0 <= found["selectivity"].high
    assert found["compression"].low <= 1.02
    assert found["compression"].value == pytest.approx(1.0, abs=0.03)
    assert found["majority_accuracy"].value == 0.5


def test_what_is_planted_shows_in_every_measurement():
    concept = np.arange(600) % 2
    x = states()
    x[:, 3] += 4.0 * concept
    found = measured(x, concept)
    assert found["probe_accuracy"].low > 0.9
    assert found["selectivity"].low > 0.3
    assert found["nonlinear_probe_accuracy"].low > 0.9
    assert found["mdl"].high < 0.5 < found["mdl_control"].low
    assert found["compression"].value == pytest.approx(1 / found["mdl"].value)


def test_the_majority_is_the_share_of_the_largest_group():
    found = read_measurements([readings(states(), CONCEPT)], "head", seed=0)
    (majority,) = [m for m in found if m.name == "majority_accuracy"]
    assert majority.value == pytest.approx(2 / 3)
    assert majority.about.layer is None


def test_a_further_pooling_is_named():
    found = read_measurements([readings(states(), CONCEPT)], "mean", seed=0)
    assert {m.about.position for m in found} == {"the position that the head reads"}
    assert "majority_accuracy" not in {m.name for m in found}


def test_a_balanced_accuracy_by_hand_and_open_where_all_are_right():
    # 3 of 4 and 5 of 10: .625, the mean of both Wilson intervals' distances by squares
    right = np.array([True] * 3 + [False] + [True] * 5 + [False] * 5)
    found = balanced(right, np.repeat([0, 1], [4, 10]))
    a, b = wilson(3, 4), wilson(5, 10)
    assert found.value == pytest.approx(0.625)
    assert found.low == pytest.approx(0.625 - np.hypot(a.value - a.low, b.value - b.low) / 2)
    perfect = balanced(np.ones(20, dtype=bool), np.repeat([0, 1], 10))
    # n / (n + z2) of 10, and two of them: 1 - .2775 / sqrt 2
    assert (perfect.value, perfect.high) == (1, 1)
    assert perfect.low == pytest.approx(1 - 0.2775 / np.sqrt(2), abs=1e-3)


def test_a_control_has_the_spread_of_its_labellings():
    # half of the labellings read all rightly, half nothing: a mean of ten coins
    hits = np.array([[True] * 200, [False] * 200] * 5)
    found = control_accuracy(hits, np.arange(200) % 2, 0, 0.95)
    assert found.value == 0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(10), abs=0.1)


def test_selectivities_hold_jointly_over_layers():
    concept = np.arange(600) % 2
    one = readings(states(), concept)
    measured = ("read", "nonlinear", "control", "bits")
    again = {name: {"side": np.repeat(getattr(one, name)["side"], 7, axis=0)} for name in measured}
    many = one.model_copy(update={"layers": tuple(range(7)), **again})

    def width(found, name):
        first = next(m for m in found if m.name == name and m.about.layer == 0)
        return first.high - first.low

    alone = read_measurements([one], "head", seed=0)
    among = read_measurements([many], "head", seed=0)
    # z of 1 - .05 / 14 over z of .975: 2.690 / 1.960
    assert width(among, "selectivity") / width(alone, "selectivity") == pytest.approx(1.37, abs=0.1)
    assert width(among, "probe_accuracy") == width(alone, "probe_accuracy")


# --- where states are taken ---------------------------------------------------------------


class Reader:
    """A subject whose head reads the last position."""

    def head_position(self, batch):
        return torch.full((len(batch.ids),), batch.ids.shape[1] - 1)


def two_texts():
    """Three tokens padded on the right, and two padded on the left."""
    mask = torch.tensor([[1, 1, 1, 0], [0, 0, 1, 1]])
    return Batch(torch.zeros(2, 4), mask, mask == 0, [], torch.arange(2), 2)


@pytest.mark.parametrize(
    ("pooling", "layer", "expected"),
    [
        pytest.param("first", 2, [0.0, 2.0], id="first token, not padding"),
        pytest.param("last", 2, [2.0, 3.0], id="last token, not padding"),
        pytest.param("head", 2, [3.0, 3.0], id="where the head reads"),
        pytest.param("mean", 2, [1.0, 2.5], id="mean over tokens"),
        pytest.param("first", 0, [1.0, 2.5], id="mean at the embedding"),
    ],
)
def test_states_are_taken_where_the_pooling_says(pooling, layer, expected):
    batch, hidden = two_texts(), torch.arange(4.0).expand(2, 4).unsqueeze(-1)
    found = pooled(batch, hidden, place(Reader(), batch, pooling, layer))
    assert found[:, 0].tolist() == expected


def test_a_pooling_named_twice_is_refused():
    with pytest.raises(ValueError, match="pooling 'mean' is named more than once"):
        ProbingCheck(pooling="mean", also_read=("first", "mean"))
    assert ProbingCheck(also_read=("mean",)).poolings == ("head", "mean")
