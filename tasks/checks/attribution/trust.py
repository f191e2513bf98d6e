"""Which attribution methods are credible on the audited subject, and how they agree."""

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
    COMPREHENSIVENESS: lambda replacement: replacement.comprehensiveness,
    SUFFICIENCY: lambda replacement: replacement.sufficiency,
}
MEANS: Mapping[str, Callable[[Quality], float | None]] = {
    "sparsity": lambda quality: quality.sparsity,
    "stability": lambda quality: quality.stability,
    "rationale_f1": lambda quality: quality.f1,
    "rationale_auprc": lambda quality: quality.auprc,
}
"""Name of a measurement -> what it is the mean of."""


def trust(
    check: AttributionCheck, compared: Sequence[ComparedText], seed: int
) -> list[Measurement]:
    """How far each method can be believed, over the texts of the sample.

    Args:
        check: names methods, operators and shares.
        compared: what was measured on every text.
        seed: drawn from the definition's seed.
    """
    return [
        *_gains(check, compared, seed),
        *_scored(check, compared, seed),
        *_infidelity(check, compared, seed),
        *_means(check, compared, seed),
        *_agreement(check, compared, seed),
        *_completeness(check, compared),
    ]


def _gains(
    check: AttributionCheck, compared: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for measure, sign in ((COMPREHENSIVENESS, 1.0), (SUFFICIENCY, -1.0)):
        scored = SCORED[measure]
        for method in check.methods:
            own = _column(compared, method, scored)
            others = [_column(compared, _ranking(method, against), scored) for against in AGAINST]
            place = earns_its_place(np.array([sign * (own - o) for o in others]).T, seed=seed)
            for against, interval in zip(AGAINST, place.gains, strict=True):
                about = About(method=method, baseline=against)
                yield Measurement.of(f"{measure}_gain", interval, len(compared), JOINT, about)


def _scored(
    check: AttributionCheck, compared: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for measure, scored in SCORED.items():
        for method in (RANDOM, *check.methods):
            for operator in check.operators:
                values = _column(compared, method, scored, operator)
                interval = intervals.bootstrap_mean(values, seed=seed)
                about = About(method=method, operator=operator)
                yield Measurement.of(measure, interval, len(values), intervals.MEAN, about)


def _infidelity(
    check: AttributionCheck, compared: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for method in check.methods:
        quality = [each.quality[method] for each in compared]
        parts = np.array([(q.removal_error, q.removal_square) for q in quality])
        if parts[:, 1].sum() == 0:
            continue  # no removal moved any score: there is nothing to predict
        means = intervals.group_means(parts, np.zeros(len(parts)), seed=seed)
        interval = intervals.percentile(means, lambda a: a[..., 0, 0] / a[..., 0, 1])
        yield Measurement.of("infidelity", interval, len(parts), RATIO, About(method=method))


def _means(
    check: AttributionCheck, compared: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for name, of in MEANS.items():
        for method in check.methods:
            values = _present(of(each.quality[method]) for each in compared)
            if len(values) >= FEWEST:
                interval = intervals.bootstrap_mean(values, seed=seed)
                yield Measurement.of(
                    name, interval, len(values), intervals.MEAN, About(method=method)
                )
    marked = [each.text.marked for each in compared]
    shares = _present(float(np.mean(each)) if each else None for each in marked)
    if len(shares) >= FEWEST:
        interval = intervals.bootstrap_mean(shares, seed=seed)
        yield Measurement.of("rationale_share", interval, len(shares), intervals.MEAN)


def _agreement(
    check: AttributionCheck, compared: Sequence[ComparedText], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for method, other in combinations(check.methods, 2):
        signed = METHODS[method].signed and METHODS[other].signed
        pairs = [_pair(each.text.methods, method, other, signed=signed) for each in compared]
        about = About(method=method, other=other)
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


def _completeness(
    check: AttributionCheck, compared: Sequence[ComparedText]
) -> Iterator[Measurement]:
    for method in check.methods:
        converged = [each.text.methods[method].converged for each in compared]
        if None not in converged:
            interval = intervals.share(np.array(converged))
            yield Measurement.of(
                "converged", interval, len(converged), intervals.SHARE, About(method=method)
            )
    explained = np.array([each.text.explained for each in compared])
    yield Measurement.of("explained", intervals.share(explained), len(compared), intervals.SHARE)
    targets = sorted({each.text.target for each in compared})
    for target in targets if 1 < len(targets) <= len(compared) // 2 else ():
        of = explained[[each.text.target == target for each in compared]]
        about = About(subset=Subset(decided=target))
        yield Measurement.of("explained", intervals.share(of), len(of), intervals.SHARE, about)


def _pair(
    methods: Mapping[MethodName, MethodValues],
    method: MethodName,
    other: MethodName,
    *,
    signed: bool,
) -> tuple[list[float], list[float]]:
    """Two attributions of one text; by size alone where one of them has no sign."""
    a, b = list(methods[method].values), list(methods[other].values)
    return (a, b) if signed else ([abs(v) for v in a], [abs(v) for v in b])


def _ranking(method: str, against: str) -> str:
    return against if against == RANDOM else ranking_name(method, against)


def _column(
    compared: Sequence[ComparedText], ranking: str, scored: Scored, operator: str | None = None
) -> NDArray[np.float64]:
    """One number per text; the mean over operators unless one is named."""
    return np.array(
        [
            np.mean(
                [
                    scored(r)
                    for r in each.replacements
                    if r.ranking == ranking and operator in (None, r.operator)
                ]
            )
            for each in compared
        ]
    )


def _present(values: Iterable[float | None]) -> NDArray[np.float64]:
    present = [v for v in values if v is not None and not np.isnan(v)]
    return np.array(present, dtype=np.float64)
