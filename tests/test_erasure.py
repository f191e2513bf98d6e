"""Erasing a concept: it is there before, no line reads it after, and little else is lost."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from tasks.measures.probing.erasure import leace, nothing, random_eraser

SIZES = {"a": 300, "b": 150, "c": 90}


def material(k=2, *, d=12, seed=0, shift=2.0):
    """States with unlike and correlated columns, and a concept of `k` groups planted in them."""
    rng = np.random.default_rng(seed)
    concept = np.repeat(list(SIZES)[:k], list(SIZES.values())[:k])
    place = np.searchsorted(list(SIZES), concept)
    latent = rng.normal(size=(len(concept), d)) + shift * rng.normal(size=(k, d))[place]
    mixed = latent @ rng.normal(size=(d, d)) * 10.0 ** rng.uniform(-1, 1, d) + 5 * rng.normal(
        size=d
    )
    return mixed, concept


def erased(eraser, states):
    return eraser(torch.from_numpy(states)).numpy()


def distance(states, concept):
    """Largest distance between group means, in standard deviations of the states."""
    means = np.array([states[concept == g].mean(0) for g in np.unique(concept)])
    return np.ptp(means, axis=0).max() / states.std()


def whitening(states):
    """Matrix that gives the states covariance 1."""
    value, vector = np.linalg.eigh(np.cov(states.T, bias=True))
    return vector @ np.diag(value**-0.5) @ vector.T


def read_on_train(states, concept, scale):
    """Share read by an almost free logistic regression on the very texts it was trained on."""
    x = (states - states.mean(0)) / scale
    probe = LogisticRegression(C=1e3, solver="newton-cholesky", tol=1e-8).fit(x, concept)
    return probe.score(x, concept)


# --- LEACE --------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3])
def test_after_leace_the_group_means_are_equal(k):
    x, concept = material(k)
    assert distance(x, concept) > 0.5
    assert distance(erased(leace(x, concept), x), concept) < 1e-10


@pytest.mark.parametrize("k", [2, 3])
def test_after_leace_no_linear_probe_beats_the_majority_even_on_its_own_texts(k):
    x, concept = material(k)
    majority = 300 / len(concept)
    assert read_on_train(x, concept, x.std(0)) > majority + 0.25
    assert read_on_train(erased(leace(x, concept), x), concept, x.std(0)) == majority


@pytest.mark.parametrize("k", [2, 3])
def test_the_rank_of_leace_is_one_less_than_there_are_groups(k):
    x, concept = material(k)
    eraser = leace(x, concept)
    assert eraser.rank == k - 1
    moved = erased(eraser, x) - x
    assert np.linalg.matrix_rank(moved, tol=1e-8 * np.linalg.norm(moved)) == k - 1


def test_groups_are_no_order():
    # means 0, 1, 0: read as the numbers 0, 1, 2 the middle group would stay
    rng = np.random.default_rng(0)
    concept = np.repeat(["a", "b", "c"], 200)
    x = rng.normal(size=(600, 4)) + 3 * np.outer(concept == "b", [1, 0, 0, 0])
    assert distance(erased(leace(x, concept), x), concept) < 1e-10


def test_leace_agrees_with_its_published_formula():
    # P = 1 - Sxz (Sxz' Sxx^-1 Sxz)^-1 Sxz' Sxx^-1, Belrose et al. 2023, theorem 4.3; the package
    # shrinks Sxx towards its trace, which vanishes with many texts
    rng = np.random.default_rng(1)
    concept = rng.choice(["a", "b"], 40_000)
    x = rng.normal(size=(40_000, 3)) @ rng.normal(size=(3, 3)) + np.outer(concept == "a", [1, 2, 0])
    z = (concept == "a").astype(float)
    centred = x - x.mean(0)
    sxx, sxz = centred.T @ centred, centred.T @ (z - z.mean())
    ray = np.linalg.solve(sxx, sxz)
    oracle = x - np.outer(centred @ ray, sxz) / (sxz @ ray)
    np.testing.assert_allclose(erased(leace(x, concept), x), oracle, atol=0.01)


def test_leace_changes_less_than_taking_the_difference_of_means_out():
    x, concept = material()
    way = x[concept == "a"].mean(0) - x[concept == "b"].mean(0)
    way /= np.linalg.norm(way)
    plain = x - np.outer((x - x.mean(0)) @ way, way)
    assert distance(plain, concept) < 1e-10  # it too leaves nothing to read
    white = whitening(x)
    change = [np.square((y - x) @ white).sum() for y in (erased(leace(x, concept), x), plain)]
    assert change[0] < change[1]


def test_erasing_twice_is_erasing_once():
    x, concept = material(3)
    once = erased(leace(x, concept), x)
    np.testing.assert_allclose(erased(leace(x, concept), once), once, atol=1e-8 * x.std())


def test_leace_keeps_the_mean():
    x, concept = material()
    clean = erased(leace(x, concept), x)
    np.testing.assert_allclose(clean.mean(0), x.mean(0), atol=1e-9 * x.std())


def test_a_rare_group_is_erased_too():
    rng = np.random.default_rng(2)
    concept = np.where(np.arange(5000) < 5, "rare", "usual")
    x = rng.normal(size=(5000, 8)) + 3.65 * np.outer(concept == "rare", np.eye(8)[0])
    eraser = leace(x, concept)
    assert distance(x, concept) > 2
    assert distance(erased(eraser, x), concept) < 1e-9
    assert eraser.rank == 1


def test_fewer_texts_than_dimensions_are_erased_exactly():
    rng = np.random.default_rng(3)
    concept = np.repeat(["a", "b"], 20)
    x = rng.normal(size=(40, 200)) + np.outer(concept == "a", rng.normal(size=200))
    assert distance(erased(leace(x, concept), x), concept) < 1e-9


def test_what_does_not_hold_the_concept_stays():
    # the concept shifts column 0 only, and the columns are independent
    rng = np.random.default_rng(4)
    concept = rng.choice(["a", "b"], 20_000)
    x = rng.normal(size=(20_000, 4)) + 3 * np.outer(concept == "a", [1, 0, 0, 0])
    clean = erased(leace(x, concept), x)
    assert np.abs(clean[:, 1:] - x[:, 1:]).max() < 0.2
    assert np.corrcoef(clean[:, 0], x[:, 0])[0, 1] < 0.05


def test_states_that_do_not_vary_need_no_erasing():
    eraser = leace(np.ones((6, 4)), np.repeat(["a", "b"], 3))
    assert eraser.rank == 0
    x = torch.randn(5, 4)
    assert torch.equal(eraser(x), x)


def test_one_group_is_refused():
    with pytest.raises(ValueError, match="two groups are needed"):
        leace(material()[0], np.full(450, "a"))


# --- what erasers have in common ----------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_an_eraser_keeps_type_and_shape(dtype):
    x, concept = material()
    eraser = leace(x, concept)
    assert eraser.left.dtype == eraser.right.dtype == eraser.mean.dtype == torch.float64
    given = torch.from_numpy(x[:6]).to(dtype).view(2, 3, 12)
    found = eraser(given)
    assert found.dtype == dtype
    assert found.shape == (2, 3, 12)
    torch.testing.assert_close(found, eraser(given.double()).to(dtype), atol=0, rtol=0)


def test_an_eraser_is_the_affine_map_that_it_says_it_is():
    x, _ = material()
    eraser = random_eraser(x, 2, seed=0)
    whole = torch.eye(12).double() - eraser.left @ eraser.right
    by_hand = (torch.from_numpy(x) - eraser.mean) @ whole.T + eraser.mean
    torch.testing.assert_close(eraser(torch.from_numpy(x)), by_hand)


def test_nothing_changes_nothing():
    x, _ = material()
    assert nothing(x).rank == 0
    assert (erased(nothing(x), x) == x).all()


# --- the control --------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, 3, 12])
def test_a_random_eraser_takes_as_many_unit_variance_directions_as_its_rank(rank):
    x, _ = material()
    eraser = random_eraser(x, rank, seed=0)
    clean, white = erased(eraser, x), whitening(x)
    assert eraser.rank == rank
    np.testing.assert_allclose(clean.mean(0), x.mean(0), atol=1e-9 * x.std())
    # whitened, the states have variance 1 in each of 12 directions
    assert np.var(clean @ white, axis=0).sum() == pytest.approx(12 - rank, abs=1e-8)
    np.testing.assert_allclose(erased(eraser, clean), clean, atol=1e-8 * x.std())


def test_leace_takes_as_many_directions_as_its_control():
    rng = np.random.default_rng(0)
    concept = rng.choice(["a", "b"], 20_000)
    x = rng.normal(size=(20_000, 6)) @ rng.normal(size=(6, 6)) + np.outer(
        concept == "a", np.ones(6)
    )
    left = np.var(erased(leace(x, concept), x) @ whitening(x), axis=0).sum()
    assert left == pytest.approx(5, abs=0.01)


def test_a_random_eraser_leaves_the_concept_readable():
    x, concept = material()
    before = read_on_train(x, concept, x.std(0))
    after = [
        read_on_train(erased(random_eraser(x, 1, seed=s), x), concept, x.std(0)) for s in range(10)
    ]
    assert np.mean(after) > before - 0.1


def test_random_directions_are_uniform_after_whitening():
    x, _ = material()
    white = whitening(x)
    back = np.linalg.inv(white)
    taken = []
    for seed in range(400):
        eraser = random_eraser(x, 1, seed=seed)
        taken.append(np.diag(white @ (eraser.left @ eraser.right).numpy() @ back))
    # the projection on a uniform direction has mean 1 / 12 in every place
    np.testing.assert_allclose(np.mean(taken, axis=0), 1 / 12, atol=0.03)


def test_random_directions_repeat_with_their_seed_and_differ_without():
    x, _ = material()
    one, same, other = (random_eraser(x, 2, seed=s) for s in (1, 1, 2))
    assert torch.equal(one.left, same.left)
    assert not torch.allclose(one.left, other.left)


def test_a_random_eraser_keeps_to_where_the_states_vary():
    x, _ = material()
    flat = np.concatenate([x, np.full((len(x), 3), 7.0), x[:, :2]], axis=1)
    clean = erased(random_eraser(flat, 4, seed=0), flat)
    np.testing.assert_allclose(clean[:, 12:15], 7.0, atol=1e-9)
    np.testing.assert_allclose(clean[:, 15:], clean[:, :2], atol=1e-8 * x.std())
    assert random_eraser(flat, 99, seed=0).rank == 12  # no more than there are


@pytest.mark.parametrize(("states", "rank"), [(np.ones((5, 3)), 2), (np.eye(3), 0)])
def test_where_there_is_nothing_to_take_nothing_is_taken(states, rank):
    eraser = random_eraser(states, rank, seed=0)
    assert eraser.rank == 0
    assert (erased(eraser, states) == states).all()


def test_one_seed_takes_the_same_random_direction_from_every_fold():
    x, _ = material()
    folds = [x[i::3] for i in range(3)]
    erasers = [random_eraser(fold, 1, seed=7, among=x) for fold in folds]
    for eraser, fold in zip(erasers, folds, strict=True):
        np.testing.assert_array_equal(eraser.right.numpy(), erasers[0].right.numpy())
        left = (torch.from_numpy(fold) - eraser.mean) @ eraser.right.T
        component = (torch.from_numpy(erased(eraser, fold)) - eraser.mean) @ eraser.right.T
        assert component.abs().max() < 1e-9 * left.abs().max()
    # fitted on different texts, they are not the same map
    assert not np.allclose(erasers[0].left.numpy(), erasers[1].left.numpy())
