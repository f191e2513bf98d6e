"""Over a data set: which fields and words drive which decision, for which group."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from tasks.checks.attribution.payload import ExplainedText
from tasks.definition.checks.attribution import AttributionCheck, MethodName
from tasks.definition.subset import Subset
from tasks.measures.stats import intervals
from tasks.run.plan import Plan
from tasks.schema import About, Measurement

SMALLEST_SUBSET = 8  # texts below which a mean share is not stated
WORDS = 8  # words named per subset

Part = tuple[float, float]
"""Share of the absolute attribution, and the same counted with its sign."""


def drivers(
    plan: Plan, check: AttributionCheck, method: MethodName, explained: Sequence[ExplainedText]
) -> list[Measurement]:
    """Share of |attribution| on fields and words, over all texts and over subsets.

    Args:
        plan: the audit.
        check: the question.
        method: the credible method that is cited.
        explained: texts of the sample whose attribution can be used.
    """
    measurements: list[Measurement] = []
    for subset, texts in _subsets(plan, check, explained):
        if len(texts) < SMALLEST_SUBSET:
            continue
        parts = [_parts(r, method) for r in texts]
        for name in plan.spec.data.field_names:
            of_field = [by_field[name] for by_field, _ in parts if name in by_field]
            about = About(field=name, subset=subset, method=method)
            measurements += _share_and_attribution("field", of_field, about, plan.spec.seed)
        measurements += _words(parts, subset, method, plan.spec.seed)
    return measurements


def _words(
    parts: Sequence[tuple[dict[str, Part], dict[str, Part]]],
    subset: Subset | None,
    method: str,
    seed: int,
) -> Iterator[Measurement]:
    """The words with the largest total attribution, among those that occur in enough texts."""
    parts_of: dict[str, list[Part]] = defaultdict(list)
    for _, by_word in parts:
        for word, part in by_word.items():
            parts_of[word].append(part)
    common = {w: p for w, p in parts_of.items() if len(p) >= SMALLEST_SUBSET}
    ranked = sorted(common, key=lambda w: (-sum(share for share, _ in common[w]), w))
    for word in ranked[:WORDS]:
        about = About(word=word, subset=subset, method=method)
        signed = np.array([s for _, s in common[word]])
        interval = intervals.bootstrap_mean(signed, seed=seed, bounds=(-1.0, 1.0))
        yield Measurement.of("word_attribution", interval, len(signed), intervals.MEAN, about)


def _share_and_attribution(
    prefix: str, parts: Sequence[Part], about: About, seed: int
) -> Iterator[Measurement]:
    if len(parts) < SMALLEST_SUBSET:
        return
    columns = {f"{prefix}_share": (0, (0.0, 1.0)), f"{prefix}_attribution": (1, (-1.0, 1.0))}
    for name, (column, bounds) in columns.items():
        values = np.array([part[column] for part in parts])
        interval = intervals.bootstrap_mean(values, seed=seed, bounds=bounds)
        yield Measurement.of(name, interval, len(values), intervals.MEAN, about)


def _parts(of: ExplainedText, method: MethodName) -> tuple[dict[str, Part], dict[str, Part]]:
    """Attribution of every field and of every word of one text."""
    values = of.methods[method].values
    whole = sum(abs(value) for value in values)
    by_field: dict[str, Part] = defaultdict(lambda: (0.0, 0.0))
    by_word: dict[str, Part] = defaultdict(lambda: (0.0, 0.0))
    for unit, value in zip(of.units, values, strict=True):
        part = (abs(value) / whole, value / whole) if whole > 0 else (0.0, 0.0)
        keys = [(by_field, unit.field)] if unit.field is not None else []
        keys += [(by_word, unit.text.lower())] if any(c.isalnum() for c in unit.text) else []
        for parts, key in keys:
            parts[key] = (parts[key][0] + part[0], parts[key][1] + part[1])
    return dict(by_field), dict(by_word)


def _subsets(
    plan: Plan, check: AttributionCheck, explained: Sequence[ExplainedText]
) -> list[tuple[Subset | None, list[ExplainedText]]]:
    """All texts; texts of each decision; and of each decision and group."""
    subsets: dict[Subset, list[ExplainedText]] = {}
    for text in explained if plan.labels(plan.spec.subject_of(check)) else ():
        subsets.setdefault(Subset(decided=text.decision), []).append(text)
        for attribute, group in text.groups.items():
            if group:
                part = Subset(decided=text.decision, attribute=attribute, group=group)
                subsets.setdefault(part, []).append(text)
    return [(None, list(explained)), *sorted(subsets.items(), key=lambda item: item[0].words())]
