"""States of a sample of texts, then probes that read them, then every attribute erased."""

from collections.abc import Sequence

from tasks.checks.interventions.groups import LargeGroups, group_names, large_groups
from tasks.checks.probing import erasure, probes, states
from tasks.checks.probing.payload import (
    Erasure,
    ErasureOptions,
    ReadingOptions,
    Readings,
    States,
    StatesOptions,
    StoredStates,
)
from tasks.definition.checks.probing import ProbePooling, ProbingCheck
from tasks.run.rounds import Asked, Finished, Piece, Round, cut

PER_SHARD = 200
CELLS = 1 << 26  # numbers in the states of one shard of probes: a quarter of a gigabyte


def _state_pieces(asked: Asked[ProbingCheck], _: Finished) -> list[Piece[StatesOptions]]:
    """A random sample of rows."""
    check = asked.check
    return cut(asked.sample, PER_SHARD, StatesOptions(poolings=check.poolings, span=check.span))


STATES = Round(
    name="states",
    title="hidden states of {subject}",
    options=StatesOptions,
    payload=States,
    pieces=_state_pieces,
    measure=states.measure,
)


def _reading_pieces(asked: Asked[ProbingCheck], finished: Finished) -> list[Piece[ReadingOptions]]:
    """Some layers of one pooling each, as many as fit into memory."""
    stored = finished.stored(STATES)
    if not stored:
        return []
    size = finished.store.read(stored[0], STATES.payload)
    return [
        piece
        for pooling in asked.check.poolings
        for piece in _readings(asked, pooling, size.layers, size.width, _stored(asked, finished))
    ]


def _readings(
    asked: Asked[ProbingCheck],
    pooling: ProbePooling,
    layers: int,
    width: int,
    stored: StoredStates,
) -> list[Piece[ReadingOptions]]:
    """All layers of one pooling."""
    rows = _rows_by_attribute(asked, pooling)
    union = sorted({row for of in rows.values() for row in of})
    if not union:
        return []
    step = max(1, CELLS // (len(union) * width))
    return [
        Piece(
            tuple(union),
            ReadingOptions(
                states=stored,
                pooling=pooling,
                layers=tuple(range(first, min(first + step, layers))),
                groups={a: group_names(asked.plan, a, of) for a, of in rows.items()},
            ),
        )
        for first in range(0, layers, step)
    ]


READING = Round(
    name="probing",
    title="probes of {subject}",
    options=ReadingOptions,
    payload=Readings,
    pieces=_reading_pieces,
    measure=probes.measure,
)


def _erasure_pieces(asked: Asked[ProbingCheck], finished: Finished) -> list[Piece[ErasureOptions]]:
    """One attribute each: at every single layer, at named ones together, at all together."""
    stored, check = finished.stored(STATES), asked.check
    if not stored:
        return []
    layers = range(finished.store.read(stored[0], STATES.payload).layers)
    single = [(layer,) for layer in layers]
    sites = list(dict.fromkeys([*single, *check.together, tuple(layers)]))
    rows = _rows_by_attribute(asked, check.pooling)
    return [
        Piece(
            tuple(of),
            ErasureOptions(
                states=_stored(asked, finished),
                attribute=attribute,
                others=tuple(other for other in rows if other != attribute),
                layers=site,
                pooling=check.pooling,
                span=check.span,
                random_subspaces=check.random_subspaces,
            ),
        )
        for attribute, of in rows.items()
        for site in sites
    ]


ERASURE = Round(
    name="erasure",
    title="erasure in {subject}",
    options=ErasureOptions,
    payload=Erasure,
    pieces=_erasure_pieces,
    measure=erasure.measure,
)

ROUNDS = (STATES, READING, ERASURE)


def usable(asked: Asked[ProbingCheck], attribute: str, pooling: ProbePooling) -> LargeGroups:
    """Sampled rows of groups that are large enough, and the groups that are not."""
    plan, rows = asked.plan, asked.sample
    if pooling == "span":
        rows = [i for i in rows if plan.data.rows[i].places.get(str(asked.check.span))]
    return large_groups(plan, attribute, rows, plan.spec.data.minimum_group)


def _rows_by_attribute(
    asked: Asked[ProbingCheck], pooling: ProbePooling
) -> dict[str, Sequence[int]]:
    """Attribute -> the rows it is read in, for attributes with at least two large groups."""
    named = sorted(asked.check.attributes_of(asked.plan.spec))
    rows = {a: usable(asked, a, pooling).rows for a in named}
    return {attribute: of for attribute, of in rows.items() if of}


def _stored(asked: Asked[ProbingCheck], finished: Finished) -> StoredStates:
    return StoredStates(shards=finished.stored(STATES), rows=tuple(asked.sample))
