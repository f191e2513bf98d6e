"""Which rows are followed through all sections of the report, and why."""

from collections.abc import Sequence

import numpy as np

from tasks.measures.stats.random_streams import stream
from tasks.run.decisions_table import Decided
from tasks.run.plan import Plan
from tasks.schema import Case

NEAR_BOUNDARY = 0.8  # a decision surer than this is not near the boundary


def choose(plan: Plan, decided: Decided, size: int) -> list[int]:
    """Rows worth explaining: errors, every group, both decisions, near the boundary and far.

    Strata take turns, so the first k rows cover as many strata as k texts can; this is a
    selection for reading, not a random sample.

    Args:
        plan: the audit.
        decided: decisions of the main subject over rows of the data.
        size: how many rows at most.

    Returns:
        Positions in the data set, in the order of choice.
    """
    rng = stream(plan.spec.seed, "cases")
    pools: dict[str, list[int]] = {}
    for i in rng.permutation(len(decided.rows)):
        row = decided.rows[int(i)]
        pools.setdefault(_sort_key(plan, decided, int(i)), []).append(row)
    turns = [pools[name] for name in sorted(pools)]
    chosen: list[int] = []
    while len(chosen) < min(size, len(decided.rows)):
        for pool in turns:
            if pool and len(chosen) < size:
                chosen.append(pool.pop())
    return chosen


def chosen_for(plan: Plan, decided: Decided, position: int) -> str:
    """Why a row was chosen, in words."""
    i = decided.rows.index(position)
    row = plan.data.rows[position]
    parts = ["error"] if _wrong(plan, decided, i) else []
    parts += [f"decided {decided.decision[i]}"] if plan.labels(decided.subject) else []
    parts += ["near the boundary"] if _near(decided, i) else []
    parts += [f"{name}={group}" for name, group in row.groups.items() if group]
    return ", ".join(parts) or "chosen at random"


def _sort_key(plan: Plan, decided: Decided, i: int) -> str:
    row = plan.data.rows[decided.rows[i]]
    decision = decided.decision[i] if plan.labels(decided.subject) else ""
    first = next(iter(row.groups.values()), "")
    wrong = "0 error" if _wrong(plan, decided, i) else "1"
    return f"{wrong}|{_near(decided, i)}|{decision}|{first}"


def _wrong(plan: Plan, decided: Decided, i: int) -> bool:
    label = plan.data.rows[decided.rows[i]].label
    return label is not None and label != decided.decision[i]


def _near(decided: Decided, i: int) -> bool:
    return bool(decided.probability[i] < NEAR_BOUNDARY)


def shown(plan: Plan, decided: Decided, rows: Sequence[int]) -> tuple[Case, ...]:
    """The chosen rows as cases of the report."""
    of = decided.at(rows)
    return tuple(
        Case(
            id=plan.data.rows[position].id,
            text=plan.data.rows[position].text,
            decision=str(of.decision[i]) or "no answer",
            probability=None if np.isnan(of.probability[i]) else float(of.probability[i]),
            label=plan.data.rows[position].label,
            groups=plan.data.rows[position].groups,
            chosen_for=chosen_for(plan, decided, position),
        )
        for i, position in enumerate(rows)
    )
