"""Work cut into shards: a reference goes in, a stored payload comes out, and is found again.

A shard is named by everything its numbers depend on: weights, data, rows, options, the code that
measures and the libraries under it. Payloads are written beside their name and moved into place,
with their digest kept apart, so that a killed run loses only what was in flight and a damaged
file is noticed.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save, save_file

from tasks.definition import HOW_REACHED, DataSpec
from tasks.definition.checks import SecondModel
from tasks.definition.record import Record
from tasks.subjects.reference import SubjectRef

MEASURING = ("checks", "controls", "data", "definition", "measures", "run", "subjects")
LIBRARIES = ("captum", "concept-erasure", "numpy", "scikit-learn", "scipy", "torch", "transformers")
OPTIONAL_LIBRARIES = ("shap",)


class DataRef(Record):
    """The data, so that any worker reads the same rows."""

    spec: DataSpec
    root: str
    """Folder that relative paths start from."""
    sha256: str
    seed: int


class ShardRef(Record):
    """One piece of work, by reference: no weights, no texts."""

    kind: str
    """What is measured; names the function."""
    subject: SubjectRef
    data: DataRef
    rows: tuple[int, ...]
    """Positions in the data set."""
    options: str
    """Everything else the numbers depend on, as canonical JSON."""
    second: SecondModel | None = None
    """Who helps with it, beside the subject."""

    def option(self, name: str) -> Any:
        """One of the options."""
        return json.loads(self.options)[name]

    def key(self) -> str:
        """Digest of everything the payload depends on; paths are not part of it."""
        content = {
            "kind": self.kind,
            "subject": self.subject.sha256,
            "reads": self.subject.spec.model_dump(exclude=set(HOW_REACHED), mode="json"),
            "data": self.data.sha256,
            "columns": self.data.spec.model_dump(exclude={"path", "revision"}, mode="json"),
            "seed": self.data.seed,
            "rows": self.rows,
            "options": self.options,
            "second": self.second and self.second.model_dump(exclude=set(HOW_REACHED), mode="json"),
            "code": measuring_code(),
            "libraries": library_versions(),
        }
        canonical = json.dumps(content, sort_keys=True, allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


class Payload(NamedTuple):
    """What a shard measured."""

    arrays: dict[str, NDArray[Any]]
    records: list[Any]
    """JSON values, one per row where a row has more than numbers."""


class StoredShard(Record):
    """Where a payload lies, and its digest."""

    path: str
    """Below the store."""
    sha256: str


Measure = Callable[[ShardRef, Path], Payload]


def options(**values: Any) -> str:
    """Options as canonical JSON."""
    return json.dumps(values, sort_keys=True, allow_nan=False)


@cache
def measuring_code() -> str:
    """Digest of the code that numbers depend on."""
    here = Path(__file__).resolve().parents[1]
    files = [path for folder in MEASURING for path in (here / folder).rglob("*.py")]
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


@cache
def library_versions() -> dict[str, str]:
    """Versions of the libraries that numbers depend on."""
    known = {name: version(name) for name in LIBRARIES}
    for name in OPTIONAL_LIBRARIES:
        with suppress(PackageNotFoundError):
            known[name] = version(name)
    return known


def write_payload(store: Path, ref: ShardRef, payload: Payload) -> StoredShard:
    """Write a payload beside its name and move it into place."""
    folder = store / "payloads" / ref.kind
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"{ref.key()}.safetensors"
    handle, draft = tempfile.mkstemp(dir=folder, suffix=".draft")
    os.close(handle)
    arrays = {name: np.ascontiguousarray(a) for name, a in payload.arrays.items()}
    save_file(arrays, draft, metadata={"records": json.dumps(payload.records, allow_nan=False)})
    with Path(draft).open("rb+") as stream:
        os.fsync(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    Path(draft).replace(target)
    return StoredShard(path=target.relative_to(store).as_posix(), sha256=digest)


def write_export(store: Path, arrays: dict[str, NDArray[Any]], metadata: dict[str, Any]) -> str:
    """Keep arrays that go on into a report's folder, named by their digest, which is returned."""
    folder = store / "exports"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
    content = save(whole, metadata={"assay": json.dumps(metadata, sort_keys=True)})
    digest = hashlib.sha256(content).hexdigest()
    handle, draft = tempfile.mkstemp(dir=folder, suffix=".draft")
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    Path(draft).replace(export_path(store, digest))
    return digest


def export_path(store: Path, digest: str) -> Path:
    """Where an export is kept until the report takes it."""
    return store / "exports" / f"{digest}.safetensors"


def intact(store: Path, shard: StoredShard) -> bool:
    """Whether a payload is still there, unchanged to the bit."""
    path = store / shard.path
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == shard.sha256


def read_payload(store: Path, shard: StoredShard) -> Payload:
    """Read a payload back."""
    with safe_open(store / shard.path, framework="numpy") as stored:
        arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        records = json.loads(stored.metadata()["records"])
    return Payload(arrays, records)


def read_array(store: Path, shard: StoredShard, name: str) -> NDArray[Any]:
    """Read one array of a payload and no other."""
    with safe_open(store / shard.path, framework="numpy") as stored:
        found: NDArray[Any] = stored.get_tensor(name)
    return found
