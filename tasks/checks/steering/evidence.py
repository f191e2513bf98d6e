"""The evidence of steering: responses with intervals, their control, and the range that is safe."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.checks.interventions.exports import exported
from tasks.checks.interventions.group_vector import (
    favourable_class,
    note_on_thirds,
    right_classes,
    thirds,
    usable,
)
from tasks.checks.probing.erasure_evidence import METHOD_GAP as GAP
from tasks.definition.checks import SteeringCheck
from tasks.measures.fairness import group_rates
from tasks.measures.interventions.steering import (
    beyond_random,
    perplexity_ratio,
    reach,
    safe_range,
    slopes,
)
from tasks.measures.stats import intervals as stats
from tasks.measures.stats import paired
from tasks.run.inputs import read_all
from tasks.run.plan import Plan
from tasks.run.shards import Payload, StoredShard
from tasks.schema import About, Evidence, Export, Measurement

WITHIN = 1.0
"""Slopes are taken between -1 and 1: between the means of the groups, not beyond them."""
SLOPE = "least squares per text between alpha -1 and 1"
ADDED = "mean over texts, BCa bootstrap"

Floats = NDArray[np.float64]


def evidence(
    plan: Plan, check: SteeringCheck, store: Path, stored: Sequence[StoredShard]
) -> Evidence:
    """Dose and response at every layer, the control, the safe range, and composition."""
    payloads, (_, second, third) = read_all(store, stored), thirds(plan, check)
    rows = sorted([*second, *third])
    found: list[Measurement] = []
    for payload in payloads[1:]:
        at = About(attribute=check.attribute, layer=payload.records[0]["layer"])
        found += _doses(plan, check, payload, rows, at)
        found += _composed(plan, check, payload, at)
    found += _effects(plan, check, payloads[1:])
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(found),
        too_small=tuple(usable(plan, check)[1]),
        notes=tuple(_notes(plan, check, payloads)),
        exports=_exports(plan, check, store, payloads[0]) if payloads else (),
    )


def _doses(
    plan: Plan, check: SteeringCheck, payload: Payload, rows: Sequence[int], at: About
) -> list[Measurement]:
    """Rates, gap and accuracy at every alpha of one layer, and the safe range."""
    group = plan.data.group(check.attribute)[rows]
    right = right_classes(plan, check, rows)
    known = right >= 0
    decided = payload.arrays["decided"]
    selected = np.equal(decided, favourable_class(plan, check))
    plain = check.alphas.index(0.0)
    found, worst = [], []
    for i, alpha in enumerate(check.alphas):
        here = at.model_copy(update={"alpha": alpha})
        everybody = stats.share(selected[i])
        found.append(Measurement.of("steered_rate", everybody, len(rows), stats.SHARE, here))
        for name in np.unique(group):
            of = selected[i][group == name]
            within = here.model_copy(update={"group": str(name)})
            found.append(
                Measurement.of("steered_rate", stats.share(of), len(of), stats.SHARE, within)
            )
        gap = group_rates.largest_gap(group_rates.counts(selected[i], group))
        found.append(Measurement.of("steered_gap", gap, len(rows), GAP, here))
        if not known.any():
            continue
        hits = (decided == right)[:, known]
        change = paired.paired_difference(paired.turned(hits[plain], hits[i]))
        worst.append(-change.low)
        n = int(known.sum())
        found.append(Measurement.of("steered_accuracy_change", change, n, paired.CHANGE, here))
    if "surprise" in payload.arrays:
        dearer = _perplexity(plan, check, payload, at)
        worst = [(m.high or m.value) - 1 for m in dearer]
        return [*found, *dearer, *_safe(check, worst, len(rows), at, "perplexity ratio above 1")]
    if worst:
        found += _safe(check, worst, int(known.sum()), at, "accuracy loss")
    return found


def _perplexity(plan: Plan, check: SteeringCheck, payload: Payload, at: About) -> list[Measurement]:
    """Perplexity of the texts at every alpha against that of the untouched subject."""
    surprise, tokens = payload.arrays["surprise"], payload.arrays["tokens"]
    plain = surprise[check.alphas.index(0.0)]
    return [
        Measurement.of(
            "steered_perplexity_ratio",
            perplexity_ratio(plain, of, tokens, seed=plan.spec.seed),
            len(tokens),
            "over all tokens of the texts, bootstrap over texts",
            at.model_copy(update={"alpha": alpha}),
        )
        for alpha, of in zip(check.alphas, surprise, strict=True)
    ]


def _safe(
    check: SteeringCheck, worst: Sequence[float], n: int, at: About, loss: str
) -> list[Measurement]:
    """The range of alphas whose loss is tolerable; it is a bound itself and has no interval."""
    ends = safe_range(check.alphas, worst, check.tolerance)
    method = f"{loss} at most {check.tolerance:g} with its whole interval, tested outwards"
    return [
        Measurement(name=name, value=value, n=n, about=at, method=method)
        for name, value in zip(("safe_alpha_lowest", "safe_alpha_highest"), ends, strict=True)
    ]


def _effects(plan: Plan, check: SteeringCheck, payloads: Sequence[Payload]) -> list[Measurement]:
    """Slope of every layer beside that of shuffled groups; layers are one family of tests."""
    near = [i for i, alpha in enumerate(check.alphas) if abs(alpha) <= WITHIN]
    alphas = [check.alphas[i] for i in near]
    found, tests = [], []
    for payload in payloads:
        at = About(attribute=check.attribute, layer=payload.records[0]["layer"])
        own = slopes(payload.arrays["odds"][near], alphas)
        random = slopes(payload.arrays["random"].transpose(1, 0, 2).reshape(2, -1), (-1.0, 1.0))
        columns = np.column_stack([own, random.reshape(len(payload.arrays["random"]), -1).T])
        means = stats.group_means(columns, np.zeros(len(columns)), seed=plan.spec.seed)
        joint = stats.bonferroni(0.95, len(payloads))
        intervals = {
            "steering_slope": stats.percentile(means, lambda of: of[..., 0, 0]),
            "steering_reach": stats.percentile(means, partial(_reach, level=joint)),
            "steering_effect": stats.percentile(means, partial(_beyond, level=joint), level=joint),
        }
        method = f"{SLOPE}, paired bootstrap"
        found += [
            Measurement.of(name, interval, len(columns), method, at)
            for name, interval in intervals.items()
        ]
        tests.append(beyond_random(float(means.point[0, 0]), means.point[0, 1:]))
    return _tested(found, tests)


def _reach(of: Floats, *, level: float) -> Floats:
    return reach(of[..., 0, 1:], level=level)


def _beyond(of: Floats, *, level: float) -> Floats:
    return np.asarray(np.abs(of[..., 0, 0]) - _reach(of, level=level))


def _tested(found: list[Measurement], p: list[float]) -> list[Measurement]:
    """The effects with p and q of the test against shuffled groups."""
    told = dict(zip([m for m in found if m.name == "steering_effect"], p, strict=True))
    q = dict(zip(told, stats.benjamini_hochberg(p), strict=True))
    family = f"steering, {len(p)} layers"
    method = (
        f"{SLOPE}, paired bootstrap, 95 % jointly over {len(p)} layers; t test against "
        "shuffled groups"
    )
    return [
        m.model_copy(update={"p": told[m], "q": q[m], "family": family, "method": method})
        if m in told
        else m
        for m in found
    ]


def _composed(plan: Plan, check: SteeringCheck, payload: Payload, at: About) -> list[Measurement]:
    """What both vectors do at once beside what each does, added up."""
    if check.compose is None:
        return []
    odds, composed = payload.arrays["odds"], payload.arrays["composed"]
    plain = odds[check.alphas.index(0.0)]
    both = composed[1] - plain
    single = (odds[check.alphas.index(1.0)] - plain) + (composed[0] - plain)
    here = at.model_copy(update={"attribute": f"{check.attribute} and {check.compose}"})
    return [
        Measurement.of(name, stats.bootstrap_mean(of, seed=plan.spec.seed), len(of), ADDED, here)
        for name, of in (
            ("composed_response", both),
            ("summed_response", single),
            ("composition_excess", both - single),
        )
    ]


def _notes(plan: Plan, check: SteeringCheck, payloads: Sequence[Payload]) -> list[str]:
    if not payloads:
        return note_on_thirds(plan, check)
    told: Any = payloads[0].records[0]
    found = []
    for of in told["directions"]:
        how = f"{of['n']} texts of the two groups"
        if check.swap is not None and of["attribute"] == check.attribute:
            how = f"{of['n']} texts, each held against itself with {check.swap.column} exchanged"
        found.append(
            f"The vector of {of['attribute']} leads from {of['low']} to {of['high']}, the group "
            f"selected least often and the one selected most often where it was fitted: on {how}. "
            "None of them is among the texts that are steered. Added once (alpha 1) it is the "
            "whole difference between the means."
        )
    if plan.spec.data.label is None and "surprise" not in payloads[-1].arrays:
        found.append("Without labels no range of alphas can be stated as safe.")
    return [*found, *note_on_thirds(plan, check)]


def _exports(plan: Plan, check: SteeringCheck, store: Path, fitted: Payload) -> tuple[Export, ...]:
    told: Any = fitted.records[0]
    of = told["directions"][0]
    says = (
        f"The vectors of {check.attribute} at layers 0 to {told['layers'] - 1}, from {of['low']} "
        f"to {of['high']}"
    )
    vectors = fitted.arrays["vectors"]
    about = {
        "kind": "vectors",
        "attribute": check.attribute,
        "low": of["low"],
        "high": of["high"],
        "n": of["n"],
        "alpha": "1 adds the whole difference between the means once",
        "where": told["where"],
    }
    arrays = {f"vector/{layer}": vector for layer, vector in enumerate(vectors)}
    return (exported(plan, check, store, arrays, about, vectors.shape, says),)
