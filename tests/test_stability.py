"""Neutral edits by example and by property; the rank correlation over the words that stayed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.data import text_units
from tasks.measures.attribution.stability import COPULAS, NEGATIONS, WORD, neutral_edits, stability


def words(text):
    return [match.group() for match in WORD.finditer(text)]


def texts(text, pairs=()):
    return [edit.text for edit in neutral_edits(text, pairs)]


def test_words_are_those_that_texts_are_cut_into():
    assert WORD.pattern == text_units.WORD.pattern


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("I don't like it.", "I do not like it."),
        ("I do not like it.", "I don't like it."),
        ("It's a mess!", "It is a mess!"),
        ("It is a mess!", "It's a mess!"),
        ("I'm very sad!", "I am very sad!"),
        ("He won't go, she can’t.", "He will not go, she cannot."),
        ("IT IS A MESS!", "IT'S A MESS!"),
        ("Do  not go!", "Don't go!"),
        ("A good film", "A good film."),
        ("A good film.", "A good film"),
        ("A good film. \n", "A good film \n"),
    ],
)
def test_edits_by_example(text, edited):
    assert edited in texts(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("Don't you think?", id="question"),
        pytest.param("Isn't it great!", id="inverted"),
        pytest.param("Why don't people like it?", id="question with a noun"),
        pytest.param("I know what it is!", id="no short form at the end"),
        pytest.param("The film's end!", id="possession"),
        pytest.param("It's been long!", id="has"),
        pytest.param("Very long...", id="an ellipsis is no full stop"),
        pytest.param("The do-not list!", id="compound"),
    ],
)
def test_what_an_edit_could_break_is_left_alone(text):
    assert texts(text) == []


def test_an_edit_is_made_everywhere_and_every_rule_gives_its_own():
    assert texts("I don't know. It's a film, it is not a book.") == [
        "I do not know. It is a film, it is not a book.",
        "I don't know. It's a film, it isn't a book.",
        "I don't know. It's a film, it is not a book",
    ]


def test_pairs_come_first_work_both_ways_and_keep_case():
    pairs = [("movie", "film"), ("USA", "America")]
    assert texts("Movie, film, FILM, films!", pairs) == ["Film, movie, MOVIE, films!"]
    assert texts("The movies of America!", pairs) == ["The movies of USA!"]


def test_of_several_pairs_with_one_word_the_first_counts():
    assert texts("movie!", [("movie", "film"), ("movie", "picture")]) == ["film!"]


def test_only_the_words_that_stayed_are_aligned():
    edit = neutral_edits("I don't like movies.")[0]
    assert words(edit.text) == ["I", "do", "not", "like", "movies", "."]
    assert edit.alignment == ((0, 0), (2, 3), (3, 4), (4, 5))


def test_a_full_stop_is_in_no_pair():
    added, taken = neutral_edits("a film")[-1], neutral_edits("a film.")[-1]
    assert added.alignment == taken.alignment == ((0, 0), (1, 1))


PHRASES = st.sampled_from(
    [
        *NEGATIONS,
        *NEGATIONS.values(),
        *COPULAS,
        *COPULAS.values(),
        "a",
        "the",
        "Movie",
        "FILM",
        ".",
        "?",
        ",",
        "’",
        "-",
        "x1",
        "\n",
    ]
)


@given(
    parts=st.lists(PHRASES | st.text(max_size=4), max_size=12),
    glue=st.sampled_from([" ", "", "  "]),
    pairs=st.lists(
        st.tuples(st.sampled_from(["film", "a b", "x"]), st.text(max_size=4)), max_size=2
    ),
)
def test_aligned_words_are_the_same_words_in_the_same_order(parts, glue, pairs):
    text = glue.join(parts)
    for edit in neutral_edits(text, pairs):
        assert edit.text != text
        before, after = words(text), words(edit.text)
        assert all(before[i] == after[j] for i, j in edit.alignment)
        for side in zip(*edit.alignment, strict=True):
            assert list(side) == sorted(set(side))


def test_stability_is_the_rank_correlation_of_the_words_in_common():
    before, after = [1.0, 9.0, 2.0, 3.0], [1.0, 0.0, 0.0, 20.0, 30.0]
    alignment = ((0, 0), (2, 3), (3, 4))
    assert stability(before, after, alignment) == pytest.approx(1)
    assert stability(before, [-v for v in after], alignment) == pytest.approx(-1)


def test_fewer_than_three_words_or_a_constant_have_no_stability():
    assert math.isnan(stability([1, 2, 3], [1, 2, 3], ((0, 0), (1, 1))))
    assert math.isnan(stability([1, 1, 1], [1, 2, 3], ((0, 0), (1, 1), (2, 2))))


def test_an_alignment_of_another_text_is_refused():
    with pytest.raises(IndexError):
        stability([1, 2, 3], [1, 2, 3], ((0, 0), (1, 1), (2, 7)))
