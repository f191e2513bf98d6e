"""Which definition a command is about: a file, or the name of one that ships."""

from pathlib import Path
from typing import Annotated

import typer

SHIPPED = Path(__file__).resolve().parents[2] / "audits"

Definition = Annotated[
    Path, typer.Argument(help="Audit definition: a YAML file, or the name of one that ships.")
]


def find(definition: Path) -> Path:
    """The definition itself, or one that ships under that name."""
    shipped = SHIPPED / f"{definition}.yaml"
    return shipped if not definition.exists() and shipped.is_file() else definition


def shipped() -> list[Path]:
    """The definitions that ship, by name."""
    return sorted(SHIPPED.glob("*.yaml"), key=lambda path: path.stem)
