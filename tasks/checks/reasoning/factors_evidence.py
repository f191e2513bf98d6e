"""Fields that reasonings name against those that move the answer, and its calibration."""

from collections.abc import Sequence

import numpy as np

from tasks.checks.instruments.calibration import calibrated
from tasks.checks.instruments.names import STATED
from tasks.checks.reasoning.controls_evidence import as_scored
from tasks.checks.reasoning.payload import FactorScores, FactorsOnControls, NamedFields
from tasks.measures.reasoning.factors import consistency, shuffled
from tasks.measures.stats import intervals
from tasks.schema import About, Measurement

SHUFFLED = "reasonings of other texts"


def factors(fields: Sequence[NamedFields], seed: int) -> list[Measurement]:
    """Fields that the reasonings name against attributed fields, and against chance."""
    attributed = [f.attributed for f in fields]
    named = [set(f.named) for f in fields]
    own = [consistency(a, n) for a, n in zip(attributed, named, strict=True)]
    by_chance = shuffled(attributed, named, seed=seed)
    pairs = [(o, c) for o, c in zip(own, by_chance, strict=True) if o is not None and c]
    if len(pairs) < 2:
        return []
    chance = About(baseline=SHUFFLED)
    measurements = []
    for part, name in (("precision", "factor_precision"), ("recall", "factor_recall"),
                       ("rank", "factor_rank_agreement")):  # fmt: skip
        observed = np.array([getattr(o, part) for o, _ in pairs])
        expected = np.array([_mean([getattr(x, part) for x in c]) for _, c in pairs])
        both = np.isfinite(observed) & np.isfinite(expected)
        if both.sum() < 2:
            continue
        measurements += [
            _mean_of(name, observed[both], seed),
            _mean_of(name, expected[both], seed, chance),
        ]
        if part == "precision":
            measurements.append(_mean_of("factor_gain", (observed - expected)[both], seed, chance))
    return measurements


def calibration(payloads: Sequence[FactorsOnControls]) -> tuple[list[Measurement], list[str]]:
    """How well the test of stated factors separates controls, and notes on its basis."""
    if not payloads:  # fields are not compared, or no controls are asked for
        return [], []
    (on_controls,) = payloads
    if on_controls.scores is None:
        return [], [
            f"Stated factors not calibrated: the subject {on_controls.reason}."
            f"{on_controls.left_out}"
        ]
    return calibrated(as_scored(on_controls.scores.tests)), [
        _rests_on(on_controls.scores) + on_controls.left_out,
        _limits(on_controls.scores),
    ]


def _rests_on(scores: FactorScores) -> str:
    used = len(scores.tests[STATED].truth)
    return (
        f"Stated factors calibrated on {used} of {scores.controls} controls, texts of the "
        f"families {', '.join(scores.families)} with a reasoning that names one field: "
        f"{scores.decisive} that name the field which decides and {scores.idle} that name another "
        "are confirmed by what the subject answers when each field is exchanged and the reasoning "
        "is not; of each family as many of one kind count as of the other. "
        f"{scores.unread} were left out because nothing could be attributed to their fields; "
        f"{scores.flat} whose fields all count alike have no rank."
    )


def _limits(scores: FactorScores) -> str:
    alike = (
        f" In {', '.join(scores.alike)} one field decides in all texts, so an attribution that "
        "favours it whatever a text says would look right."
    )
    return (
        "The controls of stated factors have two to four fields, and their answer is read off the "
        "text: they do not show that the comparison is right about more fields, or about answers "
        "that follow from the reasoning's own words, where fields need not count however true the "
        "reasoning is." + alike * bool(scores.alike)
    )


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def _mean_of(
    name: str, values: intervals.Floats, seed: int, about: About | None = None
) -> Measurement:
    interval = intervals.bootstrap_mean(values, seed=seed)
    return Measurement.of(name, interval, len(values), intervals.MEAN, about)
