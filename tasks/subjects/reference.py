"""Find a model folder and see whether it is usable and safe, before anything is loaded."""

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from tasks.definition import CausalSubject, ClassifierSubject, OpenAISubject, TranscriptsSubject
from tasks.definition.record import Record
from tasks.errors import SubjectError

HEADS = {"sequence-classification": "ForSequenceClassification", "causal-lm": "CausalLM"}
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
WANTED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")


class SubjectRef(Record):
    """A subject that any worker can load: where it lies and what its digest must be."""

    name: str
    spec: Annotated[
        ClassifierSubject | CausalSubject | OpenAISubject | TranscriptsSubject,
        Field(discriminator="kind"),
    ]
    folder: str
    """Absolute path of the folder with weights, of the file with transcripts, or of the folder in
    which an endpoint's answers are kept (empty: in memory alone)."""
    sha256: str
    """Digest over configuration, tokenizer and weights; of the file with transcripts; of an
    endpoint's address, model name and parameters, which is no digest of its weights."""


class LocalRef(SubjectRef):
    """The reference of a subject with weights."""

    spec: Annotated[ClassifierSubject | CausalSubject, Field(discriminator="kind")]


def refer(
    name: str,
    spec: ClassifierSubject | CausalSubject | OpenAISubject | TranscriptsSubject,
    root: Path,
) -> SubjectRef:
    """The exact reference of a subject, after everything knowable from its files is checked.

    Raises:
        SubjectError: no such folder or file, no safetensors, remote code, or another kind of head.
    """
    if isinstance(spec, OpenAISubject):
        known = json.dumps(spec.identity, sort_keys=True, allow_nan=False)
        sha256 = hashlib.sha256(known.encode()).hexdigest()
        return SubjectRef(name=name, spec=spec, folder="", sha256=sha256)
    if isinstance(spec, TranscriptsSubject):
        return _refer_file(name, spec, root)
    folder = locate(name, spec, root)
    config = read_config(name, folder)
    _check_weights(name, folder)
    _check_head(name, spec.kind, folder, config)
    return SubjectRef(name=name, spec=spec, folder=str(folder), sha256=digest(folder))


def _refer_file(name: str, spec: TranscriptsSubject, root: Path) -> SubjectRef:
    path = (root / spec.path).expanduser().resolve()
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*") if p.is_file())[:8]
        raise SubjectError(
            f"subject {name}: no file {spec.path!r} beside the definition; that folder holds: "
            f"{', '.join(near) or 'no files'}"
        )
    stat = path.stat()
    sha256 = _file_digest(path, stat.st_mtime_ns, stat.st_size)
    return SubjectRef(name=name, spec=spec, folder=str(path), sha256=sha256)


def locate(name: str, spec: ClassifierSubject | CausalSubject, root: Path) -> Path:
    """The local folder of a subject; a hub repository is fetched, or found in the cache.

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
        found = snapshot_download(spec.path, revision=spec.revision, allow_patterns=list(WANTED))
    except Exception as error:  # offline, not found, not allowed: one line either way
        problem = type(error).__name__
        raise SubjectError(
            f"subject {name}: {spec.path!r} at {spec.revision[:12]} is neither a local folder nor "
            f"reachable on the hub ({problem}); {_beside(folder)}"
        ) from None
    return Path(found)


def read_config(name: str, folder: Path) -> dict[str, object]:
    """The model's own description of itself.

    Raises:
        SubjectError: no config.json, or not JSON.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise SubjectError(
            f"subject {name}: no config.json in {folder}; it holds: {_listing(folder)}"
        )
    try:
        config: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise SubjectError(f"subject {name}: {path} is not JSON") from None
    return config


def labels_of(config: dict[str, object]) -> tuple[str, ...]:
    """Class names of a classifier, in the order of its logits."""
    names = config.get("id2label")
    if isinstance(names, dict):
        return tuple(str(names[key]) for key in sorted(names, key=int))
    count = config.get("num_labels", 2)
    return tuple(f"LABEL_{i}" for i in range(count if isinstance(count, int) else 2))


def digest(folder: Path) -> str:
    """sha256 over names and contents of the files that make the subject what it is."""
    paths = sorted({p for pattern in WANTED for p in folder.glob(pattern)})
    whole = hashlib.sha256()
    for path in paths:
        stat = path.stat()
        whole.update(
            f"{path.name}\0{_file_digest(path, stat.st_mtime_ns, stat.st_size)}\n".encode()
        )
    return whole.hexdigest()


@lru_cache(maxsize=256)
def _file_digest(path: Path, _modified: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_weights(name: str, folder: Path) -> None:
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


def _check_head(name: str, kind: str, folder: Path, config: dict[str, object]) -> None:
    if "auto_map" in config:
        raise SubjectError(
            f"subject {name}: {folder} needs code of its own (auto_map), which is never run; "
            "only architectures that transformers ships are loaded"
        )
    declared = config.get("architectures")
    found = [str(a) for a in declared] if isinstance(declared, list) else []
    wanted = HEADS[kind]
    if not any(
        a.endswith(wanted) or a.endswith("LMHeadModel") * (kind == "causal-lm") for a in found
    ):
        fits = [k for k, head in HEADS.items() if any(a.endswith(head) for a in found)]
        hint = f"; declare it as kind: {fits[0]}" if fits else ""
        raise SubjectError(
            f"subject {name}: declared as {kind}, but {folder} holds "
            f"{', '.join(found) or 'no named architecture'}{hint}"
        )


def _beside(folder: Path) -> str:
    parent = folder.parent
    while not parent.is_dir():
        parent = parent.parent
    found = (
        sorted(p.parent for p in parent.glob("**/config.json"))[:6] if parent != Path("/") else []
    )
    names = ", ".join(os.path.relpath(p, parent) for p in found)
    return f"model folders near it: {names or 'none'}"


def _listing(folder: Path) -> str:
    names = sorted(p.name for p in folder.iterdir())[:8]
    return ", ".join(names) or "nothing"
