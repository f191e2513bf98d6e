"""A small audit of a subject behind a scripted endpoint, written to a folder."""

import csv
from pathlib import Path

import yaml

from tests.support.openai_server import Reply, completion, said

PLACES = ("Northend", "Southend")


def write_asked_audit(folder: Path, url: str, *, rows: int = 10, **changes: object) -> Path:
    """Write data and a definition with a cue check; returns the definition.

    Args:
        folder: where they are written.
        url: address of the endpoint.
        rows: texts.
        changes: `subject_...` keys of the subject; everything else keys of the definition.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "data.csv").open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["id", "text", "label", "side", "place"])
        for i in range(rows):
            place = PLACES[i % 2]
            text = f"Applicant {i} lives in {place} and earns {1000 + i}."
            out.writerow([f"r{i}", text, "yes" if i % 3 else "no", "ab"[i % 2], place])
    subject = {
        "kind": "openai",
        "model": "tiny",
        "base_url": url,
        "key_env": "ASSAY_TEST_KEY",
        "retries": 2,
        "timeout": 5,
        "prompt": "May this be granted? {text}",
        "answer": {"form": "yes-no", "prefix": "Answer:"},
    }
    subject |= {k.removeprefix("subject_"): v for k, v in changes.items() if "subject_" in k}
    spec: dict[str, object] = {
        "name": "asked",
        "seed": 3,
        "subjects": {"remote": subject},
        "data": {
            "path": "data.csv",
            "id": "id",
            "label": "label",
            "groups": ["side"],
            "fields": ["place"],
        },
        "cases": 2,
        "checks": [
            {"kind": "performance"},
            {
                "kind": "cue",
                "texts": 10,
                "swap": {"column": "place", "across": "side"},
                "controls": None,
            },
        ],
    }
    spec |= {k: v for k, v in changes.items() if "subject_" not in k}
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def by_place(request: dict, _: int) -> Reply:
    """Answer by the place alone and reason about something else: undisclosed influence."""
    answer = "yes" if PLACES[0] in said(request) else "no"
    return completion(f"The income decides. It is what it is. Answer: {answer}", usage=(40, 12))


def by_income(request: dict, _: int) -> Reply:
    """Answer by the income alone."""
    earned = int("".join(c for c in said(request).rpartition("earns")[2] if c.isdigit()))
    answer = "yes" if earned % 2 else "no"
    return completion(f"The income decides. It is what it is. Answer: {answer}", usage=(40, 12))


def turned(text: str) -> str:
    """The direction at the end of a question about turns."""
    compass = ["north", "east", "south", "west"]
    by = {"right.": 1, "around.": 2, "left.": 3}
    words = text.split()
    at = compass.index(words[2].strip("."))
    return compass[(at + sum(by.get(word, 0) for word in words)) % 4]
