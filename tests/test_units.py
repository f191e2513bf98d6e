"""Units of a text: every character of it belongs where a reader would say it does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.checks.preflight import prepare
from tasks.data.dataset import load_dataset
from tasks.data.text_units import Unit, token_units, units_of, words_of
from tasks.definition import DataSpec
from tasks.errors import DataError, SpecError

TEXT = "Lives in North Hill, owes 500, earns 500."
PLACES = {"place": [(9, 19)], "debt": [(26, 29)], "income": [(37, 40)]}


def shown(units):
    return [[TEXT[a:b] for a, b in unit.spans] for unit in units]


def test_words_keep_their_field():
    units = units_of("words", TEXT, PLACES)
    assert [u.words(TEXT) for u in units][2:5] == ["North", "Hill", ","]
    assert [u.field for u in units][2:5] == ["place", "place", None]


def test_a_field_is_one_unit_and_equal_values_stay_apart():
    units = units_of("fields", TEXT, PLACES)
    alone = ["Lives", "in", "North Hill", ",", "owes", "500", ",", "earns", "500", "."]
    assert shown(units) == [[word] for word in alone]
    assert [u.field for u in units if u.field] == ["place", "debt", "income"]


def test_a_field_that_stands_twice_is_still_one_unit():
    units = units_of("fields", "Bo and Bo", {"name": [(0, 2), (7, 9)]})
    assert units == [Unit(((0, 2), (7, 9)), "name"), Unit(((3, 6),))]


def test_tokens_are_units_of_their_own():
    units = units_of("tokens", "lousy", {}, [(0, 3), (3, 5)])
    assert [u.spans for u in units] == [((0, 3),), ((3, 5),)]


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        pytest.param([(0, 3), (3, 5), (6, 9)], [0, 0, 1], id="word pieces"),
        pytest.param([(0, 5), (5, 6), (6, 9)], [0, 0, 1], id="a space goes with what is before it"),
        pytest.param([(0, 5), (5, 9)], [0, 1], id="a token that begins with a space"),
        pytest.param([(5, 6), (6, 9)], [-1, 1], id="nothing is before it"),
    ],
)
def test_a_token_belongs_to_the_unit_of_its_first_visible_character(offsets, expected):
    text = "lousy day"
    assert token_units(units_of("words", text, {}), offsets, len(text)) == expected


@given(st.text(max_size=60))
def test_no_visible_character_belongs_to_two_words_or_to_none(text):
    owned = [i for a, b in words_of(text) for i in range(a, b)]
    assert len(owned) == len(set(owned))
    assert {i for i, c in enumerate(text) if c.isalnum() or c == "_"} <= set(owned)


def dataset(folder, text, **spec):
    path = folder / "data.jsonl"
    path.write_text("\n".join(json.dumps({"text": t, "why": w}) for t, w in text))
    return load_dataset(DataSpec(path="data.jsonl", **spec).model_dump_json(), folder, 0)


FORM = "Lives in {place}, owes {debt}, earns {income}."


@pytest.mark.parametrize(
    "named",
    [
        pytest.param({"template": FORM}, id="template"),
        pytest.param(
            {"pattern": r"in (?P<place>[\w ]+), owes (?P<debt>\d+), earns (?P<income>\d+)"},
            id="pattern",
        ),
    ],
)
def test_fields_are_named_by_the_form_of_the_text(tmp_path, named):
    rows = dataset(tmp_path, [(TEXT, "[]"), ("Something else.", "[]")], **named).rows
    assert rows[0].places == PLACES
    assert rows[0].fields == {"place": "North Hill", "debt": "500", "income": "500"}
    assert rows[1].fields == {}


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        pytest.param("[[0, 99]]", "lies outside its text of 41 characters", id="beyond the text"),
        pytest.param("the first", "not a JSON list", id="words"),
        pytest.param("[[5, 2]]", "lies outside", id="backwards"),
    ],
)
def test_a_rationale_that_is_none_is_said_in_one_line(tmp_path, cell, problem):
    with pytest.raises(DataError, match=problem) as error:
        dataset(tmp_path, [(TEXT, cell)], rationale="why")
    assert "\n" not in str(error.value)


def test_a_rationale_is_read(tmp_path):
    rows = dataset(tmp_path, [(TEXT, "[[0, 5], [9, 19]]"), ("b", "")], rationale="why").rows
    assert rows[0].rationale == ((0, 5), (9, 19))
    assert rows[1].rationale is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param({"template": "x {a}", "pattern": "(?P<a>x)"}, "not both", id="two forms"),
        pytest.param({"pattern": "(x)"}, "names no field", id="no name"),
        pytest.param({"pattern": "("}, "not a regular expression", id="no expression"),
        pytest.param({"template": "x {a} {a}"}, "not a regular expression", id="a name twice"),
        pytest.param({"template": "{place}", "fields": ["place"]}, "more than once", id="again"),
        pytest.param({"pattern": "(?P<b>zzz)"}, "no text has the form", id="found nowhere"),
    ],
)
def test_a_wrong_form_is_said_before_anything_runs(tmp_path, data, problem):
    from tests.support.small import write_small_audit

    given_ = {"path": "data.csv", "id": "id", "label": "label", "favourable": "yes"}
    definition = write_small_audit(
        tmp_path, data=given_ | data, checks=[{"kind": "performance"}], gates=[]
    )
    with pytest.raises((SpecError, DataError), match=problem):
        prepare(definition)


def test_words_keep_their_apostrophes_numbers_and_marks():
    text = "Mr O'Neil earns 3,200 euros."
    words = [text[a:b] for a, b in words_of(text)]
    assert words == ["Mr", "O'Neil", "earns", "3,200", "euros", "."]
    offsets = [(0, 2), (2, 5), (5, 9), (9, 15), (15, 19), (19, 21), (21, 27), (27, 28)]
    assert token_units(units_of("words", text, {}), offsets, len(text)) == [0, 1, 1, 2, 3, 3, 4, 5]


@pytest.mark.parametrize(
    ("attribution", "problem"),
    [
        pytest.param({"target": {"label": "maybe"}}, "'maybe' is no class", id="no such class"),
        pytest.param({"target": {"label": "yes", "against": "nay"}}, "'nay'", id="against nothing"),
        pytest.param({"target": {"answer": "yes"}}, "does not write", id="no answers"),
        pytest.param({"target": {"against": "yes"}}, "against needs", id="against, but what"),
        pytest.param({"target": {"label": "yes", "answer": "no"}}, "not both", id="two targets"),
        pytest.param({"methods": ["lime", "lime"]}, "more than once", id="a method twice"),
        pytest.param({"methods": ["magic"]}, "integrated-gradients", id="no such method"),
        pytest.param({"methods": []}, "at least 1", id="no method"),
        pytest.param({"units": "letters"}, "'tokens', 'words' or 'fields'", id="no such units"),
    ],
)
def test_a_wrong_attribution_check_is_said_before_anything_runs(tmp_path, attribution, problem):
    from tests.support.small import write_small_audit

    checks = [{"kind": "attribution", **attribution}]
    definition = write_small_audit(tmp_path, checks=checks, gates=[])
    with pytest.raises(SpecError, match=problem) as error:
        prepare(definition)
    assert "\n" not in str(error.value)


def test_a_method_whose_package_is_missing_is_said_before_anything_runs(tmp_path, monkeypatch):
    from tests.support.small import write_small_audit

    monkeypatch.setattr("tasks.checks.attribution.preflight.find_spec", lambda name: None)
    checks = [{"kind": "attribution", "methods": ["partition"]}]
    with pytest.raises(SpecError, match=r"pip install assay-audit\[shap\]"):
        prepare(write_small_audit(tmp_path, checks=checks, gates=[]))
