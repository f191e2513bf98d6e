import re

import pytest
from huggingface_hub import ModelCard

from tasks.definition.kinds import kind_of
from tasks.report.card import markdown, render_card, stated
from tests.support.sample_report import (
    HOSTILE,
    LAYERS,
    minimal_report,
    sample_explanations,
    sample_report,
    sample_run,
)


def card_of(report, hostile=""):
    return render_card(report, sample_explanations(report, hostile), run=sample_run())


def test_the_card_loads_back_with_its_results():
    card = ModelCard(card_of(sample_report()))
    results = {(r.metric_type, r.metric_config): r.metric_value for r in card.data.eval_results}
    assert card.data.model_name == "Loan approval, retrained model"
    assert card.data.pipeline_tag == "text-classification"
    assert results["accuracy", None] == 0.905
    assert results["adverse_impact_ratio", "origin: migrant against native"] == 0.577
    assert "verdict:fail" in card.data.tags


def test_sections_stand_in_the_order_of_the_field():
    headings = re.findall(r"^## (.+)$", card_of(sample_report()), flags=re.MULTILINE)
    assert headings == [
        "Model Details",
        "Uses",
        "Bias, Risks, and Limitations",
        "Evaluation",
        "Audit Provenance",
    ]


def test_findings_stand_with_interval_and_n():
    text = card_of(sample_report())
    line = "| FAIL | Adverse impact ratio | origin: migrant against native | ≥ 0.8 | 0.577 "
    assert f"{line}| 0.511 to 0.643 | 1,200 |" in text
    assert sample_run().evidence_sha256 in text


@pytest.mark.parametrize("report", [sample_report(), minimal_report()], ids=["full", "minimal"])
def test_a_card_has_no_holes(report):
    text = card_of(report)
    assert "More Information Needed" not in text
    assert "None" not in text
    assert ModelCard(text).content == text


def test_a_card_without_gates_claims_no_verdict():
    card = ModelCard(card_of(minimal_report()))
    assert "verdict:none" in card.data.tags
    assert "NO VERDICT" in card.text


def test_every_table_row_of_a_hostile_card_keeps_its_columns():
    text = ModelCard(card_of(sample_report(HOSTILE), HOSTILE)).text
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1


def test_hostile_text_is_neither_markup_nor_link():
    text = ModelCard(card_of(sample_report(HOSTILE), HOSTILE)).text
    assert "<script" not in text
    assert "<img" not in text
    assert not re.search(r"(?<!\\)\]\(", text)


def test_what_decided_a_gate_stands_first_whatever_it_is():
    report = sample_report()
    deciding = [f.deciding for f in report.findings]
    for finding in report.findings:
        shown = next(
            stated(e, report)
            for e in report.evidence
            if (e.check.kind, e.subject) == (finding.gate.check, finding.subject)
        )
        assert shown[0] in deciding
        assert finding.deciding in shown


def test_a_card_states_headlines_and_counts_the_rest():
    report = sample_report()
    by_kind = {e.check.kind: stated(e, report) for e in reversed(report.evidence)}
    localised = by_kind["localisation"]
    assert {m.name for m in localised} == set(kind_of("localisation").all_headlines)
    assert {m.about.layer for m in localised} == {None, LAYERS - 1}
    deciding = [f.deciding for f in report.findings]
    of_method = [m for m in by_kind["attribution"] if m not in deciding]
    assert {m.about.method for m in of_method} <= {None, "integrated-gradients"}
    assert {m.about.subset for m in of_method} == {None}
    assert "Further numbers of this check in evidence.json: " in card_of(report)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a|b", r"a\|b", id="table"),
        pytest.param("a\n# b", r"a \# b", id="heading"),
        pytest.param("[x](y)", r"\[x\](y)", id="link"),
        pytest.param("<b>", "&lt;b&gt;", id="html"),
        pytest.param("a_b*c`", r"a\_b\*c\`", id="emphasis"),
    ],
)
def test_markdown_leaves_a_text_as_it_is(text, expected):
    assert markdown(text) == expected
