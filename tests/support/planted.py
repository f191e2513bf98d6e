"""A tiny encoder that decides by one word, brought to the head in one block only."""

import torch
from transformers import AutoModelForSequenceClassification

from tasks.data.dataset import load_dataset
from tasks.definition import ClassifierSubject, DataSpec
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tests.support.tiny import build


def plant(folder, carrier):
    """A tiny BERT that decides by the place, which attention brings to [CLS] in one block only.

    All other attention, and every MLP, adds nothing: its output weights are zero. The head is set
    to tell the two places apart, whatever else the text says.
    """
    build(folder / "model", "bert", seed=3)
    model = AutoModelForSequenceClassification.from_pretrained(folder / "model").eval()
    for number, block in enumerate(model.bert.encoder.layer, start=1):
        block.output.dense.weight.data.zero_()
        if number != carrier:
            block.attention.output.dense.weight.data.zero_()
    model.save_pretrained(folder / "model")
    subject = load_subject(refer("decider", ClassifierSubject(path="model"), folder))
    rows = load_dataset(data_spec(), folder, 7).rows
    places = ["north", "south"]
    texts = [row.text.replace(row.fields["place"], place) for row in rows for place in places]
    batch = subject.encode(texts)
    with torch.no_grad():
        pooled = model.bert(batch.ids, attention_mask=batch.mask).pooler_output.double()
    known = torch.cat([pooled, torch.ones(len(texts), 1)], dim=1)
    wanted = torch.tensor([1.0, -1.0], dtype=torch.double).repeat(len(rows))
    inside = known.T @ known + 1e-6 * torch.eye(known.shape[1])
    found = 2 * torch.linalg.solve(inside, known.T @ wanted).float()
    model.classifier.weight.data = torch.stack([-found[:-1], found[:-1]])
    model.classifier.bias.data = torch.stack([-found[-1], found[-1]])
    model.save_pretrained(folder / "model")


def data_spec(**changes):
    known = {"path": "data.csv", "id": "id", "label": "label", "favourable": "yes"}
    return DataSpec(**known, groups=("side",), fields=("place",), **changes).model_dump_json()
