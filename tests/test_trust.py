"""Which method may be cited: planted quality is found, planted worthlessness is refused."""

import numpy as np
import pytest

from tasks.checks.attribution.payload import ComparedText
from tasks.checks.attribution.trust import trust
from tasks.definition import AuditSpec, Gate
from tasks.definition.checks.attribution import AttributionCheck
from tasks.definition.subset import Subset
from tasks.judge.credibility import AGAINST, RANDOM, first_credible, is_credible
from tasks.judge.gates import judge
from tasks.schema import About, Evidence, Measurement

METHODS = ("shapley", "leave-one-out")
CHECK = AttributionCheck(methods=METHODS, operators=("neutral",))


def record(i, rng, *, gain):
    """One text; `shapley` beats all baselines by `gain`, `leave-one-out` beats none."""
    base = {name: float(rng.normal(0.2, 0.05)) for name in (RANDOM, *METHODS)}
    base |= {f"{m}, {a}": float(rng.normal(0.2, 0.05)) for m in METHODS for a in AGAINST[1:]}
    base["shapley"] += gain
    values = {"shapley": [3.0, -2.0, 1.0, 0.5, 0.2, 0.1], "leave-one-out": [0.1, 0.2, 3.0, 0, 0, 0]}
    text = {
        "id": f"t{i}",
        "position": i,
        "target": "yes" if i % 2 else "no",
        "decision": "yes" if i % 2 else "no",
        "groups": {},
        "windows": 1,
        "score": 2.0,
        "baseline_score": 0.0,
        "explained": i != 0,
        "marked": None,
        "units": [{"text": w, "spans": [[0, 1]], "field": None} for w in "abcdef"],
        "methods": {
            name: {
                "values": values[name],
                "delta": 0.0,
                "evaluations": 9,
                "converged": (i != 1) if name == "shapley" else None,
            }
            for name in METHODS
        },
    }
    replacements = [
        {"ranking": name, "operator": "neutral", "comprehensiveness": v, "sufficiency": 1 - v}
        for name, v in base.items()
    ]
    quality = {
        name: {"sparsity": 0.5, "removal_error": 1.0 + i % 3, "removal_square": 4.0}
        for name in METHODS
    }
    return ComparedText.model_validate(
        {"text": text, "replacements": replacements, "quality": quality}
    )


@pytest.fixture(scope="module")
def measured():
    rng = np.random.default_rng(7)
    return trust(CHECK, [record(i, rng, gain=0.3) for i in range(40)], seed=1)


def one(measured, name, **about):
    found = [
        m
        for m in measured
        if m.name == name and all(getattr(m.about, k) == v for k, v in about.items())
    ]
    assert len(found) == 1, found
    return found[0]


def test_the_method_that_beats_all_three_baselines_earns_its_place(measured):
    assert is_credible("shapley", measured)
    assert not is_credible("leave-one-out", measured)
    for against in AGAINST:
        m = one(measured, "comprehensiveness_gain", method="shapley", baseline=against)
        assert m.low < 0.3 < m.high
        assert m.n == 40


def test_sufficiency_gain_counts_the_other_way(measured):
    m = one(measured, "sufficiency_gain", method="shapley", baseline=RANDOM)
    assert m.value == pytest.approx(
        one(measured, "comprehensiveness_gain", method="shapley", baseline=RANDOM).value
    )


def test_the_first_that_earned_is_cited_whatever_the_order(measured):
    assert first_credible(METHODS, measured) == first_credible(METHODS[::-1], measured) == "shapley"


def test_nothing_is_cited_where_nothing_beats_chance():
    rng = np.random.default_rng(4)
    measured = trust(CHECK, [record(i, rng, gain=0.0) for i in range(40)], seed=1)
    assert first_credible(METHODS, measured) is None


def test_a_baseline_that_was_not_run_is_none_that_was_beaten(measured):
    rest = [m for m in measured if m.about.baseline != AGAINST[2]]
    assert not is_credible("shapley", rest)


def test_infidelity_is_a_ratio_of_sums(measured):
    """Errors 1, 2, 3 in turn over forty texts (14, 13, 13 of each) over four: 79 / 160."""
    assert one(measured, "infidelity", method="shapley").value == pytest.approx(79 / 160)


def test_agreement_of_two_methods(measured):
    """Ranks 6 1 5 4 3 2 and 4 5 6 2 2 2: Pearson of the ranks; four of five strongest shared."""
    m = one(measured, "rank_agreement", method="shapley", other="leave-one-out")
    a, b = [6, 1, 5, 4, 3, 2], [4, 5, 6, 2, 2, 2]
    assert m.value == pytest.approx(np.corrcoef(a, b)[0, 1])
    top = one(measured, "top_agreement", method="shapley", other="leave-one-out")
    assert top.value == pytest.approx(1.0)  # a to e on both sides: ties go by position


def test_texts_that_do_not_converge_or_stand_before_a_word_is_read_are_counted(measured):
    assert one(measured, "converged", method="shapley").value == pytest.approx(39 / 40)
    assert one(measured, "explained", subset=None).value == pytest.approx(39 / 40)
    assert one(measured, "explained", subset=Subset(decided="no")).value == pytest.approx(19 / 20)


def spec(gate):
    return AuditSpec.model_validate(
        {
            "name": "a",
            "seed": 1,
            "subjects": {"s": {"kind": "sequence-classification", "path": "m"}},
            "data": {"path": "d.csv", "fields": ["place"]},
            "checks": [CHECK.model_dump()],
            "gates": [gate],
        }
    )


def test_a_gate_on_what_is_withheld_is_inconclusive_and_says_why():
    gate = {"check": "attribution", "measure": "field_share", "field": "place", "at_most": 0.2}
    reason = "no attribution method earned its place"
    evidence = Evidence(check=CHECK, subject="s", withheld={"field_share": reason})
    (finding,) = judge(spec(gate), (evidence,))
    assert finding.verdict == "inconclusive"
    assert reason in finding.reason
    assert evidence.cited is None


def test_a_gate_can_be_about_one_method():
    gate = Gate(check="attribution", measure="sparsity", method="shapley", at_least=0.4)
    found = [
        Measurement.of("sparsity", (v, v - 0.01, v + 0.01), 9, "by hand", About(method=name))
        for name, v in (("shapley", 0.6), ("leave-one-out", 0.1))
    ]
    evidence = Evidence(check=CHECK, subject="s", measurements=tuple(found))
    (finding,) = judge(spec(gate.model_dump(exclude_none=True)), (evidence,))
    assert (finding.verdict, finding.measured) == ("pass", 1)
