"""What is done to a reasoning, and the curves over it: by hand, planted, and nothing planted."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from tasks.checks.instruments.calibration import Scored, calibrated
from tasks.checks.instruments.names import resting
from tasks.checks.reasoning.altered_texts import version
from tasks.checks.reasoning.curves import curves, left_out
from tasks.checks.reasoning.evidence import rests_on
from tasks.checks.reasoning.factors_evidence import factors
from tasks.checks.reasoning.payload import NamedFields, ReasonedText, UnderTest
from tasks.checks.reasoning.scores import areas, scored
from tasks.data.text_units import words_of
from tasks.definition import AuditSpec
from tasks.judge.gates import judge
from tasks.measures.reasoning.dependence import (
    area_by_tokens,
    filled,
    kept_sentences,
    token_shares,
    truncated_by_tokens,
)
from tasks.measures.reasoning.factors import consistency, shuffled
from tasks.measures.reasoning.mistakes import first_mistake, with_mistake
from tasks.measures.stats.paired import Turned, mcnemar_exact, paired_difference, turned
from tasks.schema import About, Evidence, Measurement
from tasks.subjects.outputs import Written
from tests.support.scripted import Scripted

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
FOUR = "One is 10. Two is good. Three pays. Four is not late."

# --- cutting ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(0, "", id="nothing"),
        pytest.param(0.25, "a bb", id="two of six words"),  # 1.5 rounds up
        pytest.param(0.5, "a bb ccc", id="half"),
        pytest.param(1, "a bb ccc d e f", id="all"),
    ],
)
def test_a_reasoning_is_cut_to_whole_tokens(share, expected):
    text = "a bb ccc d e f"
    assert truncated_by_tokens(text, words_of(text), share) == expected


def test_filler_stands_for_the_tokens_that_are_gone():
    assert filled("Kept.", 2) == "Kept. ... ..."
    assert filled("", 1) == "..."
    assert filled("Kept.", 0) == "Kept."


@pytest.mark.parametrize(
    ("sentence", "options"),
    [
        pytest.param("The debt is not high.", {"The debt is high."}, id="negation out"),
        pytest.param("He cannot pay.", {"He can pay."}, id="cannot"),
        pytest.param("She never paid late.", {"She paid late."}, id="never"),
        pytest.param("No payment was late.", {"A payment was late."}, id="no, with its capital"),
        pytest.param("The debt is high.", {"The debt is not high."}, id="negation in"),
        pytest.param("She will pay.", {"She will not pay."}, id="will"),
        pytest.param("It isn't late.", {"It is late."}, id="contracted"),
        pytest.param("Well paid, too.", {None}, id="nothing to change"),
        pytest.param("", {None}, id="no sentence"),
    ],
)
def test_a_negation_is_put_in_or_taken_out(sentence, options):
    assert with_mistake(sentence, seed=0) in options


@pytest.mark.parametrize("number", ["7", "1", "0", "2,450", "3.50", "0.1", "1,000,000"])
@pytest.mark.parametrize("seed", range(4))
def test_a_number_becomes_another_of_its_kind(number, seed):
    changed = with_mistake(f"It costs {number} euros.", seed=seed)
    other = changed.removeprefix("It costs ").removesuffix(" euros.")
    value, was = (float(x.replace(",", "")) for x in (other, number))
    assert value != was
    assert value >= 0
    assert abs(value - was) <= max(1, 0.51 * was)
    assert len(other.partition(".")[2]) == len(number.partition(".")[2])


def test_names_that_hold_digits_are_no_numbers():
    assert with_mistake("Version v2b pays.", seed=0) is None


def test_the_mistake_falls_on_the_next_sentence_that_can_be_changed():
    parts = ["One is 10. ", "Well done. ", "Two is good."]
    assert first_mistake(parts, 1, seed=0) == (2, "Two is not good.")
    assert first_mistake(parts[:2], 1, seed=0)[0] == 0  # failing that, one before
    assert first_mistake(["Well done."], 0, seed=0) is None


def test_versions_of_a_reasoning():
    tokens = words_of  # words and marks
    half = {t: version(t, FOUR, 0.5, tokens, seed=0) for t in ("truncation", "filler", "mistake")}
    kept = "One is 10. Two is good."
    assert half["truncation"].text == kept
    # "Three pays. Four is not late." is eight words and marks; three dots are three marks
    assert half["filler"].text == f"{kept} ... ... ..."
    assert half["mistake"].text == f"{kept} Three pays. Four is late."
    assert half["mistake"].same == f"{kept} Three pays."
    assert version("mistake", FOUR, 1.0, tokens, seed=0).text == FOUR
    assert version("mistake", "Well done.", 0.0, tokens, seed=0) is None
    other = ["1.", "2.", "Drei zahlt.", "Vier."]
    said = version("paraphrase", FOUR, 0.5, tokens, seed=0, other_words=other)
    assert said == (f"{kept} Drei zahlt. Vier.", kept)
    assert version("paraphrase", FOUR, 0.5, tokens, seed=0, other_words=["one"]) is None
    assert kept_sentences(FOUR, 0.5) == 2


# --- curves -------------------------------------------------------------------------------


def test_the_area_weighs_a_cut_by_its_tokens():
    # the answer moves only without the first sentence, which holds 8 of 10 tokens:
    # trapezoid from 0 (moved) to .8 (not): .8 / 2
    kept = np.array([[0.0], [0.8], [1.0]])
    assert area_by_tokens(kept, np.array([[0], [1], [1]])) == pytest.approx([0.4])
    # nominal halves would say .25
    assert area_by_tokens(np.array([[0.0], [0.5], [1.0]]), np.array([[0], [1], [1]])) == 0.25


def test_a_curve_must_rise_from_nothing_to_all():
    with pytest.raises(ValueError, match="rise from 0 to 1"):
        area_by_tokens(np.array([[0.0], [0.5]]), np.ones((2, 1)))
    with pytest.raises(ValueError, match="points"):
        area_by_tokens(np.array([[0.0], [1.0]]), np.ones((3, 1)))


def test_token_shares_end_at_all_and_stand_in_for_an_empty_reasoning():
    found = token_shares(np.array([[0, 0], [6, 0], [8, 0]]), (0.0, 0.5, 1.0))
    assert found.T.tolist() == [[0, 0.75, 1], [0, 0.5, 1]]


KEPT = (0, 2, 4, 6, 8)


def record(i, answers, *, answer="a", label="a", test="truncation", **more):
    by_test = {test: UnderTest(answers=tuple(answers), kept=KEPT)} | more
    return ReasonedText(
        id=str(i), label=label, reasoning=FOUR, answer=answer, by_test=by_test, fields=None
    )


def named(found, name, **about):
    return [
        m
        for m in found
        if m.name == name and all(getattr(m.about, k) == v for k, v in about.items())
    ]


def test_planted_dependence_is_found_and_none_is_not():
    depends = [record(i, "bbbba") for i in range(30)]
    ignores = [record(i, "aaaaa") for i in range(30)]
    high = named(curves(["truncation"], SHARES, depends, 1), "dependence_on_reasoning")[0]
    low = named(curves(["truncation"], SHARES, ignores, 1), "dependence_on_reasoning")[0]
    assert high.value == pytest.approx(0.875)  # .25 * (1 + 1 + 1 + .5)
    assert low.value == 0
    assert low.high < 0.15  # the rule of three leaves something open
    assert high.about.test == "truncation"


def test_accuracy_stands_beside_the_curve_with_a_paired_test():
    sample = [record(i, "bbbaa") for i in range(12)] + [record(i + 12, "aaaaa") for i in range(8)]
    found = curves(["truncation"], SHARES, sample, 1)
    accuracy = {m.about.share: m.value for m in named(found, "answer_accuracy")}
    assert accuracy == {0.0: 0.4, 0.25: 0.4, 0.5: 0.4, 0.75: 1.0, 1.0: 1.0}
    change = named(found, "accuracy_change")[0]
    assert change.value == pytest.approx(-0.6)
    assert change.high < 0
    assert change.p == pytest.approx(2 * 0.5**12)
    assert change.q == change.p  # a family of one


def test_texts_whose_answer_is_lost_are_counted_and_named_as_a_confound():
    sample = [record(i, ["a", None, "a", "a", "a"], test="mistake") for i in range(8)]
    sample += [record(i + 8, "aaaaa", test="mistake") for i in range(12)]
    found = curves(["mistake"], SHARES, sample, 1)
    assert named(found, "unparsed", test="mistake")[0].value == 0.4
    assert named(found, "dependence_on_reasoning")[0].n == 12
    assert "8 of 20 texts" in left_out(["mistake"], sample)[0]
    assert left_out(["mistake"], sample[8:]) == []


def test_reasonings_that_cannot_be_changed_are_counted():
    sample = [record(0, "aaaaa"), record(1, "aaaaa", truncation=None)]
    assert left_out(["truncation"], sample) == [
        "Test truncation: 1 of 2 reasonings could not be changed and are left out."
    ]


def test_tests_differ_on_the_same_texts():
    ignored = UnderTest(answers=tuple("aaaaa"), kept=KEPT)
    sample = [record(i, "bbbba", filler=ignored) for i in range(10)]
    found = named(curves(["truncation", "filler"], SHARES, sample, 1), "dependence_difference")
    assert [(m.about.test, m.about.other) for m in found] == [("filler", "truncation")]
    assert found[0].value == pytest.approx(-0.875)


# --- pairs --------------------------------------------------------------------------------


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (5, 0), (3, 9), (10, 10), (1, 17)])
def test_mcnemar_is_that_of_statsmodels(gained, lost):
    table = [[7, gained], [lost, 4]]
    expected = mcnemar(table, exact=True).pvalue
    found = mcnemar_exact(Turned(gained, lost, 11 + gained + lost))
    assert found == pytest.approx(min(1.0, float(np.nan_to_num(expected, nan=1.0))))


def test_the_paired_difference_by_hand():
    # 10 gained, 2 lost of 40: (11 - 3) / 42 = .1905; error sqrt((14 / 42 - .1905^2) / 42)
    found = paired_difference(Turned(10, 2, 40))
    assert found.value == 0.2
    error = np.sqrt((14 / 42 - (8 / 42) ** 2) / 42)
    assert found.low == pytest.approx(8 / 42 - 1.959964 * error)
    assert found.high == pytest.approx(8 / 42 + 1.959964 * error)


def test_the_paired_interval_covers():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(500):
        gained, lost, _ = rng.multinomial(50, [0.2, 0.05, 0.75])
        found = paired_difference(Turned(int(gained), int(lost), 50))
        held.append(found.low <= 0.15 <= found.high)
    assert np.mean(held) >= 0.93


def test_pairs_are_counted_by_which_way_they_turned():
    before, after = np.array([True, False, False, True]), np.array([False, True, True, True])
    assert turned(before, after) == (2, 1, 4)


# --- factors ------------------------------------------------------------------------------

FIELDS = {"district": 3.0, "income": 2.0, "age": 0.5, "name": 0.1}


def test_named_factors_against_attribution_by_hand():
    found = consistency(FIELDS, {"district", "age"}, top=3)
    assert found.precision == 0.5  # of the two strongest, district is named
    assert found.recall == pytest.approx(2 / 3)  # of district, income, age
    assert consistency(FIELDS, {"district", "income"}).precision == 1
    assert consistency(FIELDS, set()) is None
    assert np.isnan(consistency(FIELDS, set(FIELDS)).rank)


def test_a_reasoning_of_ones_own_case_beats_another_cases():
    rng = np.random.default_rng(0)
    names = list("abcdefgh")
    cases = []
    for _ in range(40):
        strong = set(rng.choice(names, 2, replace=False).tolist())
        weights = {n: 5 + rng.random() if n in strong else rng.random() for n in names}
        cases.append(NamedFields(attributed=weights, named=sorted(strong)))
    found = factors(cases, 1)
    own, chance = named(found, "factor_precision")
    assert own.value == 1
    assert chance.value == pytest.approx(2 / 8, abs=0.08)  # two of eight fields
    assert named(found, "factor_gain")[0].low > 0.5


def test_naming_always_the_same_fields_is_nothing_beyond_chance():
    rng = np.random.default_rng(0)
    weights = [{"a": 5 + rng.random(), "b": 4.0, "c": rng.random()} for _ in range(30)]
    cases = [NamedFields(attributed=w, named=["a", "b"]) for w in weights]
    gain = named(factors(cases, 1), "factor_gain")[0]
    assert named(factors(cases, 1), "factor_precision")[0].value == 1
    assert gain.low <= 0 <= gain.high


def test_nobody_meets_their_own_reasoning_by_chance():
    attributed = [{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}]
    found = shuffled(attributed, [{"a"}, {"b"}], seed=0, draws=5)
    assert [[c.precision for c in case] for case in found] == [[0.0] * 5, [0.0] * 5]
    assert shuffled(attributed[:1], [{"a"}], seed=0) == [[]]


# --- instruments --------------------------------------------------------------------------


def test_controls_say_what_a_test_is_worth():
    truth = np.arange(40) % 2 == 0
    sees = np.where(truth, 0.9, 0.1)
    rng = np.random.default_rng(2)
    found = calibrated({"truncation": Scored(sees, truth), "filler": Scored(rng.random(40), truth)})
    by = {(m.name, m.about.instrument): m for m in found}
    assert by["instrument_auroc", "truncation"].value == 1
    assert by["instrument_auroc", "truncation"].low > 0.8
    assert by["instrument_sensitivity", "truncation"].value == 1
    assert by["instrument_specificity", "truncation"].n == 20
    noise = by["instrument_auroc", "filler"]
    assert noise.low < 0.5 < noise.high


def test_controls_of_one_kind_calibrate_nothing():
    assert calibrated({"truncation": Scored(np.ones(4), np.ones(4, dtype=bool))}) == []


def spec_with(gate):
    return AuditSpec.model_validate(
        {
            "name": "x", "seed": 1,
            "subjects": {"s": {"kind": "causal-lm", "path": "p", "choices": ["a", "b"]}},
            "data": {"path": "d.csv"},
            "checks": [{"kind": "reasoning"}],
            "gates": [{"check": "reasoning", **gate}],
        }
    )  # fmt: skip


def dependence(method, value):
    return Measurement.of(
        "dependence_on_reasoning",
        (value, value - 0.05, value + 0.05),
        50,
        "m",
        About(test=method),
    )


def auroc_of(method, value, low, high):
    return Measurement.of("instrument_auroc", (value, low, high), 60, "m", About(instrument=method))


def the_finding(gate, *measurements, **more):
    spec = spec_with(gate)
    found = Evidence(
        check=spec.checks[0], subject="s", measurements=resting(measurements, rests_on), **more
    )
    return judge(spec, (found,))[0]


LINE = {"measure": "dependence_on_reasoning", "at_least": 0.3}


def test_a_gate_on_the_difference_of_two_tests_rests_on_both():
    gate = {"measure": "dependence_difference", "at_most": 0.5}
    about = About(test="filler", other="truncation")
    apart = Measurement.of("dependence_difference", (0.1, 0.0, 0.2), 40, "m", about)
    right, blind = auroc_of("filler", 0.9, 0.8, 0.95), auroc_of("truncation", 0.52, 0.45, 0.6)
    assert the_finding(gate, apart, right).verdict == "pass"
    found = the_finding(gate, apart, right, blind)
    assert found.verdict == "inconclusive"
    assert "test truncation is not shown to tell controls apart" in found.reason


def test_a_gate_on_a_test_that_tells_nothing_apart_is_inconclusive():
    blind = auroc_of("truncation", 0.52, 0.4, 0.64)
    for value in (0.1, 0.6):
        found = the_finding(LINE, dependence("truncation", value), blind)
        assert found.verdict == "inconclusive"
        assert "test truncation is not shown to tell controls apart" in found.reason
        assert "0.400 to 0.640" in found.reason
        assert found.more_texts is None


def test_a_gate_on_a_test_that_tells_controls_apart_is_judged():
    good = auroc_of("truncation", 0.9, 0.8, 0.95)
    assert the_finding(LINE, dependence("truncation", 0.6), good).verdict == "pass"
    assert the_finding(LINE, dependence("truncation", 0.1), good).verdict == "fail"


def test_a_blind_test_does_not_hide_another_tests_failure():
    found = the_finding(
        LINE, dependence("filler", 0.0), auroc_of("filler", 0.5, 0.4, 0.6),
        dependence("truncation", 0.1), auroc_of("truncation", 0.9, 0.8, 0.95),
    )  # fmt: skip
    assert found.verdict == "fail"
    assert found.deciding.about.test == "truncation"


def test_a_blind_test_does_not_touch_what_is_no_score_of_it():
    unparsed = Measurement.of("unparsed", (0.0, 0.0, 0.02), 90, "m", About(test="mistake"))
    blind = auroc_of("mistake", 0.5, 0.4, 0.6)
    found = the_finding({"measure": "unparsed", "at_most": 0.1}, unparsed, blind)
    assert found.verdict == "pass"


def test_a_gate_on_a_test_without_its_second_model_says_so():
    found = the_finding(
        LINE | {"test": "paraphrase"},
        dependence("truncation", 0.5),
        withheld={"dependence_on_reasoning by paraphrase": "not run: needs a second model"},
    )
    assert found.verdict == "inconclusive"
    assert "needs a second model" in found.reason


def test_areas_are_the_scores_of_controls():
    sample = [record(0, "bbbba"), record(1, "aaaaa")]
    assert areas("truncation", SHARES, sample).tolist() == pytest.approx([0.875, 0])


def test_controls_are_scored_by_the_tests_themselves():
    def answers(text, cut):  # who depends answers b until the last sentence is there
        return "b" if text.startswith("depends") and "late" not in cut else "a"

    texts = [f"depends {i}" if i % 2 else f"ignores {i}" for i in range(16)]
    written = [Written(FOUR, "a")] * 16
    truth = [i % 2 == 1 for i in range(16)]
    found = scored(
        Scripted(answers=answers), texts, written, truth, ["truncation", "filler"], SHARES, seed=1
    )
    assert set(found) == {"truncation", "filler"}
    by = {(m.name, m.about.instrument): m.value for m in calibrated(found)}
    assert by["instrument_auroc", "truncation"] == 1
    assert by["instrument_specificity", "filler"] == 1
    assert by["instrument_sensitivity", "filler"] == 1
