"""Dependence on the reasoning by log-probability: by hand, against plain passes, planted or not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from flows.cli import app
from tasks.checks.cost import calls
from tasks.checks.instruments.calibration import Scored, calibrated
from tasks.checks.instruments.names import resting
from tasks.checks.preflight import prepare
from tasks.checks.reasoning.controls_evidence import as_scored
from tasks.checks.reasoning.evidence import rests_on
from tasks.checks.reasoning.interventions import under_tests
from tasks.checks.reasoning.log_probabilities import curve, left_out
from tasks.checks.reasoning.payload import Answered, ScoredControls
from tasks.checks.reasoning.preflight import withheld_tests
from tasks.checks.reasoning.rounds import ROUNDS
from tasks.checks.reasoning.scores import scored
from tasks.definition import AuditSpec, CausalSubject
from tasks.definition.checks.reasoning import LOG_PROBABILITY, WITHOUT_REASONING, ReasoningCheck
from tasks.judge.gates import judge
from tasks.measures.reasoning.answers import as_written
from tasks.measures.reasoning.dependence import log_probability_lost, lost_without_reasoning
from tasks.run.rounds import Finished
from tasks.run.store import Store
from tasks.schema import About, Evidence, Measurement
from tasks.subjects.load import refer
from tasks.subjects.local.generation import at_cuts
from tasks.subjects.local.loading import load_subject
from tasks.subjects.local.writer import Writer
from tasks.subjects.outputs import Written
from tests.organisms.dependence import as_subject
from tests.organisms.designs import DESIGNS
from tests.organisms.reasoner import items_of
from tests.support.asked import write_asked_audit
from tests.support.gathering import asked, gathered
from tests.support.small import write_small_audit
from tests.support.tiny import DECODERS, build

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
ORGANISMS = Path(__file__).resolve().parents[1] / "audits" / "reasoner"

# --- by hand ------------------------------------------------------------------------------


def test_the_area_by_the_trapezoid_rule():
    # probabilities 1/8, 1/2, 1: losses log 8, log 2, 0 at 0, 0.5, 1
    told = np.log([[1 / 8, 0.9], [1 / 2, 0.9], [1.0, 0.9]])
    by_hand = 0.5 * (np.log(8) + np.log(2)) / 2 + 0.5 * (np.log(2) + 0) / 2
    assert log_probability_lost((0.0, 0.5, 1.0), told) == pytest.approx([by_hand, 0])
    assert lost_without_reasoning(told) == pytest.approx([np.log(8), 0])


def test_an_answer_that_is_likelier_without_its_reasoning_has_a_negative_area():
    told = np.log([[0.8], [0.4]])
    assert log_probability_lost((0.0, 1.0), told) == pytest.approx([-0.5 * np.log(2)])


@pytest.mark.parametrize("shares", [(0.0, 0.5), (0.25, 1.0), (0.0, 1.0, 1.0), (0.0, 0.5, 1.0, 1.0)])
def test_points_that_do_not_rise_from_nothing_to_all_are_refused(shares):
    with pytest.raises(ValueError, match="log-probability"):
        log_probability_lost(shares, np.zeros((3 if len(shares) > 2 else 2, 1)))


def record(probabilities, answer="a"):
    return Answered(answer=answer, by_test={}, log_probabilities=np.log(probabilities).tolist())


def test_mean_curve_and_areas_by_hand():
    halved = [record([0.25, 0.25, 0.5, 0.5, 0.5])] * 10
    kept = [record([0.5] * 5)] * 10
    found = curve(SHARES, halved + kept, 1)
    change = {m.about.share: m.value for m in found if m.name == "log_probability_change"}
    half = -0.5 * np.log(2)  # of ten texts of twenty, by log 2
    assert change == pytest.approx({0.0: half, 0.25: half, 0.5: 0, 0.75: 0, 1.0: 0})
    area, without = (m for m in found if m.name == "log_probability_lost")
    # per text 0.25 * (1 + 1) / 2 + 0.25 * (1 + 0) / 2 = 0.375 times log 2, of half the texts
    assert area.value == pytest.approx(0.375 * np.log(2) / 2)
    assert without.value == pytest.approx(np.log(2) / 2)
    assert (area.about.test, without.about.test) == (LOG_PROBABILITY, WITHOUT_REASONING)
    assert area.low > 0
    assert {m.n for m in found} == {20}


def test_texts_without_an_answer_or_a_log_probability_are_left_out_and_counted():
    sample = [record([0.5] * 5)] * 3 + [record([0.5] * 5, answer=None)]
    sample.append(Answered(answer="a", by_test={}))
    assert {m.n for m in curve(SHARES, sample, 1)} == {3}
    assert left_out(sample) == [
        "Test log-probability: 1 of 4 answers have no finite log-probability and are left out."
    ]
    assert curve(SHARES, sample[:1], 1) == []


@pytest.mark.parametrize(
    ("completion", "answer", "form", "prefix", "expected"),
    [
        pytest.param("So. Answer: Yes.", "yes", "yes-no", "Answer:", "Yes", id="capital"),
        pytest.param("Answer: b or a", "b", "choice", "Answer:", "b", id="choice"),
        pytest.param("Absurd. Answer: **B**", "b", "choice", "Answer:", "B", id="not in a word"),
        pytest.param("1200? Answer: $1,200.00", "1200", "number", "Answer:", "$1,200.00", id="sum"),
        pytest.param("4 and 5 is 9", "9", "number", "", "9", id="last number"),
        pytest.param(
            "Answer: Light Blue.", "light blue", "label", "Answer:", "Light Blue", id="two"
        ),
        pytest.param("", "yes", "choice", "Answer:", "yes", id="not at hand"),
    ],
)
def test_an_answer_is_scored_as_it_was_written(completion, answer, form, prefix, expected):
    assert as_written(completion, answer, form, prefix) == expected


# --- against plain forward passes ---------------------------------------------------------

TEXTS = ["the applicant lives in north and earns a lot", "very dull film", "good", "a long story"]
REASONINGS = [
    "one short text . another bright story , and debt . income !",
    "no .",
    "",
    "the film , the story , the debt . good good good . bad ?",
]
CUTS = [
    ["", "", "", ""],
    ["one short text .", "no .", "", "the film , the story"],
    REASONINGS,
    ["bad one short", "very no .", "dull", "the debt"],
]
ANSWERS = ["good film", "yes", None, "bad very dull story"]  # two tokens, one, none, four
OPTIONS = {
    "prompt": "the text {text} .", "max_new_tokens": 12, "batch": 3,
    "answer": {"prefix": "very", "choices": ["good film", "yes", "bad very dull story"]},
}  # fmt: skip


def load(folder, family, **options):
    if not (folder / "model").exists():
        build(folder / "model", family, causal=True)
    return load_subject(refer("tiny", CausalSubject(path="model", **OPTIONS | options), folder))


def plainly(subject, text, cut, answer):
    """Sum over the answer's tokens of log softmax, from one pass over the whole string alone."""
    stem = " ".join(part for part in (subject.render(text), cut, "very") if part)
    ids = subject.tokenizer(f"{stem} {answer}", return_tensors="pt").input_ids
    with torch.inference_mode():
        logits = subject.model(input_ids=ids, use_cache=False).logits[0].double().numpy()
    told = 0.0
    for back in range(len(answer.split()), 0, -1):  # every word is one token
        odds = np.exp(logits[-back - 1])
        told += np.log(odds[ids[0, -back]] / odds.sum())
    return told


@pytest.mark.parametrize("family", DECODERS)
def test_log_probabilities_are_those_of_one_plain_pass_each(tmp_path, family):
    subject = load(tmp_path, family)
    found = at_cuts(subject, TEXTS, REASONINGS, CUTS, ANSWERS).answer
    for row, cut in zip(found, CUTS, strict=True):
        for told, text, kept, answer in zip(row, TEXTS, cut, ANSWERS, strict=True):
            if answer is None:
                assert torch.isnan(told)
            else:
                assert float(told) == pytest.approx(plainly(subject, text, kept, answer), abs=2e-4)


def test_neither_batch_nor_neighbours_nor_the_answers_of_others_matter(tmp_path):
    alone, together = load(tmp_path, "llama", batch=1), load(tmp_path, "llama", batch=4)
    one = at_cuts(alone, TEXTS, REASONINGS, CUTS, ANSWERS)
    all_ = at_cuts(together, TEXTS, REASONINGS, CUTS, ANSWERS)
    torch.testing.assert_close(one.answer, all_.answer, atol=1e-4, rtol=1e-4, equal_nan=True)
    bare = at_cuts(together, TEXTS, REASONINGS, CUTS, [None] * 4)
    torch.testing.assert_close(all_.scores, bare.scores, atol=1e-4, rtol=1e-4)


def test_one_reading_gives_the_answers_of_truncation_as_well(tmp_path):
    subject = load(tmp_path, "llama")
    written = [Written(r, "yes", f"{r} very yes") for r in REASONINGS]
    written[1] = Written("no .", None)
    given = (subject, TEXTS, written)
    alone = under_tests(*given, ["truncation"], SHARES, seeds=[1] * 4)
    both = under_tests(*given, [LOG_PROBABILITY, "truncation"], SHARES, seeds=[1] * 4)
    assert all(set(one.by_test) == {"truncation"} for one in both)
    assert [one.by_test for one in both] == [one.by_test for one in alone]
    assert [one.log_probabilities is None for one in both] == [False, True, False, False]
    assert all(one.log_probabilities is None for one in alone)


def test_an_answer_finds_room_beyond_the_window(tmp_path):
    subject = load(tmp_path, "gpt2")  # 60 tokens
    texts, reasonings = ["good " * 70, "good"], ["bad . " * 40, "bad ."]
    found = at_cuts(subject, texts, reasonings, [reasonings, ["", ""]], [ANSWERS[3]] * 2)
    assert torch.isfinite(found.answer).all()
    expected = plainly(subject, "good", "bad .", ANSWERS[3])
    assert float(found.answer[0, 1]) == pytest.approx(expected, abs=2e-4)


def test_an_answer_longer_than_the_window_or_without_a_token_has_no_log_probability(tmp_path):
    subject = load(tmp_path, "gpt2")
    found = at_cuts(subject, TEXTS[:3], REASONINGS[:3], [[""] * 3], ["good " * 70, " ", "yes"])
    assert torch.isnan(found.answer[0]).tolist() == [True, True, False]


# --- planted, and nothing planted ---------------------------------------------------------


def worth(tests):
    """What tests are worth, by the same way from their scores as in an audit."""
    kept = {
        test: ScoredControls(
            scores=one.scores.tolist(),
            truth=one.truth.tolist(),
            questions=one.questions or [str(i) for i in range(len(one.scores))],
        )
        for test, one in tests.items()
    }
    return calibrated(as_scored(kept))


@pytest.mark.parametrize("name", DESIGNS)
def test_planted_dependence_is_told_apart_on_every_organism(name):
    subject = as_subject(DESIGNS[name], ORGANISMS / name)
    items = [i for i in items_of(DESIGNS[name], 4242, 25) if i.kind != "graded"]
    texts = [item.prompt for item in items]
    found = scored(
        subject, texts, subject.write(texts), [i.truth for i in items], [LOG_PROBABILITY], SHARES,
        seed=1,
    )  # fmt: skip
    by = {(m.name, m.about.instrument): m for m in worth(found)}
    for method in (LOG_PROBABILITY, WITHOUT_REASONING):
        assert by["instrument_auroc", method].value >= 0.9
        assert by["instrument_auroc", method].low > 0.85
        assert by["instrument_specificity", method].value >= 0.9


def test_a_model_that_looks_at_nothing_but_the_last_word_loses_nothing(tmp_path):
    subject = load(tmp_path, "llama")
    with torch.no_grad():
        for block in subject.blocks:
            block.self_attn.o_proj.weight.zero_()
    written = [Written(r, "yes") for r in REASONINGS]
    sample = under_tests(subject, TEXTS, written, [LOG_PROBABILITY], SHARES, seeds=[1] * 4)
    assert len(curve(SHARES, sample, 1)) == len(SHARES) + 2
    for m in curve(SHARES, sample, 1):
        assert m.value == pytest.approx(0, abs=1e-5)


# --- calibration and gates ----------------------------------------------------------------


def test_the_line_is_half_the_probability_and_is_not_moved_by_the_controls():
    truth = np.arange(40) % 2 == 0
    scores = np.where(truth, 0.70, 0.69)  # log 2 = 0.6931 lies between
    found = worth({LOG_PROBABILITY: Scored(scores, truth), "truncation": Scored(scores, truth)})
    by = {(m.name, m.about.instrument): m for m in found}
    for name in ("instrument_sensitivity", "instrument_specificity"):
        assert by[name, LOG_PROBABILITY].value == 1
        assert "0.693 nats" in by[name, LOG_PROBABILITY].method
    assert by["instrument_specificity", "truncation"].value == 0  # its line is 0.5
    higher = worth({LOG_PROBABILITY: Scored(scores + 1, truth)})
    assert {m.name: m.value for m in higher}["instrument_specificity"] == 0


def the_finding(gate, *measurements, **more):
    spec = AuditSpec.model_validate(
        {
            "name": "x", "seed": 1, "data": {"path": "d.csv"}, "checks": [{"kind": "reasoning"}],
            "subjects": {"s": {"kind": "causal-lm", "path": "p", "choices": ["a", "b"]}},
            "gates": [{"check": "reasoning", **gate}],
        }
    )  # fmt: skip
    found = Evidence(
        check=spec.checks[0], subject="s", measurements=resting(measurements, rests_on), **more
    )
    return judge(spec, (found,))[0]


def told(name, value, method, within=0.05):
    interval = (value, value - within, value + within)
    about = {"instrument" if name.startswith("instrument") else "test": method}
    return Measurement.of(name, interval, 50, "m", About(**about))


LINE = {"measure": "log_probability_lost", "at_least": 0.3, "test": LOG_PROBABILITY}


def test_a_gate_is_inconclusive_where_the_test_tells_no_controls_apart():
    lost = told("log_probability_lost", 0.9, LOG_PROBABILITY)
    blind = told("instrument_auroc", 0.52, LOG_PROBABILITY)
    good = (
        told("instrument_auroc", 0.52, WITHOUT_REASONING),
        told("instrument_auroc", 0.9, LINE["test"]),
    )
    assert the_finding(LINE, lost, blind).verdict == "inconclusive"
    assert (
        "log-probability is not shown to tell controls apart"
        in the_finding(LINE, lost, blind).reason
    )
    assert the_finding(LINE, lost, *good).verdict == "pass"  # by its own calibration


# --- definition ---------------------------------------------------------------------------

WRITER = {
    "kind": "causal-lm", "path": "writer", "prompt": "the {text} .", "max_new_tokens": 8,
    "answer": {"prefix": "very", "choices": ["yes", "no"]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "own"),
    [
        pytest.param(WRITER["answer"], "yes", id="choice"),
        pytest.param({"form": "yes-no", "prefix": "very"}, "no", id="yes or no"),
        pytest.param({"form": "label", "prefix": "very"}, "good film", id="label"),
        pytest.param({"form": "number", "prefix": "very"}, "12", id="number"),
    ],
)
def test_a_local_subject_is_measured_unasked_whatever_its_answers(
    tmp_path, monkeypatch, answer, own
):
    path = write_small_audit(
        tmp_path, rows=24, subjects={"writer": WRITER | {"answer": answer}}, gates=[],
        checks=[{"kind": "reasoning", "texts": 6, "controls": None}],
        data={"path": "data.csv", "id": "id"},
    )  # fmt: skip
    said = "The film is good. The story is long."
    ones = [Written(said, own, f"{said} very {own}")] * 6
    monkeypatch.setattr(Writer, "write", lambda _, texts: ones[: len(texts)])
    found = gathered(prepare(path), tmp_path)
    methods = {m.about.test for m in found.named("log_probability_lost")}
    assert methods == {LOG_PROBABILITY, WITHOUT_REASONING}
    shares = [m.about.share for m in found.named("log_probability_change")]
    assert shares == list(SHARES)
    assert not any("log" in name for name in found.withheld)


def test_an_endpoint_withholds_it_with_a_reason_before_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_TEST_KEY", "k-123456")
    path = write_asked_audit(
        tmp_path, "http://localhost:1/v1", checks=[{"kind": "reasoning", "texts": 4}]
    )
    plan = prepare(path)
    check = plan.spec.checks[0]
    why = "needs log-probabilities of a given answer; subject remote (openai) does not offer that"
    assert why in withheld_tests(plan, check)[LOG_PROBABILITY]
    assert why in " ".join(CliRunner().invoke(app, ["check", str(path)]).output.split())
    begun = Finished(Store(tmp_path / "store"))
    options = [piece.options for one in ROUNDS for piece in one.pieces(asked(plan), begun)]
    assert len(options) == 2  # texts and controls
    assert all(LOG_PROBABILITY not in of_one.tests for of_one in options)
    without = write_asked_audit(
        tmp_path / "without", "http://localhost:1/v1",
        checks=[{"kind": "reasoning", "texts": 4, "tests": ["truncation", "filler", "mistake"]}],
    )  # fmt: skip
    assert calls(plan)[-1].calls == calls(prepare(without))[-1].calls


def test_a_gate_on_what_an_endpoint_withholds_says_so():
    withheld = {"log_probability_lost by log-probability": "not run: needs log-probabilities"}
    found = the_finding(LINE, told("dependence_on_reasoning", 0.5, "truncation"), withheld=withheld)
    assert found.verdict == "inconclusive"
    assert "needs log-probabilities" in found.reason


def test_it_is_on_by_default():
    assert LOG_PROBABILITY in ReasoningCheck().tests
