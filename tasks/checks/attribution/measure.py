"""One shard of texts, explained by every method that is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from tasks.checks.attribution.methods import METHODS
from tasks.checks.attribution.payload import (
    ExplainedText,
    ExplainedTexts,
    ExplainedUnit,
    ExplainOptions,
    MethodValues,
)
from tasks.data.dataset import Row
from tasks.data.text_units import Unit
from tasks.definition.checks.attribution import MethodName
from tasks.measures.attribution.quadrature import SMALLEST_RANGE
from tasks.run.rounds import Work
from tasks.subjects.load import opened
from tasks.subjects.local.prepared_texts import Attributed, Explained, decisions, explained
from tasks.subjects.protocols import Opens

ByMethod = Mapping[MethodName, list[Attributed]]
"""Method -> what it attributes, text by text."""


@dataclass(frozen=True)
class Explaining:
    """Texts of a shard, and how they are to be explained."""

    subject: Opens
    rows: Sequence[Row]
    positions: Sequence[int]
    options: ExplainOptions
    seed: int

    @property
    def texts(self) -> list[str]:
        """As they stand in the data."""
        return [row.text for row in self.rows]

    def prepared(self, subject: Opens, classes: Tensor | None = None) -> Explained:
        """The texts as a subject reads them."""
        return self.prepare(subject, self.texts, [row.places for row in self.rows], classes)

    def prepare(
        self,
        subject: Opens,
        texts: Sequence[str],
        places: Sequence[Mapping[str, Sequence[tuple[int, int]]]] | None = None,
        classes: Tensor | None = None,
    ) -> Explained:
        """Any texts, ready to be explained; see `explained`."""
        options = self.options
        return explained(
            subject,
            texts,
            target=options.target,
            units=options.units,
            places=places,
            classes=classes,
            precision=options.precision,
        )

    def attribute(self, texts: Explained, name: MethodName) -> list[Attributed]:
        """What one method attributes."""
        run = METHODS[name].run
        return texts.merged(run(texts.inputs, self.seed, self.options.tolerance))

    def attributed(self, texts: Explained) -> ByMethod:
        """What every method attributes."""
        return {name: self.attribute(texts, name) for name in self.options.methods}

    def records(self, whole: Explained, attributed: ByMethod) -> list[ExplainedText]:
        """What the methods attribute, text by text."""
        decided = decisions(self.subject, self.texts)
        return [
            self._record(i, decided[i], whole, {name: each[i] for name, each in attributed.items()})
            for i in range(len(self.rows))
        ]

    def _record(
        self, i: int, decision: str, whole: Explained, attributed: Mapping[MethodName, Attributed]
    ) -> ExplainedText:
        row, units = self.rows[i], whole.units[i]
        first = next(iter(attributed.values()))
        marked = marked_units(row, units)
        return ExplainedText(
            id=row.id,
            position=self.positions[i],
            target=whole.scoring.name(i),
            decision=decision,
            groups=row.groups,
            windows=int((whole.batch.owner == i).sum()),
            score=first.score,
            baseline_score=first.baseline_score,
            explained=not _foregone(first),
            units=tuple(
                ExplainedUnit(text=u.words(row.text), spans=u.spans, field=u.field) for u in units
            ),
            marked=None if marked is None else tuple(marked),
            methods={name: self._values(name, each) for name, each in attributed.items()},
        )

    def _values(self, name: MethodName, attributed: Attributed) -> MethodValues:
        return MethodValues(
            values=tuple(attributed.values),
            delta=attributed.delta,
            evaluations=attributed.evaluations,
            converged=self._converged(attributed) if METHODS[name].adds_up else None,
        )

    def _converged(self, attributed: Attributed) -> bool:
        score_range = max(abs(attributed.score - attributed.baseline_score), SMALLEST_RANGE)
        return bool(abs(attributed.delta) <= self.options.tolerance * score_range)


def explain(work: Work[ExplainOptions]) -> ExplainedTexts:
    """Attribution of every text of a shard, without baselines."""
    shard = Explaining(opened(work.ref.subject), work.rows, work.ref.rows, work.options, work.seed)
    whole = shard.prepared(shard.subject)
    return ExplainedTexts(texts=tuple(shard.records(whole, shard.attributed(whole))))


def marked_units(row: Row, units: Sequence[Unit]) -> list[bool] | None:
    """Which units people marked as the reason; none where nobody was asked."""
    if row.rationale is None:
        return None
    return [
        any(a < end and start < b for a, b in unit.spans for start, end in row.rationale)
        for unit in units
    ]


def _foregone(attributed: Attributed) -> bool:
    """Whether the words of a text hardly move the score; see `AttributedText.foregone`."""
    return bool(attributed.score - attributed.baseline_score < abs(attributed.score) / 2)
