"""How well every instrument tells dependence on the reasoning apart, on the reasoning organisms.

Chosen on the first organism, tried on the others, which share no family of questions with it. That
the two scores by exchanged reasonings are right says nothing: such an exchange confirms a control.

    uv run python benchmarks/reasoning_instruments.py
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from benchmarks.instruments.readings import SHARES, read_items
from benchmarks.instruments.scores import PUBLISHED, best, combined, discrimination, scores
from tasks.checks.reasoning.controls import validity_of
from tasks.controls.items import Item
from tasks.controls.validity import Validity
from tasks.measures.stats.intervals import Interval
from tests.organisms.dependence import as_subject
from tests.organisms.designs import DESIGNS
from tests.organisms.reasoner import items_of

SHIPPED = Path(__file__).resolve().parents[1] / "audits" / "reasoner"
FITTED = "combination"


def measured(name: str, n: int, seed: int) -> tuple[list[Item], dict[str, np.ndarray], Validity]:
    """Items an organism confirms (and graded ones), every instrument's score of them."""
    subject = as_subject(DESIGNS[name], SHIPPED / name)
    items = items_of(DESIGNS[name], seed, n)
    read = read_items(subject, items, seed=seed)
    texts = [item.prompt for item in items]
    found = validity_of(subject, texts, items, subject.write(texts))
    graded = {i for i, item in enumerate(items) if item.kind == "graded"}
    wanted = set(found.confirmed) | graded
    chosen = [at for at, i in enumerate(read.kept) if i in wanted]
    values = {key: value[chosen] for key, value in scores(read.readings).items()}
    return [items[read.kept[at]] for at in chosen], values, found


def areas(items: list[Item], values: dict[str, np.ndarray], seed: int) -> dict[str, Interval]:
    """AUROC of every instrument on the items whose truth is either way."""
    plain = np.array([item.kind != "graded" for item in items])
    truth = np.array([item.truth for item in items])[plain]
    return {name: discrimination(value[plain], truth, seed=seed) for name, value in values.items()}


def graded(items: list[Item], values: dict[str, np.ndarray]) -> dict[str, float]:
    """Rank correlation of every instrument with the planted share of dependence, graded only."""
    at = np.array([item.kind == "graded" for item in items])
    share = np.array([item.dependence for item in items])[at]
    return {
        name: float(spearmanr(value[at], share).statistic) if np.ptp(value[at]) else float("nan")
        for name, value in values.items()
    }


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=60, help="of every kind")
    arguments.add_argument("--seed", type=int, default=97)
    given = arguments.parse_args()
    found = {name: measured(name, given.items, given.seed) for name in DESIGNS}
    first = found["first"]
    names = tuple(first[1])
    plain = np.array([item.kind != "graded" for item in first[0]])
    truth = np.array([item.truth for item in first[0]])
    weighed = combined({k: v[plain] for k, v in first[1].items()}, truth[plain], names)
    for _, values, _ in found.values():
        values[FITTED] = weighed(values)
    for name, (items, _, valid) in found.items():
        print(
            f"{name}: {valid.words}; solved {valid.solved.value:.2f}, before any reasoning "
            f"{valid.guessed.value:.2f}, chance {valid.chance:.2f}, cue followed "
            f"{valid.followed.value if valid.followed else float('nan'):.2f}; "
            f"{sum(i.truth for i in items if i.kind != 'graded')} that depend, "
            f"{sum(not i.truth for i in items if i.kind != 'graded')} that do not, "
            f"{sum(i.kind == 'graded' for i in items)} graded"
        )
    tables = [areas(items, values, given.seed) for items, values, _ in found.values()]
    ranks = [graded(items, values) for items, values, _ in found.values()]
    heads = "".join(f"{name if name == 'first' else f'{name} (held out)':>24}" for name in found)
    print(f"\n{'instrument':22}{heads}   graded rho")
    for name in (*names, FITTED):
        cells = "".join(
            f"{t[name].value:10.3f} [{t[name].low:.3f}, {t[name].high:.3f}]" for t in tables
        )
        mark = "*" if name in PUBLISHED else " "
        print(f"{mark}{name:21}{cells}  " + "".join(f"{rank[name]:6.2f}" for rank in ranks))
    chosen = best({name: tables[0][name] for name in names})
    held = ", ".join(
        f"on the {name} {table[chosen].value:.3f} "
        f"[{table[chosen].low:.3f}, {table[chosen].high:.3f}]"
        for name, table in zip(found, tables, strict=True)
        if name != "first"
    )
    print(f"\nbest single instrument on the first: {chosen}; {held}.")
    print(f"* published; shares {SHARES}")


if __name__ == "__main__":
    main()
