"""Fields that reasonings name beside those that move the answer, and what that is worth."""

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
    """Fields that the reasonings name beside fields that attribution finds, and beside chance."""
    attributed = [one.attributed for one in fields]
    named = [set(one.named) for one in fields]
    own = [consistency(a, n) for a, n in zip(attributed, named, strict=True)]
    by_chance = shuffled(attributed, named, seed=seed)
    pairs = [(o, c) for o, c in zip(own, by_chance, strict=True) if o is not None and c]
    if len(pairs) < 2:
        return []
    chance = About(baseline=SHUFFLED)
    found = []
    for part, name in (("precision", "factor_precision"), ("recall", "factor_recall"),
                       ("rank", "factor_rank_agreement")):  # fmt: skip
        mine = np.array([getattr(o, part) for o, _ in pairs])
        theirs = np.array([_mean([getattr(x, part) for x in c]) for _, c in pairs])
        both = np.isfinite(mine) & np.isfinite(theirs)
        if both.sum() < 2:
            continue
        found += [
            _mean_of(name, mine[both], seed),
            _mean_of(name, theirs[both], seed, chance),
        ]
        if part == "precision":
            found.append(_mean_of("factor_gain", (mine - theirs)[both], seed, chance))
    return found


def calibration(payloads: Sequence[FactorsOnControls]) -> tuple[list[Measurement], list[str]]:
    """What the test of stated factors is worth on this subject, and what that rests on."""
    if not payloads:  # the test is not made, or what is asked for are no controls of any test
        return [], []
    (found,) = payloads
    if found.scores is None:
        return [], [f"Stated factors not calibrated: the subject {found.reason}.{found.left_out}"]
    return calibrated(as_scored(found.scores.tests)), [
        _rests_on(found.scores) + found.left_out,
        _limits(found.scores),
    ]


def _rests_on(found: FactorScores) -> str:
    used = len(found.tests[STATED].truth)
    return (
        f"Stated factors calibrated on {used} of {found.controls} controls, texts of the "
        f"families {', '.join(found.families)} with a reasoning that names one field: "
        f"{found.decisive} that name the field which decides and {found.idle} that name another "
        "are confirmed by what the subject answers when each field is exchanged and the reasoning "
        "is not; of each family as many of one kind count as of the other. "
        f"{found.unread} were left out because nothing could be attributed to their fields; "
        f"{found.flat} whose fields all count alike have no rank."
    )


def _limits(found: FactorScores) -> str:
    alike = (
        f" In {', '.join(found.alike)} one field decides in all texts, so an attribution that "
        "favours it whatever a text says would look right."
    )
    return (
        "The controls of stated factors have two to four fields, and their answer is read off the "
        "text: they do not show that the comparison is right about more fields, or about answers "
        "that follow from the reasoning's own words, where fields need not count however true the "
        "reasoning is." + alike * bool(found.alike)
    )


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def _mean_of(
    name: str, values: intervals.Floats, seed: int, about: About | None = None
) -> Measurement:
    interval = intervals.bootstrap_mean(values, seed=seed)
    return Measurement.of(name, interval, len(values), intervals.MEAN, about)
