"""The fairness check over recorded decisions: rules, crossings, tables of a statute, the report."""

import csv

import numpy as np
import pytest
import yaml

from tasks.checks.preflight import prepare
from tasks.checks.sections import section_of
from tasks.definition import Gate
from tasks.definition.vocabulary.fairness import FAIRNESS
from tasks.errors import SpecError
from tasks.judge.gates import judge
from tasks.report.blocks import Grid, Sentence, Table
from tests.support.gathering import gathered
from tests.support.real_subjects import data_folder, german_rows

GERMAN = data_folder() / "german-credit" / "german_data_credit.csv"
GAPS = (
    "demographic_parity_difference",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
    "calibration_difference",
)


def rows_of(seed=0, n=900, planted=0.0, stray=False):
    """People of two attributes; `planted` keeps women over forty from being selected."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        sex, age = rng.choice(["f", "m"], p=[0.4, 0.6]), rng.choice(["old", "young"])
        sure = float(rng.uniform(0.5, 0.99))
        chance = 0.5 - planted * (sex == "f" and age == "old")
        decision = "yes" if rng.random() < chance else "no"
        label = decision if rng.random() < sure else {"yes": "no", "no": "yes"}[decision]
        sex = {0: "x", 1: ""}.get(i % 300, sex) if stray else sex
        rows.append(
            {"text": f"t{i}", "label": label, "decision": decision, "sure": sure}
            | {"sex": sex, "age": age}
        )
    return rows


def planned(folder, rows, check=None, **changes):
    folder.mkdir(exist_ok=True)
    with (folder / "rows.csv").open("w", newline="") as stream:
        out = csv.DictWriter(stream, rows[0])
        out.writeheader()
        out.writerows(rows)
    spec = {
        "name": "recorded",
        "seed": 3,
        "subjects": {
            "rule": {"kind": "predictions", "prediction": "decision", "probability": "sure"}
        },
        "data": {
            "path": "rows.csv", "label": "label", "favourable": "yes", "groups": ["sex", "age"],
        },
        "checks": [{"kind": "fairness"} | (check or {})],
    } | changes  # fmt: skip
    (folder / "audit.yaml").write_text(yaml.safe_dump(spec))
    return prepare(folder / "audit.yaml")


def measured(plan):
    return gathered(plan, plan.root / "store")


def one(evidence, name, **about):
    (found,) = [
        m
        for m in evidence.named(name)
        if all(getattr(m.about, key) == value for key, value in about.items())
    ]
    return found


def test_every_measure_stands_with_interval_and_n_and_every_test_in_one_family(tmp_path):
    found = measured(planned(tmp_path, rows_of()))
    assert {m.name for m in found.measurements} == set(FAIRNESS) - {"impact_ratio"}
    assert all(m.low is not None and m.n >= 30 for m in found.measurements)
    tested = [m for m in found.measurements if m.p is not None]
    assert {m.name for m in tested} == {*GAPS, "adverse_impact_ratio"}
    assert {m.family for m in tested} == {"gaps between groups"}
    assert all(m.q >= m.p for m in tested)
    for attribute, group in (("sex", "f"), ("age", "old")):
        told = {"attribute": attribute, "group": group}
        pairs = (
            ("true_positive_rate", "false_negative_rate"),
            ("false_positive_rate", "true_negative_rate"),
        )
        for a, b in pairs:
            assert one(found, a, **told).value + one(found, b, **told).value == pytest.approx(1)


def test_nothing_is_found_where_nothing_is_planted_and_a_planted_crossing_is(tmp_path):
    check = {"intersections": True}
    fair = measured(planned(tmp_path, rows_of(), check))
    assert min(m.q for m in fair.measurements if m.q is not None) > 0.05
    unfair = measured(planned(tmp_path / "unfair", rows_of(planted=0.4), check))
    worst = one(unfair, "adverse_impact_ratio", attribute="sex x age", group="f x old")
    assert (worst.high < 0.8, worst.q < 0.01) == (True, True)
    others = [m for m in unfair.named("adverse_impact_ratio") if m.about.attribute == "sex x age"]
    assert sum(m.high < 1 for m in others) == 1


def test_crossed_groups_are_counted_by_hand_and_small_ones_shown_as_too_small(tmp_path):
    rows = rows_of(stray=True)
    found = measured(planned(tmp_path, rows, {"intersections": [["age", "sex"]]}))
    of = [r["decision"] == "yes" for r in rows if (r["age"], r["sex"]) == ("old", "f")]
    rate = one(found, "selection_rate", attribute="age x sex", group="old x f")
    assert (rate.value, rate.n) == (pytest.approx(np.mean(of)), len(of))
    small = {(s.attribute, s.group): s.n for s in found.too_small}
    assert small["sex", "x"] == 3
    assert sum(n for (a, g), n in small.items() if a == "age x sex" and g.endswith("x x")) == 3
    assert "sex: 3 texts without a group are left out." in found.notes


@pytest.mark.parametrize(
    ("reference", "group", "said"),
    [
        pytest.param("most-selected", None, "the group selected most often", id="by rate"),
        pytest.param("largest", "m", "the largest group, as the definition asks", id="by size"),
        pytest.param({"sex": "f"}, "f", "which the definition names", id="named"),
    ],
)
def test_the_reference_is_chosen_by_rule_and_the_report_says_which(
    tmp_path, reference, group, said
):
    found = measured(planned(tmp_path, rows_of(), {"reference": reference}))
    ratio = one(found, "adverse_impact_ratio", attribute="sex")
    if group is None:
        rates = {m.about.group: m.value for m in found.named("selection_rate")}
        group = max("fm", key=lambda g: rates[g])
    assert ratio.about.reference == group
    texts = [b.text for b in section_of(found) if isinstance(b, Sentence)]
    assert any(f"against {group}, {said}" in text for text in texts)


def test_a_named_reference_that_is_too_small_gives_no_ratio_but_a_note(tmp_path):
    found = measured(planned(tmp_path, rows_of(stray=True), {"reference": {"sex": "x"}}))
    assert "sex: no ratios: the reference group x is too small." in found.notes
    assert not [m for m in found.named("adverse_impact_ratio") if m.about.attribute == "sex"]


@pytest.mark.parametrize(
    ("check", "complaint"),
    [
        ({"reference": {"sex": "women"}}, "no group 'women' in 'sex'"),
        ({"reference": {"origin": "f"}}, "reference: 'origin' is not among: sex, age"),
        ({"intersections": [["sex", "origin"]]}, "intersections: 'origin' is not among"),
        ({"intersections": [["sex", "sex"]]}, "cannot be crossed with itself"),
        ({"attributes": ["sex"], "local_law_144": True}, "needs two attributes"),
        ({"local_law_144": {"sex": "sex", "race_ethnicity": "race"}}, "'race' is not among"),
    ],
)
def test_what_cannot_be_is_refused_before_the_run(tmp_path, check, complaint):
    with pytest.raises(SpecError, match=complaint):
        planned(tmp_path, rows_of(), check)


def test_gates_may_name_crossed_groups_and_every_new_measure(tmp_path):
    gates = [
        {"check": "fairness", "measure": "calibration_difference", "at_most": 0.5},
        {
            "check": "fairness", "measure": "adverse_impact_ratio", "at_least": 0.8,
            "attribute": "sex x age", "group": "f x old",
        },
    ]  # fmt: skip
    rows = rows_of(planted=0.4)
    plan = planned(tmp_path, rows, {"intersections": True}, gates=gates)
    assert [f.verdict for f in judge(plan.spec, (measured(plan),))] == ["pass", "fail"]
    with pytest.raises(SpecError, match=r"'sex x age' is not in data\.groups"):
        planned(tmp_path, rows, gates=gates)


def test_without_labels_or_probabilities_it_is_said_what_is_lacking(tmp_path):
    gate = Gate(check="fairness", measure="calibration_difference", at_most=0.1)
    subjects = {"rule": {"kind": "predictions", "prediction": "decision"}}
    plan = planned(tmp_path, rows_of(), subjects=subjects, gates=[gate.model_dump()])
    (finding,) = judge(plan.spec, (measured(plan),))
    assert finding.reason == "not stated: needs probabilities; the subject gives none"
    data = {"path": "rows.csv", "favourable": "yes", "groups": ["sex", "age"]}
    found = measured(planned(tmp_path, rows_of(), data=data))
    assert {m.name for m in found.measurements} == {
        "selection_rate", "adverse_impact_ratio", "demographic_parity_ratio",
        "demographic_parity_difference",
    }  # fmt: skip
    assert "data.label" in found.withheld["equalized_odds_difference"]


# --- Local Law 144 --------------------------------------------------------------------------


def cells(counts):
    """Rows of sex and age with so many selected of so many."""
    rows = []
    for (sex, age), (selected, n) in counts.items():
        for i in range(n):
            decision = "yes" if i < selected else "no"
            rows.append(
                {"text": f"{sex}{age}{i}", "label": decision, "decision": decision}
                | {"sure": 0.9, "sex": sex, "age": age}
            )
    return rows


COUNTS = {("f", "old"): (20, 100), ("f", "young"): (30, 60), ("m", "old"): (40, 100)}
COUNTS |= {("m", "young"): (50, 130), ("x", "old"): (3, 6), ("", "old"): (2, 4)}


def test_impact_ratios_under_local_law_144_by_hand(tmp_path):
    found = measured(planned(tmp_path, cells(COUNTS), {"local_law_144": True}))
    sex, _, both = found.impact_tables
    # f 50 / 160 = .3125, m 90 / 230 = .3913, x 6 of 400 = 1.5 % of the data
    assert [(c.category, c.applicants, c.selected) for c in sex.categories] == [
        ("f", 160, 50), ("m", 230, 90), ("x", 6, 3),
    ]  # fmt: skip
    assert (sex.assessed, sex.unknown) == (400, 4)
    assert sex.categories[0].impact_ratio == pytest.approx((50 / 160) / (90 / 230))
    assert sex.categories[1].impact_ratio == 1.0
    assert (sex.categories[2].impact_ratio, sex.categories[2].excluded) == (None, True)
    assert {c.category: c.impact_ratio for c in both.categories} == pytest.approx(
        {"f x old": 0.4, "f x young": 1.0, "m x old": 0.8, "m x young": 50 / 65, "x x old": None}
    )
    ratio = one(found, "impact_ratio", attribute="sex x age", group="f x old")
    assert ratio.value == pytest.approx(0.4)
    assert ratio.low < 0.4 < ratio.high < 0.8


def test_the_share_below_which_categories_are_excluded_is_the_definitions(tmp_path):
    law = {"sex": "sex", "race_ethnicity": "age", "exclude_below": 0}
    found = measured(planned(tmp_path, cells(COUNTS), {"local_law_144": law}))
    assert not any(c.excluded for table in found.impact_tables for c in table.categories)
    with pytest.raises(SpecError, match="exclude_below"):
        planned(tmp_path, cells(COUNTS), {"local_law_144": law | {"exclude_below": 0.05}})


def test_the_report_shows_the_statutes_table_beside_the_groups(tmp_path):
    found = measured(planned(tmp_path, cells(COUNTS), {"local_law_144": True}))
    shown = section_of(found)
    sex = next(b for b in shown if isinstance(b, Table))
    assert sex.columns[:5] == (
        "Category", "Applicants", "Selected", "Selection rate", "Impact ratio",
    )  # fmt: skip
    assert sex.rows[0][:5] == ("f", "160", "50", "31.2 %", "0.799")
    assert sex.rows[2][3:] == ("50.0 %", "excluded", "")
    texts = [b.text for b in shown if isinstance(b, Sentence)]
    assert any("unknown category: 4. Excluded from the ratios: 1 of 3" in text for text in texts)
    captions = [b.caption for b in shown if isinstance(b, Grid)]
    assert captions.count("Error rates by group") == 2


def test_a_law_that_is_not_asked_for_leaves_no_table(tmp_path):
    assert measured(planned(tmp_path, cells(COUNTS))).impact_tables == ()


# --- public data ----------------------------------------------------------------------------


@pytest.mark.skipif(not GERMAN.is_file(), reason=f"no German Credit at {GERMAN}")
def test_the_labels_of_german_credit_select_men_and_women_at_the_published_rates(tmp_path):
    rows = [
        {"text": str(i), "sex": row["sex"], "label": row["class-label"]}
        for i, row in enumerate(german_rows())
    ]
    plan = planned(
        tmp_path,
        rows,
        subjects={"rule": {"kind": "predictions", "prediction": "label"}},
        data={"path": "rows.csv", "label": "label", "favourable": "1", "groups": ["sex"]},
    )
    found = measured(plan)
    rates = {m.about.group: (round(m.value, 3), m.n) for m in found.named("selection_rate")}
    assert rates == {"male": (0.723, 690), "female": (0.648, 310)}
    ratio = one(found, "adverse_impact_ratio", group="female")
    assert ratio.about.reference == "male"
    assert ratio.value == pytest.approx((201 / 310) / (499 / 690))
    assert ratio.low > 0.8  # four fifths are kept
    assert ratio.p == pytest.approx(0.018, abs=0.006)  # Fisher's exact test gives .018
    assert one(found, "equalized_odds_difference").value == 0.0
