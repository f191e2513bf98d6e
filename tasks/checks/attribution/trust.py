"""Which attribution methods earned their place on the audited subject, and how they agree."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tasks.checks.attribution.methods import METHODS
from tasks.checks.attribution.payload import (
    ComparedText,
    MethodValues,
    Quality,
    Replacement,
    ranking_name,
)
from tasks.definition.checks.attribution import AttributionCheck, MethodName
from tasks.definition.subset import Subset
from tasks.judge.credibility import AGAINST, RANDOM
from tasks.measures.attribution.faithfulness import earns_its_place
from tasks.measures.stats import intervals
from tasks.measures.stats.agreement import rank_agreement, top_overlap
from tasks.schema import About, Measurement

STRONGEST = 5  # units compared between methods
FEWEST = 8  # texts below which a mean is not stated
JOINT = "mean over texts, BCa bootstrap, joint over the three baselines (Bonferroni)"
RATIO = "sum over texts over sum over texts, percentile bootstrap over texts"

Scored = Callable[[Replacement], float]

COMPREHENSIVENESS = "comprehensiveness"
SUFFICIENCY = "sufficiency"
SCORED: Mapping[str, Scored] = {
    COMPREHENSIVENESS: lambda one: one.comprehensiveness,
    SUFFICIENCY: lambda one: one.sufficiency,
}
MEANS: Mapping[str, Callable[[Quality], float | None]] = {
    "sparsity": lambda one: one.sparsity,
    "stability": lambda one: one.stability,
    "rationale_f1": lambda one: one.f1,
    "rationale_auprc": lambda one: one.auprc,
}
"""Name of a measurement -> what it is the mean of."""


def trust(check: AttributionCheck, found: Sequence[ComparedText], seed: int) -> list[Measurement]:
    """How far each method can be believed, over the texts of the sample.

    Args:
        check: names methods, operators and shares.
        found: what was measured on every text.
        seed: drawn from the definition's seed.
    """
    return [
        *_gains(check, found, seed),
        *_scored(check, found, seed),
        *_infidelity(check, found, seed),
        *_means(check, found, seed),
        *_agreement(check, found, seed),
        *_completeness(check, found),
    ]


def _gains(
    check: AttributionCheck, found: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for measure, sign in ((COMPREHENSIVENESS, 1.0), (SUFFICIENCY, -1.0)):
        scored = SCORED[measure]
        for method in check.methods:
            own = _column(found, method, scored)
            others = [_column(found, _ranking(method, against), scored) for against in AGAINST]
            place = earns_its_place(np.array([sign * (own - o) for o in others]).T, seed=seed)
            for against, interval in zip(AGAINST, place.gains, strict=True):
                about = About(method=method, baseline=against)
                yield Measurement.of(f"{measure}_gain", interval, len(found), JOINT, about)


def _scored(
    check: AttributionCheck, found: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for measure, scored in SCORED.items():
        for method in (RANDOM, *check.methods):
            for operator in check.operators:
                values = _column(found, method, scored, operator)
                interval = intervals.bootstrap_mean(values, seed=seed)
                about = About(method=method, operator=operator)
                yield Measurement.of(measure, interval, len(values), intervals.MEAN, about)


def _infidelity(
    check: AttributionCheck, found: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for method in check.methods:
        quality = [one.quality[method] for one in found]
        parts = np.array([(q.removal_error, q.removal_square) for q in quality])
        if parts[:, 1].sum() == 0:
            continue  # no removal moved any score: there is nothing to predict
        means = intervals.group_means(parts, np.zeros(len(parts)), seed=seed)
        interval = intervals.percentile(means, lambda a: a[..., 0, 0] / a[..., 0, 1])
        yield Measurement.of("infidelity", interval, len(parts), RATIO, About(method=method))


def _means(
    check: AttributionCheck, found: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for name, of in MEANS.items():
        for method in check.methods:
            values = _present(of(one.quality[method]) for one in found)
            if len(values) >= FEWEST:
                interval = intervals.bootstrap_mean(values, seed=seed)
                yield Measurement.of(
                    name, interval, len(values), intervals.MEAN, About(method=method)
                )
    marked = [one.text.marked for one in found]
    shares = _present(float(np.mean(each)) if each else None for each in marked)
    if len(shares) >= FEWEST:
        interval = intervals.bootstrap_mean(shares, seed=seed)
        yield Measurement.of("rationale_share", interval, len(shares), intervals.MEAN)


def _agreement(
    check: AttributionCheck, found: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for one, other in combinations(check.methods, 2):
        signed = METHODS[one].signed and METHODS[other].signed
        pairs = [_pair(each.text.methods, one, other, signed=signed) for each in found]
        about = About(method=one, other=other)
        measured = {
            "rank_agreement": _present(rank_agreement(a, b) for a, b in pairs),
            "top_agreement": _present(
                top_overlap(a, b, STRONGEST) for a, b in pairs if len(a) > STRONGEST
            ),
        }
        for name, values in measured.items():
            if len(values) >= FEWEST:
                interval = intervals.bootstrap_mean(values, seed=seed)
                yield Measurement.of(name, interval, len(values), intervals.MEAN, about)


def _completeness(check: AttributionCheck, found: Sequence[ComparedText]) -> Iterator[Measurement]:
    for method in check.methods:
        reached = [one.text.methods[method].converged for one in found]
        if None not in reached:
            interval = intervals.share(np.array(reached))
            yield Measurement.of(
                "converged", interval, len(reached), intervals.SHARE, About(method=method)
            )
    explained = np.array([one.text.explained for one in found])
    yield Measurement.of("explained", intervals.share(explained), len(found), intervals.SHARE)
    targets = sorted({one.text.target for one in found})
    for target in targets if 1 < len(targets) <= len(found) // 2 else ():
        of = explained[[one.text.target == target for one in found]]
        about = About(subset=Subset(decided=target))
        yield Measurement.of("explained", intervals.share(of), len(of), intervals.SHARE, about)


def _pair(
    methods: Mapping[MethodName, MethodValues],
    one: MethodName,
    other: MethodName,
    *,
    signed: bool,
) -> tuple[list[float], list[float]]:
    """Two attributions of one text; by size alone where one of them has no sign."""
    a, b = list(methods[one].values), list(methods[other].values)
    return (a, b) if signed else ([abs(v) for v in a], [abs(v) for v in b])


def _ranking(method: str, against: str) -> str:
    return against if against == RANDOM else ranking_name(method, against)


def _column(
    found: Sequence[ComparedText], ranking: str, scored: Scored, operator: str | None = None
) -> NDArray[np.float64]:
    """One number per text; the mean over operators unless one is named."""
    return np.array(
        [
            np.mean(
                [
                    scored(r)
                    for r in one.replacements
                    if r.ranking == ranking and operator in (None, r.operator)
                ]
            )
            for one in found
        ]
    )


def _present(values: Iterable[float | None]) -> NDArray[np.float64]:
    kept = [v for v in values if v is not None and not np.isnan(v)]
    return np.array(kept, dtype=np.float64)
