"""Work cut into shards: references that any worker can measure, named by all they depend on."""

import hashlib
import json

from tasks.definition import HOW_REACHED, DataSpec
from tasks.definition.checks.second_model import SecondModel
from tasks.definition.record import Record
from tasks.run.code import library_versions
from tasks.subjects.reference import SubjectRef


class DataRef(Record):
    """The data, so that any worker reads the same rows."""

    spec: DataSpec
    root: str
    """Folder that relative paths start from."""
    sha256: str
    """Digest that the file must have when a worker reads it."""
    seed: int


class ShardRef(Record):
    """One piece of work, by reference: no weights, no texts."""

    check: str | None
    """Kind of check whose round it belongs to; none for the decisions that all checks share."""
    round: str
    """Which round of it."""
    subject: SubjectRef
    data: DataRef
    rows: tuple[int, ...]
    """Positions in the data set."""
    options: str
    """All else that the numbers depend on: the round's options as JSON."""
    code: str
    """Digest of the code that measures; a worker with other code refuses the shard."""
    second: SecondModel | None = None
    """Second model of the shard."""

    def key(self) -> str:
        """Digest of everything the payload depends on; paths are not part of it."""
        content = {
            "round": self.round,
            "subject": self.subject.sha256,
            "reads": self.subject.spec.model_dump(exclude=set(HOW_REACHED), mode="json"),
            "data": self.data.sha256,
            "columns": self.data.spec.model_dump(exclude={"path", "revision"}, mode="json"),
            "seed": self.data.seed,
            "rows": self.rows,
            "options": self.options,
            "second": self.second and self.second.model_dump(exclude=set(HOW_REACHED), mode="json"),
            "code": self.code,
            "libraries": library_versions(),
        }
        canonical = json.dumps(content, sort_keys=True, allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
