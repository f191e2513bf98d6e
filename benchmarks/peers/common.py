"""What every tool's script shares: its task, its clock, its memory, its answer.

A script runs alone in its tool's environment: `python peers/<tool>.py <task.json>`. It prints one
JSON object as its last line. Nothing here needs more than torch and transformers.
"""

import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

SMALLEST_RANGE = 1e-2  # below this |f(x) - f(baseline)| a relative error means nothing


@dataclass(frozen=True)
class Task:
    """What is to be explained, and how."""

    model: str
    """Folder of the classifier."""
    texts: list[str]
    threads: int
    options: dict[str, Any]

    @property
    def short(self) -> list[str]:
        """A few texts to warm up with."""
        return self.texts[:2]


def read_task() -> Task:
    """The task named on the command line; threads are set, warnings are silenced."""
    given = json.loads(Path(sys.argv[1]).read_text())
    task = Task(given["model"], given["texts"], given["threads"], given["options"])
    torch.set_num_threads(task.threads)
    torch.manual_seed(0)
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return task


def load(folder: str) -> tuple[Any, Any]:
    """The classifier and its tokenizer."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True
    )
    return model.eval(), tokenizer


def log_odds(logits: torch.Tensor, index: int) -> torch.Tensor:
    """Log-odds of one of two classes, [rows]: the score that Assay explains."""
    return logits[:, index] - logits[:, 1 - index]


def relative(delta: float, whole: float) -> float:
    """Completeness error as a share of score - baseline score."""
    return abs(delta) / max(abs(whole), SMALLEST_RANGE)


def timed(
    texts: Sequence[str], warm_up: Sequence[str], explain: Callable[[str], tuple[list[float], Any]]
) -> dict[str, Any]:
    """Explain one text after another; values of every text without its two special tokens."""
    for text in warm_up:
        explain(text)
    values, errors = [], []
    start = time.perf_counter()
    for text in texts:
        of_tokens, error = explain(text)
        values.append(of_tokens[1:-1])
        errors.append(error)
    return {"seconds": time.perf_counter() - start, "values": values, "errors": errors}


def peak_memory_mb() -> float:
    """Most memory this process ever held.

    `ru_maxrss` of a process counts what its parent held when it was started, `VmHWM` does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def answer(found: dict[str, Any]) -> None:
    """Print what was found, with the memory it took, and leave at once."""
    found = {"peak_memory_mb": peak_memory_mb(), **found}
    print(json.dumps(found), flush=True)
    os._exit(0)  # threads that some tools leave behind would wait for each other
