"""Answers on disk, by all that they depend on, so that none is paid for twice."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue, ValidationError

from tasks.subjects.endpoint.reply import Reply

Request = Mapping[str, JsonValue]
"""base_url, model, messages and all parameters; no key."""


@dataclass
class KeptAnswers:
    """Replies by request; only in memory if there is no folder."""

    folder: Path | None
    _memory: dict[str, Reply] = field(default_factory=dict)

    def find(self, request: Request) -> Reply | None:
        """The stored reply; none if there is none, or a damaged one."""
        name = name_of(request)
        if self.folder is None:
            return self._memory.get(name)
        try:
            stored = json.loads(self._path(self.folder, name).read_bytes())
            if stored["request"] != request:
                return None
            return Reply.model_validate(stored["reply"])
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            return None

    def keep(self, request: Request, reply: Reply) -> None:
        """Write a reply to a draft and move it into place."""
        name = name_of(request)
        if self.folder is None:
            self._memory[name] = reply
            return
        path = self._path(self.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stored = {"request": request, "reply": reply.model_dump()}
            # a lone half of a surrogate pair is legal JSON and no UTF-8: escaped, it survives
            json.dump(stored, stream, ensure_ascii=True, allow_nan=False)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(path)

    def forget(self) -> None:
        """Delete all stored replies."""
        self._memory.clear()
        if self.folder is not None and self.folder.is_dir():
            shutil.rmtree(self.folder)

    @staticmethod
    def _path(folder: Path, name: str) -> Path:
        return folder / name[:2] / f"{name}.json"


def name_of(request: Request) -> str:
    """Digest of a request."""
    canonical = json.dumps(request, sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
