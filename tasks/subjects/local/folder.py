"""The folder of a local model: is it usable and safe, and what is its digest?"""

import hashlib
import json
import os
from pathlib import Path

from pydantic import JsonValue

from tasks.definition import LocalModel
from tasks.errors import SubjectError
from tasks.subjects.reference import file_digest

PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
WANTED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
LAYERS = ("num_hidden_layers", "n_layer", "n_layers")
"""Keys of configurations for the number of blocks."""


def locate(name: str, spec: LocalModel, root: Path) -> Path:
    """The local folder of a subject; a hub repository is fetched, or taken from the cache.

    Raises:
        SubjectError: neither a folder nor a repository that can be reached.
    """
    folder = (root / spec.path).expanduser().resolve()
    if folder.is_dir():
        return folder
    if spec.revision is None:
        raise SubjectError(
            f"subject {name}: no folder {spec.path!r} beside the definition; {_beside(folder)} "
            "(a hub repository needs a revision, the hash of a commit)"
        )
    from huggingface_hub import snapshot_download

    try:
        snapshot = snapshot_download(spec.path, revision=spec.revision, allow_patterns=list(WANTED))
    except Exception as error:  # offline, not found, not allowed: one line either way
        problem = type(error).__name__
        raise SubjectError(
            f"subject {name}: {spec.path!r} at {spec.revision[:12]} is neither a local folder nor "
            f"reachable on the hub ({problem}); {_beside(folder)}"
        ) from None
    return Path(snapshot)


def read_config(name: str, folder: Path) -> dict[str, JsonValue]:
    """The model's configuration.

    Raises:
        SubjectError: no config.json, or not JSON.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise SubjectError(
            f"subject {name}: no config.json in {folder}; it holds: {_listing(folder)}"
        )
    try:
        config: dict[str, JsonValue] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise SubjectError(f"subject {name}: {path} is not JSON") from None
    return config


def labels_of(config: dict[str, JsonValue]) -> tuple[str, ...]:
    """Class names of a classifier, in the order of its logits."""
    names = config.get("id2label")
    if isinstance(names, dict):
        return tuple(str(names[key]) for key in sorted(names, key=int))
    count = config.get("num_labels", 2)
    return tuple(f"LABEL_{i}" for i in range(count if isinstance(count, int) else 2))


def last_layer(config: dict[str, JsonValue]) -> int | None:
    """Number of the last layer, if the configuration states it."""
    known = [config[key] for key in LAYERS if key in config]
    return known[0] if known and isinstance(known[0], int) else None


def architectures(config: dict[str, JsonValue]) -> list[str]:
    """Names of the classes that the weights were saved from."""
    declared = config.get("architectures")
    return [str(a) for a in declared] if isinstance(declared, list) else []


def digest(folder: Path) -> str:
    """sha256 over names and contents of the files that determine the subject."""
    paths = sorted({p for pattern in WANTED for p in folder.glob(pattern)})
    whole = hashlib.sha256()
    for path in paths:
        whole.update(f"{path.name}\0{file_digest(path)}\n".encode())
    return whole.hexdigest()


def check_weights(name: str, folder: Path) -> None:
    """Refuse a folder without safetensors.

    Raises:
        SubjectError: no weights, or only pickled ones.
    """
    if any(folder.glob("*.safetensors")):
        return
    pickled = sorted(p.name for pattern in PICKLED for p in folder.glob(pattern))
    if pickled:
        raise SubjectError(
            f"subject {name}: {folder} holds pickled weights ({', '.join(pickled)}), which can "
            "run code when opened; only safetensors are loaded"
        )
    raise SubjectError(
        f"subject {name}: no weights (*.safetensors) in {folder}; it holds: {_listing(folder)}"
    )


def check_code(name: str, folder: Path, config: dict[str, JsonValue]) -> None:
    """Refuse a model with its own code.

    Raises:
        SubjectError: it does.
    """
    if "auto_map" in config:
        raise SubjectError(
            f"subject {name}: {folder} needs code of its own (auto_map), which is never run; "
            "only architectures that transformers ships are loaded"
        )


def _beside(folder: Path) -> str:
    parent = folder.parent
    while not parent.is_dir():
        parent = parent.parent
    folders = (
        sorted(p.parent for p in parent.glob("**/config.json"))[:6] if parent != Path("/") else []
    )
    names = ", ".join(os.path.relpath(p, parent) for p in folders)
    return f"model folders near it: {names or 'none'}"


def _listing(folder: Path) -> str:
    names = sorted(p.name for p in folder.iterdir())[:8]
    return ", ".join(names) or "nothing"
