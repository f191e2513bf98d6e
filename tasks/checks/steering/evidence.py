"""The evidence of steering: responses with intervals, their control, and the range that is safe."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from tasks.checks.interventions.exports import exported
from tasks.checks.interventions.group_vector import Ends
from tasks.checks.interventions.groups import favourable_class, right_classes
from tasks.checks.interventions.thirds import note_on_thirds, thirds, usable
from tasks.checks.steering.measure import ONCE
from tasks.checks.steering.payload import Directions, Responses
from tasks.checks.steering.rounds import DIRECTIONS, RESPONSES
from tasks.definition.checks.steering import SteeringCheck
from tasks.measures.fairness import group_rates
from tasks.measures.fairness.group_rates import LARGEST_GAP
from tasks.measures.interventions.steering import (
    beyond_random,
    perplexity_ratio,
    reach,
    safe_range,
    slopes,
)
from tasks.measures.stats import intervals as stats
from tasks.measures.stats import paired
from tasks.run.rounds import Asked, Finished
from tasks.run.store import Store
from tasks.schema import About, Evidence, Export, Measurement

WITHIN = 1.0
"""Slopes are taken between -1 and 1: between the means of the groups, not beyond them."""
SLOPE = "least squares per text between alpha -1 and 1"
ADDED = "mean over texts, BCa bootstrap"

Floats = NDArray[np.float64]


def evidence(asked: Asked[SteeringCheck], finished: Finished) -> Evidence:
    """Dose and response at every layer, the control, the safe range, and composition."""
    responses, rows = finished.of(RESPONSES), thirds(asked).unfitted
    measurements: list[Measurement] = []
    for of in responses:
        measurements += _doses(asked, of, rows)
        measurements += _composed(asked, of)
    measurements += _effects(asked, responses)
    fitted = next(iter(finished.of(DIRECTIONS)), None)
    return Evidence(
        check=asked.check,
        subject=asked.subject,
        measurements=tuple(measurements),
        too_small=tuple(usable(asked).too_small),
        notes=(
            *([] if fitted is None else _notes(asked, fitted, responses)),
            *note_on_thirds(asked),
        ),
        exports=() if fitted is None else (_exported(asked, finished.store, fitted),),
    )


def _at(asked: Asked[SteeringCheck], of: Responses) -> About:
    return About(attribute=asked.check.attribute, layer=of.layer)


# --- dose and response --------------------------------------------------------------------


def _doses(asked: Asked[SteeringCheck], of: Responses, rows: Sequence[int]) -> list[Measurement]:
    """Rates, gap and accuracy at every alpha of one layer, and the safe range."""
    at, right = _at(asked, of), right_classes(asked, rows)
    group = asked.plan.data.group(asked.check.attribute)[rows]
    known = right >= 0
    hits = (of.decided == right)[:, known]
    selected = np.equal(of.decided, favourable_class(asked))
    plain = asked.check.alphas.index(0.0)
    measurements, losses = [], []
    for i, alpha in enumerate(asked.check.alphas):
        here = at.model_copy(update={"alpha": alpha})
        measurements += _rates(selected[i], group, here)
        if known.any():
            change = paired.paired_difference(paired.turned(hits[plain], hits[i]))
            losses.append(-change.low)
            n = int(known.sum())
            measurements.append(
                Measurement.of("steered_accuracy_change", change, n, paired.CHANGE, here)
            )
    perplexities = _perplexity(asked, of)
    if perplexities:
        losses = [(m.value if m.high is None else m.high) - 1 for m in perplexities]
        safe = _safe(asked.check, losses, len(rows), at, "perplexity ratio above 1")
        return [*measurements, *perplexities, *safe]
    if losses:
        measurements += _safe(asked.check, losses, int(known.sum()), at, "accuracy loss")
    return measurements


def _rates(selected: NDArray[np.bool_], group: NDArray[np.str_], here: About) -> list[Measurement]:
    """Selection rate of all texts and of each group at one alpha, and the gap."""
    n, share = len(selected), stats.share(selected)
    measurements = [Measurement.of("steered_rate", share, n, stats.SHARE, here)]
    for name in np.unique(group):
        of = selected[group == name]
        within = here.model_copy(update={"group": str(name)})
        measurements.append(
            Measurement.of("steered_rate", stats.share(of), len(of), stats.SHARE, within)
        )
    gap = group_rates.largest_gap(group_rates.counts(selected, group))
    return [*measurements, Measurement.of("steered_gap", gap, n, LARGEST_GAP, here)]


def _perplexity(asked: Asked[SteeringCheck], of: Responses) -> list[Measurement]:
    """Perplexity of the texts at every alpha against that of the untouched subject."""
    if of.surprise is None or of.tokens is None:
        return []
    alphas, at = asked.check.alphas, _at(asked, of)
    plain = of.surprise[alphas.index(0.0)]
    return [
        Measurement.of(
            "steered_perplexity_ratio",
            perplexity_ratio(plain, nats, of.tokens, seed=asked.seed),
            len(of.tokens),
            "over all tokens of the texts, bootstrap over texts",
            at.model_copy(update={"alpha": alpha}),
        )
        for alpha, nats in zip(alphas, of.surprise, strict=True)
    ]


def _safe(
    check: SteeringCheck, worst: Sequence[float], n: int, at: About, loss: str
) -> list[Measurement]:
    """The range of alphas whose loss is tolerable; its ends are bounds and have no interval."""
    ends = safe_range(check.alphas, worst, check.tolerance)
    method = f"{loss} at most {check.tolerance:g} with its whole interval, tested outwards"
    return [
        Measurement(name=name, value=value, n=n, about=at, method=method)
        for name, value in zip(("safe_alpha_lowest", "safe_alpha_highest"), ends, strict=True)
    ]


# --- slopes -------------------------------------------------------------------------------


def _effects(asked: Asked[SteeringCheck], responses: Sequence[Responses]) -> list[Measurement]:
    """Slope of every layer beside that of shuffled groups; layers are one family of tests."""
    measurements: list[Measurement] = []
    tests = []
    joint = stats.bonferroni(0.95, len(responses))
    for of in responses:
        columns = _slopes(asked.check, of)
        means = stats.group_means(columns, np.zeros(len(columns)), seed=asked.seed)
        intervals = {
            "steering_slope": stats.percentile(means, lambda drawn: drawn[..., 0, 0]),
            "steering_reach": stats.percentile(means, partial(_reach, level=joint)),
            "steering_effect": stats.percentile(means, partial(_beyond, level=joint), level=joint),
        }
        method = f"{SLOPE}, paired bootstrap"
        measurements += [
            Measurement.of(name, interval, len(columns), method, _at(asked, of))
            for name, interval in intervals.items()
        ]
        tests.append(beyond_random(float(means.point[0, 0]), means.point[0, 1:]))
    return _tested(measurements, tests)


def _slopes(check: SteeringCheck, of: Responses) -> Floats:
    """Slope of every text with the vector, then with those between shuffled groups."""
    near = [i for i, alpha in enumerate(check.alphas) if abs(alpha) <= WITHIN]
    own = slopes(of.odds[near], [check.alphas[i] for i in near])
    random = slopes(of.random.transpose(1, 0, 2).reshape(2, -1), ONCE)
    return np.column_stack([own, random.reshape(len(of.random), -1).T])


def _reach(of: Floats, *, level: float) -> Floats:
    return reach(of[..., 0, 1:], level=level)


def _beyond(of: Floats, *, level: float) -> Floats:
    return np.asarray(np.abs(of[..., 0, 0]) - _reach(of, level=level))


def _tested(measurements: Sequence[Measurement], p: Sequence[float]) -> list[Measurement]:
    """The effects with p and q of the test against shuffled groups."""
    effects = [m for m in measurements if m.name == "steering_effect"]
    p_of = dict(zip(effects, p, strict=True))
    q_of = dict(zip(effects, stats.benjamini_hochberg(p), strict=True))
    family = f"steering, {len(p)} layers"
    method = (
        f"{SLOPE}, paired bootstrap, 95 % jointly over {len(p)} layers; t test against "
        "shuffled groups"
    )
    return [
        m.model_copy(update={"p": p_of[m], "q": q_of[m], "family": family, "method": method})
        if m in p_of
        else m
        for m in measurements
    ]


def _composed(asked: Asked[SteeringCheck], of: Responses) -> list[Measurement]:
    """What both vectors do at once beside what each does, added up."""
    check = asked.check
    if of.composed is None:
        return []
    plain, once = (of.odds[check.alphas.index(alpha)] for alpha in (0.0, 1.0))
    other, together = of.composed
    both, single = together - plain, (once - plain) + (other - plain)
    names = f"{check.attribute} and {check.compose}"
    here = _at(asked, of).model_copy(update={"attribute": names})
    return [
        Measurement.of(name, stats.bootstrap_mean(by, seed=asked.seed), len(by), ADDED, here)
        for name, by in (
            ("composed_response", both),
            ("summed_response", single),
            ("composition_excess", both - single),
        )
    ]


# --- notes and export ---------------------------------------------------------------------


def _notes(
    asked: Asked[SteeringCheck], fitted: Directions, responses: Sequence[Responses]
) -> list[str]:
    notes = [_leads(asked.check, ends) for ends in (fitted.ends, fitted.composed_ends) if ends]
    if asked.plan.spec.data.label is None and responses[-1].surprise is None:
        notes.append("Without labels no range of alphas can be stated as safe.")
    return notes


def _leads(check: SteeringCheck, ends: Ends) -> str:
    how = f"{ends.n} texts of the two groups"
    if check.swap is not None and ends.attribute == check.attribute:
        how = f"{ends.n} texts, each compared with itself with {check.swap.column} exchanged"
    return (
        f"The vector of {ends.attribute} leads from {ends.low} to {ends.high}, the group "
        f"selected least often and the one selected most often where it was fitted: on {how}. "
        "None of them is among the texts that are steered. Added once (alpha 1) it is the "
        "whole difference between the means."
    )


def _exported(asked: Asked[SteeringCheck], store: Store, fitted: Directions) -> Export:
    ends, (layers, width) = fitted.ends, fitted.vectors.shape
    about: dict[str, JsonValue] = {
        "kind": "vectors",
        "attribute": ends.attribute,
        "low": ends.low,
        "high": ends.high,
        "n": ends.n,
        "alpha": "1 adds the whole difference between the means once",
        "where": [*fitted.where],
    }
    return exported(
        asked,
        store,
        {f"vector/{layer}": vector for layer, vector in enumerate(fitted.vectors)},
        about,
        layers=layers - 1,
        width=width,
        says=(
            f"The vectors of {ends.attribute} at layers 0 to {layers - 1}, from {ends.low} to "
            f"{ends.high}"
        ),
    )
