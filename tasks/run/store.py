"""The store of finished work: payloads by all that they depend on, exports by their digest.

Its root is a folder or any address that fsspec knows. A payload is written to a draft
and moved into place, and its digest is stored separately: a killed run loses only unfinished
shards, and a damaged file is detected.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray
from pydantic import JsonValue
from safetensors import safe_open
from safetensors.numpy import load, save

from tasks.definition.record import Record
from tasks.errors import AuditError
from tasks.run.payload import Array, Payload
from tasks.run.shards import ShardRef

P = TypeVar("P", bound=Payload)


class StoredShard(Record):
    """Where a payload lies, and its digest."""

    path: str
    """Below the root of the store."""
    sha256: str


class Store:
    """Finished work below one root."""

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        """A folder, or an address such as `s3://bucket/shards`."""
        self._files: fsspec.AbstractFileSystem
        self._files, self._base = fsspec.url_to_fs(self.root)
        if self.folder is not None:
            # write access to this folder is write access to reports: only for this user
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @cached_property
    def folder(self) -> Path | None:
        """The root if it is a folder of this machine; none if it is an address."""
        return Path(self._base) if isinstance(self._files, LocalFileSystem) else None

    def find(self, ref: ShardRef) -> StoredShard | None:
        """The payload of an earlier run, unchanged to the bit; none if there is none."""
        path = self._payload_path(ref)
        try:
            digest = self._read(f"{path}.sha256").decode("ascii")
        except (OSError, ValueError):
            return None
        stored = StoredShard(path=path, sha256=digest)
        return stored if self.intact(stored) else None

    def write(self, ref: ShardRef, payload: Payload) -> StoredShard:
        """Keep the payload of a shard."""
        arrays, rest = payload.parts()
        content = save(arrays, metadata={"rest": rest})
        path, digest = self._payload_path(ref), hashlib.sha256(content).hexdigest()
        self._put(path, content)
        self._put(f"{path}.sha256", digest.encode("ascii"))
        return StoredShard(path=path, sha256=digest)

    def read(self, stored: StoredShard, payload: type[P]) -> P:
        """Read a payload back.

        Raises:
            AuditError: it is missing, or not the one that was written.
        """
        content = self._content(stored)
        length = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
        return payload.of_parts(load(content), metadata.get("rest", ""))

    def array(self, stored: StoredShard, name: str) -> Array:
        """Read one array of a payload and, in a folder, no other."""
        if self.folder is None:
            return load(self._content(stored))[name]
        with safe_open(self.folder / stored.path, framework="numpy") as file:
            array: Array = file.get_tensor(name)
        return array

    def intact(self, stored: StoredShard) -> bool:
        """Whether a payload still exists, unchanged to the bit."""
        try:
            with self._files.open(self._at(stored.path), "rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == stored.sha256
        except OSError:
            return False

    def keep_export(
        self, arrays: Mapping[str, NDArray[np.float64]], metadata: Mapping[str, JsonValue]
    ) -> str:
        """Store arrays for a report's folder; returns the digest that names them."""
        whole = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
        content = save(whole, metadata={"assay": json.dumps(metadata, sort_keys=True)})
        digest = hashlib.sha256(content).hexdigest()
        self._put(f"exports/{digest}.safetensors", content)
        return digest

    def export(self, digest: str) -> bytes:
        """An export by its digest.

        Raises:
            AuditError: it is missing, or was changed.
        """
        try:
            content = self._read(f"exports/{digest}.safetensors")
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise AuditError(f"the export with digest {digest[:12]} is gone")
        return content

    def _content(self, stored: StoredShard) -> bytes:
        try:
            content = self._read(stored.path)
        except OSError:
            raise AuditError(f"{self.root}/{stored.path}: finished work that is gone") from None
        if hashlib.sha256(content).hexdigest() != stored.sha256:
            raise AuditError(f"{self.root}/{stored.path}: finished work that was changed")
        return content

    @staticmethod
    def _payload_path(ref: ShardRef) -> str:
        return f"payloads/{ref.round}/{ref.key()}.safetensors"

    def _at(self, path: str) -> str:
        return f"{self._base}/{path}"

    def _read(self, path: str) -> bytes:
        content: bytes = self._files.cat_file(self._at(path))
        return content

    def _put(self, path: str, content: bytes) -> None:
        """Write a file atomically."""
        if self.folder is None:
            self._files.pipe_file(self._at(path), content)
            return
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=target.parent, suffix=".draft")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(target)
