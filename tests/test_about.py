"""What a number is about: one field for one meaning, and the words that a reader sees."""

from itertools import product

import pytest
from pydantic import ValidationError

from tasks.definition import Gate
from tasks.definition.subset import Subset
from tasks.judge.gates import NARROWED_BY
from tasks.schema import About

PARTS = {
    "decided": (None, "denied"),
    "favourable": (None, True, False),
    "as_labelled": (None, True, False),
    "origin": (None, "migrant"),
}


def every_subset():
    for decided, favourable, as_labelled, group in product(*PARTS.values()):
        of_group = {} if group is None else {"attribute": "origin", "group": group}
        yield Subset(decided=decided, favourable=favourable, as_labelled=as_labelled, **of_group)


@pytest.mark.parametrize("subset", list(every_subset()), ids=lambda s: s.words() or "all texts")
def test_a_subset_is_written_as_it_reads(subset):
    assert Subset.written(subset.words()) == subset
    assert Subset.model_validate_json(subset.model_dump_json()) == subset


@pytest.mark.parametrize(
    ("subset", "words"),
    [
        (Subset(), ""),
        (Subset(decided="denied"), "denied"),
        (Subset(favourable=True), "favourable"),
        (Subset(favourable=False), "unfavourable"),
        (Subset(as_labelled=True), "decided as labelled"),
        (Subset(as_labelled=False), "errors"),
        (Subset(attribute="origin", group="migrant"), "origin=migrant"),
        (
            Subset(decided="denied", as_labelled=False, attribute="origin", group="migrant"),
            "denied, errors, origin=migrant",
        ),
    ],
)
def test_the_words_of_a_subset(subset, words):
    assert subset.words() == words


@pytest.mark.parametrize("text", ["all", "", "  "])
def test_all_texts_are_a_subset_without_parts(text):
    assert Subset.written(text) == Subset()


def gate(**asked):
    return Gate(check="attribution", measure="field_share", at_most=0.2, **asked)


def test_a_gate_takes_a_subset_in_short_or_as_a_mapping():
    short, mapping = gate(subset="denied, origin=migrant"), {"decided": "denied"}
    mapping |= {"attribute": "origin", "group": "migrant"}
    assert short == gate(subset=mapping)
    assert Gate.model_validate_json(short.model_dump_json()) == short


def test_a_class_with_a_comma_needs_the_mapping():
    with pytest.raises(ValidationError, match="names two of a kind; a name that holds a comma"):
        gate(subset="denied, for now")
    named = gate(subset={"decided": "denied, for now"})
    assert named.subset == Subset(decided="denied, for now")
    assert named.subset.words() == "denied, for now"


def test_a_class_of_the_name_of_a_word_needs_the_mapping():
    assert gate(subset="errors").subset == Subset(as_labelled=False)
    assert gate(subset={"decided": "errors"}).subset == Subset(decided="errors")


@pytest.mark.parametrize("parts", [{"group": "migrant"}, {"attribute": "origin"}])
def test_a_group_has_its_attribute(parts):
    with pytest.raises(ValidationError, match="attribute and group belong together"):
        Subset(**parts)


def test_the_schema_of_a_gate_shows_both_ways_to_write_a_subset():
    written = Gate.model_json_schema()["properties"]["subset"]["anyOf"]
    assert {"type": "string"} in written
    assert {"$ref": "#/$defs/Subset"} in written


WORDS = {
    "attribute": ("origin", "origin"),
    "label": ("denied", "denied"),
    "layer": (2, "layer 2"),
    "layers": ((0, 1, 2), "layers 0 to 2 together"),
    "field": ("district", "field district"),
    "subset": (Subset(as_labelled=False), "errors"),
    "share": (0.25, "25 % kept"),
    "method": ("shapley", "shapley"),
    "baseline": ("random order", "against random order"),
    "other": ("lime", "against lime"),
    "test": ("truncation", "truncation"),
    "cue": ("authority", "cue authority"),
    "condition": ("hint", "condition hint"),
    "instrument": ("change of the answer", "change of the answer"),
    "classifier": ("words of the cue", "by words of the cue"),
    "operator": ("delete", "units taken out by: delete"),
    "word": ("rent", "word 'rent'"),
    "position": ("head", "at head"),
    "part": ("mlp", "mlp"),
    "alpha": (-0.5, "alpha -0.5"),
    "lever": ("erase at layer 2", "erase at layer 2"),
    "erased": ("shuffled groups", "shuffled groups erased instead"),
}
OF_GROUPS = {"group", "reference"}
"""They are said with their attribute."""


@pytest.mark.parametrize("field", WORDS)
def test_the_words_of_every_field(field):
    value, words = WORDS[field]
    about = About(**{field: value})
    assert about.words().replace("\N{MINUS SIGN}", "-") == words
    assert About.model_validate_json(about.model_dump_json()) == about


def test_every_field_has_words():
    assert WORDS.keys() | OF_GROUPS == About.model_fields.keys()


def test_a_group_is_said_with_its_attribute_and_reference():
    about = About(attribute="origin", group="migrant", reference="native")
    assert about.words() == "origin: migrant against native"
    assert about.model_copy(update={"reference": None}).words() == "origin: migrant"
    assert About().words() == ""


def test_several_parts_stand_in_one_line():
    about = About(method="shapley", baseline="random order", subset=Subset(decided="denied"))
    assert about.words() == "shapley, against random order, denied"


def test_what_a_gate_narrows_by_is_what_measurements_are_about():
    assert set(NARROWED_BY) == {
        "attribute", "group", "field", "subset", "method", "test", "cue", "condition",
    }  # fmt: skip
