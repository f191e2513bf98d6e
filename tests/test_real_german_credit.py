"""German Credit through the command line: does the report say what is so?

Without the data folder (`ASSAY_TEST_DATA`, or `../shared/data` beside the checkout) or the base
model's package these tests are skipped. What runs an audit takes minutes and is marked slow.
"""

from collections import Counter

import numpy as np
import pytest

from flows.cli.run import EXIT
from tests.support.real_audits import (
    assay_run,
    every_check_has_its_section,
    needs_base,
    needs_data,
    probabilities,
)
from tests.support.real_subjects import (
    GERMAN_FIELDS,
    GERMAN_GROUPS,
    fine_tune,
    german_rows,
    german_table,
    split,
    write_table,
)

pytestmark = needs_data


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
                    "texts": 24,
                    "trust_texts": 12,
                    "units": "fields",
                    "methods": ["integrated-gradients", "sliding-window", "gradient-x-input"],
                },
                {"kind": "localisation", "texts": 150},
                {"kind": "probing", "texts": 300, "random_subspaces": 2, "attributes": ["over_25"]},
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


@needs_base
@pytest.mark.slow
@pytest.mark.timeout(1800)
class TestGermanCredit:
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
