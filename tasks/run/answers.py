"""The start of a run: stores for the answers of endpoints, and their budgets reset."""

from dataclasses import replace

from tasks.run.plan import Plan
from tasks.run.store import Store
from tasks.subjects.endpoint.second_model import load_second
from tasks.subjects.load import reader_of


def with_answers(plan: Plan, store: Store, *, fresh: bool = False) -> Plan:
    """The plan with stores for the answers of its endpoints, and their budgets reset.

    Args:
        plan: the audit.
        store: of finished work; answers are kept where it is a folder, else in memory.
        fresh: delete stored answers.
    """
    subjects = {
        name: reader_of(ref.spec).begin(ref, store.folder, fresh=fresh)
        for name, ref in plan.subjects.items()
    }
    for check in plan.spec.checks:
        if check.second_model is not None:
            load_second(check.second_model, store.folder).begin(fresh=fresh)
    return replace(plan, subjects=subjects)
