"""The calibration command: its truths by hand, its counts, and the bias chain held against both."""

import math

import numpy as np
import pytest
from scipy.stats import norm
from typer.testing import CliRunner

from flows import calibration
from flows.cli import app
from tasks.calibration import bench, gap, pair, used
from tasks.calibration.claims import TARGETS, Claim, Tally, verdict
from tasks.calibration.gap import Group, Population, even
from tasks.calibration.gaussian import accuracy, drawn, orthant, selected, through
from tasks.calibration.repeats import Piece, count, counted, pieces
from tasks.calibration.table import markdown, rows, target
from tasks.checks.probing.rounds import ERASURE
from tasks.measures.fairness import group_rates
from tasks.measures.probing.erasure import Eraser, leace
from tasks.measures.stats import intervals
from tasks.measures.stats.intervals import Interval

# --- the truths, by hand ------------------------------------------------------------------


def test_a_reader_across_the_shift_is_right_with_phi_of_half_of_it():
    means = np.array([[0.0, 0.0], [2.0, 0.0]])
    assert accuracy(means, np.array([[1.0, 0.0]]), np.array([-1.0])) == pytest.approx(norm.cdf(1))
    # along the other direction nothing is read; a reader that is still reads nothing either
    assert accuracy(means, np.array([[0.0, 1.0]]), np.array([0.0])) == pytest.approx(0.5)
    assert accuracy(means, np.zeros((1, 2)), np.zeros(1)) == 0.5


def test_an_orthant_by_sheppard():
    # two standard normals of correlation r are both above 0 with 1/4 + asin(r) / 2 pi
    for r in (0.0, 0.5, -0.8):
        expected = 0.25 + math.asin(r) / (2 * math.pi)
        assert orthant(np.zeros(2), np.array([[1, r], [r, 1]])) == pytest.approx(expected, abs=1e-4)


def test_the_accuracy_with_three_groups_is_that_of_many_texts():
    rng = np.random.default_rng(0)
    means, weight = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    bias = rng.normal(size=3)
    states, concept = drawn(means, (60_000,) * 3, rng)
    read = (states @ weight.T + bias).argmax(axis=1)
    found = np.mean([(read == concept)[concept == g].mean() for g in range(3)])
    assert accuracy(means, weight, bias) == pytest.approx(found, abs=0.005)


def test_a_decision_after_erasure_is_the_same_affine_map_of_the_states():
    states, concept = drawn(np.array([[0.0] * 5, [1.0] * 5]), (50, 70), np.random.default_rng(1))
    eraser, weight = leace(states, concept.astype(str)), np.arange(5.0)
    clean = eraser.left.new_tensor(states)
    erased, bias = through(eraser, weight, np.array(0.3))
    np.testing.assert_allclose(eraser(clean).numpy() @ weight + 0.3, states @ erased + bias)


def test_an_eraser_of_the_only_direction_leaves_no_gap():
    # x - e0 (e0 . x): what is decided along e0 is then the same for everyone
    e0, means = np.eye(2)[0], np.array([[-0.75, 0.0], [0.75, 0.0]])
    make = np.array
    eraser = Eraser(*(leace(np.eye(2), np.array(["a", "b"])).mean.new_tensor(x) for x in (
        e0[:, None], e0[None], make([0.0, 0.0]))))  # fmt: skip
    rule = np.array([1.0, 1.0])
    before = selected(means, rule, 0.0)
    assert before[1] - before[0] == pytest.approx(2 * norm.cdf(0.75 / math.sqrt(2)) - 1)
    weight, bias = through(eraser, rule, np.array(0.0))
    assert np.ptp(selected(means, weight, float(bias))) == pytest.approx(0)


def test_the_rates_of_a_population_by_hand():
    # selected: .6 * .8 + .4 * .5 = .68 and .5 * .4 + .5 * .2 = .3
    people = Population("by hand", (Group(10, 0.6, 0.8, 0.5), Group(10, 0.5, 0.4, 0.2)))
    truth = people.truths("coverage")
    assert people.groups[0].positive_predictive_value == pytest.approx(0.48 / 0.68)
    assert truth["demographic_parity_difference"][1] == pytest.approx(0.38)
    assert truth["demographic_parity_ratio"][1] == pytest.approx(0.3 / 0.68)
    assert truth["equal_opportunity_difference"][1] == pytest.approx(0.4)
    assert truth["equalized_odds_difference"][1] == pytest.approx(0.4)
    assert truth["predictive_parity_difference"][1] == pytest.approx(0.48 / 0.68 - 0.2 / 0.3)


def test_what_is_drawn_has_the_rates_that_are_said():
    groups = (Group(40_000, 0.6, 0.8, 0.5), Group(40_000, 0.5, 0.4, 0.2))
    found = Population("many", groups).audited(0).evidence
    for name, truth in (("true_positive_rate", (0.8, 0.4)), ("selection_rate", (0.68, 0.3))):
        assert [m.value for m in found.named(name)] == pytest.approx(truth, abs=0.01)
    assert [g.n for g in found.named("selection_rate")] == [40_000, 40_000]


def test_the_truth_of_an_erasure_is_what_many_texts_show():
    organism = used.Decider("many", (6_000, 6_000), 1.0)
    rng = np.random.default_rng(3)
    states, concept = drawn(organism.means, organism.sizes, rng)
    found = bench.probed(states[None], concept, organism.decide, [ERASURE], seed=3)
    by_name = {m.name: m.value for m in found.evidence.measurements}
    for name, truth in organism.truths(found.turns, concept).items():
        assert by_name[name] == pytest.approx(truth, abs=0.03), name


# --- counting -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "hits", "n", "expected"),
    [
        ("coverage", 95, 100, "met"),
        ("coverage", 91, 100, "open"),  # P(at most 91 | .93) = .27
        ("coverage", 80, 100, "missed"),
        ("coverage", 1000, 1000, "missed"),  # far too wide is not right either
        ("coverage at least", 1000, 1000, "met"),
        ("false alarms", 7, 100, "open"),
        ("false alarms", 20, 100, "missed"),
        ("wrong verdicts", 2, 8, "open"),  # P(at least 2 of 8 | .025) = .017, of ten shares
        ("power", 94, 100, "open"),
        ("power", 70, 100, "missed"),
    ],
)
def test_a_target_is_missed_when_chance_does_not_explain_it(asked, hits, n, expected):
    assert verdict(asked, Tally(hits, n), family=10) == expected


def test_counts_add_up_however_the_work_is_cut():
    organism = Population("short", even(0.5, 0.4, sizes=(40, 40)))
    parts = [count(Piece(organism, first, first + 2, 5)) for first in (0, 2)]
    whole = counted([Piece(organism, 0, 4, 5)], workers=1)
    assert {c: parts[0][c] + parts[1][c] for c in whole} == whole
    assert all(tally.n == 4 for claim, tally in whole.items() if "odds" not in claim.measure)
    assert count(Piece(organism, 0, 2, 6)).keys() == parts[0].keys()


def test_a_row_shows_the_worst_organism_and_the_worst_verdict():
    good, bad = (Claim("gap", "coverage", "selection_rate", o) for o in ("good", "bad"))
    (row,) = rows({good: Tally(950, 1000), bad: Tally(60, 100)})
    assert (row.organisms, row.tally, row.worst, row.verdict) == (
        2,
        Tally(1010, 1100),
        bad,
        "missed",
    )
    text = markdown([row], {good: Tally(950, 1000), bad: Tally(60, 100)})
    assert "0.918 of 1100" in text
    assert "| gap | bad | coverage | selection_rate | 0.600 of 100 | missed |" in text
    assert [target(asked) for asked in TARGETS] == [
        "93% to 97%", "at least 93%", "at most 5.0%", "at most 2.5%", "at least 95%",
    ]  # fmt: skip


# --- the chain held against its truths ----------------------------------------------------


@pytest.fixture(scope="module")
def quick():
    return rows(counted(pieces(quick=True, repeats=None, seed=7), workers=1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("link", "asked", "measure"),
    [
        ("gap", "coverage", "selection_rate"),
        ("gap", "coverage", "adverse_impact_ratio"),
        ("gap", "coverage", "demographic_parity_difference"),
        ("gap", "coverage", "demographic_parity_ratio"),
        ("gap", "coverage", "equal_opportunity_difference"),
        ("gap", "coverage", "predictive_parity_difference"),
        ("gap", "coverage at least", "equalized_odds_difference"),
        ("gap", "coverage at least", "demographic_parity_difference"),
        ("gap", "coverage at least", "adverse_impact_ratio"),
        ("gap", "false alarms", gap.FOUND_ANY),
        ("gap", "wrong verdicts", "gate on adverse_impact_ratio >= .8: fail"),
        ("gap", "wrong verdicts", "gate on adverse_impact_ratio >= .8: pass"),
        ("gap", "power", "gate on adverse_impact_ratio >= .8: pass"),
        ("readable", "coverage", "probe_accuracy"),
        ("readable", "coverage", "selectivity"),
        ("readable", "coverage at least", "control_accuracy"),
        ("readable", "false alarms", "readable: selectivity above 0"),
        ("readable", "power", "readable: selectivity above 0"),
        ("used", "coverage", "gap_before"),
        ("used", "coverage at least", "gap_before"),
        ("used", "coverage at least", "gap_after_random"),
        ("used", "coverage", "erasure_effect"),
        ("used", "false alarms", "used: erasure effect above 0"),
        ("used", "power", "used: erasure effect above 0"),
        ("removed", "coverage at least", "gap_after_erasure"),
        ("removed", "coverage at least", "probe_after_erasure"),
    ],
)
def test_no_target_is_missed_by_more_than_chance_explains(quick, link, asked, measure):
    (row,) = [r for r in quick if (r.link, r.asked, r.measure) == (link, asked, measure)]
    assert row.verdict != "missed", row.cells()


def missed(organism, repeats=80):
    counts = counted([Piece(organism, 0, repeats, 7)], workers=1)
    return {row.measure for row in rows(counts) if row.verdict == "missed"}


def halved(function):
    def narrow(*args, **kwargs):
        value, low, high = function(*args, **kwargs)
        return Interval(value, (value + low) / 2, (value + high) / 2)

    return narrow


def test_an_interval_of_half_the_width_is_noticed(monkeypatch):
    organism = gap.POPULATIONS[3]
    assert missed(organism) == set()
    monkeypatch.setattr(group_rates, "difference", halved(group_rates.difference))
    monkeypatch.setattr(group_rates, "wilson", halved(group_rates.wilson))
    assert missed(organism) >= {
        "selection_rate", "demographic_parity_difference", "equal_opportunity_difference",
    }  # fmt: skip


def test_tests_without_correction_are_noticed(monkeypatch):
    organism = gap.Tested("no gap", 240, 0.0)
    monkeypatch.setattr(intervals, "benjamini_hochberg", list)
    assert missed(organism, repeats=25)


# --- the command --------------------------------------------------------------------------


def test_the_command_prints_and_keeps_the_table(tmp_path, monkeypatch):
    claim = Claim("gap", "coverage", "selection_rate", "no effect")
    monkeypatch.setattr(calibration, "counted", lambda *_, **__: {claim: Tally(95, 100)})
    kept = tmp_path / "calibration.md"
    outcome = CliRunner().invoke(app, ["calibrate", "--quick", "--write", str(kept)])
    assert outcome.exit_code == 0, outcome.output
    assert "0.950 of 100" in outcome.output
    assert "| gap | coverage | selection_rate | 1 | 0.950 of 100 |" in kept.read_text()


def test_a_missed_target_is_exit_code_1(monkeypatch):
    claim = Claim("used", "false alarms", "used", "not used")
    monkeypatch.setattr(calibration, "counted", lambda *_, **__: {claim: Tally(50, 100)})
    assert CliRunner().invoke(app, ["calibrate", "--quick"]).exit_code == 1


def test_a_folder_that_does_not_exist_is_said_before_anything_is_counted(tmp_path):
    outcome = CliRunner().invoke(app, ["calibrate", "--write", str(tmp_path / "no" / "x.md")])
    assert outcome.exit_code == 2
    assert "no/x.md: name a file in a folder that exists" in outcome.stderr


@pytest.mark.slow
@pytest.mark.parametrize("model", pair.ORGANISMS, ids=lambda model: model.version)
def test_the_loan_pair_comes_out_as_planted_on_a_draw_of_its_texts(model):
    found = {(claim.link, claim.asked): true for claim, true in model.once(5)}
    asked = "power" if model.planted else "false alarms"
    assert found["gap", asked] == model.planted
    assert found["used", asked] == model.planted
