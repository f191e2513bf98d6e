"""One adapter for every architecture: batches, windows, embeddings, layers."""

import shutil

import pytest
import torch

from tasks.definition import CausalSubject, ClassifierSubject
from tasks.errors import SubjectError
from tasks.measures.localisation.lens import read_layers
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tests.support.tiny import DECODERS, ENCODERS, build

TEXTS = ["the applicant lives in north and earns a lot .", "very dull film !", "good ."]
KINDS = [(f, False) for f in (*ENCODERS, *DECODERS)] + [(f, True) for f in DECODERS]


def load(folder, *, causal=False, **options):
    spec = (CausalSubject if causal else ClassifierSubject)(path=folder.name, **options)
    return load_subject(refer("tiny", spec, folder.parent))


@pytest.fixture(scope="module", params=KINDS, ids=lambda k: f"{k[0]}-{'lm' if k[1] else 'sc'}")
def subject(request, tmp_path_factory):
    family, causal = request.param
    folder = build(tmp_path_factory.mktemp(family) / "model", family, causal=causal)
    return load(folder, causal=causal)


def test_a_batch_gives_each_text_the_scores_it_has_alone(subject):
    with torch.no_grad():
        together = subject.scores(subject.encode(TEXTS))
        alone = torch.cat([subject.scores(subject.encode([t])) for t in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


def test_the_embedding_route_is_the_token_route(subject):
    batch = subject.encode(TEXTS)
    with torch.no_grad():
        torch.testing.assert_close(
            subject.scores(batch),
            subject.scores(batch, subject.embed(batch.ids)),
            atol=1e-5,
            rtol=1e-5,
        )


def test_the_lens_reads_the_subjects_own_scores_at_the_last_layer(subject):
    batch = subject.encode(TEXTS)
    readings, states = read_layers(lambda: subject.scores(batch), subject.blocks)
    with torch.no_grad():
        own = subject.scores(batch)
    assert len(readings) == len(states) == subject.layers + 1 == 4
    torch.testing.assert_close(readings[-1], own, atol=0, rtol=0)
    assert (readings[0] - own).abs().max() > 1e-4  # and something else at the first


def test_no_hook_survives_a_reading(subject):
    batch = subject.encode(TEXTS)
    read_layers(lambda: subject.scores(batch), subject.blocks)
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in subject.blocks)


def test_a_long_text_in_windows_is_the_mean_of_its_windows(tmp_path):
    subject = load(build(tmp_path / "m", "bert"), too_long="window")
    long = "good film . " * 40
    batch = subject.encode([long, "dull ."])
    assert batch.owner.tolist().count(0) > 1
    with torch.no_grad():
        scores = subject.scores(batch)
    merged = batch.merged(scores)
    torch.testing.assert_close(merged[0], scores[batch.owner == 0].mean(dim=0))
    assert subject.too_long([long, "dull ."]) == [0]


def test_nan_weights_are_refused_by_name(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = build(tmp_path / "m", "bert")
    weights = load_file(folder / "model.safetensors")
    weights["classifier.weight"][0, 0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SubjectError, match=r"classifier.weight .* holds NaN"):
        load(folder)


def test_a_missing_head_is_refused_and_not_made_up(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = build(tmp_path / "m", "bert")
    weights = load_file(folder / "model.safetensors")
    weights.pop("classifier.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SubjectError, match=r"classifier.weight.*would be random"):
        load(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda f: (f / "model.safetensors").unlink(), "no weights", id="no weights"),
        pytest.param(
            lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
            r"pickled weights \(pytorch_model.bin\)",
            id="pickled",
        ),
        pytest.param(lambda f: (f / "config.json").unlink(), "no config.json", id="no config"),
        pytest.param(shutil.rmtree, "no folder 'm' beside", id="no folder"),
    ],
)
def test_an_unusable_folder_is_refused_before_anything_loads(tmp_path, damage, message):
    folder = build(tmp_path / "m", "bert")
    damage(folder)
    with pytest.raises(SubjectError, match=message):
        refer("tiny", ClassifierSubject(path="m"), tmp_path)


def test_a_classifier_given_as_causal_lm_is_refused(tmp_path):
    build(tmp_path / "m", "llama")
    with pytest.raises(
        SubjectError, match="LlamaForSequenceClassification; declare it as kind: seq"
    ):
        refer("tiny", CausalSubject(path="m"), tmp_path)
