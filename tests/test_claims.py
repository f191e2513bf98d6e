"""One sentence at a time, held against a few facts written by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.definition import Gate
from tasks.explain.claims import LONGEST_CLAIM, MOST_CLAIMS, Claim, check_claim, check_text
from tasks.explain.facts import Fact, Sheet, WordShare
from tasks.explain.numerals import numbers_in
from tasks.schema import About, Measurement


def m(name, value, low, high, n, **about):
    return Measurement(
        name=name, value=value, low=low, high=high, n=n, about=About(**about), method="by hand"
    )


MIGRANT = m("selection_rate", 0.317, 0.272, 0.364, 401, attribute="origin", group="migrant")
NATIVE = m("selection_rate", 0.702, 0.656, 0.744, 406, attribute="origin", group="native")
RATIO = m(
    "adverse_impact_ratio", 0.452, 0.391, 0.523, 807,
    attribute="origin", group="migrant", reference="native",
)  # fmt: skip
GATE = Gate(check="fairness", measure="adverse_impact_ratio", at_least=0.8)
SHARE = m("field_share", 0.473, 0.41, 0.53, 48, field="district")
EFFECT = m("erasure_effect", 0.21, 0.14, 0.28, 600, attribute="origin", layer=2)
BEFORE = m("gap_before", 0.385, 0.31, 0.45, 600, attribute="origin", layer=2)
AFTER = m("gap_after_erasure", 0.165, 0.1, 0.23, 600, attribute="origin", layer=2)
READABLE = m("selectivity", 0.31, 0.25, 0.37, 600, attribute="origin", layer=2)

FACTS = (
    Fact(
        "ratio", "fairness", "fairness.adverse_impact_ratio", m=RATIO,
        beside={"rate": MIGRANT, "reference": NATIVE}, names={"favourable": "approved"},
        gate=GATE, verdict="fail",
    ),
    Fact("gaps", "probing", "probing.erasure", beside={"before": BEFORE, "after": AFTER}),
    Fact("share", "attribution", "attribution.top_field", m=SHARE),
    Fact("erasure", "probing", "probing.erasure", m=EFFECT, use_of=frozenset({"origin"})),
    Fact("readable", "probing", "probing.readable", m=READABLE),
    Fact("words", "attribution", "case.words", words=(WordShare("Moabit", "district", 0.66),)),
    Fact("age", "case", "case.decision", names={"group0": "40 and over", "code": "1"}),
    Fact("lacking", "gate", "gate.lacking", counts={"more": 1240}),
    Fact("half", "fairness", "x", m=m("selection_rate", 0.5, 0.4, 0.6, 90)),
)  # fmt: skip
SHEET = Sheet("f1", FACTS, "fail", frozenset({"below"}), favourable="approved")
STRADDLING = Sheet("f1", FACTS, "inconclusive", frozenset({"straddles"}), favourable="approved")
PASSING = Sheet("f1", FACTS, "pass", frozenset({"above"}), favourable="approved")
KNOWN = {
    "migrant": "group", "native": "group", "under 40": "group", "40 and over": "group",
    "origin": "attribute", "age_group": "attribute", "district": "field", "income": "field",
    "approved": "class", "Moabit": "value", "Grunewald": "value", "nurse": "value",
    "encoder": "subject", "2": "group",
}  # fmt: skip
SAID = dict.fromkeys(
    (fact.id for fact in FACTS), "as often as at layer 2 the text is also 0.45"
) | {
    "words": "the attribution",
    "share": "47 % of the attribution",
    "age": "the text",
}


def ruling(text, *cites, sheet=SHEET):
    return check_claim(Claim(text, cites), sheet, known=KNOWN, template_texts=SAID)


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        pytest.param("Group migrant is approved 0.45 times as often as group native.", ["ratio"],
                     id="ratio"),
        pytest.param("Group migrant: 31.7 %, group native: 70 %.", ["ratio"], id="percent"),
        pytest.param("The share is 0.32 in group migrant.", ["ratio"], id="share as decimal"),
        pytest.param("The ratio is 0.45 (95 % interval 0.39 to 0.52, n 807).", ["ratio"],
                     id="interval and n"),
        pytest.param("The ratio 0.452 is below the line of 0.80.", ["ratio"], id="line"),
        pytest.param("The finding fails with 0.45.", ["ratio"], id="verdict"),
        pytest.param("47 percent of the attribution falls on district.", ["share"], id="per word"),
        pytest.param("Half of the texts are approved.", ["half"], id="half that is half"),
        pytest.param("1,240 more texts would decide it.", ["lacking"], id="more texts"),
        pytest.param("The text belongs to group 40 and over.", ["age"], id="digits in a group"),
        pytest.param('The attribution weighs 66 % on "Moabit".', ["words"], id="quoted word"),
        pytest.param("Erasing origin at layer 2 takes 0.21; the decision uses origin.", ["erasure"],
                     id="use that was shown"),
        pytest.param("Group migrant receives 32 %, less than group native with 70 %.", ["ratio"],
                     id="direction"),
    ],
)  # fmt: skip
def test_a_supported_claim_stands(text, cites):
    assert ruling(text, *cites) == (True, "")


REJECTED = [
    # numbers
    ("number not there", "The ratio is 0.44.", ["ratio"], "'0.44'"),
    ("number of a fact not cited", "The ratio is 0.45.", ["half"], "'0.45'"),
    ("percent", "The share is 33 % in group migrant.", ["ratio"], "'33'"),
    ("fraction", "The share is 1/2 in group migrant.", ["ratio"], "'1/2'"),
    ("half", "Half of the texts of group migrant are approved.", ["ratio"], "'Half'"),
    ("two-thirds", "In group native two-thirds are approved.", ["ratio"], "'two-thirds'"),
    ("a third", "In group migrant a third are approved.", ["ratio"], "'third'"),
    ("twice", "Group native is approved twice as often.", ["ratio"], "'twice'"),
    ("dozen", "A dozen texts.", ["ratio"], "'dozen'"),
    ("tripled", "The share tripled.", ["ratio"], "'tripled'"),
    ("forty-five", "The share is forty-five.", ["ratio"], "'forty-five'"),
    ("one in three", "In group migrant one in three is approved.", ["ratio"], "'one'"),
    ("comma decimals", "The ratio is 0,45.", ["ratio"], "'0,45'"),
    ("exponent", "The ratio is 4.52e-1.", ["ratio"], "'4.52e-1'"),
    ("full width", "The ratio is ０.45.", ["ratio"], "character"),
    ("vulgar fraction", "The share is ½.", ["ratio"], "character"),
    ("over-rounded", "The share is 0.5 in group native.", ["ratio"], "'0.5'"),
    ("interval end as value", "The ratio is 0.39.", ["ratio"], "'0.39'"),
    ("half an interval", "The 95 % interval is 0.39 to 0.45.", ["ratio"], "'0.39'"),
    ("level as a share", "In group migrant 95 % are approved.", ["ratio"], "'95'"),
    ("line as a value", "The ratio is 0.80.", ["ratio"], "'0.80'"),
    ("n as a multiple", "The share is 807 times as often.", ["ratio"], "'807'"),
    ("sign", "The ratio is -0.45.", ["ratio"], "'-0.45'"),
    ("layer not there", "Erasing origin at layer 3 takes 0.21.", ["erasure"], "'3'"),
    ("layer as a count", "Erasing origin takes 0.21 in 2 texts.", ["erasure"], "'2'"),
    ("more texts as n", "The interval has n 1240.", ["lacking"], "'1240'"),
    ("no number at all", "The share in group migrant differs.", ["ratio"], "none of the numbers"),
    # names
    ("unknown name", "Origin Kreuzberg has 0.45.", ["ratio"], "'Kreuzberg'"),
    ("known, not cited", "In group migrant 47 % falls on district.", ["share"], "'migrant'"),
    ("known value", "The nurse has 0.45.", ["ratio"], "'nurse'"),
    ("value of the report", "In Moabit the share is 0.45.", ["ratio"], "'Moabit'"),
    ("group with digits", "In group under 40 the share is 0.45.", ["ratio"], "'under 40'"),
    ("group that is a number", "In group 2 the share is 0.45.", ["ratio"], "'2'"),
    ("invented quote", 'The word "Wedding" has 66 %.', ["words"], "quotes"),
    ("single quotes", "The word 'lives' has 66 %.", ["words"], "quotes"),
    # causes
    ("uses, only readable", "The decision uses origin, 0.31.", ["readable"], "'uses'"),
    ("because of", "Denied because of origin, 0.45.", ["ratio"], "'because'"),
    ("relies on", "It relies on district by 47 %.", ["share"], "'relies'"),
    ("driven by", "The gap of 0.45 is driven by origin.", ["ratio"], "'driven'"),
    ("rests on", "The decision rests on district, 47 %.", ["share"], "'rests on'"),
    ("use of something else", "It uses district, 0.21.", ["erasure", "share"], "whose use"),
    # verdicts and lines
    ("passes", "The finding passes with 0.45.", ["ratio"], "'passes'"),
    ("inconclusive", "With 0.45 the finding is inconclusive.", ["ratio"], "'inconclusive'"),
    ("above", "The ratio 0.45 is above the line of 0.80.", ["ratio"], "above the line"),
    ("includes", "The interval includes the line of 0.80.", ["ratio"], "includes the line"),
    # directions
    ("reverse", "Group migrant has 32 %, more than group native with 70 %.", ["ratio"], "reverse"),
    ("reverse refusal", "Group migrant with 32 % is denied less often than group native.",
     ["ratio"], "reverse"),
    ("reversed ratio", "Group native is approved 0.45 times as often as group migrant.",
     ["ratio"], "the other way round"),
    ("after as before", "Erasing takes the gap from 0.17 to 0.39.", ["gaps"], "as before"),
    ("before, told after", "The gap is 0.17 before the erasure.", ["gaps"], "as before"),
    ("part of something else", "47 % of the texts fall on district.", ["share"], "of the texts"),
    ("swapped numbers", "Group migrant: 70 %, group native: 32 %.", ["ratio"], "to another"),
    # words
    ("faithful", "The faithful attribution has 47 %.", ["share"], "faithful"),
    ("deception", "It is deceptive with 0.45.", ["ratio"], "decept"),
    ("discriminates", "It discriminates by 0.45.", ["ratio"], "discriminat"),
    ("significant", "The ratio 0.45 is significant.", ["ratio"], "significant"),
    ("praise", "The model is certified with 0.45.", ["ratio"], "certified"),
    ("ordinary word", "The ratio is a catastrophic 0.45.", ["ratio"], "catastrophic"),
    ("majority", "A majority has 0.45.", ["ratio"], "majority"),
    ("absolute", "All texts have 0.45.", ["ratio"], "'all'"),
    ("negation", "The ratio is not 0.45.", ["ratio"], "'not'"),
    ("other language", "Die Quote ist 0.45.", ["ratio"], "'Die'"),
    ("topic", "The attribution has 0.45.", ["ratio"], "without a fact"),
    # form
    ("link", "See https://example.com for 0.45.", ["ratio"], "markup"),
    ("bare domain", "See example.com for 0.45.", ["ratio"], "markup"),
    ("markdown", "The ratio is **0.45**.", ["ratio"], "markup"),
    ("html", "The ratio is <b>0.45</b>.", ["ratio"], "markup"),
    ("zero width", "The ratio is\u200b 0.45.", ["ratio"], "character"),
    ("private alphabet", "The ratio is \ue000 0.45.", ["ratio"], "private"),
    ("too long", "The ratio " * 100, ["ratio"], f"more than {LONGEST_CLAIM}"),
    ("empty", "  ", ["ratio"], "empty"),
    ("no citation", "The ratio is 0.45.", [], "cites no fact"),
    ("unknown citation", "The ratio is 0.45.", ["ratio", "f9"], "'f9'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "cites", "why"), [pytest.param(*rest, id=name) for name, *rest in REJECTED]
)
def test_an_unsupported_claim_is_rejected(text, cites, why):
    ok, said = ruling(text, *cites)
    assert not ok
    assert why in said


@pytest.mark.parametrize(
    ("text", "sheet", "ok"),
    [
        pytest.param("The ratio 0.45 is below the line.", STRADDLING, False, id="straddling"),
        pytest.param("The finding is inconclusive at 0.45.", STRADDLING, True, id="undecided"),
        pytest.param("The interval includes the line of 0.80.", STRADDLING, True, id="includes"),
        pytest.param("The finding passes with 0.45.", PASSING, True, id="passes"),
        pytest.param("The finding fails with 0.45.", PASSING, False, id="fails a pass"),
    ],
)
def test_verdict_words_agree_with_the_verdict(text, sheet, ok):
    assert ruling(text, "ratio", sheet=sheet).ok is ok


def test_every_sentence_of_a_claim_is_checked():
    claims = [Claim("The ratio is 0.45. The ratio is 0.99.", ("ratio",))]
    rulings = check_text(claims, SHEET, known=KNOWN, template_texts=SAID)
    assert [r.ok for r in rulings] == [True, False]


def test_a_text_of_too_many_sentences_is_rejected():
    claims = [Claim("The ratio is 0.45.", ("ratio",))] * (MOST_CLAIMS + 1)
    assert not any(r.ok for r in check_text(claims, SHEET, known=KNOWN, template_texts=SAID))


QUANTITIES = list(FACTS[0].quantities())


def supported(value):
    """Whether a number of four decimals is, rounded, one of the cited fact's values."""
    return any(math.isclose(value, q.value, abs_tol=0.00006) for q in QUANTITIES)


@given(st.integers(0, 99_999).map(lambda i: i / 10_000).filter(lambda v: not supported(v)))
def test_any_number_that_is_not_in_the_facts_is_rejected(value):
    assert not ruling(f"The ratio is {value:.4f}.", "ratio").ok


@given(st.integers(0, 10**7).filter(lambda i: i not in (401, 406, 807)))
def test_any_count_that_is_not_in_the_facts_is_rejected(count):
    assert not ruling(f"The share is over {count} texts.", "ratio").ok
    assert not ruling(f"The share is over {count:,} texts.", "ratio").ok


@given(st.decimals(0, 100, places=1).filter(lambda d: str(d) not in ("31.7", "70.2")))
def test_any_percentage_that_is_not_in_the_facts_is_rejected(percent):
    assert not ruling(f"In group migrant it is {percent} %.", "ratio").ok


@given(st.text(min_size=1, max_size=80))
def test_the_checker_answers_whatever_it_is_given(text):
    ruling(text, "ratio")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("two hundred and three texts", [200, 3], id="hundreds"),
        pytest.param("twenty-three", [23], id="hyphen"),
        pytest.param("two-thirds", [2 / 3], id="thirds"),
        pytest.param("a quarter", [0.25], id="quarter"),
        pytest.param("doubled", [2], id="doubled"),
        pytest.param("the final one, no one, one of them", [], id="pronoun"),
        pytest.param("one in four", [1, 4], id="one in four"),
        pytest.param("0.39-0.52", [0.39, 0.52], id="range"),
        pytest.param("1,240 and 3/4", [1240, 0.75], id="thousands and fraction"),
    ],
)
def test_numbers_are_found_however_they_are_written(text, expected):
    assert [n.value for n in numbers_in(text)] == pytest.approx(expected)
