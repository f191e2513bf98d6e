"""Which attribution methods earned their place on the audited subject, and how they agree."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.checks.attribution.faithfulness import SCORED
from tasks.checks.attribution.methods import METHODS
from tasks.definition.checks.attribution import AttributionCheck
from tasks.judge.credibility import AGAINST, RANDOM
from tasks.measures.attribution.faithfulness import earns_its_place
from tasks.measures.stats import intervals
from tasks.measures.stats.agreement import rank_agreement, top_overlap
from tasks.schema import About, Measurement

STRONGEST = 5  # units compared between methods
FEWEST = 8  # texts below which a mean is not stated
JOINT = "mean over texts, BCa bootstrap, joint over the three baselines (Bonferroni)"
RATIO = "sum over texts over sum over texts, percentile bootstrap over texts"

Record = Any  # what one text left behind, from JSON


def trust(check: AttributionCheck, found: Sequence[Record], seed: int) -> list[Measurement]:
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
    check: AttributionCheck, found: Sequence[Record], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for measure, sign in (("comprehensiveness", 1.0), ("sufficiency", -1.0)):
        for method in check.methods:
            own = _column(found, method, measure)
            others = [_column(found, _ranking(method, against), measure) for against in AGAINST]
            place = earns_its_place(np.array([sign * (own - o) for o in others]).T, seed=seed)
            for against, interval in zip(AGAINST, place.gains, strict=True):
                about = About(method=method, against=against)
                yield Measurement.of(f"{measure}_gain", interval, len(found), JOINT, about)


def _scored(
    check: AttributionCheck, found: Sequence[Record], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for measure in SCORED:
        for method in (RANDOM, *check.methods):
            for operator in check.operators:
                values = _column(found, method, measure, operator)
                interval = intervals.bootstrap_mean(values, seed=seed)
                about = About(method=method, operator=operator)
                yield Measurement.of(measure, interval, len(values), intervals.MEAN, about)


def _infidelity(
    check: AttributionCheck, found: Sequence[Record], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for method in check.methods:
        parts = np.array(
            [
                (r["quality"][method]["removal_error"], r["quality"][method]["removal_square"])
                for r in found
            ]
        )
        if parts[:, 1].sum() == 0:
            continue  # no removal moved any score: there is nothing to predict
        means = intervals.group_means(parts, np.zeros(len(parts)), seed=seed)
        interval = intervals.percentile(means, lambda a: a[..., 0, 0] / a[..., 0, 1])
        yield Measurement.of("infidelity", interval, len(parts), RATIO, About(method=method))


def _means(
    check: AttributionCheck, found: Sequence[Record], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    kept = {
        "sparsity": "sparsity",
        "stability": "stability",
        "rationale_f1": "f1",
        "rationale_auprc": "auprc",
    }
    for name, key in kept.items():
        for method in check.methods:
            values = _present(r["quality"][method].get(key) for r in found)
            if len(values) >= FEWEST:
                interval = intervals.bootstrap_mean(values, seed=seed)
                yield Measurement.of(
                    name, interval, len(values), intervals.MEAN, About(method=method)
                )
    shares = _present(np.mean(r["marked"]) if r["marked"] else None for r in found)
    if len(shares) >= FEWEST:
        interval = intervals.bootstrap_mean(shares, seed=seed)
        yield Measurement.of("rationale_share", interval, len(shares), intervals.MEAN)


def _agreement(
    check: AttributionCheck, found: Sequence[Record], seed: int
) -> Iterator[Measurement]:  # fmt: skip
    for one, other in combinations(check.methods, 2):
        signed = METHODS[one].signed and METHODS[other].signed
        pairs = [_pair(r["methods"], one, other, signed=signed) for r in found]
        about = About(method=one, against=other)
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


def _completeness(check: AttributionCheck, found: Sequence[Record]) -> Iterator[Measurement]:
    for method in check.methods:
        reached = [r["methods"][method]["converged"] for r in found]
        if None not in reached:
            interval = intervals.share(np.array(reached))
            yield Measurement.of(
                "converged", interval, len(reached), intervals.SHARE, About(method=method)
            )
    explained = np.array([r["explained"] for r in found])
    yield Measurement.of("explained", intervals.share(explained), len(found), intervals.SHARE)
    targets = sorted({r["target"] for r in found})
    for target in targets if 1 < len(targets) <= len(found) // 2 else ():
        of = np.array([r["explained"] for r in found if r["target"] == target])
        about = About(subset=target)
        yield Measurement.of("explained", intervals.share(of), len(of), intervals.SHARE, about)


def _pair(
    methods: Record, one: str, other: str, *, signed: bool
) -> tuple[list[float], list[float]]:
    """Two attributions of one text; by size alone where one of them has no sign."""
    a, b = methods[one]["values"], methods[other]["values"]
    return (a, b) if signed else ([abs(v) for v in a], [abs(v) for v in b])


def _ranking(method: str, against: str) -> str:
    return against if against == RANDOM else f"{method}, {against}"


def _column(
    found: Sequence[Record], ranking: str, measure: str, operator: str | None = None
) -> NDArray[np.float64]:
    """One number per text; the mean over operators unless one is named."""
    return np.array(
        [
            np.mean([s[measure] for o, s in r["scored"][ranking].items() if operator in (None, o)])
            for r in found
        ]
    )


def _present(values: Any) -> NDArray[np.float64]:
    kept = [v for v in values if v is not None and not np.isnan(v)]
    return np.array(kept, dtype=np.float64)
