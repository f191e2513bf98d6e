"""Occlusion, LIME and Owen values against games a reader can solve, and against captum."""

import sys

import numpy as np
import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import FeatureAblation, LimeBase, Occlusion

from tasks.definition import ClassifierSubject
from tasks.measures.attribution.inputs import Inputs
from tasks.measures.attribution.lime import lime
from tasks.measures.attribution.occlusion import leave_one_out, sliding_window
from tasks.measures.attribution.partition import partition_values
from tasks.measures.attribution.shapley import shapley_values
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tests.support.games import FAMILIES, TEXTS, bent, counted, game, inputs_of, listed
from tests.support.tiny import build

WEIGHT = torch.linspace(-1, 1, 7, dtype=torch.float64)
ADDITIVE = game(lambda z: z @ WEIGHT + 5, 7)


@pytest.fixture(scope="module", params=FAMILIES)
def subject(request, tmp_path_factory):
    folder = build(tmp_path_factory.mktemp("model") / request.param, request.param)
    return load_subject(refer("tiny", ClassifierSubject(path=folder.name), folder.parent))


def players(inputs):
    """The game of row 0 as captum takes it."""
    return lambda there: inputs.values(torch.zeros(len(there), dtype=torch.long), there.bool())


# --- occlusion ----------------------------------------------------------------------------


def test_leaving_one_out_of_an_additive_game_gives_its_weights():
    found = leave_one_out(ADDITIVE)
    torch.testing.assert_close(found.units[0], WEIGHT)
    assert found.delta.abs().max() < 1e-9
    assert found.evaluations.tolist() == [7 + 2]


def test_leaving_one_out_misses_units_that_replace_each_other_and_says_so():
    either = listed(0, 1, 1, 1)
    found = leave_one_out(either)
    assert found.units[0].tolist() == [0, 0]
    assert found.delta.tolist() == [-1]
    assert sliding_window(either, width=2).units[0].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("width", "stride", "values"),
    [  # drops of the windows of the game 1, 2, 4, 8, 16, then the mean over those that hold a unit
        (1, 1, (1, 2, 4, 8, 16)),
        (3, 1, (7, 10.5, 49 / 3, 21, 28)),
        (2, 2, (3, 3, 12, 12, 16)),
        (3, 2, (7, 7, 17.5, 28, 28)),
        (9, 1, (31,) * 5),
    ],
)
def test_windows_share_their_drop(width, stride, values):
    inputs = game(lambda z: z @ torch.tensor([1.0, 2, 4, 8, 16]).double(), 5)
    found = sliding_window(inputs, width=width, stride=stride)
    torch.testing.assert_close(found.units[0], torch.tensor(values).double())


@pytest.mark.parametrize(("width", "stride"), [(0, 1), (3, 0), (2, 3)])
def test_windows_that_leave_units_out_are_refused(width, stride):
    with pytest.raises(ValueError, match="does not fit"):
        sliding_window(ADDITIVE, width=width, stride=stride)


def test_captum_agrees_on_ablation_and_windows(subject):
    inputs = inputs_of(subject, TEXTS)
    there = torch.ones(1, int(inputs.counts[0]))
    ablated = FeatureAblation(players(inputs)).attribute(there)[0]
    torch.testing.assert_close(
        leave_one_out(inputs).units[0], ablated.double(), atol=1e-5, rtol=1e-4
    )
    for width, stride in ((3, 1), (3, 2), (4, 3)):
        occluded = Occlusion(players(inputs)).attribute(there, (width,), (stride,))[0]
        found = sliding_window(inputs, width=width, stride=stride)
        torch.testing.assert_close(found.units[0], occluded.double(), atol=1e-5, rtol=1e-4)


# --- LIME ---------------------------------------------------------------------------------


def test_lime_finds_the_weights_of_an_additive_game():
    found = lime(ADDITIVE, samples=2000)
    # the ridge's penalty takes a little from every weight
    torch.testing.assert_close(found.units[0], WEIGHT, atol=0.02, rtol=0)
    assert found.evaluations.tolist() == [2**7]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_lime_does_not_collapse_on_a_flat_score(scale):
    scaled = game(lambda z: scale * (z @ WEIGHT), 7)
    torch.testing.assert_close(lime(scaled).units / scale, lime(ADDITIVE).units)


def test_lime_is_seeded():
    inputs = bent(12)
    assert torch.equal(lime(inputs, seed=1).units, lime(inputs, seed=1).units)
    assert not torch.equal(lime(inputs, seed=1).units, lime(inputs, seed=2).units)


def test_lime_needs_samples():
    with pytest.raises(ValueError, match="1 samples"):
        lime(ADDITIVE, samples=1)


def test_captums_lime_with_the_same_kernel_and_penalty_agrees(subject):
    inputs = inputs_of(subject, TEXTS[:1])
    n = int(inputs.counts[0])
    torch.manual_seed(0)

    def some(_, **__):
        there = torch.ones(1, n)
        there[0, torch.randperm(n)[: torch.randint(1, n + 1, ())]] = 0
        return there

    def near(_, __, there, **___):
        cosine = torch.nn.functional.cosine_similarity(there, torch.ones(1, n)).item()
        return np.exp(-((1 - cosine) ** 2) / 0.25**2 / 2)

    def itself(there, *_, **__):
        return there

    explainer = LimeBase(players(inputs), SkLearnRidge(alpha=1), near, some, True, itself, None)
    oracle = explainer.attribute(torch.ones(1, n), n_samples=2000, perturbations_per_eval=500)
    found = lime(inputs, samples=2000).units[0]
    assert np.corrcoef(found, oracle[0])[0, 1] > 0.99
    torch.testing.assert_close(found.norm(), oracle[0].norm(), atol=0, rtol=0.1, check_dtype=False)


# --- Owen values --------------------------------------------------------------------------


def owen(f, units, context=()):
    """Two halves share as Shapley values of two players would, and so do their halves."""
    if len(units) == 1:
        return {units[0]: f({*context, *units}) - f({*context})}
    middle = (len(units) + 1) // 2
    left, right = units[:middle], units[middle:]
    found = {}
    for half, other in ((left, right), (right, left)):
        without, with_ = owen(f, half, context), owen(f, half, (*context, *other))
        found |= {unit: (without[unit] + with_[unit]) / 2 for unit in half}
    return found


@pytest.fixture
def shap():
    return pytest.importorskip("shap")


@pytest.mark.usefixtures("shap")
def test_owen_values_of_games_with_known_values():
    torch.testing.assert_close(partition_values(ADDITIVE).units[0], WEIGHT, atol=1e-6, rtol=0)
    assert partition_values(listed(0, -0.5, -2, 1)).units[0].tolist() == [1.25, -0.25]
    # (left glove, right glove), right glove: the first two can do without the third
    gloves = partition_values(listed(0, 0, 0, 1, 0, 1, 0, 1))
    assert gloves.units[0].tolist() == [0.75, 0.25, 0]
    assert partition_values(listed(1, 4)).units[0].tolist() == [3]


@pytest.mark.usefixtures("shap")
@pytest.mark.parametrize("n", [5, 8, 11])
def test_owen_values_by_recursion_agree(n):
    inputs = bent(n)

    def f(units):
        there = torch.tensor([[unit in units for unit in range(n)]])
        return float(inputs.values(torch.tensor([0]), there))

    expected = owen(f, tuple(range(n)))
    found = partition_values(inputs)
    torch.testing.assert_close(
        found.units[0], torch.tensor([expected[i] for i in range(n)]).double(), atol=1e-5, rtol=0
    )
    assert found.delta.abs().max() < 1e-5


@pytest.mark.usefixtures("shap")
def test_owen_values_add_up_when_evaluations_end_and_leave_chance_alone():
    inputs = bent(30)
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    found = partition_values(inputs, max_evaluations=60)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert torch.equal(found.units, partition_values(inputs, max_evaluations=60).units)
    assert found.delta.abs().max() < 1e-5
    assert found.evaluations <= 62
    with pytest.raises(ValueError, match="1 evaluations"):
        partition_values(inputs, max_evaluations=1)


def test_shaps_own_permutations_agree_with_shapley_values(shap):
    inputs = bent(6)
    explainer = shap.PermutationExplainer(
        lambda there: players(inputs)(torch.from_numpy(there)).numpy(), np.zeros((1, 6))
    )
    oracle = explainer(np.ones((1, 6)), max_evals=4000, silent=True).values[0]
    exact = shapley_values(inputs).units[0]
    torch.testing.assert_close(exact, torch.from_numpy(oracle).double(), atol=0.05, rtol=0)


def test_without_shap_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ImportError, match=r"pip install assay-audit\[shap\]"):
        partition_values(ADDITIVE)


# --- passes -------------------------------------------------------------------------------

PLAYED = [leave_one_out, sliding_window, lime, pytest.param(partition_values, id="partition")]


@pytest.mark.parametrize("method", PLAYED)
def test_no_coalition_of_a_row_is_evaluated_twice(method, request):
    if method is partition_values:
        request.getfixturevalue("shap")
    inputs, seen = counted()
    found = method(inputs)
    assert len(seen) == len(set(seen)) == found.evaluations.sum()


@pytest.mark.parametrize("method", PLAYED)
def test_passes_are_halved_when_memory_runs_out(method, request):
    if method is partition_values:
        request.getfixturevalue("shap")
    plenty, scarce = method(counted()[0]).units, method(counted(limit=5)[0]).units
    torch.testing.assert_close(plenty, scarce, atol=1e-6, rtol=0)


@pytest.mark.parametrize("method", PLAYED)
def test_batched_is_single_padded_on_either_side(method, subject, request):
    if method is partition_values:
        request.getfixturevalue("shap")
    together = method(inputs_of(subject, TEXTS))
    for row, text in enumerate(TEXTS):
        alone = method(inputs_of(subject, [text]))
        n = alone.units.shape[1]
        torch.testing.assert_close(together.units[row, :n], alone.units[0], atol=1e-5, rtol=1e-4)
        assert (together.units[row, n:] == 0).all()


def test_lime_takes_a_rough_score_and_leaving_one_out_does_not():
    exact = bent(12)

    def rough(e, rows):
        return exact.score(e, rows).bfloat16().double()

    mixed = Inputs(exact.own, exact.neutral, exact.units, exact.score, rough=rough)
    assert torch.equal(leave_one_out(mixed).units, leave_one_out(exact).units)
    assert not torch.equal(lime(mixed).units, lime(exact).units)
    torch.testing.assert_close(lime(mixed).units, lime(exact).units, atol=0.02, rtol=0)
