"""Shapley values against games a reader can solve, every order of arrival, and captum."""

import numpy as np
import pytest
import torch
from captum.attr import ShapleyValueSampling

from tasks.definition import ClassifierSubject
from tasks.measures.attribution.inputs import Inputs
from tasks.measures.attribution.occlusion import leave_one_out
from tasks.measures.attribution.shapley import shapley_values, shapley_with_errors
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tests.support.games import (
    FAMILIES,
    SOLVED,
    TEXTS,
    bent,
    by_every_order,
    counted,
    game,
    inputs_of,
)
from tests.support.tiny import build

# --- games with known values --------------------------------------------------------------

WEIGHT = torch.linspace(-1, 1, 12, dtype=torch.float64)


@pytest.mark.parametrize("name", SOLVED)
def test_short_rows_are_exact(name):
    inputs, values = SOLVED[name]
    found = shapley_with_errors(inputs)
    torch.testing.assert_close(found.attribution.units[0], torch.tensor(values).double())
    assert (found.error == 0).all()
    assert found.attribution.evaluations.tolist() == [2 ** len(values)]


def test_not_bad_leave_one_out_says_that_bad_speaks_for_it_and_shapley_does_not():
    inputs, _ = SOLVED["not bad"]
    assert leave_one_out(inputs).units[0].tolist() == [3.0, 1.5]
    assert shapley_values(inputs).units[0].tolist() == [1.25, -0.25]


def test_not_bad_in_a_sentence_read_through_embeddings():
    """An attention head that lets "not" turn "bad" around; the other words say nothing."""
    words = {"[MASK]": 0, "the": 1, "film": 2, "is": 3, "not": 4, "bad": 5}
    embedding = torch.zeros(6, 8)
    embedding.fill_diagonal_(1.0)

    def score(e, _):
        turned, judged = e[..., 4].amax(1), e[..., 5].amax(1)
        return -0.5 * turned - 2 * judged + 3.5 * turned * judged

    ids = torch.tensor([[words[w] for w in ("the", "film", "is", "not", "bad")]])
    inputs = Inputs(embedding[ids], embedding[ids * 0], torch.arange(5)[None], score)
    alone = torch.tensor([[0, 0, 0, 3.0, 1.5]], dtype=torch.float64)
    torch.testing.assert_close(leave_one_out(inputs).units, alone)
    shared = torch.tensor([[0, 0, 0, 1.25, -0.25]], dtype=torch.float64)
    torch.testing.assert_close(shapley_values(inputs).units, shared)


def test_enumeration_is_the_mean_over_every_order_of_arrival():
    inputs = bent(6)
    torch.testing.assert_close(shapley_values(inputs).units[0], by_every_order(inputs, 6))


# --- longer rows --------------------------------------------------------------------------


def test_the_weights_of_an_additive_game_are_found_in_few_evaluations():
    found = shapley_with_errors(game(lambda z: z @ WEIGHT, 12), per_unit=4)
    assert (found.attribution.units[0] - WEIGHT).abs().max() < 1e-3
    assert found.error.max() < 1e-2
    assert found.attribution.evaluations.tolist() == [4 * 12 + 2]


def test_the_estimate_approaches_enumeration_and_knows_how_far_it_is():
    games = [bent(10, seed) for seed in range(6)]
    exact = torch.cat([shapley_values(g, exact_up_to=10).units for g in games])
    off, said = [], []
    for per_unit in (4, 16, 64):
        found = [shapley_with_errors(g, per_unit=per_unit) for g in games]
        units = torch.cat([f.attribution.units for f in found])
        error = torch.cat([f.error for f in found])
        off.append((units - exact).square().mean().sqrt().item())
        said.append(error.square().mean().sqrt().item())
        assert ((units - exact).abs() <= 1.96 * error).double().mean() > 0.85
        assert all(f.attribution.delta.abs().max() < 1e-9 for f in found)
    assert off[0] > 2 * off[1] > 4 * off[2]
    assert said == pytest.approx(off, rel=0.35)


def test_few_evaluations_come_close_to_the_exact_values():
    for seed in range(6):
        inputs = bent(10, seed)
        exact = shapley_values(inputs, exact_up_to=10).units[0]
        assert np.corrcoef(shapley_values(inputs).units[0], exact)[0, 1] > 0.98


def test_nearly_all_coalitions_are_nearly_exact():
    inputs = bent(8)
    exact = shapley_values(inputs, exact_up_to=8).units
    found = shapley_with_errors(inputs, per_unit=31)  # 250 of 256
    assert found.attribution.evaluations.tolist() == [250]
    torch.testing.assert_close(found.attribution.units, exact, atol=1e-2, rtol=0)


def test_units_that_are_alike_or_do_not_matter_are_so_within_their_error():
    found = shapley_with_errors(game(lambda z: 3 * z[:, :3].prod(1), 20))
    units, error = found.attribution.units[0], found.error[0]
    assert ((units - torch.tensor([1.0] * 3 + [0.0] * 17)).abs() <= 3 * error).all()
    assert error.max() < 0.1


def test_a_score_that_never_moves_has_no_values_and_no_errors():
    found = shapley_with_errors(game(lambda z: z.sum(1) * 0 + 7, 12))
    assert (found.attribution.units == 0).all()
    assert found.error.max() < 1e-9


def test_a_score_that_is_not_finite_has_no_values_and_others_keep_theirs():
    inputs = bent(12)
    twice = Inputs(
        inputs.own.repeat(2, 1, 1),
        inputs.neutral.repeat(2, 1, 1),
        inputs.units.repeat(2, 1),
        lambda e, rows: inputs.score(e, rows) + torch.where(rows == 1, torch.nan, 0.0),
    )
    found = shapley_with_errors(twice)
    torch.testing.assert_close(found.attribution.units[0], shapley_values(inputs).units[0])
    assert found.attribution.units[1].isnan().all()
    assert found.error[1].isnan().all()


def test_seeds_choose_the_coalitions():
    inputs = bent(12)
    first = shapley_values(inputs, per_unit=4, seed=1).units
    assert torch.equal(first, shapley_values(inputs, per_unit=4, seed=1).units)
    assert not torch.equal(first, shapley_values(inputs, per_unit=4, seed=2).units)


def test_too_few_evaluations_are_refused():
    with pytest.raises(ValueError, match="1 evaluations per unit"):
        shapley_values(bent(3), per_unit=1)


# --- passes -------------------------------------------------------------------------------


@pytest.mark.parametrize("per_unit", [4, 8])
def test_no_coalition_of_a_row_is_evaluated_twice(per_unit):
    inputs, seen = counted()
    found = shapley_values(inputs, per_unit=per_unit)
    assert len(seen) == len(set(seen)) == found.evaluations.sum()
    assert found.evaluations.tolist() == [12 * per_unit + 2, 8, 12 * per_unit + 2]


def test_passes_are_halved_when_memory_runs_out():
    plenty, scarce = counted()[0], counted(limit=5)[0]
    assert torch.equal(shapley_values(plenty).units, shapley_values(scarce).units)
    with pytest.raises(MemoryError):
        shapley_values(counted(limit=0)[0])


def test_a_row_without_units_has_no_values():
    inputs, _ = counted()
    inputs.units[1] = -1
    found = shapley_values(inputs)
    assert (found.units[1] == 0).all()
    assert found.evaluations[1] == 2


def test_a_rough_score_is_used_for_all_but_the_ends():
    exact = bent(12)

    def rough(e, rows):
        return exact.score(e, rows).bfloat16().double()

    mixed = Inputs(exact.own, exact.neutral, exact.units, exact.score, rough=rough)
    found, true = shapley_values(mixed), shapley_values(exact)
    assert torch.equal(found.score, true.score)
    assert found.delta.abs().max() < 1e-9
    assert not torch.equal(found.units, true.units)
    torch.testing.assert_close(found.units, true.units, atol=0.02, rtol=0)


# --- transformers -------------------------------------------------------------------------


@pytest.fixture(scope="module", params=FAMILIES)
def subject(request, tmp_path_factory):
    folder = build(tmp_path_factory.mktemp("model") / request.param, request.param)
    return load_subject(refer("tiny", ClassifierSubject(path=folder.name), folder.parent))


def test_batched_is_single_padded_on_either_side(subject):
    together = shapley_with_errors(inputs_of(subject, TEXTS))
    for row, text in enumerate(TEXTS):
        alone = shapley_with_errors(inputs_of(subject, [text]))
        n = alone.error.shape[1]
        units = together.attribution.units[row]
        torch.testing.assert_close(units[:n], alone.attribution.units[0], atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(together.error[row, :n], alone.error[0], atol=1e-3, rtol=0.1)
        assert (units[n:] == 0).all()
        assert together.attribution.evaluations[row] == alone.attribution.evaluations[0]


def test_captums_sampled_permutations_agree(subject):
    inputs = inputs_of(subject, TEXTS[:1])
    n = int(inputs.counts[0])
    found = shapley_with_errors(inputs, per_unit=16)

    def played(there):
        return inputs.values(torch.zeros(len(there), dtype=torch.long), there.bool())

    torch.manual_seed(0)
    oracle = ShapleyValueSampling(played).attribute(torch.ones(1, n), n_samples=100)[0]
    assert np.corrcoef(found.attribution.units[0], oracle)[0, 1] > 0.97
    exact = shapley_values(inputs, exact_up_to=n)
    off = (found.attribution.units - exact.units).abs()
    assert (off <= 3 * found.error + 1e-4).all()
    assert exact.delta.abs().max() < 1e-9
