"""Vectors fitted on a third of the texts, then added, layer by layer, to the other two thirds."""

from tasks.checks.interventions.thirds import thirds
from tasks.checks.steering.measure import measure, measure_directions
from tasks.checks.steering.payload import (
    Directions,
    DirectionsOptions,
    Responses,
    SteeringOptions,
)
from tasks.definition.checks.steering import SteeringCheck
from tasks.run.plan import group_sizes
from tasks.run.rounds import Asked, Finished, Piece, Round


def _direction_pieces(asked: Asked[SteeringCheck], _: Finished) -> list[Piece[DirectionsOptions]]:
    """One shard fits the vectors; none where too few texts are usable."""
    plan, check, fit = asked.plan, asked.check, thirds(asked).fit
    if not fit:
        return []
    least = plan.spec.data.minimum_group
    attributes = [a for a in (check.attribute, check.compose) if a is not None]
    groups = {
        a: tuple(sorted(g for g, n in group_sizes(plan, a).items() if n >= least))
        for a in attributes
    }
    options = DirectionsOptions(
        attribute=check.attribute,
        compose=check.compose,
        groups=groups,
        favourable=str(plan.spec.data.favourable),
        swap=check.swap,
        pooling=check.pooling,
        draws=check.shuffles,
    )
    return [Piece(tuple(fit), options)]


DIRECTIONS = Round(
    name="directions",
    title="steering vectors of {subject}",
    options=DirectionsOptions,
    payload=Directions,
    pieces=_direction_pieces,
    measure=measure_directions,
)


def _response_pieces(
    asked: Asked[SteeringCheck], finished: Finished
) -> list[Piece[SteeringOptions]]:
    """One layer each, over the texts that nothing was fitted on."""
    if not finished.stored(DIRECTIONS):
        return []
    check, rows = asked.check, tuple(thirds(asked).unfitted)
    (stored,), (fitted,) = finished.stored(DIRECTIONS), finished.of(DIRECTIONS)
    return [
        Piece(
            rows,
            SteeringOptions(
                layer=layer,
                alphas=check.alphas,
                pooling=check.pooling,
                favourable=str(asked.plan.spec.data.favourable),
                directions=stored,
                composed=check.compose is not None,
                perplexity=_by_perplexity(asked),
            ),
        )
        for layer in check.layers or range(fitted.layers)
    ]


def _by_perplexity(asked: Asked[SteeringCheck]) -> bool:
    """Whether perplexity says what is safe: the subject writes, and nothing is labelled."""
    spec = asked.plan.spec
    return spec.data.label is None and "log-probabilities" in asked.plan.offers(asked.subject)


RESPONSES = Round(
    name="steering",
    title="steering of {subject}",
    options=SteeringOptions,
    payload=Responses,
    pieces=_response_pieces,
    measure=measure,
)

ROUNDS = (DIRECTIONS, RESPONSES)
