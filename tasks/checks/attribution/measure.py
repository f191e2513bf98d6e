"""One shard of texts explained: every method, its baselines, and how far it can be believed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from tasks.checks.attribution.faithfulness import Removals, removals, replacement
from tasks.checks.attribution.methods import METHODS
from tasks.data.dataset import Row
from tasks.data.once import once
from tasks.data.text_units import Unit
from tasks.definition.checks import MethodName, Target
from tasks.judge.credibility import RANDOM, REDONE
from tasks.measures.attribution import faithfulness
from tasks.measures.attribution.plausibility import auprc, token_f1
from tasks.measures.attribution.quadrature import SMALLEST_RANGE
from tasks.measures.attribution.sparsity import gini
from tasks.measures.attribution.stability import neutral_edits, stability
from tasks.run.inputs import rows_of
from tasks.run.shards import ShardRef
from tasks.subjects.load import opened
from tasks.subjects.local.prepared_texts import Attributed, Explained, decisions, explained
from tasks.subjects.protocols import Opens
from tasks.subjects.reference import SubjectRef


class Explaining:
    """The texts of one shard while every method explains them."""

    def __init__(self, ref: ShardRef) -> None:
        self.ref, self.rows = ref, rows_of(ref)
        self.methods: list[MethodName] = ref.option("methods")
        self.texts = [row.text for row in self.rows]
        subject = opened(ref.subject)
        self.whole = self._explained(subject, self.texts, None)
        self.decided = decisions(subject, self.texts)

    def records(self) -> list[Any]:
        """Everything that was measured, text by text."""
        found = {name: self._attribute(self.whole, name) for name in self.methods}
        each = [{name: f[i] for name, f in found.items()} for i in range(len(self.rows))]
        held = self._held(found) if self.ref.option("held") else [{}] * len(self.rows)
        return [self._record(i, each[i]) | held[i] for i in range(len(self.rows))]

    def _held(self, found: Mapping[MethodName, list[Attributed]]) -> list[dict[str, Any]]:
        """What holds the methods against their baselines, text by text."""
        again = {name: self._on_randomised(name) for name in self.methods}
        seeds = [self._seed(i) for i in range(len(self.rows))]
        drawn = removals(self.whole, self.ref.option("draws"), seeds)
        scored = replacement(
            self.whole,
            [self._rankings(i, found, again) for i in range(len(self.rows))],
            self.ref.option("shares"),
            self.ref.option("operators"),
        )
        steady = self._stability(found)
        return [
            {
                "scored": scored[i],
                "quality": {
                    name: _stated(
                        {
                            "sparsity": gini(of[i].values),
                            "stability": steady[i].get(name),
                            **_infidelity(of[i], drawn[i]),
                            **_plausibility(of[i], row, self.whole.units[i]),
                        }
                    )
                    for name, of in found.items()
                },
            }
            for i, row in enumerate(self.rows)
        ]

    def _explained(self, subject: Opens, texts: Sequence[str], classes: Tensor | None) -> Explained:
        same = texts is self.texts
        return explained(
            subject,
            texts,
            target=Target(**self.ref.option("target")),
            units=self.ref.option("units"),
            places=[row.places for row in self.rows] if same else None,
            classes=classes,
            precision=self.ref.option("precision"),
        )

    def _attribute(self, texts: Explained, name: MethodName) -> list[Attributed]:
        run = METHODS[name].run
        return texts.merged(run(texts.inputs, self.ref.data.seed, self.ref.option("tolerance")))

    def _on_randomised(self, name: MethodName) -> dict[str, list[Attributed]]:
        """The same method on the subject with its last block and head, or all weights, shuffled."""
        found = {}
        for how in REDONE:
            subject = _randomised(self.ref.subject, how, self.ref.data.seed)
            texts = self._explained(subject, self.texts, self.whole.scoring.classes)
            found[how] = self._attribute(texts, name)
        return found

    def _seed(self, i: int) -> int:
        return self.ref.data.seed + self.ref.rows[i]

    def _rankings(
        self,
        i: int,
        found: Mapping[MethodName, list[Attributed]],
        again: Mapping[MethodName, Mapping[str, list[Attributed]]],
    ) -> dict[str, list[list[int]]]:
        """Rankings of the units of one text: by chance, by method, by method made senseless."""
        draws = self.ref.option("random_orders")
        units = len(self.whole.units[i])
        orders = faithfulness.random_orders(units, draws, seed=self._seed(i))
        named = {RANDOM: [order.tolist() for order in orders]}
        for name, values in found.items():
            named[name] = [faithfulness.by_attribution(values[i].values)]
            for how, senseless in again[name].items():
                named[f"{name}, {how}"] = _both_ways(senseless[i].values, METHODS[name].signed)
        return named

    def _stability(
        self, found: Mapping[MethodName, list[Attributed]]
    ) -> list[dict[MethodName, float]]:
        """Rank correlation with the attribution of the same text after a neutral edit."""
        if self.ref.option("units") != "words":
            return [{} for _ in self.rows]
        pairs = [tuple(pair) for pair in self.ref.option("neutral_words")]
        edits = [neutral_edits(text, pairs) for text in self.texts]
        edited = [edit[0] if edit else None for edit in edits]
        changed = [i for i, edit in enumerate(edited) if edit is not None]
        steady: list[dict[MethodName, float]] = [{} for _ in self.rows]
        if not changed:
            return steady
        after = self._explained(
            self.whole.scoring.subject, [edited[i].text for i in changed], None  # type: ignore[union-attr]
        )  # fmt: skip
        for name in self.methods:
            values = self._attribute(after, name)
            for place, i in enumerate(changed):
                same = after.scoring.classes[place] == self.whole.scoring.classes[i]
                if same:
                    steady[i][name] = stability(
                        found[name][i].values, values[place].values, edited[i].alignment  # type: ignore[union-attr]
                    )  # fmt: skip
        return steady

    def _record(self, i: int, found: Mapping[MethodName, Attributed]) -> dict[str, Any]:
        row, units = self.rows[i], self.whole.units[i]
        first = next(iter(found.values()))
        return {
            "id": row.id,
            "position": self.ref.rows[i],
            "target": self.whole.scoring.name(i),
            "decision": self.decided[i],
            "groups": row.groups,
            "windows": int((self.whole.batch.owner == i).sum()),
            "score": first.score,
            "baseline_score": first.baseline_score,
            "explained": not _foregone(first),
            "units": [[u.words(row.text), u.spans, u.field] for u in units],
            "marked": _marked(row, units),
            "methods": {
                name: {
                    "values": one.values,
                    "delta": one.delta,
                    "evaluations": one.evaluations,
                    "converged": self._converged(one) if METHODS[name].adds_up else None,
                }
                for name, one in found.items()
            },
        }

    def _converged(self, one: Attributed) -> bool:
        reach = max(abs(one.score - one.baseline_score), SMALLEST_RANGE)
        return bool(abs(one.delta) <= self.ref.option("tolerance") * reach)


def _both_ways(values: Sequence[float], signed: bool) -> list[list[int]]:
    """Rankings by shuffled weights, which cannot know what speaks for and what against.

    Shuffling a head is as likely to turn its two classes around as not, so one shuffled head is
    right about the sign by chance alone; the mean over both signs takes that luck away.
    """
    ways = [list(values), [-v for v in values]] if signed else [list(values)]
    return [faithfulness.by_attribution(way) for way in ways]


@once(maxsize=4)
def _randomised(ref: SubjectRef, how: str, seed: int) -> Opens:
    return opened(ref).randomised(REDONE[how], seed=seed)


def _stated(measured: Mapping[str, float | None]) -> dict[str, float]:
    """What could be measured on a text; the rest is absent, not a number."""
    return {k: v for k, v in measured.items() if v is not None and math.isfinite(v)}


def _infidelity(one: Attributed, drawn: Removals) -> dict[str, float]:
    """Squared error and square of what random removals do, for a ratio over all texts."""
    parts = faithfulness.infidelity_parts(
        one.values, drawn.removed, drawn.fall, normalised=True
    )  # fmt: skip
    return {"removal_error": parts.error, "removal_square": parts.square}


def _marked(row: Row, units: Sequence[Unit]) -> list[bool] | None:
    """Which units people marked as the reason; none where nobody was asked."""
    if row.rationale is None:
        return None
    return [
        any(a < end and start < b for a, b in unit.spans for start, end in row.rationale)
        for unit in units
    ]


def _plausibility(one: Attributed, row: Row, units: Sequence[Unit]) -> dict[str, float]:
    marked = _marked(row, units)
    if marked is None or not any(marked) or all(marked):
        return {}
    return {"f1": token_f1(one.values, marked), "auprc": auprc(one.values, marked)}


def _foregone(one: Attributed) -> bool:
    """Whether the words of a text hardly move the score; see `AttributedText.foregone`."""
    return bool(one.score - one.baseline_score < abs(one.score) / 2)
