"""From texts to evidence: every method on odd texts, what is counted, and what is only shown."""

import csv

import pytest

from tasks.checks.attribution.rounds import compared_rows
from tasks.checks.preflight import prepare
from tests.support.gathering import asked, gathered
from tests.support.small import write_small_audit

ODD = [
    "!",
    "😀",
    "good",
    "</script> \" ' {{7*7}}",
    "good " * 80,
    "日本語 good",
    "...",
    "   good   ",
]
METHODS = [
    "integrated-gradients", "shapley", "shapley-permutations", "lime", "leave-one-out",
    "sliding-window", "gradient-x-input", "layer-conductance", "gradient-x-attention",
    "attention-rollout",
]  # fmt: skip


def measured(folder, *, cases=(), odd=(), **options):
    """Plan and evidence of the attribution check of a small audit."""
    checks = [{"kind": "attribution", **options}]
    definition = write_small_audit(folder, rows=40, checks=checks, gates=[])
    with (folder / "data.csv").open() as stream:
        rows = list(csv.reader(stream))
    for i, text in enumerate(odd):
        rows[1 + i][1] = text
    with (folder / "data.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    plan = prepare(definition)
    return plan, gathered(plan, folder / "store", cases)


def test_odd_texts_are_explained_by_every_method_or_said_to_be_nothing(tmp_path):
    """One word, no word, an emoji, markup, too long: no number is made up, none is lost."""
    _, evidence = measured(
        tmp_path, odd=ODD, cases=range(len(ODD)), methods=METHODS, texts=12, trust_texts=12
    )
    shown = {(c.id, c.method): c for c in evidence.cases}
    assert len(shown) == len(ODD) * len(METHODS)
    assert [w.text for w in shown["r2", "shapley"].words] == ["good"]
    assert len(shown["r4", "lime"].words) == 80  # words beyond the window have nothing
    assert all(w.value == 0 for w in shown["r4", "lime"].words[60:])
    for case in evidence.cases:
        if case.method in ("integrated-gradients", "shapley"):
            added = sum(w.value for w in case.words)
            whole = case.score - case.baseline_score + case.delta
            assert added == pytest.approx(whole, abs=1e-5)


def test_cases_are_shown_and_not_counted_and_the_sample_is_random(tmp_path):
    plan, evidence = measured(
        tmp_path, cases=[0, 1, 2], methods=["leave-one-out"], texts=20, trust_texts=10
    )
    assert {c.id for c in evidence.cases} == {"r0", "r1", "r2"}
    assert {m.n for m in evidence.named("comprehensiveness_gain")} == {10}
    check = asked(plan)
    assert set(compared_rows(check)) <= set(check.sample)


def test_where_no_method_earned_its_place_nothing_is_shared_out(tmp_path):
    _, evidence = measured(tmp_path, methods=["attention-rollout"], texts=20, trust_texts=12)
    assert evidence.named("field_share") == ()
    assert evidence.withheld["field_share"] == "no attribution method earned its place"


def test_the_same_again_is_the_same(tmp_path):
    options = {"methods": ["integrated-gradients", "shapley"], "texts": 20, "trust_texts": 10}
    one, two = (measured(tmp_path / name, **options)[1] for name in "ab")
    assert one.measurements == two.measurements


@pytest.mark.parametrize("units", ["tokens", "words", "fields"])
def test_what_is_counted_follows_the_units(tmp_path, units):
    _, evidence = measured(
        tmp_path, cases=[0], units=units, methods=["leave-one-out"], texts=12, trust_texts=8
    )
    (case,) = evidence.cases
    assert [w.text for w in case.words if w.field == "place"] == ["north"]
