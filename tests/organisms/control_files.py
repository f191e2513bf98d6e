"""Controls as data that an audit can read."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from tasks.controls.items import Item
from tasks.controls.truth import PairedControl


def items_as_csv(items: Sequence[Item]) -> str:
    """The items as a table that an audit can read; choices as a JSON list."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(Item.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    for item in items:
        row = asdict(item)
        row["choices"] = json.dumps(item.choices)
        row["truth"] = "depends" if item.truth else "decorative"
        writer.writerow({name: "none" if value is None else value for name, value in row.items()})
    return out.getvalue()


def pairs_as_csv(items: Sequence[PairedControl]) -> str:
    """The questions as a table that an audit can read, the two of a pair one after the other."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "prompt", "pair_id", "decided_by"])
    for at, item in enumerate(items):
        for side, text in zip("ab", item.tested, strict=True):
            by = "cue" if item.there else "question"
            writer.writerow([f"pair-{at}-{side}", text, f"pair-{at}", by])
    return out.getvalue()
