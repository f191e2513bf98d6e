"""Is there a gap between groups?"""

from collections.abc import Iterator, Mapping

import numpy as np

from tasks.checks.fairness import local_law
from tasks.checks.fairness.groups import Grouping, Outcomes
from tasks.definition.checks.fairness import FairnessCheck
from tasks.errors import EvidenceError
from tasks.measures.fairness import calibration, group_rates
from tasks.measures.fairness.group_rates import Count
from tasks.measures.stats import intervals as stats
from tasks.measures.stats import permutation
from tasks.run.decisions import decisions_of
from tasks.run.plan import Plan
from tasks.run.rounds import Asked, Finished
from tasks.schema import About, Evidence, ImpactTable, Measurement, TooSmall

FAMILY = "gaps between groups"
CHANCE = "p: permutation of the groups"
GAP = f"largest gap between groups, joint Newcombe intervals (Tukey-Kramer) folded at 0; {CHANCE}"
TO_BEST = (
    "ratio of selection rates, joint MOVER-R intervals (Tukey-Kramer) of the smallest ratio to "
    f"any other group; {CHANCE}"
)
SMALLEST = "smallest ratio of selection rates, joint MOVER-R intervals (Tukey-Kramer)"
TO_GIVEN = "ratio of selection rates, MOVER-R interval; p: Fisher's exact test"
BINNED = "ten equal bins of the probability, interval from simulated noise"
NEED_LABELS = (
    "true_positive_rate",
    "false_positive_rate",
    "true_negative_rate",
    "false_negative_rate",
    "positive_predictive_value",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
)
CALIBRATED = ("expected_calibration_error", "calibration_difference")


def evidence(asked: Asked[FairnessCheck], finished: Finished) -> Evidence:
    """Rates of every group and the gaps between them, by attribute and where they cross."""
    plan, check, decided = asked.plan, asked.check, decisions_of(asked, finished)
    rows, outcomes = list(decided.rows), Outcomes.of(plan, decided)
    measurements: list[Measurement] = []
    too_small: list[TooSmall] = []
    notes = list(decided.unanswered)
    for attribute in check.groupings_of(plan.spec):
        group = plan.data.grouping(attribute)[rows]
        grouping = Grouping.of(attribute, group, outcomes, plan.spec.data.minimum_group)
        too_small += grouping.too_small
        notes += grouping.notes
        if len(grouping.everyone) < 2:
            notes.append(f"{attribute}: fewer than two groups are large enough to compare.")
            continue
        measurements += _rates(grouping)
        try:
            measurements += _ratios(grouping, check, plan.spec.seed)
        except EvidenceError as error:
            notes.append(f"{attribute}: {error}.")
        measurements += _gaps(grouping, plan.spec.seed)
        if outcomes.uncalibrated is None:
            measurements += _calibration(grouping, outcomes, plan)
    tables, impact = _impact(plan, check, outcomes, rows)
    return Evidence(
        check=check,
        subject=decided.subject,
        measurements=(*_corrected(measurements), *impact),
        too_small=tuple(too_small),
        notes=tuple(notes),
        withheld=_withheld(plan, outcomes),
        impact_tables=tables,
    )


def _rates(of: Grouping) -> Iterator[Measurement]:
    """Selection rate, the four error rates and the predictive value of every group."""
    tables = {
        "selection_rate": of.everyone,
        "true_positive_rate": of.positive,
        "false_negative_rate": group_rates.complement(of.positive),
        "false_positive_rate": of.negative,
        "true_negative_rate": group_rates.complement(of.negative),
        "positive_predictive_value": of.chosen,
    }
    for name, table in tables.items():
        for g, rate in group_rates.rates(table).items():
            about = About(attribute=of.attribute, group=g)
            yield Measurement.of(name, rate, table[g].n, stats.SHARE, about)


def _ratios(of: Grouping, check: FairnessCheck, seed: int) -> Iterator[Measurement]:
    """Adverse impact ratio of every group against the reference, and the smallest of all ratios.

    Raises:
        EvidenceError: nobody was selected, or the named reference is too small.
    """
    reference = _reference(of, check)
    if check.reference == "largest" or _named(check, of.attribute) is not None:
        intervals = group_rates.adverse_impact_ratio(of.everyone, reference)
        p = group_rates.selection_p(of.everyone, reference)
        method = TO_GIVEN
    else:
        intervals = group_rates.ratio_to_most_selected(of.everyone)
        p = permutation.below_best_p(of.everyone, seed=seed)
        method = TO_BEST
    for g in of.everyone:
        if g != reference:
            n = of.everyone[g].n + of.everyone[reference].n
            about = About(attribute=of.attribute, group=g, reference=reference)
            ratio = Measurement.of("adverse_impact_ratio", intervals[g], n, method, about)
            yield _tested(ratio, p[g])
    smallest = group_rates.demographic_parity_ratio(of.everyone)
    yield _between(of, "demographic_parity_ratio", smallest, _total(of.everyone), SMALLEST)


def _reference(of: Grouping, check: FairnessCheck) -> str:
    named = _named(check, of.attribute)
    if named is not None and named not in of.everyone:
        raise EvidenceError(f"no ratios: the reference group {named} is too small")
    if named is not None:
        return named
    by_rule = (
        group_rates.largest_group if check.reference == "largest" else group_rates.most_selected
    )
    return by_rule(of.everyone)


def _named(check: FairnessCheck, attribute: str) -> str | None:
    return check.reference.get(attribute) if isinstance(check.reference, dict) else None


def _gaps(of: Grouping, seed: int) -> Iterator[Measurement]:
    """The largest differences between two groups, where at least two are large enough."""
    gaps = {
        "demographic_parity_difference": (of.everyone,),
        "equal_opportunity_difference": (of.positive,),
        "equalized_odds_difference": (of.positive, of.negative),
        "predictive_parity_difference": (of.chosen,),
    }
    for name, tables in gaps.items():
        if all(len(t) > 1 for t in tables):
            p = permutation.equal_shares_p(*tables, seed=seed)
            n = sum(_total(t) for t in tables)
            gap = _between(of, name, group_rates.largest_gap(*tables), n, GAP)
            yield _tested(gap, p)


def _calibration(of: Grouping, outcomes: Outcomes, plan: Plan) -> Iterator[Measurement]:
    """Expected calibration error of every group, and the largest difference between two."""
    seed = plan.spec.seed
    calibrations: dict[str, calibration.Calibration] = {}
    for g in of.everyone:
        rows = outcomes.labelled & (of.group == g)
        if rows.sum() < plan.spec.data.minimum_group:
            continue
        calibrations[g] = calibration.calibration(
            outcomes.probability[rows], outcomes.favourable_label[rows], seed=seed
        )
        interval = calibration.calibration_interval(calibrations[g])
        about = About(attribute=of.attribute, group=g)
        yield Measurement.of(
            "expected_calibration_error", interval, calibrations[g].n, BINNED, about
        )
    if len(calibrations) < 2:
        return
    rows = outcomes.labelled & np.isin(of.group, list(calibrations))
    p = calibration.calibration_p(
        outcomes.probability[rows], outcomes.favourable_label[rows], of.group[rows], seed=seed
    )
    gap = calibration.calibration_difference(calibrations)
    method = f"{BINNED}; p: permutation of the groups within bins"
    yield _tested(_between(of, "calibration_difference", gap, int(rows.sum()), method), p)


def _impact(
    plan: Plan, check: FairnessCheck, outcomes: Outcomes, rows: list[int]
) -> tuple[tuple[ImpactTable, ...], tuple[Measurement, ...]]:
    """Tables under Local Law 144 with their ratios as measurements, if they are asked for."""
    law = check.local_law_of(plan.spec)
    if law is None:
        return (), ()
    tables: list[tuple[ImpactTable, list[Measurement]]] = []
    for attribute, heading in local_law.categorisations(law):
        category = plan.data.grouping(attribute)[rows][outcomes.answered]
        selected = outcomes.selected[outcomes.answered]
        tables.append(local_law.impact(attribute, heading, category, selected, law.exclude_below))
    return tuple(t for t, _ in tables), tuple(m for _, measurements in tables for m in measurements)


def _withheld(plan: Plan, outcomes: Outcomes) -> dict[str, str]:
    """What cannot be measured on these data with this subject, and why."""
    reasons: dict[str, str] = {}
    if plan.spec.data.label is None:
        reasons |= dict.fromkeys(NEED_LABELS, "needs labels; the definition names no data.label")
    if outcomes.uncalibrated is not None:
        reasons |= dict.fromkeys(CALIBRATED, outcomes.uncalibrated)
    return reasons


def _between(of: Grouping, name: str, interval: stats.Interval, n: int, method: str) -> Measurement:
    return Measurement.of(name, interval, n, method, About(attribute=of.attribute))


def _tested(m: Measurement, p: float) -> Measurement:
    return m.model_copy(update={"p": p, "family": FAMILY})


def _corrected(measurements: list[Measurement]) -> list[Measurement]:
    """P values of the family corrected together."""
    tested = [i for i, m in enumerate(measurements) if m.p is not None]
    q = stats.benjamini_hochberg([measurements[i].p or 0.0 for i in tested])
    adjusted = dict(zip(tested, q, strict=True))
    return [
        m.model_copy(update={"q": adjusted[i]}) if i in adjusted else m
        for i, m in enumerate(measurements)
    ]


def _total(table: Mapping[str, Count]) -> int:
    return sum(c.n for c in table.values())
