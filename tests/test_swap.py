"""One field exchanged: to the letter, with a value of another group, and always the same one."""

import pytest

from tasks.data.dataset import Row
from tasks.data.field_swap import Exchanged, exchange, replaced
from tasks.data.text_units import occurrences
from tasks.definition.checks.swap import Swap
from tasks.errors import DataError
from tasks.measures.stats.intervals import wilson

SWAP = Swap(column="district", across="origin")


def row(text, district, origin):
    return Row(
        id=text,
        text=text,
        label=None,
        groups={"origin": origin},
        fields={"district": district},
        columns={},
    )


ROWS = [
    row("Lives in Moabit, Moabit.", "Moabit", "migrant"),
    row("Lives in Wedding.", "Wedding", "migrant"),
    row("Lives in Dahlem.", "Dahlem", "native"),
    row("Lives in Grunewald.", "Grunewald", "native"),
]


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        pytest.param("a cat, a cat", "cat", [(2, 5), (9, 12)], id="twice"),
        pytest.param("concat cats", "cat", [], id="inside words"),
        pytest.param("Cat", "cat", [], id="another case"),
        pytest.param("earns 10.5 and 1045", "10.5", [(6, 10)], id="a dot is a dot"),
        pytest.param("earns 100", "10", [], id="inside a number"),
        pytest.param("in C++ (C++)", "C++", [(3, 6), (8, 11)], id="no letters at its end"),
        pytest.param("in Köln.", "Köln", [(3, 7)], id="umlauts"),
        pytest.param("a  b", " ", [], id="a blank is no value"),
        pytest.param("ab", "", [], id="no value"),
    ],
)
def test_a_value_stands_in_a_text_as_words_of_its_own(text, value, expected):
    assert occurrences(text, value) == expected


@pytest.mark.parametrize(
    ("text", "value", "new", "expected"),
    [
        pytest.param("x, x; xx (x)", "x", "long", "long, long; xx (long)", id="longer"),
        pytest.param("a long, long way", "long", "x", "a x, x way", id="shorter"),
        pytest.param("in A, B", "A", "A A", "in A A, B", id="holds the old value"),
        pytest.param("in A", "A", r"\1\g<0>", r"in \1\g<0>", id="taken to the letter"),
        pytest.param(" tabs\tand  blanks ", "and", "or", " tabs\tor  blanks ", id="white space"),
        pytest.param("none here", "A", "B", "none here", id="nothing to replace"),
    ],
)
def test_everything_else_stays_to_the_letter(text, value, new, expected):
    assert replaced(text, occurrences(text, value), new) == expected


def test_every_row_gets_a_value_of_another_group():
    found = exchange(ROWS, SWAP, seed=0)
    assert [e.position for e in found] == [0, 1, 2, 3]
    for given, new in zip(ROWS, found, strict=True):
        others = {r.fields["district"] for r in ROWS if r.groups != given.groups}
        assert new.exchanged in others
        assert new.original == given.fields["district"]
        assert new.text == given.text.replace(new.original, new.exchanged)


def test_with_one_other_value_there_is_one_answer():
    assert exchange(ROWS[:3], SWAP, seed=5) == [
        Exchanged(0, "Lives in Dahlem, Dahlem.", "Moabit", "Dahlem", "native"),
        Exchanged(1, "Lives in Dahlem.", "Wedding", "Dahlem", "native"),
        *exchange(ROWS[:3], SWAP, seed=5)[2:],
    ]


def test_the_seed_decides_and_nothing_else():
    many = ROWS * 10
    assert exchange(many, SWAP, seed=1) == exchange(many, SWAP, seed=1)
    assert exchange(many, SWAP, seed=1) != exchange(many, SWAP, seed=2)


def test_values_are_given_as_often_as_they_stand_in_the_other_groups():
    donors = [row(f"{i} X", "X", "native") for i in range(3)] + [row("Y", "Y", "native")]
    takers = [row(f"{i} M", "M", "migrant") for i in range(400)]
    found = [e.exchanged for e in exchange(donors + takers, SWAP, seed=0)[4:]]
    _, low, high = wilson(found.count("X"), 400, level=0.999)  # three of four
    assert low < 0.75 < high


def test_a_value_that_both_groups_have_is_not_exchanged_for_itself():
    rows = [row("in X", "X", "a"), row("in X", "X", "b"), row("in Y", "Y", "b")]
    assert exchange(rows, SWAP, seed=0)[0] == Exchanged(0, "in Y", "X", "Y", "b")


def test_rows_without_their_value_or_group_are_left_out():
    rows = [
        row("says nothing of it", "Moabit", "migrant"),
        row("no value", "", "migrant"),
        row("no group: Mitte", "Mitte", ""),
        *ROWS,
    ]
    found = exchange(rows, SWAP, seed=0)
    assert [e.position for e in found] == [3, 4, 5, 6]
    # rows without a group are no donors, and an empty value is not given
    given = {e.exchanged for seed in range(20) for e in exchange(rows, SWAP, seed=seed)}
    assert given == {"Moabit", "Wedding", "Dahlem", "Grunewald"}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([row("elsewhere", "A", "a"), row("nowhere", "B", "b")], id="not in the text"),
        pytest.param([row("in X", "X", "a"), row("in X", "X", "b")], id="one value"),
        pytest.param([row("in X", "X", "a"), row("in Y", "Y", "a")], id="one group"),
        pytest.param([], id="no rows"),
    ],
)
def test_a_swap_that_can_exchange_nothing_is_refused(rows):
    with pytest.raises(DataError, match="swap of 'district' across 'origin'"):
        exchange(rows, SWAP, seed=0)
