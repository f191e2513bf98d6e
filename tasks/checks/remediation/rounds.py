"""Levers fitted on one third, tried on another, the best of them confirmed on the last.

Results come from the last third alone; it is run only with the untouched subject and the levers
that the second third selects.
"""

from collections.abc import Sequence

from tasks.checks.interventions.groups import group_names
from tasks.checks.interventions.levers import Lever
from tasks.checks.interventions.thirds import thirds
from tasks.checks.remediation.choice import choose, tried_levers
from tasks.checks.remediation.measure import measure_decisions, measure_fit
from tasks.checks.remediation.payload import (
    DecideOptions,
    FitOptions,
    FittedLevers,
    LeverDecisions,
)
from tasks.definition.checks.remediation import RemediationCheck
from tasks.run.rounds import Asked, Finished, Piece, Round


def _fit_pieces(asked: Asked[RemediationCheck], _: Finished) -> list[Piece[FitOptions]]:
    """One shard fits all levers; none where too few texts are usable."""
    check, fit = asked.check, thirds(asked).fit
    if not fit:
        return []
    options = FitOptions(
        attribute=check.attribute,
        groups=group_names(asked.plan, check.attribute, fit),
        favourable=str(asked.plan.spec.data.favourable),
        swap=check.swap,
        layers=tuple(sorted(check.layers)),
        pooling=check.pooling,
    )
    return [Piece(tuple(fit), options)]


FITTED = Round(
    name="levers",
    title="levers for {subject}",
    options=FitOptions,
    payload=FittedLevers,
    pieces=_fit_pieces,
    measure=measure_fit,
)


def _tried_pieces(asked: Asked[RemediationCheck], finished: Finished) -> list[Piece[DecideOptions]]:
    """One shard tries every lever."""
    return [
        piece
        for fitted in finished.of(FITTED)
        for piece in _with(finished, thirds(asked).second, tried_levers(asked, fitted))
    ]


TRIED = Round(
    name="remedies-tried",
    title="remedies tried on {subject}",
    options=DecideOptions,
    payload=LeverDecisions,
    pieces=_tried_pieces,
    measure=measure_decisions,
)


def _confirmed_pieces(
    asked: Asked[RemediationCheck], finished: Finished
) -> list[Piece[DecideOptions]]:
    """One shard runs the front, the chosen lever among it, on texts not used before."""
    return [
        piece
        for fitted, tried in zip(finished.of(FITTED), finished.of(TRIED), strict=True)
        for piece in _with(finished, thirds(asked).third, choose(asked, fitted, tried).confirmed)
    ]


CONFIRMED = Round(
    name="remedies-confirmed",
    title="remedies confirmed on {subject}",
    options=DecideOptions,
    payload=LeverDecisions,
    pieces=_confirmed_pieces,
    measure=measure_decisions,
)

ROUNDS = (FITTED, TRIED, CONFIRMED)


def _with(
    finished: Finished, rows: Sequence[int], levers: Sequence[Lever]
) -> list[Piece[DecideOptions]]:
    (stored,) = finished.stored(FITTED)
    return [Piece(tuple(rows), DecideOptions(levers=tuple(levers), fitted=stored))]
