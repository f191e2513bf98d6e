"""A run begins: a place for the answers of whoever is asked, and budgets untouched."""

from dataclasses import replace

from tasks.definition import OpenAISubject
from tasks.run.plan import Plan
from tasks.run.store import Store
from tasks.subjects.endpoint.asker import Asker
from tasks.subjects.endpoint.second_model import load_second
from tasks.subjects.endpoint.subject import load_endpoint


def with_answers(plan: Plan, store: Store, *, fresh: bool = False) -> Plan:
    """The plan with a place for the answers of its endpoints, and their budgets untouched.

    Args:
        plan: the audit.
        store: of finished work; answers are kept where it is a folder, else in memory.
        fresh: forget what they answered before.
    """
    subjects = {
        name: ref.model_copy(update={"folder": _folder(store, ref.sha256[:16])})
        for name, ref in plan.subjects.items()
        if isinstance(ref.spec, OpenAISubject)
    }
    asked: list[Asker] = [load_endpoint(ref) for ref in subjects.values()]
    seconds = [check.second_model for check in plan.spec.checks]
    asked += [load_second(settings, store.folder) for settings in seconds if settings is not None]
    for one in asked:
        one.meter.restart()
        if fresh:
            one.kept.forget()
    return replace(plan, subjects={**plan.subjects, **subjects})


def _folder(store: Store, name: str) -> str:
    return "" if store.folder is None else str(store.folder / "answers" / name)
