"""`assay check`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from flows.cli.definitions import Definition, find
from flows.cli.errors import one_line

if TYPE_CHECKING:
    from tasks.run.plan import Plan


def check(definition: Definition) -> None:
    """Find everything wrong that is knowable before a model loads, and what endpoints will cost."""
    with one_line():
        from tasks.checks.cost import calls
        from tasks.checks.preflight import prepare

        plan = prepare(find(definition))
        for line in what_runs(plan):
            typer.echo(line)
        for step in calls(plan):
            typer.echo(f"{step.step:14} {step.subject:14} asks: {step.words()}")
        typer.echo(
            f"{plan.spec.name}: {len(plan.data.rows)} rows, {len(plan.spec.checks)} checks, "
            f"{len(plan.spec.gates)} gates"
        )


def what_runs(plan: "Plan") -> Iterator[str]:
    """One line for each check, and for what a reader should know of it before the run."""
    from tasks.checks.preflight import not_run, remarks

    for check in plan.spec.checks:
        reason = not_run(plan, check)
        subject = plan.spec.subject_of(check)
        yield f"{check.kind:14} {subject:14} {'not run: ' + reason if reason else 'ready'}"
        for remark in () if reason else remarks(plan, check):
            yield f"{check.kind:14} {subject:14} {remark}"
