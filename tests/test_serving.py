"""Serving with an exported lever: a plain loop decides just as the audit's table says."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tasks.checks.interventions.states import place, where_of
from tasks.checks.interventions.thirds import thirds
from tasks.checks.remediation.rounds import CONFIRMED
from tasks.checks.steering.rounds import RESPONSES
from tasks.definition import CausalSubject, ClassifierSubject
from tasks.errors import SubjectError
from tasks.measures.interventions.levers import Step, adding, applied, erasing, tokens
from tasks.measures.model.hooks import edited
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tasks.subjects.local.serving import load_lever
from tests.support.gathering import asked
from tests.support.levers import AUDITS, loan_plan, measured
from tests.support.tiny import DECODERS, ENCODERS, build

TEXTS = ["the applicant lives in north and earns a lot .", "very dull film !", "good ."]
KINDS = [(f, False) for f in (*ENCODERS, *DECODERS)] + [(f, True) for f in DECODERS]
RETRAINED = AUDITS / "loan-approval/retrained/encoder"


def test_importing_it_costs_torch_and_safetensors():
    """No model library, no flow, no definition: whatever serves brings its own."""
    heavy = ("transformers", "prefect", "pydantic", "sklearn", "captum", "concept_erasure")
    module = "tasks.subjects.local.serving"
    code = f"import sys, {module}; sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- every architecture -------------------------------------------------------------------


@pytest.fixture(scope="module", params=KINDS, ids=lambda k: f"{k[0]}-{'lm' if k[1] else 'sc'}")
def subject(request, tmp_path_factory):
    family, causal = request.param
    folder = build(tmp_path_factory.mktemp(family) / "model", family, causal=causal)
    spec = (CausalSubject if causal else ClassifierSubject)(path="model")
    return load_subject(refer("tiny", spec, folder.parent))


def a_step(layer, where, seed=0):
    """Takes one direction away and adds a vector."""
    rng = torch.Generator().manual_seed(seed)
    left, right, mean, shift = (
        torch.randn(*shape, generator=rng, dtype=torch.float64)
        for shape in ((32, 1), (1, 32), (32,), (32,))
    )
    return Step(layer, where, left, right, mean, shift)


@pytest.mark.parametrize("pooling", ["head", "first", "last", "mean"])
@pytest.mark.parametrize("layer", [0, 2, 3])
def test_a_lever_changes_the_state_that_was_read(subject, pooling, layer):
    """The tokens that serving finds in the mask are those that the audit's own rule names."""
    batch = subject.encode(TEXTS)
    step = a_step(layer, where_of(subject, pooling, layer))
    where = place(subject, batch, pooling, layer)

    def by_hand(hidden):
        out = hidden.clone()
        x = hidden[where].double()
        out[where] = (x - (x - step.mean) @ step.right.T @ step.left.T + step.shift).float()
        return out

    with torch.inference_mode():
        plain = subject.scores(batch)
        with edited(subject.blocks, layer, by_hand):
            expected = subject.scores(batch)
        with applied(subject.model, [step]):
            found = subject.scores(batch)
        assert torch.equal(found, expected)
        assert torch.equal(subject.scores(batch), plain)  # and afterwards it is as before
    reads_it = layer < 3 or pooling in ("head", "mean") or where[0, subject.head_position(batch)[0]]
    if reads_it:
        assert (found - plain).abs().max() > 1e-3


def test_steps_at_several_layers_are_applied_together(subject):
    batch, steps = subject.encode(TEXTS), [a_step(layer, "all", layer) for layer in (0, 1, 3)]
    with torch.inference_mode():
        with applied(subject.model, steps):
            together = subject.scores(batch)
        with (
            applied(subject.model, steps[:1]),
            applied(subject.model, steps[1:2]),
            applied(subject.model, steps[2:]),
        ):
            assert torch.equal(subject.scores(batch), together)


def test_no_hook_survives_a_lever(subject):
    with (
        pytest.raises(RuntimeError, match="in the middle"),
        applied(subject.model, [a_step(0, "all"), a_step(2, "last")]),
    ):
        raise RuntimeError("in the middle")
    hooked = [m for m in subject.model.modules() if m._forward_hooks or m._forward_pre_hooks]
    assert hooked == []


@pytest.mark.parametrize("where", ["all", "first", "last"])
def test_the_tokens_are_found_whichever_side_is_padded(where):
    right = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    expected = {
        "all": [[1, 1, 1, 0], [1, 1, 1, 1]],
        "first": [[1, 0, 0, 0], [1, 0, 0, 0]],
        "last": [[0, 0, 1, 0], [0, 0, 0, 1]],
    }[where]
    assert tokens(right, where).int().tolist() == expected
    left = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1]])
    shifted = [expected[0][-1:] + expected[0][:-1], expected[1]]
    assert tokens(left, where).int().tolist() == shifted


def test_a_decoder_decides_alike_whichever_side_is_padded(tmp_path):
    """The last token that is read gets the vector, wherever it stands in the batch."""
    folder = build(tmp_path / "m", "llama")
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    scores = {}
    for side in ("left", "right"):
        inputs = tokenizer(TEXTS, padding=True, padding_side=side, return_tensors="pt")
        inputs = {k: v for k, v in inputs.items() if k != "token_type_ids"}
        positions = (inputs["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        with torch.no_grad(), applied(model, [a_step(2, "last")]):
            scores[side] = model(**inputs, position_ids=positions).logits
    torch.testing.assert_close(scores["left"], scores["right"], atol=1e-5, rtol=1e-5)


def test_a_writing_model_is_steered_token_by_token(tmp_path):
    """With a cache the mask is longer than what is run; the result is that without one."""
    from transformers import AutoModelForCausalLM

    folder = build(tmp_path / "m", "llama", causal=True)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    inputs = AutoTokenizer.from_pretrained(folder)(TEXTS[:1], return_tensors="pt")
    inputs = {k: inputs[k] for k in ("input_ids", "attention_mask")}
    written = []
    with applied(model, [adding(1, "all", torch.ones(32))]):
        for cache in (True, False):
            options = {"max_new_tokens": 8, "do_sample": False, "use_cache": cache}
            written.append(model.generate(**inputs, **options, pad_token_id=0, eos_token_id=None))
    assert torch.equal(*written)


# --- what an audit exports ----------------------------------------------------------------


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("remedied")
    check = {"kind": "remediation", "attribute": "origin", "alphas": [-1.0, 1.0]}
    plan = loan_plan(folder, "retrained", check)
    return plan, *measured(plan, folder / "store")


@pytest.fixture(scope="module")
def lever_file(audited):
    _, evidence, finished = audited
    (export,) = evidence.exports
    return export_path(finished.store, export)


def export_path(store, export):
    """The export as a serving process would have it, beside the report."""
    path = store.folder / "served" / export.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(store.export(export.sha256))
    return path


@pytest.fixture(scope="module")
def served():
    """The organism as anybody would load it."""
    model = AutoModelForSequenceClassification.from_pretrained(RETRAINED).eval()
    return model, AutoTokenizer.from_pretrained(RETRAINED)


def decided(model, tokenizer, texts, size):
    found = []
    for start in range(0, len(texts), size):
        inputs = tokenizer(
            texts[start : start + size], padding=True, truncation=True, return_tensors="pt"
        )
        with torch.no_grad():
            found += model(**inputs).logits.argmax(dim=-1).tolist()
    return np.array(found)


def test_serving_with_the_lever_reproduces_the_table(audited, lever_file, served):
    """Own tokenizer, own batches, the file alone: the same decision for every text, and so the
    rates, the gap and the accuracy that the report states."""
    plan, evidence, finished = audited
    model, tokenizer = served
    rows = plan.rows(thirds(asked(plan)).third)
    lever = load_lever(lever_file)
    with lever.applied(model, folder=RETRAINED):
        found = decided(model, tokenizer, [row.text for row in rows], size=17)

    (confirmed,) = finished.of(CONFIRMED)
    np.testing.assert_array_equal(found, confirmed.decided[1])
    origin = np.array([row.groups["origin"] for row in rows])
    approved = np.array([model.config.id2label[c] for c in found]) == "approved"
    rates = {g: approved[origin == g].mean() for g in ("migrant", "native")}
    chosen = evidence.recommendation.lever
    told = {
        (m.name, m.about.group): m.value for m in evidence.measurements if m.about.lever == chosen
    }
    assert {g: told["remedied_rate", g] for g in rates} == rates
    assert told["remedied_gap", None] == abs(rates["migrant"] - rates["native"])
    right = [model.config.id2label[c] == row.label for c, row in zip(found, rows, strict=True)]
    assert told["remedied_accuracy", None] == np.mean(right)


def test_without_the_lever_the_model_is_the_untouched_one(audited, lever_file, served):
    plan, _, finished = audited
    rows = plan.rows(thirds(asked(plan)).third)
    model, tokenizer = served
    with load_lever(lever_file).applied(model):
        pass
    found = decided(model, tokenizer, [row.text for row in rows], size=50)
    (confirmed,) = finished.of(CONFIRMED)
    np.testing.assert_array_equal(found, confirmed.decided[0])


def test_the_file_says_where_it_comes_from(audited, lever_file):
    plan, evidence, _ = audited
    with safe_open(lever_file, framework="np") as stored:
        about = json.loads(stored.metadata()["assay"])
    assert about["attribute"] == "origin"
    assert about["lever"] == evidence.recommendation.lever
    assert about["subject"]["sha256"] == plan.subjects["decider"].sha256
    assert (about["subject"]["layers"], about["subject"]["width"]) == (3, 64)
    assert about["audit"]["data_sha256"] == plan.data.sha256
    assert about["audit"]["seed"] == plan.spec.seed
    assert about["n"] == 334  # a third of 1,000


def test_the_same_audit_exports_the_same_bytes(audited, tmp_path):
    plan, evidence, _ = audited
    again, _ = measured(plan, tmp_path)
    assert again.exports == evidence.exports
    assert again == evidence


# --- refusals -----------------------------------------------------------------------------


def test_other_weights_are_refused(lever_file, served):
    clean = AUDITS / "loan-approval/clean/encoder"
    with (
        pytest.raises(SubjectError, match="measure again before serving it"),
        load_lever(lever_file).applied(served[0], folder=clean),
    ):
        pass


def test_another_shape_is_refused(lever_file, tmp_path):
    folder = build(tmp_path / "m", "bert")
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    message = "fitted to 3 layers of width 64; BertForSequenceClassification has 3 of width 32"
    with pytest.raises(SubjectError, match=message), load_lever(lever_file).applied(model):
        pass


def test_a_call_without_a_mask_is_refused(lever_file, served):
    """Else padding would be taken for text, and the lever would miss, silently."""
    model, tokenizer = served
    ids = tokenizer(["one text", "another longer text"], padding=True, return_tensors="pt")
    with load_lever(lever_file).applied(model):
        with pytest.raises(SubjectError, match="must know which tokens are padding"):
            model(input_ids=ids["input_ids"])
        model(ids["input_ids"], ids["attention_mask"])  # by position is as good


def test_a_layer_that_does_not_exist_is_refused(served):
    zero = torch.zeros(64, dtype=torch.float64)
    step = erasing(9, "all", zero[:, None], zero[None], zero)
    with (
        pytest.raises(SubjectError, match=r"layer 9 does not fit .* last layer is 3"),
        applied(served[0], [step]),
    ):
        pass


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda p, _: None, "no lever at", id="no file"),
        pytest.param(lambda p, _: p.write_bytes(b"x" * 40), "no safetensors file", id="noise"),
        pytest.param(
            lambda p, _: save_file({"a": torch.ones(1)}, p), "not a lever of format 1", id="weights"
        ),
        pytest.param(lambda p, f: shutil.copy(f, p), "takes no layer and no alpha", id="whole"),
    ],
)
def test_what_is_no_lever_is_refused(make, message, lever_file, tmp_path):
    path = tmp_path / "lever.safetensors"
    make(path, lever_file)
    options = {"layer": 1, "alpha": 1.0} if "takes" in message else {}
    with pytest.raises(SubjectError, match=message):
        load_lever(path, **options)


# --- steering vectors ---------------------------------------------------------------------


def test_exported_vectors_steer_as_the_dose_response_says(tmp_path, served):
    check = {
        "kind": "steering", "attribute": "origin", "layers": [3], "alphas": [-2.0, -1, 0, 1, 2],
        "texts": 270, "shuffles": 3,
    }  # fmt: skip
    plan = loan_plan(tmp_path, "retrained", check)
    evidence, finished = measured(plan, tmp_path / "store")
    path = export_path(finished.store, evidence.exports[0])
    texts = [row.text for row in plan.rows(thirds(asked(plan)).unfitted)]
    (responses,) = finished.of(RESPONSES)
    for i, alpha in enumerate(check["alphas"]):
        with load_lever(path, layer=3, alpha=alpha).applied(served[0]):
            found = decided(*served, texts, size=41)
        np.testing.assert_array_equal(found, responses.decided[i])
    assert len({tuple(row) for row in responses.decided}) > 2  # the dose does something
    with pytest.raises(SubjectError, match="name a layer and an alpha"):
        load_lever(path)
    with pytest.raises(SubjectError, match="no layer 7; its last is 3"):
        load_lever(path, layer=7, alpha=1.0)
