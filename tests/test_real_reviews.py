"""Reviews of films, SST-2 and whole ones, through the command line: is the report true?

Without the data folder (`ASSAY_TEST_DATA`, or `../shared/data` beside the checkout) or the base
model's package these tests are skipped. What runs an audit takes minutes and is marked slow.
"""

import csv
import math
from collections import Counter

import numpy as np
import pytest

from flows.cli.run import EXIT
from tasks.judge.credibility import is_credible
from tests.support.real_audits import (
    assay_run,
    every_check_has_its_section,
    needs_base,
    needs_data,
    probabilities,
)
from tests.support.real_subjects import (
    data_folder,
    fine_tune,
    movies_spans,
    movies_table,
    sst2_table,
    write_table,
)

pytestmark = needs_data


def audited(test):
    """Marks a test that needs a whole audit of a fine-tuned subject."""
    for mark in (needs_base, pytest.mark.slow, pytest.mark.timeout(1800)):
        test = mark(test)
    return test


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


@audited
def test_the_exit_code_is_the_verdict_of_the_sst2_report(sst2):
    assert sst2.exit_code in {0, 1, 3}
    assert sst2.exit_code == EXIT[sst2.report.verdict]
    every_check_has_its_section(sst2)


@audited
def test_accuracy_on_sst2_lies_above_the_majority_with_its_whole_interval(sst2):
    labels = [row["label"] for row in sst2_table("test", 400)]
    majority = max(Counter(labels).values()) / len(labels)
    accuracy = sst2.one("performance", "accuracy")
    assert accuracy.n == 400
    assert accuracy.low > majority + 0.1


@audited
def test_accuracy_on_sst2_is_what_the_model_gives_without_assay(sst2):
    rows = sst2_table("test", 400)
    found, names = probabilities(sst2.folder.parents[2] / "model", [r["text"] for r in rows])
    right = [names[i] == row["label"] for i, row in zip(found.argmax(1), rows, strict=True)]
    assert sst2.one("performance", "accuracy").value == pytest.approx(np.mean(right), abs=1e-9)


@audited
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


@audited
def test_the_slope_at_the_text_earns_no_place_on_sst2(sst2):
    """Gradient x input does no better than chance on MiniLM, and is only shown."""
    assert not is_credible("gradient-x-input", sst2.evidence("attribution").measurements)
    assert "gradient-x-input did not, and is only shown" in sst2.page


@audited
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


@audited
def test_people_and_attribution_mark_the_same_words_of_movie_reviews(sst2, tmp_path):
    """The highest ranked words are marked more often than words are on average."""
    write_table(tmp_path / "audit.csv", movies_table("test", 48, longest=60))
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
                    "texts": 40,
                    "trust_texts": 40,
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
