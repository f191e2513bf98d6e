"""Checks run without a flow, through the loop that audits run, shard after shard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.checks import room_of
from tasks.checks.gather import decide, in_process, measured
from tasks.definition.checks.base import BaseCheck
from tasks.run.decisions import DECISIONS
from tasks.run.decisions_table import Decided
from tasks.run.plan import Plan
from tasks.run.rounds import AnyRound, Asked, Finished
from tasks.run.store import Store
from tasks.schema import Evidence

NOTHING = Decided("", (), np.array([], dtype=np.str_), np.array([], dtype=np.float64))


def asked(
    plan: Plan,
    check: BaseCheck | None = None,
    cases: Sequence[int] = (),
    decided: Decided = NOTHING,
) -> Asked:
    """A check of a plan, its only one unless given; nothing is decided unless given."""
    return Asked(plan, check or plan.spec.checks[0], decided, tuple(cases))


def finished(one: Asked, store: Store | Path) -> Finished:
    """What the rounds of a check leave."""
    place = store if isinstance(store, Store) else Store(store)
    return measured(one, Finished(place), in_process(place))


def evidence(one: Asked, store: Store | Path) -> Evidence:
    """The evidence of a check that can be run."""
    return room_of(one.check.kind).evidence(one, finished(one, store))


def gathered(
    plan: Plan, store: Store | Path, cases: Sequence[int] = (), check: BaseCheck | None = None
) -> Evidence:
    """The evidence of a check of a plan, its only one unless given."""
    place = store if isinstance(store, Store) else Store(store)
    one = asked(plan, check, cases)
    if DECISIONS in room_of(one.check.kind).rounds:
        one = asked(plan, check, cases, decide(plan, place, in_process(place)))
    return evidence(one, place)


def payloads(one: Asked, of: AnyRound, store: Store | Path) -> list:
    """What one round of a check leaves."""
    return finished(one, store).of(of)


def alone(one: Asked, of: AnyRound, store: Store | Path) -> Finished:
    """What a round leaves that needs no other."""
    place = store if isinstance(store, Store) else Store(store)
    begun = Finished(place)
    return begun.after(of, in_process(place)(of.name, of.shards(one, begun)))
