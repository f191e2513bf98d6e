"""A run begins: a place for the answers of whoever is asked, and budgets untouched."""

from dataclasses import replace
from pathlib import Path

from tasks.definition.checks import second_model_of
from tasks.run.plan import Plan
from tasks.subjects.endpoint.second_model import load_second
from tasks.subjects.load import reader_of


def with_answers(plan: Plan, store: Path, *, fresh: bool = False) -> Plan:
    """The plan with a place for the answers of its endpoints, and their budgets untouched.

    Args:
        plan: the audit.
        store: folder of finished work.
        fresh: forget what they answered before.
    """
    subjects = {
        name: reader_of(ref.spec).begin(ref, store, fresh=fresh)
        for name, ref in plan.subjects.items()
    }
    for settings in map(second_model_of, plan.spec.checks):
        if settings is not None:
            load_second(settings, store).begin(fresh=fresh)
    return replace(plan, subjects=subjects)
