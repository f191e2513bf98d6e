"""Every method beside its baselines: random orders, and itself on shuffled weights."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from tasks.checks.attribution.faithfulness import Removals, removals, replacement
from tasks.checks.attribution.measure import ByMethod, Explaining, marked_units
from tasks.checks.attribution.methods import METHODS
from tasks.checks.attribution.payload import (
    ComparedText,
    ComparedTexts,
    CompareOptions,
    Quality,
    ranking_name,
)
from tasks.data.dataset import Row
from tasks.data.once import once
from tasks.data.text_units import Unit
from tasks.definition.checks.attribution import MethodName
from tasks.judge.credibility import RANDOM, REDONE
from tasks.measures.attribution import faithfulness
from tasks.measures.attribution.plausibility import auprc, token_f1
from tasks.measures.attribution.sparsity import gini
from tasks.measures.attribution.stability import neutral_edits, stability
from tasks.measures.stats.random_streams import subseed
from tasks.run.rounds import Work
from tasks.subjects.load import opened
from tasks.subjects.local.prepared_texts import Attributed, Explained
from tasks.subjects.protocols import Opens
from tasks.subjects.reference import SubjectRef

Stabilities = dict[MethodName, float]
"""Method -> stability of its attribution of one text."""


class Whole(NamedTuple):
    """The texts of a shard as they stand, and what every method attributes."""

    shard: Explaining
    ready: Explained
    attributed: ByMethod


def compare(work: Work[CompareOptions]) -> ComparedTexts:
    """Attribution of every text of a shard, and how far the methods can be believed."""
    options = work.options
    shard = Explaining(
        opened(work.ref.subject), work.rows, work.ref.rows, options.explain, work.seed
    )
    ready = shard.prepared(shard.subject)
    whole = Whole(shard, ready, shard.attributed(ready))
    seeds = [subseed(work.seed, "text of attribution", at) for at in shard.positions]
    drawn = removals(ready, options.draws, seeds)
    replaced = replacement(
        ready,
        _rankings(whole, _on_shuffled_weights(whole, work.ref.subject), seeds, options),
        options.shares,
        options.operators,
    )
    stabilities = _stability(whole, options.neutral_words)
    return ComparedTexts(
        texts=tuple(
            ComparedText(
                text=text,
                replacements=tuple(replaced[i]),
                quality=_qualities(whole, i, drawn[i], stabilities[i]),
            )
            for i, text in enumerate(shard.records(ready, whole.attributed))
        )
    )


def _on_shuffled_weights(whole: Whole, ref: SubjectRef) -> dict[str, ByMethod]:
    """The methods on the subject with its last block and head, or all weights, shuffled."""
    shard, shuffled = whole.shard, {}
    for weights in REDONE:
        subject = _shuffled(ref, REDONE[weights], shard.seed)
        texts = shard.prepared(subject, whole.ready.scoring.classes)
        shuffled[weights] = shard.attributed(texts)
    return shuffled


@once(maxsize=4)
def _shuffled(ref: SubjectRef, weights: Literal["top", "all"], seed: int) -> Opens:
    return opened(ref).randomised(weights, seed=seed)


def _rankings(
    whole: Whole, shuffled: Mapping[str, ByMethod], seeds: Sequence[int], options: CompareOptions
) -> list[dict[str, list[list[int]]]]:
    """Rankings of the units of every text: by chance, by method, by method on shuffled weights."""
    return [
        _rankings_of(whole, shuffled, i, seed, options.random_orders)
        for i, seed in enumerate(seeds)
    ]


def _rankings_of(
    whole: Whole, shuffled: Mapping[str, ByMethod], i: int, seed: int, draws: int
) -> dict[str, list[list[int]]]:
    orders = faithfulness.random_orders(len(whole.ready.units[i]), draws, seed=seed)
    named = {RANDOM: [order.tolist() for order in orders]}
    for name, values in whole.attributed.items():
        named[name] = [faithfulness.by_attribution(values[i].values)]
        for weights, by_method in shuffled.items():
            both_signs = _both_signs(by_method[name][i].values, METHODS[name].signed)
            named[ranking_name(name, weights)] = both_signs
    return named


def _both_signs(values: Sequence[float], signed: bool) -> list[list[int]]:
    """Rankings by an attribution on shuffled weights, with both signs where the method has signs.

    A shuffled head exchanges its two classes as often as not, so the sign of its attribution is
    right by chance alone; the mean over both signs removes that chance.
    """
    versions = [list(values), [-v for v in values]] if signed else [list(values)]
    return [faithfulness.by_attribution(version) for version in versions]


def _stability(whole: Whole, neutral_words: Sequence[tuple[str, str]]) -> list[Stabilities]:
    """Rank correlation with the attribution of the same text after a neutral edit."""
    shard, before = whole.shard, whole.ready.scoring.classes
    stabilities: list[Stabilities] = [{} for _ in shard.rows]
    if shard.options.units != "words":
        return stabilities
    edits = [(i, neutral_edits(text, neutral_words)) for i, text in enumerate(shard.texts)]
    edited = [(i, edit[0]) for i, edit in edits if edit]
    if not edited:
        return stabilities
    after = shard.prepare(shard.subject, [edit.text for _, edit in edited])
    for name, values in shard.attributed(after).items():
        for place, (i, edit) in enumerate(edited):
            if after.scoring.classes[place] == before[i]:
                stabilities[i][name] = stability(
                    whole.attributed[name][i].values, values[place].values, edit.alignment
                )
    return stabilities


def _qualities(
    whole: Whole, i: int, drawn: Removals, stabilities: Mapping[MethodName, float]
) -> dict[MethodName, Quality]:
    row, units = whole.shard.rows[i], whole.ready.units[i]
    return {
        name: _quality(each[i], drawn, stabilities.get(name), row, units)
        for name, each in whole.attributed.items()
    }


def _quality(
    attributed: Attributed, drawn: Removals, stable: float | None, row: Row, units: Sequence[Unit]
) -> Quality:
    parts = faithfulness.infidelity_parts(
        attributed.values, drawn.removed, drawn.fall, normalised=True
    )
    marked = marked_units(row, units)
    partly = marked is not None and any(marked) and not all(marked)
    return Quality(
        sparsity=_finite(gini(attributed.values)),
        stability=_finite(stable),
        f1=_finite(token_f1(attributed.values, marked)) if marked is not None and partly else None,
        auprc=_finite(auprc(attributed.values, marked)) if marked is not None and partly else None,
        removal_error=parts.error,
        removal_square=parts.square,
    )


def _finite(number: float | None) -> float | None:
    """The number; none where it could not be measured on a text."""
    return number if number is not None and math.isfinite(number) else None
