"""What a fairness check contributes to explanations: the rates behind a gap."""

from tasks.definition.checks.fairness import FairnessCheck
from tasks.explain.offers import Offers
from tasks.schema import Evidence, Measurement

COMPARED = {
    "demographic_parity_difference": ("selection_rate",),
    "demographic_parity_ratio": ("selection_rate",),
    "equal_opportunity_difference": ("true_positive_rate",),
    "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "predictive_parity_difference": ("positive_predictive_value",),
    "calibration_difference": ("expected_calibration_error",),
}
"""Measure of a gap between groups -> what it compares."""


def beside(evidence: Evidence, m: Measurement) -> dict[str, Measurement]:
    """Rates of the two groups that a measurement compares, when they were measured."""
    about = m.about
    if m.name == "adverse_impact_ratio":
        wanted = {"rate": about.group, "reference": about.reference}
        rates = _rates(evidence, "selection_rate", about.attribute)
        return {part: rates[g] for part, g in wanted.items() if g is not None and g in rates}
    names = COMPARED.get(m.name, ())
    by_name = [_rates(evidence, name, about.attribute) for name in names]
    widest = max(by_name, key=_spread, default={})
    if len(widest) < 2:
        return {}
    low, *_, high = sorted(widest.values(), key=lambda rate: rate.value)
    return {"lowest": low, "highest": high}


def _rates(evidence: Evidence, name: str, attribute: str | None) -> dict[str, Measurement]:
    return {
        m.about.group: m
        for m in evidence.named(name)
        if m.about.attribute == attribute and m.about.group is not None
    }


def _spread(rates: dict[str, Measurement]) -> float:
    values = [m.value for m in rates.values()]
    return max(values) - min(values) if values else 0.0


OFFERS: Offers[FairnessCheck] = Offers(beside=beside, supported=True)
