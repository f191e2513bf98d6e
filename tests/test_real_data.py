"""Real models on real data through the command line: do the reports say what is so?

Without the data folder (`ASSAY_TEST_DATA`, or `../shared/data` beside the checkout) or the base
model's package these tests are skipped. German Credit takes minutes and is marked slow.
"""

import csv
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import yaml

from flows.cli.run import EXIT
from tasks.definition.kinds import kind_of
from tasks.judge.credibility import is_credible
from tasks.record.bundle import read_finished
from tasks.schema import Evidence, LayerReading, Measurement, Report
from tests.support.real_subjects import (
    BASE,
    GERMAN_FIELDS,
    GERMAN_GROUPS,
    STORIES,
    base_model,
    data_folder,
    fine_tune,
    german_rows,
    german_table,
    movies_spans,
    movies_table,
    split,
    sst2_table,
    stories_table,
    write_table,
)

pytestmark = pytest.mark.skipif(
    not data_folder().is_dir(), reason=f"no data folder at {data_folder()}; set ASSAY_TEST_DATA"
)
needs_base = pytest.mark.skipif(base_model() is None, reason=f"package {BASE} is not installed")
STORYTELLER = data_folder() / "stories260k" / "hf"


class Audited(NamedTuple):
    """A finished audit and how its command ended."""

    exit_code: int
    folder: Path
    report: Report

    @property
    def page(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")

    def evidence(self, kind: str) -> Evidence:
        return next(e for e in self.report.evidence if e.check.kind == kind)

    def one(self, kind: str, name: str, **about: object) -> Measurement:
        found = [
            m
            for m in self.evidence(kind).measurements
            if m.name == name and all(getattr(m.about, k) == v for k, v in about.items())
        ]
        assert len(found) == 1, f"{len(found)} measurements {name} about {about}"
        return found[0]


def assay_run(folder: Path, definition: dict[str, object]) -> Audited:
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(definition, sort_keys=False))
    command = [sys.executable, "-c", "from flows.cli import app; app()"]
    done = subprocess.run(
        [*command, "run", str(path), "--out", str(folder / "reports")],
        capture_output=True,
        text=True,
    )
    folders = sorted((folder / "reports").glob("*/*/evidence.json"))
    assert len(folders) == 1, done.stdout + done.stderr
    report, _ = read_finished(folders[0].parent)
    return Audited(done.returncode, folders[0].parent, report)


def probabilities(model: Path, texts: list[str]) -> tuple[np.ndarray, list[str]]:
    """What the model says of texts, one by one and without Assay: [texts, classes], and names."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    net = AutoModelForSequenceClassification.from_pretrained(model).eval()
    with torch.inference_mode():
        found = [net(**tokenizer(t, return_tensors="pt")).logits[0].softmax(-1) for t in texts]
    names = [net.config.id2label[i] for i in range(net.config.num_labels)]
    return torch.stack(found).numpy(), names


def every_check_has_its_section(audited: Audited) -> None:
    page = (audited.folder / "report.html").read_text(encoding="utf-8")
    for one in audited.report.evidence:
        assert f"{kind_of(one.check.kind).title}</h2>" in page


# --- loaders ------------------------------------------------------------------------------


def test_german_credit_has_the_published_figures():
    rows = german_rows()
    good = {
        sex: np.mean([row["class-label"] == "1" for row in rows if row["sex"] == sex])
        for sex in ("male", "female")
    }
    assert Counter(row["class-label"] for row in rows) == {"1": 700, "0": 300}
    assert (round(good["male"], 3), round(good["female"], 3)) == (0.723, 0.648)


def test_every_field_stands_once_in_its_application_and_sex_does_not():
    for row in german_table():
        assert all(row["text"].count(row[name]) == 1 for name in GERMAN_FIELDS)
        words = set(row["text"].lower().replace(".", " ").split())
        assert not words & {"male", "female", "man", "woman", "he", "she", "married", "divorced"}


def test_the_split_of_german_credit_is_seventy_to_thirty_and_disjoint():
    train, audited = split(german_table(), 0.7)
    assert (len(train), len(audited)) == (700, 300)
    assert not {row["id"] for row in train} & {row["id"] for row in audited}


def test_sst2_has_the_published_row_counts():
    counts = {}
    for part in ("train", "dev", "test"):
        with (data_folder() / "sst2" / f"{part}.tsv").open(encoding="utf-8") as stream:
            counts[part] = sum(1 for _ in csv.reader(stream, "excel-tab", quoting=csv.QUOTE_NONE))
    assert counts == {"train": 60_614 + 1, "dev": 6_735 + 1, "test": 872 + 1}


# --- SST-2 --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sst2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sst2")
    fine_tune(folder / "model", sst2_table("train", 2000), ("negative", "positive"), epochs=4)
    write_table(folder / "audit.csv", sst2_table("test", 400))
    return assay_run(
        folder,
        {
            "name": "sst2",
            "seed": 2026,
            "subjects": {"reader": {"kind": "sequence-classification", "path": "model"}},
            "data": {"path": "audit.csv", "id": "id", "label": "label", "favourable": "positive"},
            "cases": 6,
            "checks": [
                {"kind": "performance"},
                {
                    "kind": "attribution",
                    "texts": 40,
                    "trust_texts": 16,
                    "methods": ["integrated-gradients", "leave-one-out", "gradient-x-input"],
                },
                {"kind": "localisation", "texts": 200},
            ],
            "gates": [
                {"check": "performance", "measure": "accuracy", "at_least": 0.7},
                {
                    "check": "attribution",
                    "measure": "comprehensiveness_gain",
                    "method": "integrated-gradients",
                    "at_least": 0.0,
                },
            ],
        },
    )


@needs_base
def test_the_exit_code_is_the_verdict_of_the_sst2_report(sst2):
    assert sst2.exit_code in {0, 1, 3}
    assert sst2.exit_code == EXIT[sst2.report.verdict]
    every_check_has_its_section(sst2)


@needs_base
def test_accuracy_on_sst2_lies_above_the_majority_with_its_whole_interval(sst2):
    labels = [row["label"] for row in sst2_table("test", 400)]
    majority = max(Counter(labels).values()) / len(labels)
    accuracy = sst2.one("performance", "accuracy")
    assert accuracy.n == 400
    assert accuracy.low > majority + 0.1


@needs_base
def test_accuracy_on_sst2_is_what_the_model_gives_without_assay(sst2):
    rows = sst2_table("test", 400)
    found, names = probabilities(sst2.folder.parents[2] / "model", [r["text"] for r in rows])
    right = [names[i] == row["label"] for i, row in zip(found.argmax(1), rows, strict=True)]
    assert sst2.one("performance", "accuracy").value == pytest.approx(np.mean(right), abs=1e-9)


@needs_base
def test_attribution_on_sst2_converges_adds_up_and_beats_a_random_order(sst2):
    assert sst2.one("attribution", "converged").value >= 0.95
    assert sst2.evidence("attribution").cited == "integrated-gradients"
    texts = {row["id"]: row["text"] for row in sst2_table("test", 400)}
    for case in sst2.evidence("attribution").cases:
        if case.method != "integrated-gradients":
            continue
        change = case.score - case.baseline_score
        added = math.fsum(word.value for word in case.words)
        assert added == pytest.approx(change, abs=2e-3 * max(abs(change), 1e-2))
        assert all(texts[case.id][w.start : w.end] == w.text for w in case.words)


@needs_base
def test_the_slope_at_the_text_earns_no_place_on_sst2(sst2):
    """Gradient x input does no better than chance on MiniLM, and is only shown."""
    assert not is_credible("gradient-x-input", sst2.evidence("attribution").measurements)
    assert "gradient-x-input did not, and is only shown" in sst2.page


@needs_base
def test_the_lens_agrees_with_sst2_decisions_at_the_last_layer_and_hardly_at_the_first(sst2):
    last = sst2.one("localisation", "agreement_with_final", layer=6)
    first = sst2.one("localisation", "agreement_with_final", layer=0)
    assert last.value == 1.0
    assert first.high < 0.9


# --- movie reviews ------------------------------------------------------------------------


def test_every_rationale_of_the_movie_reviews_stands_in_its_document():
    """The 17,462 spans of the file, word for word."""
    spans = movies_spans()
    assert len(spans) == 17462
    assert all(worded == held for worded, held in spans)


@needs_base
def test_people_and_attribution_mark_the_same_words_of_movie_reviews(sst2, tmp_path):
    """The highest ranked words are marked more often than words are on average."""
    write_table(tmp_path / "audit.csv", movies_table("test", 20, longest=120))
    audited = assay_run(
        tmp_path,
        {
            "name": "movies",
            "seed": 2026,
            "subjects": {
                "reader": {
                    "kind": "sequence-classification",
                    "path": str(sst2.folder.parents[2] / "model"),
                }
            },
            "data": {"path": "audit.csv", "id": "id", "label": "label", "rationale": "why"},
            "cases": 2,
            "checks": [
                {
                    "kind": "attribution",
                    "texts": 16,
                    "trust_texts": 16,
                    "random_orders": 2,
                    "draws": 4,
                    "shares": [0.2],
                    "operators": ["neutral"],
                    "methods": ["integrated-gradients"],
                }
            ],
        },
    )
    chance = audited.one("attribution", "rationale_share")
    auprc = audited.one("attribution", "rationale_auprc", method="integrated-gradients")
    assert auprc.value > chance.value
    assert 0 < audited.one("attribution", "rationale_f1", method="integrated-gradients").value < 1


# --- stories ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def stories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stories")
    write_table(folder / "stories.csv", stories_table())
    return assay_run(
        folder,
        {
            "name": "stories",
            "seed": 2026,
            "subjects": {"teller": {"kind": "causal-lm", "path": str(STORYTELLER)}},
            "data": {"path": "stories.csv", "id": "id"},
            "cases": 4,
            "checks": [
                {"kind": "attribution", "texts": 24, "trust_texts": 12},
                {"kind": "localisation", "texts": 24},
                {"kind": "performance"},
                {"kind": "fairness"},
                {"kind": "reasoning", "texts": 4},
            ],
        },
    )


@pytest.fixture(scope="session")
def storyteller():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(STORYTELLER).eval()
    return model, AutoTokenizer.from_pretrained(STORYTELLER)


@torch.inference_mode()
def mean_loss(storyteller, texts):
    model, tokenizer = storyteller
    losses = []
    for text in texts:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        losses.append(model(ids, labels=ids).loss.item())
    return float(np.mean(losses))


def test_the_storyteller_finds_stories_likelier_than_their_shuffled_words(storyteller):
    rng = np.random.default_rng(0)
    shuffled = [" ".join(rng.permutation(text.split())) for text in STORIES]
    assert mean_loss(storyteller, STORIES) < 2.2
    assert mean_loss(storyteller, shuffled) > mean_loss(storyteller, STORIES) + 1.5


def test_a_subject_that_only_writes_says_which_checks_it_cannot_answer(stories):
    reasons = {e.check.kind: e.not_run for e in stories.report.evidence if e.not_run}
    assert set(reasons) == {"performance", "fairness", "reasoning"}
    assert all(reason.startswith("needs ") for reason in reasons.values())
    assert stories.exit_code == EXIT[stories.report.verdict] == 3  # no gate, no verdict
    every_check_has_its_section(stories)


def test_the_next_token_in_the_report_is_the_models_own(stories, storyteller):
    model, tokenizer = storyteller
    texts = {row["id"]: row["text"] for row in stories_table()}
    for case in stories.report.cases:
        with torch.inference_mode():
            logits = model(**tokenizer(texts[case.id], return_tensors="pt")).logits[0, -1]
        assert case.probability == pytest.approx(logits.softmax(-1).max().item(), abs=1e-4)
        assert tokenizer.decode([int(logits.argmax())]) in case.decision


def test_the_lens_is_exact_at_the_storytellers_last_layer(stories):
    last = stories.one("localisation", "agreement_with_final", layer=5)
    assert last.value == 1.0
    assert stories.one("localisation", "agreement_with_final", layer=0).value < 0.5
    cases = stories.evidence("localisation").cases
    for reading in (c for c in cases if isinstance(c, LayerReading)):
        shown = next(case for case in stories.report.cases if case.id == reading.id)
        assert reading.probabilities[-1] == pytest.approx(shown.probability, abs=1e-5)


def test_attribution_of_next_tokens_converges_and_beats_a_random_order(stories):
    assert stories.one("attribution", "converged", method="integrated-gradients").value >= 0.95
    assert stories.evidence("attribution").cited == "integrated-gradients"


# --- German Credit ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def german(tmp_path_factory):
    folder = tmp_path_factory.mktemp("german")
    train, audited = split(german_table(), 0.7)
    fine_tune(folder / "model", train, ("bad", "good"), epochs=5, rate=2e-4)
    write_table(folder / "audit.csv", audited)
    return assay_run(
        folder,
        {
            "name": "german-credit",
            "seed": 2026,
            "subjects": {"rater": {"kind": "sequence-classification", "path": "model"}},
            "data": {
                "path": "audit.csv",
                "id": "id",
                "label": "label",
                "favourable": "good",
                "groups": list(GERMAN_GROUPS),
                "fields": GERMAN_FIELDS,
            },
            "cases": 8,
            "checks": [
                {"kind": "performance"},
                {"kind": "fairness"},
                {
                    "kind": "attribution",
                    "texts": 60,
                    "trust_texts": 12,
                    "units": "fields",
                    "methods": ["integrated-gradients", "sliding-window", "gradient-x-input"],
                },
                {"kind": "localisation", "texts": 300},
                {"kind": "probing", "texts": 300, "random_subspaces": 2},
            ],
            "gates": [
                {"check": "performance", "measure": "accuracy", "at_least": 0.6},
                {
                    "check": "fairness",
                    "measure": "adverse_impact_ratio",
                    "attribute": "sex",
                    "at_least": 0.8,
                },
            ],
        },
    )


@pytest.fixture(scope="session")
def german_decisions(german):
    """Rows that were audited and what the model decides for them without Assay."""
    _, rows = split(german_table(), 0.7)
    found, names = probabilities(german.folder.parents[2] / "model", [r["text"] for r in rows])
    return rows, [names[i] for i in found.argmax(1)]


slow = [needs_base, pytest.mark.slow, pytest.mark.timeout(1800)]


class TestGermanCredit:
    pytestmark = slow

    def test_the_exit_code_is_the_verdict(self, german):
        assert german.exit_code in {0, 1, 3}
        assert german.exit_code == EXIT[german.report.verdict]
        every_check_has_its_section(german)

    def test_the_subject_decides_both_ways_and_knows_something(self, german, german_decisions):
        rows, decisions = german_decisions
        assert set(decisions) == {"good", "bad"}
        assert german.one("performance", "accuracy").low > 0.6
        recalls = [german.one("performance", "recall", label=name) for name in ("good", "bad")]
        assert sum(recall.value for recall in recalls) > 1.05  # 1 for a subject that knows nothing
        assert all(recall.n >= 60 for recall in recalls)
        assert sum(recall.n for recall in recalls) == len(rows)

    @pytest.mark.parametrize("attribute", GERMAN_GROUPS)
    def test_selection_rates_are_those_counted_by_hand(self, german, german_decisions, attribute):
        rows, decisions = german_decisions
        decided = list(zip(rows, decisions, strict=True))
        for group in {row[attribute] for row in rows}:
            own = [decision == "good" for row, decision in decided if row[attribute] == group]
            rate = german.one("fairness", "selection_rate", attribute=attribute, group=group)
            assert (rate.value, rate.n) == (pytest.approx(np.mean(own)), len(own))

    def test_attribution_converges_and_falls_on_the_fields(self, german):
        assert german.one("attribution", "converged").value >= 0.95
        assert german.evidence("attribution").cited is not None
        shares = [
            german.one("attribution", "field_share", field=name, subset=None).value
            for name in GERMAN_FIELDS
        ]
        assert 0.3 < sum(shares) < 1

    def test_age_can_be_read_at_the_embedding_because_it_stands_there(self, german):
        assert german.one("probing", "selectivity", attribute="over_25", layer=0).low > 0

    def test_erasure_takes_from_a_linear_probe_what_it_reads(self, german):
        before = german.one("probing", "probe_accuracy", attribute="over_25", layer=0)
        after = german.one("probing", "probe_after_erasure", attribute="over_25", layer=0)
        assert after.value < before.value - 0.05

    def test_the_lens_is_exact_at_the_last_layer(self, german):
        assert german.one("localisation", "agreement_with_final", layer=6).value == 1.0
