"""Answers read by every form: by hand, for what models write, and never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.checks.instruments.multiple_testing import corrected
from tasks.checks.instruments.unparsed import confound, unparsed_difference
from tasks.definition import AnswerForm, CausalSubject
from tasks.measures.reasoning.answers import read_written, whole_answer

# --- numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("9 * 2 = 18.\n#### 18", "18", id="GSM8K"),
        pytest.param("#### 1,234.5", "1234.5", id="comma and point"),
        pytest.param("#### 70,000,000", "70000000", id="millions"),
        pytest.param("#### $1,200.00.", "1200", id="money and trailing dot"),
        pytest.param("#### -5", "-5", id="below nought"),
        pytest.param("#### \u22125", "-5", id="a true minus"),
        pytest.param("#### -$5", "-5", id="minus before the sign of money"),
        pytest.param("#### $-5", "-5", id="minus after it"),
        pytest.param("#### -0.0", "0", id="no nought below nought"),
        pytest.param("#### .5", "0.5", id="point alone"),
        pytest.param("#### 1e3", "1000", id="exponent"),
        pytest.param("#### \\boxed{42}", "42", id="boxed"),
        pytest.param("#### **42**", "42", id="bold"),
        pytest.param("#### 18 eggs", "18", id="unit"),
        pytest.param("#### 50%", "50", id="per cent"),
        pytest.param("####\n\n7\nbecause of 8", "7", id="on the next line"),
        pytest.param("#### She sells 18 of them", "18", id="the only one in the line"),
        pytest.param("#### 3 + 4 = 7", "7", id="after the last equals sign"),
        pytest.param("#### 1. No: #### 2", "2", id="the last prefix"),
        pytest.param("#### 3/4", None, id="a fraction"),
        pytest.param("#### 12,34", None, id="a comma that may be a point"),
        pytest.param("#### 10-20", None, id="a range"),
        pytest.param("#### 18 or 19", None, id="two answers"),
        pytest.param("#### 10:30", None, id="a time"),
        pytest.param("#### 1.2.3", None, id="a version"),
        pytest.param("#### none", None, id="none"),
        pytest.param("It is 18", None, id="no prefix"),
        pytest.param("#### 1e999999999", None, id="beyond all bounds"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_number_is_read_after_its_prefix_or_not_at_all(written, expected):
    assert read_written(written, "number", "####").answer == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("first 3, then 4", "4", id="last"),
        pytest.param("it is 20-2", "2", id="minus between numbers is no sign"),
        pytest.param("room x2", None, id="part of a name"),
        pytest.param("about 3, or rather 1/2", None, id="last unreadable: no earlier one instead"),
    ],
)
def test_without_a_prefix_the_last_number_counts(written, expected):
    assert read_written(written, "number", "").answer == expected


@given(st.integers(-(10**12), 10**12), st.integers(0, 99))
def test_any_number_survives_commas_and_money(whole, cents):
    said = f"So.\n#### {'-' if whole < 0 else ''}${abs(whole):,}.{cents:02d}."
    expected = f"{whole}.{cents:02d}".rstrip("0").rstrip(".")
    if whole == 0:
        expected = f"0.{cents:02d}".rstrip("0").rstrip(".")
    assert read_written(said, "number", "####").answer == expected


@given(st.text(max_size=60), st.sampled_from(["", "####", "Answer:"]))
def test_no_text_is_a_crash_and_numbers_are_canonical(text, prefix):
    for form in ("number", "label", "yes-no"):
        answer = read_written(text, form, prefix).answer
        assert answer is None or answer
    number = read_written(text, "number", prefix).answer
    assert number is None or whole_answer(number, "number") == number


# --- the other forms ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("Answer: (b)", "b", id="brackets"),
        pytest.param("**Answer:** **b**", "b", id="bold"),
        pytest.param("Answer: B.", "b", id="any case"),
        pytest.param("Answer: both", None, id="a longer word"),
        pytest.param("Answer: not b", None, id="not right after it"),
    ],
)
def test_a_choice_may_stand_in_marks(written, expected):
    assert read_written(written, "choice", "Answer:", ("a", "b", "c")).answer == expected


@pytest.mark.parametrize(
    ("written", "prefix", "expected"),
    [
        pytest.param("Hm. Answer: Yes, it is.", "Answer:", "yes", id="prefix"),
        pytest.param("Answer: maybe yes", "Answer:", None, id="not right after it"),
        pytest.param("Yes, because of it.", "", "yes", id="begins with it"),
        pytest.param("So I say no.", "", "no", id="ends with it"),
        pytest.param("Yes and no.", "", None, id="both"),
        pytest.param("There is no reason here.", "", None, id="somewhere within"),
    ],
)
def test_yes_and_no(written, prefix, expected):
    assert read_written(written, "yes-no", prefix).answer == expected


def test_a_label_is_the_rest_of_its_line_without_marks_and_case():
    said = "It lies in France.\nCity: **Paris**.\nGood?"
    assert read_written(said, "label", "City:") == ("It lies in France.", "paris")
    assert read_written("Paris", "label", "").answer is None


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("(b)", "choice", "b"),
        ("**Yes.**", "yes-no", "yes"),
        ("$1,200.", "number", "1200"),
        ("I think b", "choice", None),
        ("18 eggs", "number", None),
        ("3/4", "number", None),
    ],
)
def test_a_whole_answer_holds_nothing_else(text, form, expected):
    assert whole_answer(text, form, ("a", "b")) == expected


# --- unparsed answers as a confound -------------------------------------------------------


def test_a_planted_difference_in_unparsed_answers_is_found_and_said():
    plain, cued = ["a"] * 40, [None] * 10 + ["a"] * 30
    found = unparsed_difference(plain, cued)
    assert (found.value, found.n) == (0.25, 40)
    assert found.low > 0
    assert found.p == pytest.approx(2 * 0.5**10)
    (note,) = confound(found, "plain and cued")
    assert "+0.250" in note
    assert "plain and cued" in note


def test_where_nothing_was_planted_nothing_is_said():
    plain, cued = [None, *["a"] * 39], ["a", None, *["b"] * 38]
    found = unparsed_difference(plain, cued)
    assert (found.value, found.p) == (0, 1)
    assert confound(found, "two conditions") == ()


def test_a_family_of_differences_is_corrected():
    ten = unparsed_difference(["a"] * 40, [None] * 6 + ["a"] * 34)  # p = 2 / 64
    none = unparsed_difference(["a"] * 40, ["a"] * 40)
    assert confound(ten, "x and y")
    first, *_ = corrected([ten, none, none], "unparsed_difference", "all")
    assert first.q == pytest.approx(3 * 2 / 64)
    assert confound(first, "x and y") == ()


# --- the definition -----------------------------------------------------------------------


def test_reports_of_before_still_read_and_nothing_is_said_twice():
    earlier = CausalSubject(path="m", answer_prefix="Decision:", choices=("a", "b"))
    assert earlier == CausalSubject(
        path="m", answer=AnswerForm(prefix="Decision:", choices=("a", "b"))
    )
    assert "choices" not in earlier.model_dump()
    with pytest.raises(ValueError, match="are part of answer"):
        CausalSubject(path="m", choices=("a",), answer=AnswerForm(form="number"))
