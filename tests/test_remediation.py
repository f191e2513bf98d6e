"""Remediation: changes by hand, a lever chosen by rule and confirmed where nobody looked."""

from dataclasses import replace

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference
from scipy import stats as scipy_stats

from tasks.checks import offers_of
from tasks.checks.interventions.levers import Lever, levers_of
from tasks.checks.interventions.thirds import thirds
from tasks.checks.preflight import not_run, prepare
from tasks.checks.remediation.choice import choose as choose_lever
from tasks.checks.remediation.rounds import CONFIRMED, FITTED, TRIED
from tasks.checks.remediation.section import NOT_OFFERED, recommended
from tasks.errors import AuditError, EvidenceError, SpecError
from tasks.explain.facts import SMALLEST_USE
from tasks.explain.texts import explain
from tasks.measures.fairness.gap_change import gap_change
from tasks.measures.fairness.group_rates import counts, largest_gap
from tasks.measures.fairness.tradeoff import choose, front
from tasks.measures.stats.intervals import Interval, unseen
from tasks.measures.stats.paired import paired_difference, turned
from tasks.record.bundle import write_bundle
from tasks.run.store import Store
from tasks.schema import Evidence, Report, RunRecord
from tasks.schema.notation import PLAIN
from tests.support.gathering import asked
from tests.support.levers import loan_plan, measured
from tests.support.small import write_small_audit

CHECK = {"kind": "remediation", "attribute": "origin", "alphas": [-1.0, 1.0]}


def repeated(*parts):
    """True and False as often as said: (True, 3), (False, 2)."""
    return np.repeat([value for value, _ in parts], [n for _, n in parts])


# --- changes on the same texts ------------------------------------------------------------


def test_the_change_of_a_share_by_hand():
    """Of 98 texts 6 are gained and 2 lost: (7 - 3) / 100, and sqrt((.1 - .0016) / 100)."""
    before = repeated((False, 6), (True, 2), (True, 90))
    after = repeated((True, 6), (False, 2), (True, 90))
    found, reach = (
        paired_difference(turned(before, after)),
        1.959964 * np.sqrt((0.1 - 0.04**2) / 100),
    )
    assert found.value == pytest.approx(4 / 98)
    assert found.low == pytest.approx(0.04 - reach, abs=1e-6)
    assert found.high == pytest.approx(0.04 + reach, abs=1e-6)


def test_texts_that_all_stay_are_not_certain():
    """Like the rule of three: 2.8 / n on either side."""
    same = np.ones(298, dtype=bool)
    found = paired_difference(turned(same, same))
    assert found.value == 0
    assert found.high == -found.low == pytest.approx(1.959964 * np.sqrt(2 / 300 / 300), rel=1e-5)


@pytest.mark.parametrize(("gained", "lost"), [(0.02, 0.01), (0.1, 0.1), (0.15, 0.02), (0.0, 0.05)])
def test_the_interval_of_a_change_covers_the_truth(gained, lost):
    """Coverage summed over all outcomes of 60 texts, no simulation."""
    n, covered = 60, 0.0
    for up in range(25):
        for down in range(25):
            before = repeated((False, up), (True, down), (True, n - up - down))
            after = repeated((True, up), (False, down), (True, n - up - down))
            found = paired_difference(turned(before, after))
            if found.low <= gained - lost <= found.high:
                covered += scipy_stats.multinomial.pmf(
                    [up, down, n - up - down], n, [gained, lost, 1 - gained - lost]
                )
    assert covered > 0.945


def test_no_texts_have_no_change():
    with pytest.raises(EvidenceError, match="no pairs"):
        paired_difference(turned(np.ones(0, dtype=bool), np.ones(0, dtype=bool)))


@pytest.mark.parametrize("groups", [2, 3, 5])
def test_the_gap_is_fairlearns(groups):
    rng = np.random.default_rng(groups)
    group = rng.integers(0, groups, 400).astype(str)
    selected = rng.random(400) < 0.2 + 0.1 * group.astype(int)
    expected = demographic_parity_difference(selected, selected, sensitive_features=group)
    assert largest_gap(counts(selected, group)).value == pytest.approx(expected)


def test_a_gap_is_clear_only_where_one_was_planted():
    """With five equal groups the furthest two differ by chance; the interval must reach 0."""
    rng = np.random.default_rng(0)
    group = np.repeat(list("abcde"), 100)
    clear = [largest_gap(counts(rng.random(500) < 0.5, group)).low > 0 for _ in range(400)]
    assert np.mean(clear) < 0.08
    planted = largest_gap(counts(rng.random(500) < np.where(group == "c", 0.2, 0.5), group))
    assert planted.low > 0


def test_a_gap_needs_two_groups():
    with pytest.raises(EvidenceError, match="needs two groups"):
        largest_gap(counts(np.ones(5, dtype=bool), np.repeat("a", 5)))


def test_the_change_of_a_gap_by_hand():
    """50 % against 30 % becomes 40 % against 40 %: -.2, sd sqrt((.1 + .1) / 200 + ...)."""
    group = np.repeat(["a", "b"], 200)
    before = np.concatenate(
        [repeated((True, 100), (False, 100)), repeated((True, 60), (False, 140))]
    )
    after = np.concatenate([repeated((True, 80), (False, 120)), repeated((True, 80), (False, 120))])
    found = gap_change(before, after, group, seed=0)
    assert found.value == pytest.approx(-0.2)
    assert found.low < -0.2 < found.high < 0


def test_a_gap_that_no_decision_changes():
    same = repeated((True, 30), (False, 70))
    found = gap_change(same, same, np.repeat(["a", "b"], 50), seed=0)
    assert found == Interval(0.0, -unseen(100), unseen(100))


# --- choosing -----------------------------------------------------------------------------


def test_the_front_holds_what_nothing_beats():
    """Drawn: (.3, .8) is beaten by (.1, .8), (.2, .7) by (.1, .8); equal ones stay together."""
    gaps = np.array([0.3, 0.1, 0.2, 0.0, 0.0])
    accuracy = np.array([0.8, 0.8, 0.7, 0.4, 0.4])
    assert front(gaps, accuracy).tolist() == [False, True, False, True, True]


def test_the_front_is_that_of_brute_force():
    rng = np.random.default_rng(0)
    points = rng.integers(0, 6, size=(60, 2)) / 5
    expected = [
        not any(
            a <= c and b >= d and (a < c or b > d)
            for a, b in points  # beaten by any other
        )
        for c, d in points
    ]
    assert front(points[:, 0], points[:, 1]).tolist() == expected


NARROWS, STILL = Interval(-0.2, -0.3, -0.1), Interval(-0.1, -0.3, 0.1)
KEEPS, COSTS = Interval(0.0, -0.02, 0.02), Interval(-0.3, -0.4, -0.2)
UNSURE = Interval(-0.05, -0.12, 0.02)  # no clear fall, but more than is tolerable


@pytest.mark.parametrize(
    ("changes", "prices", "expected"),
    [
        pytest.param([NARROWS] * 3, [KEEPS] * 3, 1, id="the smallest gap"),
        pytest.param([NARROWS, STILL, NARROWS], [KEEPS] * 3, 2, id="that narrows clearly"),
        pytest.param([NARROWS] * 3, [KEEPS, COSTS, KEEPS], 2, id="and costs no accuracy"),
        pytest.param([NARROWS] * 3, [KEEPS, COSTS, UNSURE], 0, id="not even unsurely"),
        pytest.param([STILL] * 3, [KEEPS] * 3, None, id="nothing narrows"),
        pytest.param([NARROWS] * 3, [COSTS] * 3, None, id="everything costs"),
    ],
)
def test_a_lever_is_chosen_by_the_rule(changes, prices, expected):
    assert choose([0.3, 0.1, 0.2], changes, prices, 0.02) == expected


def test_of_equal_gaps_the_more_accurate_is_chosen():
    prices = [KEEPS, Interval(0.1, 0.05, 0.15), KEEPS]
    assert choose([0.1, 0.1, 0.1], [NARROWS] * 3, prices, 0.02) == 1


def test_the_levers_that_are_tried():
    names = [lever.name for lever in levers_of([0, 1], 1, (-1.0, 0.0, 0.5))]
    assert names == [
        "untouched",
        "erase at layer 0",
        "erase at layer 1",
        "erase at every layer",
        "steer by -1 at layer 0",
        "steer by 0.5 at layer 0",
        "steer by -1 at layer 1",
        "steer by 0.5 at layer 1",
    ]
    assert Lever(layers=(0, 2)).name == "erase at layers 0, 2 together"


# --- on the loan organisms ----------------------------------------------------------------


@pytest.fixture(scope="module")
def retrained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retrained")
    plan = loan_plan(folder, "retrained", CHECK)
    return plan, *measured(plan, folder / "store")


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    plan = loan_plan(folder, "clean", CHECK)
    return plan, *measured(plan, folder / "store")


def value(evidence, name, lever):
    found = [m for m in evidence.named(name) if m.about.lever == lever and m.about.group is None]
    return found[0]


def test_the_planted_proxy_is_found_and_erasing_closes_the_gap(retrained):
    """Districts are refused whatever the rule says; without them the rule alone decides."""
    _, evidence, _ = retrained
    chosen = evidence.recommendation.lever
    assert chosen.startswith("erase")
    assert value(evidence, "untouched_gap", "untouched").low > 0.1
    assert value(evidence, "remedied_gap_change", chosen).high < 0
    assert value(evidence, "remedied_accuracy_change", chosen).low > 0.05
    embedding = value(evidence, "choosing_gap", "erase at layer 0")
    assert embedding.value < 0.5 * value(evidence, "choosing_gap", "untouched").value


def test_where_there_is_no_gap_nothing_is_recommended(clean):
    _, evidence, finished = clean
    assert evidence.recommendation.lever is None
    assert evidence.recommendation.why.startswith("there was no gap to close")
    assert evidence.exports == ()
    assert evidence.named("remedied_gap") == ()
    (confirmed,) = finished.of(CONFIRMED)
    assert confirmed.decided.shape[0] == 1  # nothing else was run
    (sentence,) = recommended(evidence, evidence.check, PLAIN)
    assert sentence.text.startswith("No lever is recommended: there was no gap to close")


def test_the_three_parts_share_no_text_and_their_groups_are_even(retrained):
    plan = retrained[0]
    parts = thirds(asked(plan))
    assert sorted(row for part in parts for row in part) == list(range(1000))
    sizes = [np.unique(plan.data.group("origin")[p], return_counts=True)[1] for p in parts]
    assert np.ptp(sizes, axis=0).max() <= 1


def test_only_the_front_and_the_chosen_lever_see_the_last_third(retrained):
    plan, evidence, finished = retrained
    (check,) = plan.spec.checks
    (fitted,), (tried,) = finished.of(FITTED), finished.of(TRIED)
    choice = choose_lever(asked(plan), fitted, tried)
    told = {m.about.lever for m in evidence.measurements if m.name.startswith("remedied")}
    assert told == {lever.name for lever in choice.confirmed} - {"untouched"}
    assert len(choice.confirmed) < len(levers_of(range(4), 3, check.alphas))
    sizes = {m.name: m.n for m in evidence.measurements}
    assert (sizes["choosing_gap"], sizes["remedied_gap"]) == (333, 333)


def test_what_fresh_texts_do_not_confirm_is_said(retrained):
    """The same evidence, with the gap on fresh texts as it was."""
    _, evidence, _ = retrained
    lever = evidence.recommendation.lever
    doubtful = tuple(
        m.model_copy(update={"value": 0.0, "low": -0.1, "high": 0.1})
        if m.name == "remedied_gap_change" and m.about.lever == lever
        else m
        for m in evidence.measurements
    )
    first, second = recommended(
        evidence.model_copy(update={"measurements": doubtful}), evidence.check, PLAIN
    )
    assert first.text.startswith("Chosen: ")
    assert second.text == "Fresh texts do not confirm it: the gap does not clearly narrow there."


def test_groups_that_mean_nothing_get_no_lever(tmp_path):
    """Age is planted nowhere: its groups are treated alike by the retrained organism too."""
    plan = loan_plan(tmp_path, "retrained", CHECK | {"attribute": "age_group", "layers": [0, 3]})
    evidence, _ = measured(plan, tmp_path / "store")
    assert evidence.recommendation.lever is None


def test_steering_on_the_clean_organism_moves_nothing(tmp_path):
    swap = {"column": "district", "across": "origin"}
    check = {
        "kind": "steering", "attribute": "origin", "swap": swap, "compose": "age_group",
        "texts": 300, "alphas": [-1.0, 0.0, 1.0], "layers": [0, 1],
    }  # fmt: skip
    plan = loan_plan(tmp_path, "clean", check)
    evidence, _ = measured(plan, tmp_path / "store")
    # districts differ between the groups, so their vector is no noise; but it moves next to nothing
    assert [m for m in evidence.named("steering_effect") if m.low > SMALLEST_USE] == []
    rates = {
        (m.about.layer, m.about.alpha): m.value
        for m in evidence.named("steered_rate")
        if m.about.group is None
    }
    assert len({round(rate, 2) for rate in rates.values()}) == 1
    assert len(evidence.named("composition_excess")) == 2
    assert all(m.value == 1.0 for m in evidence.named("safe_alpha_highest"))


def test_the_vector_between_the_decisions_themselves_moves_them(tmp_path):
    """What the clean organism decides by: past the mean of the approved all are approved."""
    check = {
        "kind": "steering", "attribute": "outcome", "texts": 240, "layers": [2, 3],
        "alphas": [-2.0, -1.0, 0.0, 1.0, 2.0],
    }  # fmt: skip
    plan = loan_plan(tmp_path, "clean", check, groups=["outcome"])
    evidence, _ = measured(plan, tmp_path / "store")
    effect = next(m for m in evidence.named("steering_effect") if m.about.layer == 3)
    assert effect.low > 0
    assert effect.q < 0.05
    rates = {
        m.about.alpha: m.value
        for m in evidence.named("steered_rate")
        if m.about.layer == 3 and m.about.group is None
    }
    assert list(rates.values()) == sorted(rates.values())
    assert (rates[-2.0], rates[2.0]) == (0.0, 1.0)


def test_too_few_texts_are_said_and_nothing_is_measured(tmp_path):
    plan = loan_plan(tmp_path, "clean", CHECK | {"texts": 120})
    evidence, _ = measured(plan, tmp_path / "store")
    assert evidence.measurements == ()
    assert {s.group for s in evidence.too_small} == {"migrant", "native"}
    assert "a group needs 90 texts here, 30 in each third" in evidence.notes[0]


# --- the bundle ---------------------------------------------------------------------------


def bundle(plan, evidence, out, store):
    from tasks.run.provenance import provenance

    report = Report(spec=plan.spec, provenance=provenance(plan), evidence=(evidence,))
    run = RunRecord(started="2026-01-01T00:00:00+00:00", finished="2026-01-01T00:00:01+00:00")
    return write_bundle(out, report, explain(report, offers_of), run, None, None, store)


def test_the_lever_lies_beside_the_report_that_tells_of_it(retrained, tmp_path):
    import hashlib

    plan, evidence, finished = retrained
    folder = bundle(plan, evidence, tmp_path, finished.store)
    (export,) = evidence.exports
    content = (folder / export.file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == export.sha256
    page = (folder / "report.html").read_text()
    assert export.sha256 in page
    assert "load_lever(&#34;levers/remediation-decider.safetensors&#34;)" in page
    assert "Recommended: erase" in page
    assert NOT_OFFERED[:40] in page
    assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence


def test_a_lever_that_is_not_the_one_measured_is_no_report(retrained, tmp_path):
    plan, evidence, _ = retrained
    store = Store(tmp_path / "store")
    digest = store.keep_export({"a": np.ones(1)}, {})
    (export,) = evidence.exports
    exports = store.folder / "exports"
    (exports / f"{digest}.safetensors").rename(exports / f"{export.sha256}.safetensors")
    with pytest.raises(AuditError, match=r"remediation-decider.safetensors: the export .* is gone"):
        bundle(plan, evidence, tmp_path / "out", store)
    assert not list((tmp_path / "out").glob("*/2026*"))


# --- a subject that writes ----------------------------------------------------------------


def writer_plan(tmp_path, **data):
    """A tiny decoder with two choices and no labels."""
    content = {
        "subjects": {
            "writer": {
                "kind": "causal-lm", "path": "writer", "prompt": "{text} answer",
                "choices": ["yes", "no"],
            }
        },
        "checks": [
            {
                "kind": "steering", "attribute": "side", "alphas": [-1.0, 0.0, 1.0],
                "shuffles": 3, "texts": 90, "tolerance": 0.5,
            },
            {"kind": "remediation", "attribute": "side", "alphas": [-1.0, 1.0], "texts": 90},
        ],
        "gates": [],
    }  # fmt: skip
    path = write_small_audit(tmp_path, **content)
    if not data:
        return prepare(path)
    import yaml

    changed = yaml.safe_load(path.read_text())
    changed["data"] |= data
    path.write_text(yaml.safe_dump(changed))
    return prepare(path)


def test_a_subject_that_writes_is_steered_and_remedied(tmp_path):
    plan = writer_plan(tmp_path)
    steering_check, remediation_check = plan.spec.checks
    one = replace(plan, spec=plan.spec.model_copy(update={"checks": (steering_check,)}))
    evidence, _ = measured(one, tmp_path / "store")
    assert {m.about.layer for m in evidence.named("steering_slope")} == {0, 1, 2, 3}
    assert evidence.named("steered_perplexity_ratio") == ()
    two = replace(plan, spec=plan.spec.model_copy(update={"checks": (remediation_check,)}))
    assert measured(two, tmp_path / "store")[0].named("untouched_gap")


def test_without_labels_perplexity_says_what_is_safe(tmp_path):
    plan = writer_plan(tmp_path, label=None)
    steering_check, remediation_check = plan.spec.checks
    assert not_run(plan, remediation_check).startswith("needs labels")
    one = replace(plan, spec=plan.spec.model_copy(update={"checks": (steering_check,)}))
    evidence, _ = measured(one, tmp_path / "store")
    ratios = evidence.named("steered_perplexity_ratio")
    assert all(m.value == 1.0 for m in ratios if m.about.alpha == 0)
    assert all(m.value > 0 for m in ratios)
    assert "perplexity" in evidence.named("safe_alpha_highest")[0].method
    assert evidence.named("steered_accuracy_change") == ()


# --- refused before the run ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "message"),
    [
        pytest.param({"attribute": "orign"}, "attribute 'orign' is not in data.groups", id="name"),
        pytest.param({"layers": [7]}, "layers: 7 is beyond the last layer", id="layer"),
        pytest.param({"alphas": [1.0]}, "alphas must be symmetric around 0", id="one side"),
        pytest.param(
            {"swap": {"column": "district", "across": "age_group"}},
            "swap.across 'age_group' is not the attribute 'origin'",
            id="swap of another",
        ),
        pytest.param(
            {"kind": "steering", "alphas": [-1.0, 1.0]}, "alphas must hold 0 and 1", id="no 0"
        ),
        pytest.param(
            {"kind": "steering", "alphas": [-1.0, 0.0, 1.0], "compose": "origin"},
            "compose: 'origin' is the attribute itself",
            id="composed with itself",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(tmp_path, check, message):
    with pytest.raises(SpecError) as caught:
        loan_plan(tmp_path, "clean", CHECK | check)
    assert message in str(caught.value)


def test_a_shard_measured_twice_is_the_same(retrained, tmp_path):
    plan, _, finished = retrained
    _, again = measured(plan, tmp_path)
    assert again.stored(FITTED)[0].sha256 == finished.stored(FITTED)[0].sha256
