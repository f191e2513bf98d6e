"""Assay's own methods, on texts sorted by their number of tokens, in batches."""

import time
from pathlib import Path
from typing import Any

import torch
from common import answer, peak_memory_mb, read_task, relative
from torch.nn.functional import linear

from tasks.definition import ClassifierSubject
from tasks.measures.attribution.inputs import Attribution
from tasks.measures.attribution.integrated_gradients import integrated_gradients
from tasks.measures.attribution.shapley import shapley_values
from tasks.subjects.load import refer
from tasks.subjects.local.loading import load_subject
from tasks.subjects.local.prepared_texts import Explained, explained
from tasks.subjects.local.writer import Writer

ROWS = 32  # of a batch
METHODS = {
    "integrated gradients": lambda inputs: integrated_gradients(inputs, tolerance=1e-3),
    "shapley": shapley_values,
}


def subject_in(folder: str) -> Writer:
    """The classifier in a folder, as an audit loads it."""
    return load_subject(refer("subject", ClassifierSubject(path=folder), Path(folder)))


def gradients_of(method: str, evaluations: float) -> tuple[float, float]:
    """Forward and backward passes that a text took; a gradient counts as one of each."""
    if method == "shapley":
        return evaluations, 0.0
    return evaluations / 2, evaluations / 2


def operations(config: Any, tokens: int, forward: float, backward: float) -> float:
    """Floating-point operations of passes over one text; backward to activations only."""
    d, f, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    weights = 2 * tokens * (4 * d * d + 2 * d * f)
    attention = 4 * tokens * tokens * d
    return layers * (forward * (weights + attention) + backward * (weights + 2 * attention))


def gemm_rate(config: Any, tokens: int) -> float:
    """GFLOP/s of plain products of the model's shapes, weighted as one block uses them."""
    d, f = config.hidden_size, config.intermediate_size
    taken = done = 0.0
    for inside, outside, times in ((d, d, 4), (d, f, 1), (f, d, 1)):
        x, weight = torch.randn(tokens, inside), torch.randn(outside, inside)
        best = float("inf")
        until = time.perf_counter() + 0.7
        while time.perf_counter() < until:
            start = time.perf_counter()
            linear(x, weight)
            best = min(best, time.perf_counter() - start)
        taken += times * best
        done += times * 2 * tokens * inside * outside
    return done / taken / 1e9


def main() -> None:
    """Explain every text, then say how fast the machine could have been."""
    task = read_task()
    method = task.options["method"]
    subject = subject_in(task.model)
    explain = METHODS[method]

    def run(texts: list[str]) -> tuple[Explained, Attribution]:
        ready = explained(subject, texts, units="tokens")
        return ready, explain(ready.inputs)

    run(task.short)
    values: list[list[float]] = [[] for _ in task.texts]
    errors = [0.0] * len(task.texts)
    spent = [0.0] * len(task.texts)
    widths = []
    start = time.perf_counter()
    lengths = [len(ids) for ids in subject.tokenizer(task.texts)["input_ids"]]
    order = sorted(range(len(task.texts)), key=lambda i: lengths[i])
    for first in range(0, len(order), ROWS):
        batch = order[first : first + ROWS]
        ready, found = run([task.texts[i] for i in batch])
        widths.append(ready.inputs.rows_per_pass * ready.inputs.own.shape[1])
        for i, merged in zip(batch, ready.merged(found), strict=True):
            values[i] = merged.values
            errors[i] = relative(merged.delta, merged.score - merged.baseline_score)
            spent[i] = merged.evaluations
    seconds = time.perf_counter() - start
    memory = peak_memory_mb()
    config = subject.model.config
    done = sum(
        operations(config, len(of_text) + 2, *gradients_of(method, evaluations))
        for of_text, evaluations in zip(values, spent, strict=True)
    )
    answer(
        {
            "seconds": seconds,
            "values": values,
            "errors": errors,
            "peak_memory_mb": memory,
            "model_gflops": done / seconds / 1e9,
            "gemm_gflops": gemm_rate(config, sorted(widths)[len(widths) // 2]),
            "evaluations": sum(spent) / len(spent),
        }
    )


if __name__ == "__main__":
    main()
