"""The steps of a check of reasoning: texts of the data, then controls of its two comparisons."""

from collections.abc import Sequence

from tasks.checks.reasoning import controls, factor_controls, measure
from tasks.checks.reasoning.payload import (
    ControlsOptions,
    FactorControlsOptions,
    FactorsOnControls,
    OnControls,
    ReasonedTexts,
    ReasoningOptions,
)
from tasks.checks.reasoning.preflight import withheld_tests
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.checks.reasoning import ReasoningCheck, ReasoningTest
from tasks.run.rounds import Asked, Finished, Piece, Round, cut

PER_SHARD = 50


def tests_made(asked: Asked[ReasoningCheck]) -> tuple[ReasoningTest, ...]:
    """The tests that the subject and the definition allow."""
    missing = withheld_tests(asked.plan, asked.check)
    return tuple(test for test in asked.check.tests if test not in missing)


def of_texts(asked: Asked[ReasoningCheck], _: Finished) -> list[Piece[ReasoningOptions]]:
    """A random sample of rows, then the cases that are only shown."""
    check = asked.check
    options = ReasoningOptions(
        tests=tests_made(asked),
        shares=check.shares,
        factors=compares_factors(asked),
    )
    return cut(asked.sample + asked.beside, PER_SHARD, options, second=check.second_model)


def of_controls(asked: Asked[ReasoningCheck], _: Finished) -> list[Piece[ControlsOptions]]:
    """One piece; none where no controls are asked for, or no test can be made."""
    check, tests = asked.check, tests_made(asked)
    if check.controls is None or not tests:
        return []
    options = ControlsOptions(controls=check.controls, tests=tests, shares=check.shares)
    return [Piece((0,), options, check.second_model)]


def compares_factors(asked: Asked[ReasoningCheck]) -> bool:
    """Whether the fields of a text are attributed to: there are fields, classes and gradients."""
    wanted = asked.check.factors and bool(asked.plan.spec.data.field_names)
    offered = "gradients" in asked.plan.offers(asked.subject)
    return wanted and offered and bool(asked.plan.labels(asked.subject))


def of_factor_controls(
    asked: Asked[ReasoningCheck], _: Finished
) -> Sequence[Piece[FactorControlsOptions]]:
    """One piece; none where no fields are compared, or no controls are asked for."""
    check = asked.check
    if check.controls is None or not compares_factors(asked):
        return []
    wanted = ControlsSpec(items=check.controls.items, stories=check.controls.stories)
    return [Piece((0,), FactorControlsOptions(controls=wanted))]


REASONING: Round[ReasoningCheck, ReasoningOptions, ReasonedTexts] = Round(
    name="reasoning",
    title="reasoning of {subject}",
    options=ReasoningOptions,
    payload=ReasonedTexts,
    pieces=of_texts,
    measure=measure.measure,
)
CONTROLS: Round[ReasoningCheck, ControlsOptions, OnControls] = Round(
    name="controls",
    title="reasoning of {subject} on controls",
    options=ControlsOptions,
    payload=OnControls,
    pieces=of_controls,
    measure=controls.measure,
)
FACTOR_CONTROLS: Round[ReasoningCheck, FactorControlsOptions, FactorsOnControls] = Round(
    name="factor-controls",
    title="stated factors of {subject} on controls",
    options=FactorControlsOptions,
    payload=FactorsOnControls,
    pieces=of_factor_controls,
    measure=factor_controls.measure,
)
ROUNDS = (REASONING, CONTROLS, FACTOR_CONTROLS)
