"""One rule for numbers: what it writes, and that every page of an audit writes it."""

import re
from html import unescape

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from flows.cli.findings import print_findings
from tasks.checks import offers_of
from tasks.checks.sections import section_of
from tasks.definition.digits import FORMS, FURTHEST_BESIDE_A_LINE, given, number, span
from tasks.explain.numerals import numbers_in
from tasks.explain.texts import explain, sheets
from tasks.explain.wording import say
from tasks.report.card import render_card, stated
from tasks.report.page import render_report
from tasks.schema import Report
from tasks.schema.notation import Notation
from tests.support.sample_report import sample_report, sample_run

UNITS = list(FORMS)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param(number(0.7996, "ratio", [0.8]), "0.7996", id="not rounded onto the line"),
        pytest.param(number(0.79999996, "ratio", [0.8]), "0.79999996", id="however close it is"),
        pytest.param(number(0.8, "ratio", [0.8]), "0.800", id="on the line"),
        pytest.param(number(0.0496, "share", [0.05]), "4.96 %", id="share beside its line"),
        pytest.param(number(0.473, "share"), "47.3 %", id="share"),
        pytest.param(number(0.998, "share"), "99.8 %", id="not rounded to 100"),
        pytest.param(number(0.9998, "share"), "99.98 %", id="not rounded to 100 by more digits"),
        pytest.param(number(1.0, "share"), "100.0 %", id="all"),
        pytest.param(number(0.0003, "ratio"), "0.0003", id="not rounded to 0"),
        pytest.param(number(1.0004, "ratio"), "1.0004", id="not rounded to 1"),
        pytest.param(number(-0.9996, "ratio"), "−0.9996", id="not rounded to -1"),
        pytest.param(number(0.000001, "ratio"), "0.000", id="what five decimals show as 0"),
        pytest.param(number(-0.0, "ratio"), "0.000", id="no negative nought"),
        pytest.param(number(-0.25, "difference"), "−0.250", id="a true minus"),
        pytest.param(number(3.4, "layer"), "3.40", id="layer"),
        pytest.param(number(-1.0, "nats"), "−1.000 nats", id="nats by name"),
        pytest.param(number(1240, "count"), "1,240", id="count"),
        pytest.param(number(12.4, "count"), "12.400", id="a mean of counts"),
        pytest.param(number(11.9996, "count", [12]), "11.9996", id="a mean count beside its line"),
        pytest.param(span(0.27, 0.364, "share"), "27.0 to 36.4 %", id="the unit once"),
        pytest.param(given(0.8), "0.8", id="a line as it is defined"),
        pytest.param(given(0.07, "share"), "7 %", id="a share as it is defined"),
        pytest.param(given(-0.5), "−0.5", id="a dose as it is defined"),
    ],
)
def test_numbers_are_written_so_that_they_do_not_mislead(written, expected):
    assert written == expected


VALUES = st.floats(-3, 3, allow_nan=False)


@drawn(VALUES, VALUES, st.sampled_from(UNITS))
def test_a_number_is_never_shown_on_a_line_that_it_is_not_on(value, line, unit):
    shown, drawn_at = number(value, unit, [line]), given(line, unit)
    apart = abs(value - line) > 10.0**-FURTHEST_BESIDE_A_LINE
    same = float(_plain(shown)) == float(_plain(drawn_at))
    assert not (apart and same)


@drawn(st.floats(0, 1), st.sampled_from(UNITS))
def test_what_is_written_is_read_back_as_the_number(value, unit):
    (read,) = numbers_in(number(value, unit))
    back = read.value / 100 if read.percent else read.value
    decimals = read.decimals + (2 if read.percent else 0)
    assert back == pytest.approx(value, abs=0.5 * 10.0**-decimals + 1e-9)


def test_both_ends_of_an_interval_are_read_in_its_unit():
    assert [(n.value, n.percent) for n in numbers_in("27.0 to 36.4 %")] == [
        (27.0, True),
        (36.4, True),
    ]


def _plain(written: str) -> str:
    return written.replace("−", "-").split(" ")[0]


# --- one spelling on every page -------------------------------------------------------------

NEAR = 0.79996
"""Three decimals would show it on the line of 0.8 that it misses."""


def near_its_line(report: Report) -> Report:
    """The report with the ratio just below its line, and the interval with it."""
    found = report.findings[1]
    assert found.deciding is not None
    moved = found.deciding.model_copy(update={"value": NEAR, "high": 0.79997})
    evidence = tuple(
        e.model_copy(
            update={
                "measurements": tuple(moved if m == found.deciding else m for m in e.measurements)
            }
        )
        for e in report.evidence
    )
    findings = tuple(
        f.model_copy(update={"deciding": moved}) if f == found else f for f in report.findings
    )
    return report.model_copy(update={"evidence": evidence, "findings": findings})


@pytest.fixture(scope="module", params=[False, True], ids=["as it is", "beside the line"])
def report(request) -> Report:
    found = sample_report()
    return near_its_line(found) if request.param else found


def measured(report: Report):
    return [m for e in report.evidence for m in e.measurements]


@pytest.fixture(scope="module")
def page(report) -> str:
    texts = explain(report, offers_of)
    html = render_report(report, texts, run=sample_run(), section_of=section_of)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_report_spells_every_measurement_alike(report, page):
    """Once in a table of its section at least, and once in the full table behind it."""
    written = Notation.of(report)
    for m in measured(report):
        again = f"{written.value(m)} {written.interval(m)} n {m.n:,}"
        assert again in page, again
        full = f"{written.value(m)} {written.interval(m)} {m.n:,}"
        assert full in page, full


def test_the_card_spells_every_measurement_that_it_states_alike(report):
    written = Notation.of(report)
    card = render_card(report, explain(report, offers_of), run=sample_run())
    for m in (m for e in report.evidence for m in stated(e, report)):
        assert f"| {written.value(m)} | {written.interval(m)} | {m.n:,} |" in card


def test_the_sentences_spell_every_measurement_alike(report):
    written = Notation.of(report)
    for fact in (fact for sheet in sheets(report, offers_of) for fact in sheet.facts):
        told = say(fact)
        for m in fact.measurements():
            if fact.m is m or written.value(m) in told:
                assert written.value(m) in told
        if fact.m is not None:
            assert written.span(fact.m) in told


def test_the_sentences_of_a_text_hold_no_number_that_a_table_spells_otherwise(report):
    """Every decimal number of a text is the spelling of some measurement, or of a line."""
    written = Notation.of(report)
    spelled = " ".join(f"{written.value(m)} {written.interval(m)}" for m in measured(report))
    lines = [given(x) for f in report.findings for x in (f.gate.at_least, f.gate.at_most) if x]
    known = set(re.findall(r"\d+\.\d+", " ".join([spelled, *lines])))
    findings = {f.id for f in report.findings}
    for text in explain(report, offers_of).texts:
        if text.about in findings:
            assert set(re.findall(r"\d+\.\d+", text.text)) <= known


def test_the_terminal_spells_every_finding_alike(report, capsys):
    written = Notation.of(report)
    print_findings(report)
    lines = capsys.readouterr().out.splitlines()
    for m in (f.deciding for f in report.findings if f.deciding is not None):
        wanted = (written.value(m), written.interval(m), f"{m.n:,}")
        assert any(all(part in line for part in wanted) for line in lines), wanted


def test_the_sections_hold_no_number_that_a_table_spells_otherwise(report):
    """Sentences and small maps of every section: each number is some measurement's spelling."""
    written = Notation.of(report)
    for evidence in report.evidence:
        spelled = " ".join(
            f"{written.value(m)} {written.interval(m)}" for m in evidence.measurements
        )
        known = set(re.findall(r"\d+\.\d{2,}", spelled))
        for block in section_of(evidence, (), written):
            if block.kind == "sentence":
                assert set(re.findall(r"\d+\.\d{3,}", block.text)) <= known


def test_a_number_beside_its_line_is_told_apart_from_it_everywhere(report, page):
    near = report.findings[1].deciding
    assert near is not None
    if near.value == NEAR:
        assert page.count("0.79996 (0.511 to 0.79997; n 1,200)") >= 1
    assert "the line of 0.8" in page
