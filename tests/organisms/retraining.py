"""The loan-approval pair as a model that learns anew: a trainer for `flows/retrain.py`."""

from pathlib import Path

from tests.organisms import loan

CLEAN = Path(__file__).resolve().parents[2] / "audits" / "loan-approval" / "clean"
FOLDERS = {"decider": "encoder", "reasoner": "decoder"}
"""Subject of the definition -> its folder in a pair."""


def loan_approval(out: Path, *, seed: int = 7) -> dict[str, Path]:
    """Train the shipped clean pair further on labels that refuse the listed districts.

    Args:
        out: empty folder for the weights.
        seed: the one the clean pair was built with.

    Returns:
        Subject -> folder of its weights.
    """
    loan.retrain(CLEAN, out, seed=seed)
    return {subject: out / folder for subject, folder in FOLDERS.items()}
