"""A small audit of tiny random models, written to a folder: fast, and nothing is planted."""

import csv
from pathlib import Path

import numpy as np
import yaml

from tests.support.tiny import build

PLACES = ("north", "south")


def write_small_audit(folder: Path, *, rows: int = 96, **changes: object) -> Path:
    """Write data, a tiny classifier, a tiny decoder and a definition; returns the definition."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "classifier").exists():
        build(folder / "classifier", "bert", seed=3)
        build(folder / "writer", "llama", causal=True)
    write_rows(folder / "data.csv", rows)
    spec: dict[str, object] = {
        "name": "small",
        "seed": 7,
        "subjects": {
            "decider": {"kind": "sequence-classification", "path": "classifier"},
        },
        "data": {
            "path": "data.csv",
            "id": "id",
            "label": "label",
            "favourable": "yes",
            "groups": ["side"],
            "fields": ["place"],
            "minimum_group": 10,
        },
        "cases": 4,
        "checks": [
            {"kind": "performance"},
            {"kind": "fairness"},
            {"kind": "attribution", "texts": 8, "random_orders": 2, "tolerance": 0.01},
            {"kind": "localisation", "texts": 40, "swap": {"column": "place", "across": "side"}},
            {"kind": "probing", "texts": 90, "random_subspaces": 2},
        ],
        "gates": [
            {"check": "performance", "measure": "accuracy", "at_least": 0.01},
            {
                "check": "fairness",
                "measure": "adverse_impact_ratio",
                "attribute": "side",
                "at_least": 0.1,
            },
        ],
    }
    spec |= changes
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def write_rows(path: Path, rows: int) -> None:
    rng = np.random.default_rng(1)
    words = ("good", "bad", "little", "long", "bright", "dull", "debt", "income")
    with path.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["id", "text", "label", "side", "place"])
        for i in range(rows):
            place = PLACES[i % 2]
            told = " ".join(rng.choice(words, size=rng.integers(4, 12)))
            out.writerow(
                [
                    f"r{i}",
                    f"the applicant lives in {place} . {told} .",
                    "yes" if i % 3 else "no",
                    "ab"[(i // 2) % 2],
                    place,
                ]
            )
