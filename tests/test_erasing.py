"""Erasing inside a running subject: planted at one block, at several layers, at a named field."""

import csv

import numpy as np
import pytest
import torch
import yaml

from tasks.checks.preflight import prepare
from tasks.checks.probing.erased_run import ErasedRun
from tasks.definition import CausalSubject, ClassifierSubject
from tasks.errors import EvidenceError, SpecError
from tasks.measures.probing.erasure import Eraser, leace, nothing
from tasks.measures.stats.permutation import beyond_control_p
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tests.support.gathering import gathered
from tests.support.planted import plant
from tests.support.small import write_rows
from tests.support.tiny import DECODERS, ENCODERS, build

CARRIER = 2
LAYERS = 3


def write_audit(folder, rows=120, **check):
    """The place is the attribute; the side is one that has nothing to do with it."""
    write_rows(folder / "data.csv", rows)
    spec = {
        "name": "erased",
        "seed": 7,
        "subjects": {"decider": {"kind": "sequence-classification", "path": "model"}},
        "data": {
            "path": "data.csv", "id": "id", "label": "label", "favourable": "yes",
            "groups": ["place", "side"], "fields": ["place"],
        },
        "checks": [{"kind": "probing", "texts": rows, "random_subspaces": 19, **check}],
    }  # fmt: skip
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def of_only_check(definition):
    return gathered(prepare(definition), definition.parent / "store", cases=(0, 1))


def of(evidence, name, attribute="place", position=None):
    """Layer, or layers, -> measurement."""
    return {
        m.about.layers or m.about.layer: m
        for m in evidence.named(name)
        if (m.about.attribute, m.about.position) == (attribute, position)
        and m.about.group is None
        and m.about.erased is None
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("erased")
    write_audit(made)
    plant(made, CARRIER)
    return made


@pytest.fixture(scope="module")
def at_head(folder):
    return of_only_check(write_audit(folder, also_read=["span"], span="place", together=[[0, 1]]))


@pytest.fixture(scope="module")
def at_field(folder):
    return of_only_check(write_audit(folder, pooling="span", span="place"))


# --- planted in one block -----------------------------------------------------------------


@pytest.mark.slow
def test_the_planted_gap_goes_where_the_head_holds_it_and_not_before(tmp_path):
    """Of 120 texts an eraser leaves .05 to .28, by the draw; of 360 less than .1."""
    definition = write_audit(tmp_path, rows=360, random_subspaces=2)
    plant(tmp_path, CARRIER)
    at_head = of_only_check(definition)
    after = of(at_head, "gap_after_erasure")
    assert of(at_head, "gap_before")[1].value == 1.0
    assert after[1].value == 1.0  # the head position knows nothing yet
    assert after[CARRIER].high < 0.3
    assert after[LAYERS].high < 0.3


def test_at_the_field_it_goes_below_the_block_and_not_after(at_field):
    after = of(at_field, "gap_after_erasure")
    assert after[0].high < 0.3
    assert after[1].high < 0.3
    assert after[CARRIER].value == 1.0  # it has been carried to the head


def test_random_subspaces_and_unrelated_attributes_leave_it(at_head):
    assert of(at_head, "gap_after_random_smallest")[CARRIER].value > 0.8
    left = [m for m in at_head.named("gap_after_unrelated") if m.about.attribute == "place"]
    single = [m for m in left if m.about.layer == CARRIER]
    assert {m.about.erased for m in single} == {"side", "shuffled groups"}
    assert all(m.low > 0.7 for m in single)


def test_the_effect_beats_every_random_subspace_at_any_layer(at_head):
    effects = of(at_head, "erasure_effect")
    assert effects[CARRIER].p == pytest.approx(1 / 20)
    assert effects[1].p > 0.5
    assert effects[0, 1].p is None  # too few draws for a p


def test_layers_named_together_and_every_layer_are_erased_together(at_head):
    after = of(at_head, "gap_after_erasure")
    assert set(after) == {0, 1, 2, 3, (0, 1), (0, 1, 2, 3)}
    assert after[0, 1, 2, 3].high < 0.3
    assert of(at_head, "probe_after_erasure")[0, 1, 2, 3].high < 0.8


def test_what_has_nothing_to_do_with_the_decision_has_no_effect(at_head):
    for measured in of(at_head, "erasure_effect", "side").values():
        assert measured.low <= 0 <= measured.high


def test_rates_of_both_groups_change_and_sum_to_the_gap(at_head):
    change = {
        m.about.group: m
        for m in at_head.named("selection_change")
        if (m.about.attribute, m.about.layer) == ("place", CARRIER)
    }
    assert set(change) == {"north", "south"}
    signed = change["north"].value - change["south"].value
    gap = of(at_head, "gap_after_erasure")[CARRIER].value
    assert abs(signed) == pytest.approx(1.0, abs=gap + 1e-9)
    assert all(m.low <= m.value <= m.high and m.n == 60 for m in change.values())


def test_every_shown_case_says_what_is_decided_place_by_place(at_head):
    place = next(c for c in at_head.cases if (c.id, c.attribute) == ("r0", "place"))
    assert place.sites[:2] == ("layer 0", "layer 1")
    assert place.sites[-1] == "layers 0 to 3 together"
    assert place.decisions[1] == place.decision
    assert place.changed_at_random[1] == 0.0


def test_the_field_is_read_from_the_first_layer_on_and_the_head_later(at_head):
    read = of(at_head, "selectivity", position="field place")
    assert all(m.low > 0.3 for m in read.values())
    head = of(at_head, "selectivity")
    assert head[1].low < 0.1 < head[CARRIER].low


def test_texts_without_the_field_are_left_out_and_counted(tmp_path):
    definition = write_audit(tmp_path, pooling="span", span="place")
    plant(tmp_path, CARRIER)
    with (tmp_path / "data.csv").open() as stream:
        rows = list(csv.reader(stream))
    for row in rows[1:13]:
        row[1] = row[1].replace(row[4], "one")
    with (tmp_path / "data.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    found = of_only_check(definition)
    assert of(found, "erasure_effect")[0].n == 108
    assert "12 of 120 texts do not hold the field place" in " ".join(found.notes)


def test_layers_that_do_not_exist_are_refused_before_the_run(folder):
    with pytest.raises(SpecError, match="check probing: together: 7 is beyond the last layer"):
        prepare(write_audit(folder, together=[[0, 7]]))


# --- every architecture -------------------------------------------------------------------


@pytest.mark.parametrize("family", [*ENCODERS, *DECODERS])
def test_what_is_erased_at_all_layers_is_gone_where_it_was_and_reaches_the_head(family, tmp_path):
    causal = family in DECODERS
    build(tmp_path / "model", family, causal=causal)
    spec = (
        CausalSubject(path="model", choices=("yes", "no"))
        if causal
        else ClassifierSubject(path="model")
    )
    subject = load_subject(refer("decider", spec, tmp_path))
    texts = [f"the applicant lives in {p} . {w} ." for p in ("north", "south")
             for w in ("good", "bad", "very dull", "long story of debt")]  # fmt: skip
    running = ErasedRun(subject, texts, [[] for _ in texts], "head", [0, 1, 3])
    every = np.arange(len(texts))
    plain = {layer: running.states({}, every, layer) for layer in running.layers}
    named = np.repeat(["north", "south"], 4)
    erasers = running.erasers(plain, every, lambda _, x: leace(x, named))
    for layer in running.layers:
        left = running.states(erasers, every, layer)
        apart = left[:4].mean(0) - left[4:].mean(0)
        before = plain[layer][:4].mean(0) - plain[layer][4:].mean(0)
        assert np.abs(apart).max() < 1e-5 + 1e-4 * np.abs(before).max()
    idle = {layer: nothing(states) for layer, states in plain.items()}
    first = torch.eye(32, 1).double()
    far = {3: Eraser(first, first.T, torch.zeros(32).double())}
    decided = running.decide(every, [idle])
    assert (decided[0] == decided[1]).all()
    moved = running.states(far, every, 3)
    np.testing.assert_allclose(moved[:, 0], 0, atol=1e-6)
    np.testing.assert_allclose(moved[:, 1:], plain[3][:, 1:], atol=1e-5)


# --- p against control draws --------------------------------------------------------------


def test_p_counts_draws_whose_largest_effect_at_any_place_reaches_it():
    # deviations from the mean over sd: place 0: 2, -.5 (four times); place 1: 0, 0, 0, 1.58, -1.58
    effects = np.array([0.5, 0.1])
    controls = np.array([[0.0, 0.0, 0.0, 0.0], [0.1, 0.1, 0.2, 0.0]])
    found = beyond_control_p(effects, controls)
    np.testing.assert_allclose(found, [1 / 5, 4 / 5])  # 1 + the draws 0, 1 and 2 at place 1


def test_a_place_where_everything_moves_much_does_not_drown_the_others():
    rng = np.random.default_rng(0)
    wild, calm = 10 + rng.normal(size=20), rng.normal(0, 0.01, size=20)
    found = beyond_control_p(np.array([10.0, 0.5]), np.stack([wild, calm]))
    assert found[1] == pytest.approx(1 / 21)
    assert found[0] > 0.3


def test_where_nothing_ever_moves_there_is_no_effect():
    assert beyond_control_p(np.zeros(2), np.zeros((2, 9))).tolist() == [1.0, 1.0]


def test_one_place_is_the_usual_permutation_p():
    assert beyond_control_p(np.array([1.0]), np.zeros((1, 99)))[0] == 0.01


def test_false_alarms_stay_at_the_level_over_many_places():
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(2000, 12, 20))
    smallest = [beyond_control_p(one[:, 0], one[:, 1:]).min() for one in drawn]
    assert np.mean(np.array(smallest) <= 0.05) == pytest.approx(0.05, abs=0.015)


def test_no_draws_are_refused():
    with pytest.raises(EvidenceError, match="controls of 2 places are needed"):
        beyond_control_p(np.array([0.1, 0.2]), np.zeros((2, 0)))
