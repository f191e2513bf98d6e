"""A subject without a model: its decisions are in a column of the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.data.dataset import Dataset, Row
from tasks.definition import PredictionsSubject, SubjectSpec
from tasks.schema import SubjectProvenance
from tasks.subjects.outputs import Decision
from tasks.subjects.protocols import Decides
from tasks.subjects.reader import Reader
from tasks.subjects.reference import SubjectRef, spec_as


@dataclass(frozen=True)
class RecordedDecisions:
    """Recorded decisions, read from the rows."""

    name: str
    spec: PredictionsSubject
    labels: tuple[str, ...] = ()
    """Not known: the column has the decisions taken, not the possible ones."""

    def decide(self, rows: Sequence[Row]) -> list[Decision]:
        """The decision in the column, and its probability if there is one."""
        column = self.spec.probability
        return [
            Decision(
                row.columns[self.spec.prediction],
                float(row.columns[column]) if column is not None else None,
            )
            for row in rows
        ]


class PredictionsReader(Reader):
    """Columns of the data."""

    def refer(self, name: str, spec: SubjectSpec, root: Path, data: str) -> SubjectRef:
        """Its reference has the digest of the data."""
        return SubjectRef(name=name, spec=spec, folder="", sha256=data)

    def labels(self, ref: SubjectRef, data: Dataset) -> tuple[str, ...]:
        """Every decision that occurs."""
        column = spec_as(ref.spec, PredictionsSubject).prediction
        return tuple(sorted({row.columns[column] for row in data.rows}))

    def provenance(self, ref: SubjectRef, data: Dataset) -> SubjectProvenance:
        """The column, and the digest of the data."""
        spec = spec_as(ref.spec, PredictionsSubject)
        return SubjectProvenance(
            name=ref.name,
            kind=spec.kind,
            path=f"column {spec.prediction}",
            sha256=ref.sha256,
            known_by="records",
            labels=self.labels(ref, data),
        )

    def decider(self, ref: SubjectRef) -> Decides:
        """The column."""
        return RecordedDecisions(ref.name, spec_as(ref.spec, PredictionsSubject))


PREDICTIONS = PredictionsReader()
