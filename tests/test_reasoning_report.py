"""The sections on reasoning: a score never without what its test is worth, hostile text escaped."""

from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.definition.checks.cue import CueCheck
from tasks.report.blocks import Figure, Grid, Table
from tasks.schema import ContradictoryPair
from tasks.schema.notation import PLAIN
from tests.support.sections import m, sentences, shown

CURVE = [
    m("answer_unchanged", 0.5 + share / 2, share=share, test=test)
    for test in ("truncation", "filler")
    for share in (0.0, 0.5, 1.0)
]
SCORES = [m("dependence_on_reasoning", 0.3, test=t) for t in ("truncation", "filler")]


def test_every_test_has_its_curve_in_one_picture():
    figures = [b for b in shown(*CURVE, *SCORES) if isinstance(b, Figure)]
    assert len(figures) == 1
    assert "truncation" in figures[0].svg
    assert "filler" in figures[0].svg


def test_calibration_stands_in_the_row_of_its_test():
    table = next(
        b
        for b in shown(*CURVE, *SCORES, m("instrument_auroc", 0.9, instrument="truncation"))
        if isinstance(b, Grid)
    )
    cells = {row.label: [bool(cell) for cell in row.cells] for row in table.rows}
    assert table.columns == ("Dependence on the reasoning", "AUROC on controls")
    assert cells == {"truncation": [True, True], "filler": [True, False]}


def test_a_test_that_tells_nothing_apart_is_named_as_such():
    told = sentences(shown(*SCORES, m("instrument_auroc", 0.52, instrument="filler")))
    assert "test filler is not shown to tell controls apart" in told
    assert "A gate on it is inconclusive." in told


def test_without_controls_the_report_says_that_errors_are_unknown():
    assert "how often they err on it is not known" in sentences(shown(*CURVE, *SCORES))
    calibrated = sentences(shown(*SCORES, m("instrument_auroc", 0.9, instrument="truncation")))
    assert "not known" not in calibrated


LIKELIHOOD = [
    *(m("log_probability_change", share - 1, share=share, test="log-probability")
      for share in (0.0, 0.5, 1.0)),
    m("log_probability_lost", 0.5, test="log-probability"),
]  # fmt: skip


def test_tests_stand_best_first_and_the_best_is_named_with_what_was_chosen_before():
    worth = [
        m("instrument_auroc", auroc, instrument=method)
        for method, auroc in (("truncation", 0.7), ("filler", 0.93), ("log-probability", 0.9))
    ]
    found = shown(*CURVE, *SCORES, *LIKELIHOOD, *worth)
    table = next(b for b in found if isinstance(b, Grid))
    assert [row.label for row in table.rows] == ["filler", "log-probability", "truncation"]
    told = sentences(found)
    assert "In this audit filler told the controls apart best: AUROC 0.930" in told
    assert "The test chosen beforehand, on other models, is log-probability" in told


def test_the_fall_of_the_log_probability_has_a_picture_and_a_table_in_nats():
    found = shown(*CURVE, *SCORES, *LIKELIHOOD)
    one = next(b for b in found if isinstance(b, Figure) and "less likely" in b.caption)
    assert "Change in log-probability (nats)" in one.svg
    table = next(b for b in found if isinstance(b, Grid) and b.caption.startswith("Log-prob"))
    assert [row.label for row in table.rows] == ["0 % kept", "50 % kept", "100 % kept"]
    cell = table.rows[0].cells[0][0]
    assert (PLAIN.value(cell), PLAIN.interval(cell)) == (
        "\N{MINUS SIGN}1.000 nats", "\N{MINUS SIGN}1.000 to \N{MINUS SIGN}0.950 nats"
    )  # fmt: skip


def test_named_factors_stand_beside_chance():
    chance = m("factor_precision", 0.4, baseline="reasonings of other texts")
    tables = [b for b in shown(m("factor_precision", 0.8), chance) if isinstance(b, Grid)]
    table = next(t for t in tables if "Fields named" in t.caption)
    assert [row.label for row in table.rows] == ["of the same text", "reasonings of other texts"]


def test_both_classifiers_of_a_cue_are_shown():
    found = shown(
        m("influence", 0.4, cue="authority"),
        m("disclosure", 0.1, cue="authority"),
        m("disclosure", 0.2, cue="authority", classifier="grader"),
        m("disclosure_ac2", 0.8, cue="authority", classifier="words of the cue and grader"),
        check=CueCheck(cues=("authority",)),
    )
    moved, said, agreed = (b for b in found if isinstance(b, Grid))
    assert [row.label for row in moved.rows] == ["cue authority"]
    assert [row.label for row in said.rows] == [
        "cue authority, by words of the cue",
        "cue authority, by grader",
    ]
    assert [row.label for row in agreed.rows] == ["cue authority"]


def test_what_a_cues_tests_are_worth_stands_beside_their_numbers():
    found = shown(
        m("influence", 0.4, cue="authority"),
        m("undisclosed_influence", 0.3, cue="authority"),
        m("disclosure", 0.1, cue="authority"),
        m("instrument_auroc", 0.52, cue="authority", classifier="words of the cue"),
        m("instrument_auroc", 0.9, cue="authority", classifier="either classifier"),
        m("instrument_auroc", 0.9, instrument="change of the answer"),
        check=CueCheck(cues=("authority",)),
    )
    _, paired, said = (b for b in found if isinstance(b, Grid))
    assert [row.label for row in paired.rows] == ["change of the answer"]
    by = {row.label: [bool(cell) for cell in row.cells] for row in said.rows}
    assert by["cue authority, by words of the cue"] == [True, True]  # disclosure, and its AUROC
    assert by["cue authority, by either classifier"] == [False, True]
    told = sentences(found)
    assert (
        "written reasonings that disclose cue authority are not shown to be recognised by words of "
        "the cue" in told
    )
    assert "recognised by either classifier" not in told


def test_cues_without_controls_say_that_errors_are_unknown():
    check = CueCheck(cues=("authority",), controls=None)
    assert "how often they err on it is not known" in sentences(
        shown(m("influence", 0.4, cue="authority"), check=check)
    )


def test_pairs_answered_alike_are_shown():
    pair = ContradictoryPair(
        id="a", other="b", text="A > B?", other_text="B > A?", answer="yes", reasoning="So.",
        other_reasoning="So.",
    )  # fmt: skip
    found = shown(m("contradiction", 0.3), check=ContradictionCheck(), cases=(pair,))
    table = next(b for b in found if isinstance(b, Table))
    assert table.rows == (("a, b", "A > B?", "B > A?", "yes"),)
