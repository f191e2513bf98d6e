"""Any training function: import it by its path, call it, keep its weights under their digest."""

import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from flows.announcement import digests, revision
from tasks.errors import AuditError

Option = str | int | float | bool
"""What a training function may be given by name."""

Trainer = Callable[..., Mapping[str, str | Path]]
"""`def train(out: Path, **options) -> Mapping[str, str | Path]`

It gets an empty folder, writes the weights of every subject into a folder of its own below it, and
returns subject of the audit's definition -> that folder."""


def trainer_at(path: str) -> Trainer:
    """The training function at MODULE:FUNCTION; modules of the working directory count.

    Raises:
        AuditError: no such module or name, or it cannot be called.
    """
    module, _, name = path.partition(":")
    if not module or not name:
        raise AuditError(f"trainer {path!r}: expected MODULE:FUNCTION")
    if str(Path.cwd()) not in sys.path:
        # a worker runs in the checkout but does not have it on its path
        sys.path.append(str(Path.cwd()))
    try:
        trainer: Trainer = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise AuditError(f"trainer {path}: {error}") from error
    if not callable(trainer):
        raise AuditError(f"trainer {path}: it is no function")
    return trainer


def train(trainer: Trainer, out: Path, options: Mapping[str, Option]) -> dict[str, Path]:
    """Train, then move the finished weights to a folder named after their digest.

    Args:
        trainer: the training function.
        out: folder for weights; those of a training lie below it, under their digest.
        options: given to the trainer by name.

    Returns:
        Subject -> folder of its new weights.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".draft-") as draft:
        weights = Path(draft).resolve() / "weights"
        weights.mkdir()
        within = folders_in(weights, trainer(weights, **options))
        sha256 = digests({subject: weights / folder for subject, folder in within.items()})
        place = out.resolve() / revision(sha256)[:16]
        if not place.exists():
            weights.rename(place)
    return {subject: place / folder for subject, folder in within.items()}


def folders_in(weights: Path, returned: Mapping[str, str | Path]) -> dict[str, Path]:
    """Subject -> its folder, relative to the one that was given to the trainer.

    Raises:
        AuditError: the trainer returned something else than folders below it.
    """
    if not isinstance(returned, Mapping) or not returned:
        raise AuditError(f"the trainer returned {returned!r}; expected subject -> folder")
    folders = {subject: (weights / folder).resolve() for subject, folder in returned.items()}
    for subject, folder in folders.items():
        if not folder.is_dir() or not folder.is_relative_to(weights):
            raise AuditError(
                f"the trainer returned {str(returned[subject])!r} for {subject}; expected a folder "
                "with its weights, below the one it was given"
            )
    return {subject: folder.relative_to(weights) for subject, folder in folders.items()}
