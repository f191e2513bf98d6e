"""An audit checked as a whole before it runs: definition, data, subjects, and every check."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from tasks.checks import room_of
from tasks.definition.checks.base import BaseCheck
from tasks.run.plan import Plan, lacking_access
from tasks.run.preflight import read_plan


def prepare(definition: Path, weights: Mapping[str, str] | None = None) -> Plan:
    """Read a definition and check everything knowable before a model loads.

    Args:
        definition: YAML file.
        weights: subject name -> folder that replaces the one in the definition, for auditing
            weights that were just trained.

    Raises:
        AuditError: the first problem, in one line.
    """
    plan = read_plan(definition, weights)
    for check in plan.spec.checks:
        room_of(check.kind).preflight.problems(plan, check)
    return plan


def not_run(plan: Plan, check: BaseCheck) -> str | None:
    """Why a check cannot be answered by its subject or data; none if it can."""
    return lacking_access(plan, check) or room_of(check.kind).preflight.not_run(plan, check)


def remarks(plan: Plan, check: BaseCheck) -> Iterator[str]:
    """What a reader should know of a check before the run, a line each."""
    yield from room_of(check.kind).preflight.remarks(plan, check)
