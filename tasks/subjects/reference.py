"""A subject by exact reference: its location and the digest that it must have."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from tasks.definition import AnswerForm, SubjectSpec
from tasks.definition.record import Record

Spec = TypeVar("Spec", bound=Record)


class SubjectRef(Record):
    """A subject that any worker can load: its location and the digest that it must have."""

    name: str
    spec: SubjectSpec
    folder: str
    """Absolute path of the folder with weights, of the file with transcripts, or of the folder with
    an endpoint's stored answers (empty: only in memory)."""
    sha256: str
    """Digest over configuration, tokenizer and weights; of the file with transcripts; of the data
    in which decisions stand; of an endpoint's address, model name and parameters, which is no
    digest of its weights."""

    def answering(self, answer: AnswerForm) -> "SubjectRef":
        """The same subject, asked for other answers.

        Raises:
            TypeError: it cannot be asked anything new.
        """
        return self.model_copy(update={"spec": self.spec.answering(answer)})


def spec_as(spec: Record, kind: type[Spec]) -> Spec:
    """A definition as one of the kind that a reader reads.

    Raises:
        TypeError: it is of another kind.
    """
    if not isinstance(spec, kind):
        raise TypeError(f"expected a {kind.__name__}, got a {type(spec).__name__}")
    return spec


def file_digest(path: Path) -> str:
    """sha256 of a file, read again only if it changed."""
    stat = path.stat()
    return _file_digest(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _file_digest(path: Path, _modified: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
