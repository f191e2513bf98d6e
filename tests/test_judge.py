"""Gates held against measurements: a table of verdicts, and the worst wins."""

import pytest

from tasks.definition import AuditSpec, ClassifierSubject, DataSpec, Gate
from tasks.definition.checks.fairness import FairnessCheck
from tasks.definition.checks.performance import PerformanceCheck
from tasks.definition.subset import Subset
from tasks.judge.gates import covers, judge, verdict
from tasks.measures.stats.intervals import Interval, more_texts
from tasks.schema import About, Evidence, Measurement, TooSmall

RATIO = "adverse_impact_ratio"


def m(value, low=None, high=None, *, name=RATIO, n=100, **about):
    return Measurement(
        name=name, value=value, low=low, high=high, n=n, about=About(**about), method="by hand"
    )


def gate(measure=RATIO, check="fairness", **rest):
    return Gate(check=check, measure=measure, **(rest or {"at_least": 0.8}))


def judged(*gates, evidence):
    spec = AuditSpec(
        name="t",
        seed=1,
        subjects={"one": ClassifierSubject(path="x"), "two": ClassifierSubject(path="y")},
        data=DataSpec(path="d.csv", label="y", groups=("origin", "age")),
        checks=(
            FairnessCheck(subject="one"),
            FairnessCheck(subject="two"),
            PerformanceCheck(subject="one"),
        ),
        gates=gates,
    )
    return judge(spec, tuple(evidence))


def measured(*measurements, subject="one", **rest):
    return Evidence(
        check=FairnessCheck(subject=subject), subject=subject, measurements=measurements, **rest
    )


FLOOR, CEILING = {"at_least": 0.8}, {"at_most": 0.1}
BOTH = {"at_least": 0.8, "at_most": 1.25}


@pytest.mark.parametrize(
    ("lines", "interval", "expected"),
    [
        pytest.param(FLOOR, (0.9, 0.81, 0.95), "pass", id="floor: whole interval above"),
        pytest.param(FLOOR, (0.9, 0.8, 0.95), "pass", id="floor: lower end on the line"),
        pytest.param(FLOOR, (0.9, 0.79, 0.95), "inconclusive", id="floor: straddles, value good"),
        pytest.param(FLOOR, (0.7, 0.6, 0.81), "inconclusive", id="floor: straddles, value bad"),
        pytest.param(FLOOR, (0.7, 0.6, 0.8), "inconclusive", id="floor: upper end on the line"),
        pytest.param(FLOOR, (0.7, 0.6, 0.79), "fail", id="floor: whole interval below"),
        pytest.param(CEILING, (0.05, 0.0, 0.1), "pass", id="ceiling: upper end on the line"),
        pytest.param(CEILING, (0.05, 0.0, 0.11), "inconclusive", id="ceiling: straddles"),
        pytest.param(CEILING, (0.2, 0.1, 0.3), "inconclusive", id="ceiling: lower end on the line"),
        pytest.param(CEILING, (0.2, 0.11, 0.3), "fail", id="ceiling: whole interval above"),
        pytest.param(BOTH, (1.0, 0.8, 1.25), "pass", id="both: from line to line"),
        pytest.param(BOTH, (1.0, 0.7, 1.3), "inconclusive", id="both: wider than the gate"),
        pytest.param(BOTH, (1.2, 1.1, 1.3), "inconclusive", id="both: straddles above"),
        pytest.param(BOTH, (0.8, 0.7, 0.9), "inconclusive", id="both: straddles below"),
        pytest.param(BOTH, (0.7, 0.6, 0.79), "fail", id="both: below"),
        pytest.param(BOTH, (1.4, 1.26, 1.5), "fail", id="both: above"),
        pytest.param(FLOOR, (0.8, 0.8, 0.8), "pass", id="no width, on the line"),
        pytest.param(FLOOR, (0.99, None, None), "inconclusive", id="floor: no interval, good"),
        pytest.param(CEILING, (0.99, None, None), "inconclusive", id="ceiling: no interval, bad"),
    ],
)
def test_verdicts(lines, interval, expected):
    assert verdict(gate(**lines), m(*interval)) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, True, id="about everything"),
        pytest.param({"attribute": "origin"}, True, id="attribute"),
        pytest.param({"attribute": "age"}, False, id="another attribute"),
        pytest.param({"attribute": "origin", "group": "a"}, True, id="group"),
        pytest.param({"attribute": "origin", "group": "b"}, False, id="another group"),
        pytest.param({"field": "district"}, True, id="field"),
        pytest.param({"field": "income"}, False, id="another field"),
        pytest.param({"subset": "errors"}, True, id="subset"),
        pytest.param({"subset": "all"}, False, id="all texts, not some"),
        pytest.param({"subset": {"decided": "errors"}}, False, id="a class of the same name"),
        pytest.param({"subset": {"as_labelled": False}}, True, id="subset as a mapping"),
        pytest.param({"subset": "errors, origin=a"}, False, id="a smaller subset"),
        pytest.param({"method": "shapley"}, True, id="attribution method"),
        pytest.param({"method": "lime"}, False, id="another attribution method"),
        pytest.param({"test": "truncation"}, True, id="test"),
        pytest.param({"test": "shapley"}, False, id="a test, not a method of that name"),
        pytest.param({"cue": "authority"}, True, id="cue"),
        pytest.param({"cue": "hint"}, False, id="a cue, not a condition of that name"),
        pytest.param({"condition": "hint"}, True, id="condition"),
        pytest.param({"condition": "plain"}, False, id="another condition"),
        pytest.param({"measure": "selection_rate"}, False, id="another measure"),
    ],
)
def test_a_gate_is_about_what_it_names(asked, expected):
    about = {"attribute": "origin", "group": "a", "field": "district"}
    about |= {"subset": Subset(as_labelled=False), "method": "shapley", "test": "truncation"}
    about |= {"cue": "authority", "condition": "hint"}
    assert covers(gate(**{"at_least": 0.8, **asked}), m(0.9, 0.8, 1.0, **about)) is expected


@pytest.mark.parametrize(("asked", "expected"), [("all", True), ("errors", False), (None, True)])
def test_a_gate_can_be_about_all_texts_alone(asked, expected):
    assert covers(gate(at_least=0.8, subset=asked), m(0.9, 0.8, 1.0)) is expected


def test_a_measurement_about_all_is_not_one_about_a_group():
    assert not covers(gate(at_least=0.8, group="a"), m(0.9, 0.8, 1.0))


PASS, UNSURE, FAIL = m(0.9, 0.85, 1.0), m(0.85, 0.7, 1.0), m(0.5, 0.4, 0.6)


@pytest.mark.parametrize(
    ("measurements", "expected", "deciding", "beyond"),
    [
        pytest.param([PASS], "pass", PASS, [], id="one"),
        pytest.param([PASS, UNSURE], "inconclusive", UNSURE, [UNSURE], id="unsure beats pass"),
        pytest.param([PASS, UNSURE, FAIL], "fail", FAIL, [FAIL, UNSURE], id="fail beats all"),
        pytest.param([FAIL, PASS], "fail", FAIL, [FAIL], id="in any order"),
    ],
)
def test_the_worst_measurement_decides(measurements, expected, deciding, beyond):
    (found,) = judged(gate(), evidence=[measured(*measurements)])
    assert (found.verdict, found.deciding, list(found.beyond)) == (expected, deciding, beyond)
    assert found.measured == len(measurements)
    assert (found.reason == "") == (expected != "inconclusive")


@pytest.mark.parametrize(
    ("lines", "values", "expected"),
    [
        pytest.param(FLOOR, [0.5, 0.3, 0.6], 0.3, id="floor: the lowest"),
        pytest.param(CEILING, [0.5, 0.3, 0.6], 0.6, id="ceiling: the highest"),
        pytest.param(BOTH, [0.6, 1.7, 0.5], 1.7, id="both: .45 above is worse than .3 below"),
        pytest.param(FLOOR, [0.9, 0.95, 0.85], 0.85, id="all good: the nearest to the line"),
    ],
)
def test_of_equal_verdicts_the_one_farthest_on_the_bad_side_decides(lines, values, expected):
    (found,) = judged(gate(**lines), evidence=[measured(*[m(v, v, v) for v in values])])
    assert found.deciding.value == expected


def test_a_check_that_did_not_run_is_inconclusive():
    (found,) = judged(gate(), evidence=[measured(not_run="no labels")])
    assert (found.verdict, found.reason) == ("inconclusive", "not run: no labels")
    assert found.deciding is None
    assert found.measured == 0


def test_nothing_measured_is_inconclusive():
    (found,) = judged(gate(attribute="age", at_least=0.8), evidence=[measured(FAIL)])
    assert found.verdict == "inconclusive"
    assert found.reason == "nothing measured that the gate is about"
    assert found.deciding is None


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, "nothing measured; too small: age: old (7), origin: x (3)", id="all"),
        pytest.param({"attribute": "age"}, "nothing measured; too small: age: old (7)", id="its"),
    ],
)
def test_groups_that_were_too_small_are_named(asked, expected):
    small = (
        TooSmall(attribute="age", group="old", n=7),
        TooSmall(attribute="origin", group="x", n=3),
    )
    (found,) = judged(gate(**{"at_least": 0.8, **asked}), evidence=[measured(too_small=small)])
    assert (found.verdict, found.reason) == ("inconclusive", expected)


def test_one_finding_per_gate_and_subject_numbered_in_order():
    other = Evidence(check=PerformanceCheck(), subject="one", measurements=(m(1, 1, 1),))
    evidence = [measured(PASS), measured(FAIL, subject="two"), other]
    found = judged(gate(), gate(at_least=0.8, subject="two"), evidence=evidence)
    assert [(f.id, f.subject, f.verdict) for f in found] == [
        ("f1", "one", "pass"),
        ("f2", "two", "fail"),
        ("f3", "two", "fail"),
    ]


def test_without_gates_there_is_nothing_to_find():
    assert judged(evidence=[measured(FAIL)]) == ()


# --- more texts ---------------------------------------------------------------------------


def test_a_straddled_line_says_how_many_texts_would_decide():
    # standard error .1, distance .1: 785 texts at 80 % power, less the 100 at hand (see stats)
    (found,) = judged(gate(at_least=0.5), evidence=[measured(m(0.6, 0.404, 0.796))])
    assert found.reason == "the interval straddles the line"
    assert found.more_texts == 685


def test_between_two_straddled_lines_the_farther_count_is_asked_for():
    wide = m(1.0, 0.7, 1.3)
    (found,) = judged(gate(**BOTH), evidence=[measured(wide)])
    needed = [more_texts(Interval(1.0, 0.7, 1.3), line, 100) for line in (0.8, 1.25)]
    assert needed[0] > needed[1]
    assert found.more_texts == needed[0]


def test_a_line_that_is_not_straddled_asks_for_nothing():
    (found,) = judged(gate(**BOTH), evidence=[measured(m(1.2, 1.1, 1.3))])
    assert found.more_texts == more_texts(Interval(1.2, 1.1, 1.3), 1.25, 100)


@pytest.mark.parametrize(
    ("measurement", "reason"),
    [
        pytest.param(m(0.8, 0.7, 0.9), "the interval straddles the line", id="value on the line"),
        pytest.param(m(0.9), "no interval could be computed", id="no interval"),
    ],
)
def test_where_no_number_of_texts_decides_none_is_named(measurement, reason):
    (found,) = judged(gate(), evidence=[measured(measurement)])
    assert (found.verdict, found.reason, found.more_texts) == ("inconclusive", reason, None)


@pytest.mark.parametrize("decided", [PASS, FAIL], ids=["pass", "fail"])
def test_a_decided_finding_asks_for_no_texts(decided):
    (found,) = judged(gate(), evidence=[measured(decided)])
    assert found.more_texts is None
