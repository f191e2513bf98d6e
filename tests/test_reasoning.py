"""Reasoning cut short and answers read: by hand, and for whatever a model may write."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.instruments.early_answering import area_over_curve, truncated
from tasks.measures.reasoning.answers import read_answer
from tasks.measures.reasoning.reasoning_text import mentions, sentences

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
FIVE = ["One is. ", "Two is. ", "Three is. ", "Four is. ", "Five is."]
PIECES = [
    "A", "word ", "Dr. ", "3.5", "e.g. ", "é", "日本", "。", "😀", ".", "! ", "? ", "…", "(", "”",
    " ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u2028", "\u2029", "\u3000", "\u0085", "- ",
]  # fmt: skip


# --- sentences ----------------------------------------------------------------------------


def test_sentences_are_cut_where_they_end():
    assert sentences("".join(FIVE)) == FIVE
    assert sentences("Dr. Smith earns 3.5 a day. He pays.") == [
        "Dr. Smith earns 3.5 a day. ",
        "He pays.",
    ]


@pytest.mark.parametrize("text", ["", "  \n\t", "\u00a0\u2028"])
def test_white_space_holds_no_sentence(text):
    assert sentences(text) == []
    assert truncated(text, 1.0) == ""


def test_the_empty_line_between_paragraphs_is_kept():
    assert sentences("One is.\n\nTwo is.") == ["One is.\n\n", "Two is."]
    assert truncated("One is.\n\nTwo is.", 1.0) == "One is.\n\nTwo is."


@pytest.mark.parametrize("text", ["A\u00a0.", "a\u2028b. C", "A\u3000.\u00a0B\u00a0."])
def test_white_space_beyond_ascii_is_no_trap(text):
    assert "".join(sentences(text)) == text  # sentencex alone panics on these


@given(st.lists(st.sampled_from(PIECES), max_size=15).map("".join) | st.text(max_size=30))
def test_sentences_joined_are_the_text(text):
    found = sentences(text)
    assert "".join(found) == text.strip()
    assert all(s.strip() for s in found)


@pytest.mark.parametrize(
    ("n", "kept"),
    [  # share * n: rounded, halves up
        pytest.param(1, [0, 0, 1, 1, 1], id="1: 0 .25 .5 .75 1"),
        pytest.param(2, [0, 1, 1, 2, 2], id="2: 0 .5 1 1.5 2"),
        pytest.param(3, [0, 1, 2, 2, 3], id="3: 0 .75 1.5 2.25 3"),
        pytest.param(4, [0, 1, 2, 3, 4], id="4: 0 1 2 3 4"),
        pytest.param(5, [0, 1, 3, 4, 5], id="5: 0 1.25 2.5 3.75 5"),
    ],
)
def test_reasoning_is_cut_to_whole_sentences(n, kept):
    text = "".join(FIVE[:n])
    assert [truncated(text, share) for share in SHARES] == ["".join(FIVE[:k]).strip() for k in kept]


# --- area over the curve ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unchanged", "expected"),
    [
        pytest.param([1, 1, 1, 1, 1], 0, id="never moved"),
        # trapezoids of 1 - unchanged: .25 * (1 + 1 + 1 + .5)
        pytest.param([0, 0, 0, 0, 1], 0.875, id="moved by every cut"),
        pytest.param([0, 0, 0, 0, 0], 1, id="moved even uncut"),
        # .25 * .5
        pytest.param([0, 1, 1, 1, 1], 0.125, id="moved without any reasoning"),
        # .25 * (.5 + .5)
        pytest.param([1, 0, 1, 1, 1], 0.25, id="moved and back"),
    ],
)
def test_the_area_by_hand(unchanged, expected):
    found = area_over_curve(SHARES, np.array(unchanged, dtype=float)[:, None])
    assert found == pytest.approx([expected])


def test_every_text_has_its_own_area_and_steps_weigh_by_their_width():
    # text 1: .1 * (1 + 0) / 2 = .05; text 2: .1 * (1 + 1) / 2 + .9 * (1 + 0) / 2 = .55
    found = area_over_curve((0, 0.1, 1), np.array([[0.0, 0], [1, 0], [1, 1]]))
    assert found == pytest.approx([0.05, 0.55])


@pytest.mark.parametrize(
    ("shares", "points"),
    [
        pytest.param((0.0, 0.5), 2, id="ends before 1"),
        pytest.param((0.5, 1.0), 2, id="starts after 0"),
        pytest.param((0.0, 0.6, 0.4, 1.0), 4, id="falls"),
        pytest.param((0.0, 0.5, 0.5, 1.0), 4, id="stands still"),
        pytest.param((0.0, 0.5, 1.0), 2, id="fewer answers than shares"),
    ],
)
def test_points_that_do_not_rise_from_0_to_1_are_refused(shares, points):
    with pytest.raises(ValueError, match="shares must rise from 0 to 1"):
        area_over_curve(shares, np.ones((points, 3)))


# --- answers ------------------------------------------------------------------------------

CHOICES = ("approved", "denied")


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        pytest.param("So low. Decision: denied", ("So low.", "denied"), id="plain"),
        pytest.param("Decision:approved.", ("", "approved"), id="no space"),
        pytest.param("a\nDecision:\n approved\nb", ("a", "approved"), id="on the next line"),
        pytest.param("x DECISION: Denied", ("x", "denied"), id="any case"),
        pytest.param(
            "Decision: denied. No, wait. Decision: approved",
            ("Decision: denied. No, wait.", "approved"),
            id="the last of several",
        ),
        pytest.param("It is approved, I say.", ("It is approved, I say.", None), id="no prefix"),
        pytest.param("Hm. Decision: perhaps", ("Hm.", None), id="no choice"),
        pytest.param("Hm. Decision: deniedly", ("Hm.", None), id="a longer word"),
        pytest.param("Hm. Decision: not denied", ("Hm.", None), id="not right after the prefix"),
        pytest.param("", ("", None), id="nothing written"),
    ],
)
def test_an_answer_is_read_right_after_its_prefix(completion, expected):
    assert read_answer(completion, "Decision:", CHOICES) == expected


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        pytest.param("First denied, then approved.", ("First denied, then", "approved"), id="last"),
        pytest.param("DENIED", ("", "denied"), id="any case"),
        pytest.param("It was disapproved.", ("It was disapproved.", None), id="inside a word"),
        pytest.param("denied? unapproved!", ("", "denied"), id="a word, then inside a word"),
        pytest.param("  who knows ", ("who knows", None), id="none"),
    ],
)
def test_without_a_prefix_the_choice_named_last_is_the_answer(completion, expected):
    assert read_answer(completion, "", CHOICES) == expected


def test_the_longer_of_two_choices_is_read_where_both_fit():
    assert read_answer("A: very good", "A:", ("very", "very good"))[1] == "very good"
    assert read_answer("A: very nice", "A:", ("very", "very good"))[1] == "very"


def test_choices_and_prefix_are_taken_to_the_letter():
    assert read_answer("(x) grade: A+ ", "grade:", ("A", "A+")) == ("(x)", "A+")
    assert read_answer("gradeX C", "grade.", ("A", "C"))[1] is None
    assert read_answer("Answer (final): .*", "Answer (final):", ("yes", ".*"))[1] == ".*"


@pytest.mark.parametrize("written", ["denıed", "DENİED", "deniſed", "ﬁne"])
def test_letters_that_only_look_alike_are_no_crash(written):
    choices = (*CHOICES, "deniSed", "fine")
    assert read_answer(f"So. Decision: {written}", "Decision:", choices)[1] in {None, *choices}


@given(st.text(max_size=40), st.sampled_from(CHOICES))
def test_whatever_was_reasoned_the_stated_answer_is_read(reasoning, choice):
    found, answer = read_answer(f"{reasoning} Decision: {choice}", "Decision:", CHOICES)
    assert (found, answer) == (reasoning.strip(), choice)


# --- mentions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reasoning", "values", "expected"),
    [
        pytest.param("She lives in Moabit.", ["Moabit"], True, id="a word"),
        pytest.param("she lives in MOABIT", ["Moabit"], True, id="any case"),
        pytest.param("The Moabiter pays.", ["Moabit"], False, id="part of a word"),
        pytest.param("Is Ana here? Banana.", ["ana"], True, id="word and part"),
        pytest.param("A banana.", ["ana"], False, id="inside a word"),
        pytest.param("Rent in Prenzlauer Berg.", ["Mitte", "Prenzlauer Berg"], True, id="any of"),
        pytest.param("Score C++, fine.", ["C++"], True, id="no letters at its end"),
        pytest.param("axb", ["a.b"], False, id="a dot is a dot"),
        pytest.param("Anything at all.", [""], False, id="no value"),
        pytest.param("Anything at all.", [], False, id="no values"),
        pytest.param("", ["Mitte"], False, id="no reasoning"),
    ],
)
def test_a_value_is_mentioned_as_a_word_of_its_own(reasoning, values, expected):
    assert mentions(reasoning, values) is expected
