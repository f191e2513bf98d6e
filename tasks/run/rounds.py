"""A round: one step of an audit, cut into shards, each measured by one typed function."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Self, TypeAlias, TypeVar

from tasks.data.dataset import Dataset, Row, verified_dataset
from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.second_model import SecondModel
from tasks.definition.record import Record
from tasks.errors import AuditError
from tasks.run.code import code_behind
from tasks.run.decisions_table import Decided
from tasks.run.payload import Payload
from tasks.run.plan import Plan
from tasks.run.shards import DataRef, ShardRef
from tasks.run.store import Store, StoredShard
from tasks.subjects.endpoint.second_model import SecondEndpoint, load_second
from tasks.subjects.reference import SubjectRef

C = TypeVar("C", bound=BaseCheck)
AskedC = TypeVar("AskedC", bound=BaseCheck, covariant=True)
O = TypeVar("O", bound=Record)  # noqa: E741
P = TypeVar("P", bound=Payload)


class NoOptions(Record):
    """The numbers depend only on subject, rows and seed."""


@dataclass(frozen=True)
class Asked(Generic[AskedC]):
    """A check within its audit: the input of rounds and evidence."""

    plan: Plan
    check: AskedC
    decided: Decided
    """Decisions of the audit's first subject over all rows."""
    cases: tuple[int, ...] = ()
    """Rows that the report follows through all sections."""

    @property
    def subject(self) -> str:
        """Name of the subject that answers."""
        return self.plan.spec.subject_of(self.check)

    @property
    def seed(self) -> int:
        """The definition's."""
        return self.plan.spec.seed

    @cached_property
    def sample(self) -> list[int]:
        """Rows the check looks at."""
        return self.plan.rows_of(self.check)

    @cached_property
    def beside(self) -> list[int]:
        """Cases that are not in the sample."""
        sampled = set(self.sample)
        return [case for case in self.cases if case not in sampled]


@dataclass(frozen=True)
class Piece(Generic[O]):
    """The work of one shard."""

    rows: tuple[int, ...]
    options: O
    second: SecondModel | None = None


@dataclass(frozen=True)
class Work(Generic[O]):
    """One shard on a worker, with typed options, its rows and its subject."""

    ref: ShardRef
    options: O
    store: Store

    @property
    def seed(self) -> int:
        """The definition's."""
        return self.ref.data.seed

    @cached_property
    def dataset(self) -> Dataset:
        """The whole data set, checked against its digest.

        Raises:
            DataError: the file changed since the audit began.
        """
        data = self.ref.data
        return verified_dataset(data.spec, Path(data.root), data.seed, data.sha256)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of the shard."""
        return [self.dataset.rows[i] for i in self.ref.rows]

    @property
    def second(self) -> SecondEndpoint | None:
        """The second model of the shard; none without one."""
        return None if self.ref.second is None else load_second(self.ref.second, self.store.folder)


@dataclass(frozen=True)
class Round(Generic[C, O, P]):
    """One step of a check. Its name is unique over all kinds and names its folder in the store."""

    name: str
    title: str
    """Its name in progress bars and Prefect; `{subject}` stands for the subject's name."""
    payload: type[P]
    options: type[O]
    pieces: Callable[[Asked[C], "Finished"], Sequence[Piece[O]]]
    """Cuts the step into shards, given the payloads of earlier rounds of the check."""
    measure: Callable[[Work[O]], P]

    def code(self, subject: SubjectRef) -> str:
        """Digest of the code that measures, and of the code that reads the subject."""
        reader, _, _ = subject.spec.reader.partition(":")  # imported by its name, when needed
        digests = code_behind(self.measure.__module__) + code_behind(reader)
        return hashlib.sha256(digests.encode("ascii")).hexdigest()

    def shards(self, asked: Asked[C], finished: "Finished") -> list[ShardRef]:
        """References of everything that is to be measured."""
        plan, pieces = asked.plan, self.pieces(asked, finished)
        return [self.shard(plan, asked.check.kind, asked.subject, piece) for piece in pieces]

    def shard(self, plan: Plan, check: str | None, subject: str, piece: Piece[O]) -> ShardRef:
        """The reference of one piece."""
        return ShardRef(
            check=check,
            round=self.name,
            subject=plan.subjects[subject],
            data=DataRef(
                spec=plan.spec.data,
                root=str(plan.root),
                sha256=plan.data.sha256,
                seed=plan.spec.seed,
            ),
            rows=piece.rows,
            options=piece.options.model_dump_json(),
            code=self.code(plan.subjects[subject]),
            second=piece.second,
        )

    def run(self, ref: ShardRef, store: Store) -> StoredShard:
        """Measure a shard and keep its payload.

        Raises:
            AuditError: this worker's code differs from that of the process that planned the shard.
        """
        if ref.code != self.code(ref.subject):
            raise AuditError(
                f"round {self.name}: this worker runs other code than the audit was begun with"
            )
        return store.write(ref, self.measure(self.work(ref, store)))

    def work(self, ref: ShardRef, store: Store) -> Work[O]:
        """A shard as it is handed to `measure`."""
        return Work(ref, self.options.model_validate_json(ref.options), store)


AnyRound: TypeAlias = Round[Any, Any, Any]
"""A round whose types only its own package knows."""


@dataclass(frozen=True)
class Finished:
    """Payloads of the rounds of a check so far."""

    store: Store
    by_round: Mapping[str, tuple[StoredShard, ...]] = field(default_factory=dict)

    def stored(self, round_: AnyRound) -> tuple[StoredShard, ...]:
        """Locations of the payloads of a round, in the order of its shards."""
        return self.by_round.get(round_.name, ())

    def of(self, round_: Round[C, O, P]) -> list[P]:
        """The payloads of a round, in the order of its shards."""
        return [self.store.read(stored, round_.payload) for stored in self.stored(round_)]

    def after(self, round_: AnyRound, stored: Sequence[StoredShard]) -> Self:
        """The same with one more round."""
        return replace(self, by_round={**self.by_round, round_.name: tuple(stored)})


def cut(
    rows: Sequence[int], size: int, options: O, *, second: SecondModel | None = None
) -> list[Piece[O]]:
    """Pieces of at most `size` rows, in order."""
    return [
        Piece(tuple(rows[start : start + size]), options, second)
        for start in range(0, len(rows), size)
    ]
