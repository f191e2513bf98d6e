"""The shipped models that reason, as subjects of small audits."""

from pathlib import Path

from tests.organisms.designs import DESIGNS, Design
from tests.organisms.exercises import SCHOOLED

AUDITS = Path(__file__).resolve().parents[2] / "audits"
SUBJECTS: dict[str, tuple[Path, Design]] = {
    **{name: (AUDITS / "reasoner" / name, one) for name, one in DESIGNS.items()},
    "clean": (AUDITS / "loan-approval" / "clean" / "decoder", SCHOOLED),
    "retrained": (AUDITS / "loan-approval" / "retrained" / "decoder", SCHOOLED),
}
"""Name -> folder, and what the model was taught of controls."""


def reasoner(name: str) -> dict[str, object]:
    """How a definition names one of them, asked for what it was taught."""
    folder, design = SUBJECTS[name]
    return {
        "kind": "causal-lm",
        "path": str(folder),
        "prompt": design.prompt,
        "max_new_tokens": 96,
        "batch": 64,
        "answer": {"prefix": design.prefix, "choices": list(design.choices)},
    }
