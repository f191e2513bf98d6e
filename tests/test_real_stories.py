"""A pretrained writer of stories through the command line: is the report true?

Without the data folder (`ASSAY_TEST_DATA`, or `../shared/data` beside the checkout) these tests
are skipped. What runs an audit takes minutes and is marked slow.
"""

import numpy as np
import pytest
import torch

from flows.cli.run import EXIT
from tasks.schema import LayerReading
from tests.support.real_audits import assay_run, every_check_has_its_section, needs_data
from tests.support.real_subjects import STORIES, data_folder, stories_table, write_table

pytestmark = needs_data
STORYTELLER = data_folder() / "stories260k" / "hf"


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


@pytest.mark.slow
def test_a_subject_that_only_writes_says_which_checks_it_cannot_answer(stories):
    reasons = {e.check.kind: e.not_run for e in stories.report.evidence if e.not_run}
    assert set(reasons) == {"performance", "fairness", "reasoning"}
    assert all(reason.startswith("needs ") for reason in reasons.values())
    assert stories.exit_code == EXIT[stories.report.verdict] == 3  # no gate, no verdict
    every_check_has_its_section(stories)


@pytest.mark.slow
def test_the_next_token_in_the_report_is_the_models_own(stories, storyteller):
    model, tokenizer = storyteller
    texts = {row["id"]: row["text"] for row in stories_table()}
    for case in stories.report.cases:
        with torch.inference_mode():
            logits = model(**tokenizer(texts[case.id], return_tensors="pt")).logits[0, -1]
        assert case.probability == pytest.approx(logits.softmax(-1).max().item(), abs=1e-4)
        assert tokenizer.decode([int(logits.argmax())]) in case.decision


@pytest.mark.slow
def test_the_lens_is_exact_at_the_storytellers_last_layer(stories):
    last = stories.one("localisation", "agreement_with_final", layer=5)
    assert last.value == 1.0
    assert stories.one("localisation", "agreement_with_final", layer=0).value < 0.5
    cases = stories.evidence("localisation").cases
    for reading in (c for c in cases if isinstance(c, LayerReading)):
        shown = next(case for case in stories.report.cases if case.id == reading.id)
        assert reading.probabilities[-1] == pytest.approx(shown.probability, abs=1e-5)


@pytest.mark.slow
def test_attribution_of_next_tokens_converges_and_beats_a_random_order(stories):
    assert stories.one("attribution", "converged", method="integrated-gradients").value >= 0.95
    assert stories.evidence("attribution").cited == "integrated-gradients"
