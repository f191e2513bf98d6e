"""Probes of every layer: Assay's batched fit beside scikit-learn layer by layer, in one run.

    uv run python -m benchmarks.probing            # 10,000 texts, a quarter of an hour
    uv run python -m benchmarks.probing --quick    # one solver, five controls

Both fit the same standardised logistic regressions, with the same C, folds and tolerance, on the
same threads. The last line is one JSON object.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

from tasks.measures.model.hooks import captured, find_blocks
from tasks.measures.probing.description_length import online_code
from tasks.measures.probing.logistic import Problems, design, fit
from tasks.measures.probing.nonlinear import nonlinear_probes
from tasks.measures.probing.probes import control_labels, linear_probes
from tests.support.real_subjects import base_model, sst2_table

FOLDS, CONTROLS, C, BATCH = 5, 10, 0.01, 64
LOOSE, TIGHT = 1e-4, 1e-6  # as scikit-learn comes; and converged
SOLVERS = ("lbfgs", "newton-cholesky")


class Material(NamedTuple):
    """States [layers, texts, d] and an attribute [texts]."""

    name: str
    states: Any
    labels: Any


class Run(NamedTuple):
    """One arm of a comparison."""

    seconds: float
    cpu: float
    """Seconds of processor time, which others on the machine do not change."""
    megabytes: float
    hits: Any
    """Right or wrong on the fold that was left out, [layers, labellings, texts]."""


def main() -> None:
    """Run both arms on both materials and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="one solver and five controls, five minutes"
    )
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    console = Console(width=140)
    solvers = SOLVERS[:1] if asked.quick else SOLVERS
    table = Table(title=f"probes: {FOLDS} folds, C = {C}, {asked.threads} thread(s)")
    for head in (
        "material",
        "arm",
        "fits",
        "seconds",
        "CPU seconds",
        "ratio",
        "accuracy",
        "largest difference",
    ):
        table.add_column(head)
    table.add_column("peak MB")
    told: dict[str, Any] = {"threads": asked.threads, "quick": asked.quick}
    with threadpool_limits(asked.threads):
        for material in (minilm(10_000), random_model(1000 if asked.quick else 2000)):
            told[material.name] = {
                "layers": len(material.states),
                "texts": len(material.labels),
                "default": compare(material, table, LOOSE, solvers),
                "converged": compare(material, table, TIGHT, solvers),
                "converged_with_controls": compare(
                    material,
                    table,
                    TIGHT,
                    SOLVERS[:1],
                    controls=CONTROLS // 2 if asked.quick else CONTROLS,
                ),
                **whole(material, console),
            }
    console.print(table)
    print(json.dumps(told))


# --- material -----------------------------------------------------------------------------


def minilm(texts: int) -> Material:
    """Mean-pooled states of MiniLM on SST-2; the attribute is the sentiment."""
    base = base_model()
    rows = sst2_table("train", texts)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = AutoModel.from_pretrained(base, local_files_only=True).eval()
    encoded = [tokenizer(row["text"], truncation=True, max_length=64)["input_ids"] for row in rows]
    labels = np.array([row["label"] == "positive" for row in rows]).astype(np.int64)
    return Material("MiniLM", states_of(model, encoded), labels)


def random_model(texts: int) -> Material:
    """A random encoder of 24 layers; the attribute is whether either of two words is there."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=500,
            hidden_size=384,
            num_hidden_layers=24,
            num_attention_heads=6,
            intermediate_size=768,
        )
        model = BertModel(config).eval()
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, texts)
    tokens = rng.integers(10, 500, size=(texts, 12))
    tokens[:, 5] = labels
    return Material("24 layers", states_of(model, tokens.tolist()), labels)


def states_of(model: Any, encoded: list[list[int]]) -> Any:
    """Mean over tokens at every layer, float32 [layers + 1, texts, d], from one pass."""
    blocks, order = find_blocks(model), sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    found: Any = None
    for start in range(0, len(order), BATCH):
        some = order[start : start + BATCH]
        width = max(len(encoded[i]) for i in some)
        ids = torch.tensor([encoded[i] + [0] * (width - len(encoded[i])) for i in some])
        mask = torch.tensor([[j < len(encoded[i]) for j in range(width)] for i in some])
        with torch.inference_mode(), captured(blocks) as states:
            model(input_ids=ids, attention_mask=mask.long())
        weight = mask.unsqueeze(-1).float()
        pooled = torch.stack([(h * weight).sum(1) / weight.sum(1) for h in states])
        if found is None:
            found = np.empty((len(pooled), len(encoded), pooled.shape[2]), dtype=np.float32)
        found[:, some] = pooled.numpy()
    return found


# --- the two arms -------------------------------------------------------------------------


def assay(material: Material, labellings: Any, tolerance: float) -> Run:
    """All layers, folds and labellings together."""
    fold, many = folds(material), len(labellings)

    def work() -> Any:
        made = design(material.states)
        labels = np.repeat(labellings, FOLDS, axis=0)
        trained = np.tile(np.stack([fold != f for f in range(FOLDS)]), (many, 1))
        strength = np.full(len(labels), C)
        readers = fit(made, Problems(labels, trained, strength, 2, False), tolerance=tolerance)
        read = readers.read(made.x).reshape(len(made.x), many, FOLDS, -1)
        held_out = np.take_along_axis(read, fold.reshape(1, 1, 1, -1), axis=2)[:, :, 0]
        return held_out == material.labels

    return measured(work)


def sklearn(material: Material, labellings: Any, solver: str, tolerance: float) -> Run:
    """One layer, fold and labelling after another."""
    fold = folds(material)

    def work() -> Any:
        shape = (len(material.states), len(labellings), len(fold))
        hits = np.empty(shape, dtype=bool)
        for layer, states in enumerate(material.states):
            for i, labels in enumerate(labellings):
                for f in range(FOLDS):
                    probe = make_pipeline(
                        StandardScaler(),
                        LogisticRegression(C=C, solver=solver, tol=tolerance, max_iter=20_000),
                    ).fit(states[fold != f], labels[fold != f])
                    read = probe.predict(states[fold == f])
                    hits[layer, i, fold == f] = read == material.labels[fold == f]
        return hits

    return measured(work)


def compare(
    material: Material,
    table: Table,
    tolerance: float,
    solvers: tuple[str, ...],
    *,
    controls: int = 0,
) -> dict[str, Any]:
    """All layers and folds, against the faster of scikit-learn's solvers.

    With controls, as many further labellings are probed beside the attribute.
    """
    dealt = [control_labels(material.labels, seed=seed) for seed in range(controls)]
    labellings = np.stack([material.labels, *dealt])
    ours = assay(material, labellings, tolerance)
    theirs = {s: sklearn(material, labellings, s, tolerance) for s in solvers}
    fits = len(material.states) * FOLDS * len(labellings)
    name = f"{material.name}, tolerance {tolerance:g}"
    name += f", {controls} controls" if controls else ""
    add(table, name, "Assay", fits, ours, None)
    for solver, run in theirs.items():
        add(table, name, f"scikit-learn, {solver}", fits, run, ours)
    best = min(theirs.values(), key=lambda run: run.cpu)
    return {
        "fits": fits,
        "assay_cpu_seconds": round(ours.cpu, 2),
        "sklearn_cpu_seconds": {s: round(run.cpu, 2) for s, run in theirs.items()},
        "ratio": round(best.cpu / ours.cpu, 1),
        "ratio_of_wall_seconds": round(best.seconds / ours.seconds, 1),
        "largest_accuracy_difference": round(apart(ours, best), 5),
    }


def whole(material: Material, console: Console) -> dict[str, Any]:
    """What an audit asks of the same states: strength chosen, online code, non-linear probe."""
    fold, labels = folds(material), material.labels
    trained = np.stack([fold == f for f in range(3)])
    tiled = np.tile(labels, (3, 1))
    made = design(material.states)
    both = np.stack([labels, control_labels(labels, seed=0)])
    parts: dict[str, Callable[[], Any]] = {
        "strength_seconds": lambda: linear_probes(made, tiled, trained, 2, seed=0),
        "mdl_seconds": lambda: online_code(made, both, 2, seed=0),
        "nonlinear_seconds": lambda: nonlinear_probes(made, tiled, trained, 2, seed=0),
    }
    found: dict[str, Any] = {}
    for name, work in parts.items():
        run = measured(work)
        found[name] = round(run.seconds, 2)
        if name == "mdl_seconds":
            bits = run.hits.bits.mean(axis=-1)
            found["bits_last_layer"] = [round(float(b), 3) for b in bits[-1]]
    console.print(f"{material.name}: {found}")
    return found


# --- measuring ----------------------------------------------------------------------------


def folds(material: Material) -> Any:
    """Fold of every text."""
    return np.random.default_rng(0).permutation(len(material.labels)) % FOLDS


def apart(a: Run, b: Run) -> float:
    """Largest difference in held-out accuracy over layers and labellings."""
    return float(np.abs(a.hits.mean(axis=-1) - b.hits.mean(axis=-1)).max())


def measured(work: Callable[[], Any]) -> Run:
    """Seconds, and how much memory came on top at most."""
    with watched() as peak:
        start, busy = time.perf_counter(), time.process_time()
        hits = work()
        seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    return Run(seconds, cpu, peak[0] - peak[1], hits)


@contextmanager
def watched() -> Iterator[list[float]]:
    """Highest and first resident size, in MB."""
    seen, done = [resident(), resident()], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            seen[0] = max(seen[0], resident())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    yield seen
    done.set()
    watcher.join()


def resident() -> float:
    """Resident size of this process, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def add(table: Table, name: str, arm: str, fits: int, run: Run, ours: Run | None) -> None:
    """One row of the table."""
    table.add_row(
        name,
        arm,
        str(fits),
        f"{run.seconds:.2f}",
        f"{run.cpu:.2f}",
        f"{run.cpu / ours.cpu:.1f}" if ours else "1",
        f"{run.hits[:, 0].mean():.4f}",
        f"{apart(run, ours):.5f}" if ours else "",
        f"{run.megabytes:.0f}",
    )


if __name__ == "__main__":
    main()
