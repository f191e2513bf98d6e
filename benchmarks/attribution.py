"""Assay's attribution beside other tools: time, completeness, agreement with exact Shapley, memory.

    uv run python benchmarks/attribution.py            # 200 texts, half an hour on two cores
    uv run python benchmarks/attribution.py --quick    # 24 texts, five minutes

Every tool runs in a process of its own, one after another, on the same texts, model and number of
threads; other tools in environments of their own, which the first run creates with uv (that needs a
network and is not counted in the times above). The last line is one JSON object.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

PEERS = Path(__file__).resolve().parent / "peers"
PROJECT = PEERS.parents[1]
TOLERANCE = 1e-3
TIME_LIMIT = 4 * 3600  # seconds for one tool
COMMON = ("torch==2.15.0", "transformers==5.23.0")
COLUMNS = (
    "tool",
    "seconds per text",
    "times Assay's",
    "completeness error, median",
    "worst",
    "r with exact Shapley",
    "peak memory, MB",
    "share of GEMM rate",
)


@dataclass(frozen=True)
class Tool:
    """One row of the table."""

    key: str
    name: str
    script: str
    options: dict[str, Any] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    """What its environment holds besides torch and transformers; empty: the project's own."""
    against: str = "integrated_gradients"
    """The method of Assay that it is held against."""
    note: str = ""


TOOLS = (
    Tool(
        "integrated_gradients",
        "Assay, integrated gradients",
        "assay.py",
        {"method": "integrated gradients"},
        note="steps as needed, text by text, for an error of 0.1 %",
    ),
    Tool(
        "shapley",
        "Assay, Shapley",
        "assay.py",
        {"method": "shapley"},
        against="shapley",
        note="6 evaluations per token",
    ),
    Tool(
        "captum_loop",
        "captum, one text at a time",
        "captum_loop.py",
        note="LayerIntegratedGradients; score, class and [MASK] baseline as Assay's",
    ),
    Tool(
        "captum_at_equal_error",
        "captum, at Assay's error",
        "captum_loop.py",
        {"tolerance": TOLERANCE},
        note="the fewest steps, of a ladder in stages of a quarter, at which every text's error is "
        "at most 0.1 %",
    ),
    Tool(
        "interpreto",
        "interpreto, IG",
        "interpreto_ig.py",
        packages=("interpreto==0.5.2",),
        note="50 steps, [MASK] baseline set text by text (by itself: zeros), logit of the class; "
        "absolute values averaged over the embedding: unsigned, not complete",
    ),
    Tool(
        "transformers_interpret",
        "transformers-interpret",
        "transformers_interpret_lig.py",
        packages=("transformers-interpret==0.10.0",),
        note="50 steps, probability of the class, [PAD] baseline; the error is that of its own sum "
        "before it scales attributions to length 1",
    ),
    Tool(
        "shap_partition",
        "shap, Partition",
        "shap_partition.py",
        packages=("shap==0.51.0",),
        against="shapley",
        note="at most 500 evaluations, [MASK] for absent tokens, score as Assay's",
    ),
)


class LeftOutError(Exception):
    """A tool that cannot be run, and why."""


def main() -> None:
    """Run every tool and print the table."""
    given = arguments()
    console = Console()
    count, short = (24, 4) if given.quick else (200, 10)
    given.cache.mkdir(parents=True, exist_ok=True)
    console.print(f"{count} SST-2 sentences, {given.threads} threads, cache {given.cache}")
    try:
        prepared = last_json(
            [sys.executable, PEERS / "prepare.py", given.cache, count, short, given.threads],
            given.threads,
        )
    except LeftOutError as problem:
        console.print(f"cannot prepare the benchmark: {problem}", style="red", markup=False)
        sys.exit(2)
    found: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for tool in TOOLS:
        console.print(f"{tool.name} ...", markup=False)
        try:
            found[tool.key] = run(tool, prepared, given)
        except LeftOutError as problem:
            left_out[tool.key] = str(problem)
            console.print(f"{tool.name} is left out: {problem}", style="yellow", markup=False)
    rows = [cells(tool, found) for tool in TOOLS if tool.key in found]
    notes = [note(tool, found, left_out) for tool in TOOLS]
    show(console, rows, notes)
    if given.write:
        given.write.write_text(as_markdown(rows, notes, prepared, given), encoding="utf-8")
    print(json.dumps(summary(found, left_out, prepared, given)))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="24 texts instead of 200")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the table as Markdown, too")
    parser.add_argument(
        "--cache",
        type=Path,
        default=caches / "assay-benchmarks",
        help="model, exact Shapley values and environments (default: %(default)s)",
    )
    return parser.parse_args()


# --- running tools ------------------------------------------------------------------------


def run(tool: Tool, prepared: dict[str, Any], given: argparse.Namespace) -> dict[str, Any]:
    """What a tool found, with its agreement with exact Shapley values."""
    python = environment(tool, given.cache)
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "task.json"
        task.write_text(
            json.dumps(
                {
                    "model": prepared["model"],
                    "texts": prepared["texts"],
                    "threads": given.threads,
                    "options": tool.options,
                }
            )
        )
        found = last_json([python, PEERS / tool.script, task], given.threads)
    pairs = list(zip(found["values"], prepared["exact"], strict=False))
    if any(len(values) != len(exact) for values, exact in pairs):
        raise LeftOutError("its values do not stand for the tokens of the text")
    found["correlation"] = mean_pearson(pairs)
    unsigned = [(values, [abs(x) for x in exact]) for values, exact in pairs]
    found["unsigned_correlation"] = mean_pearson(unsigned)
    found["per_text"] = found["seconds"] / len(prepared["texts"])
    found["complete"] = all(error is not None for error in found["errors"])
    return found


def environment(tool: Tool, cache: Path) -> Path:
    """The Python of a tool's environment, created if it is not there."""
    if not tool.packages:
        return Path(sys.executable)
    packages = [*COMMON, *tool.packages]
    made_of = hashlib.sha256(" ".join([sys.version, *packages]).encode()).hexdigest()[:8]
    folder = cache / "environments" / f"{tool.key}-{made_of}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / "ready"
    if not ready.exists():
        uv = shutil.which("uv")
        if uv is None:
            raise LeftOutError("its environment cannot be created: uv is not on the path")
        shutil.rmtree(folder, ignore_errors=True)
        for command in (
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", str(python), *packages],
        ):
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise LeftOutError(f"{' '.join(packages)} not installed: {last_line(made.stderr)}")
        ready.touch()
    return python


def last_json(command: list[Any], threads: int) -> dict[str, Any]:
    """Run a script in a process of its own; its last line is the answer."""
    limits = dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"),
        str(threads),
    )
    quiet = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}
    own = str(command[0]) == sys.executable  # other environments see nothing of the project
    paths = [str(PROJECT), str(PROJECT / "tests")] if own else []
    try:
        ran = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT,
            env={**os.environ, **limits, **quiet, "PYTHONPATH": os.pathsep.join(paths)},
        )
    except subprocess.TimeoutExpired:
        raise LeftOutError(f"not done after {TIME_LIMIT} s") from None
    if ran.returncode != 0:
        raise LeftOutError(last_line(ran.stderr) or f"ended with {ran.returncode}")
    answer: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return answer


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def mean_pearson(pairs: list[tuple[list[float], list[float]]]) -> float | None:
    """Mean over texts of the correlation between values and exact ones."""
    found = [statistics.correlation(a, b) for a, b in pairs if len(set(a)) > 1 and len(set(b)) > 1]
    return statistics.fmean(found) if found else None


# --- telling ------------------------------------------------------------------------------


def cells(tool: Tool, found: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """One row of the table."""
    own = found[tool.key]
    base = found.get(tool.against)
    errors = own["errors"] if own["complete"] else None
    r = own["correlation"]
    share = own["model_gflops"] / own["gemm_gflops"] if "gemm_gflops" in own else None
    return (
        tool.name + (f", {own['steps']} steps" if "steps" in own else ""),
        f"{own['per_text']:.3f}",
        f"{own['per_text'] / base['per_text']:.1f}" if base else "—",
        as_share(statistics.median(errors)) if errors else "not complete",
        as_share(max(errors)) if errors else "not complete",
        "—" if r is None else f"{r:.3f}",
        f"{own['peak_memory_mb']:.0f}",
        "" if share is None else f"{share:.0%}",
    )


def as_share(error: float) -> str:
    """A relative error, in percent."""
    if not math.isfinite(error):
        return "not finite"
    return "< 0.001 %" if error < 1e-5 else f"{100 * error:.2g} %" if error < 1 else f"{error:.0%}"


def note(tool: Tool, found: dict[str, dict[str, Any]], left_out: dict[str, str]) -> str:
    """What has to be known about a row."""
    if tool.key in left_out:
        return f"{tool.name}: left out ({left_out[tool.key]})"
    own = found[tool.key]
    version = f" {own['version']}" if "version" in own else ""
    text = f"{tool.name}{version}: {tool.note}"
    if not own["complete"] and own["unsigned_correlation"] is not None:
        text += f"; r with absolute Shapley values {own['unsigned_correlation']:.3f}"
    if "tolerance" in tool.options and max(own["errors"]) > TOLERANCE:
        text += "; not reached by the highest number of steps tried"
    if "gemm_gflops" in own:
        text += (
            f"; {own['evaluations']:.0f} evaluations per text (a gradient counts twice), "
            f"{own['model_gflops']:.1f} of {own['gemm_gflops']:.1f} GFLOP/s"
        )
    return text


def show(console: Console, rows: list[tuple[str, ...]], notes: list[str]) -> None:
    """The table in the terminal, with its notes."""
    table = Table()
    for i, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if i else "left")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
    for line in notes:
        console.print(line, markup=False, highlight=False)


def as_markdown(
    rows: list[tuple[str, ...]],
    notes: list[str],
    prepared: dict[str, Any],
    given: argparse.Namespace,
) -> str:
    """The table for a README."""
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        f"| --- |{' ---: |' * (len(COLUMNS) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"{len(prepared['texts'])} SST-2 sentences, MiniLM, {given.threads} threads, "
        f"{platform.machine()}; r is the mean over {len(prepared['exact'])} texts of 9 to 11 "
        "tokens.",
        "",
        *(f"- {line}" for line in notes),
    ]
    return "\n".join(lines) + "\n"


def summary(
    found: dict[str, dict[str, Any]],
    left_out: dict[str, str],
    prepared: dict[str, Any],
    given: argparse.Namespace,
) -> dict[str, Any]:
    """Ratios above 1: Assay is faster. What was left out is null."""

    def ratio(method: str, peer: str) -> float | None:
        if method not in found or peer not in found:
            return None
        return round(found[peer]["per_text"] / found[method]["per_text"], 3)

    def rounded(value: float | None) -> float | None:
        return None if value is None or not math.isfinite(value) else float(f"{value:.4g}")

    ours = "integrated_gradients"
    return {
        "integrated_gradients_vs_captum_loop": ratio(ours, "captum_loop"),
        "integrated_gradients_vs_captum_at_equal_error": ratio(ours, "captum_at_equal_error"),
        "integrated_gradients_vs_transformers_interpret": ratio(ours, "transformers_interpret"),
        "integrated_gradients_vs_interpreto": ratio(ours, "interpreto"),
        "shapley_vs_shap_partition": ratio("shapley", "shap_partition"),
        "seconds_per_text": {k: rounded(v["per_text"]) for k, v in found.items()},
        "worst_completeness_error": {
            k: rounded(max(v["errors"])) if v["complete"] else None for k, v in found.items()
        },
        "correlation_with_exact_shapley": {k: rounded(v["correlation"]) for k, v in found.items()},
        "gemm_share": {
            k: rounded(v["model_gflops"] / v["gemm_gflops"])
            for k, v in found.items()
            if "gemm_gflops" in v
        },
        "peak_memory_mb": {k: round(v["peak_memory_mb"]) for k, v in found.items()},
        "captum_steps_at_equal_error": found.get("captum_at_equal_error", {}).get("steps"),
        "left_out": left_out,
        "texts": len(prepared["texts"]),
        "short_texts": len(prepared["exact"]),
        "threads": given.threads,
    }


if __name__ == "__main__":
    main()
