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
        from tasks.run.cost import calls
        from tasks.run.preflight import prepare

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
    """One line for each check and for each of its tests that a subject does not allow."""
    from tasks.definition.checks import ReasoningCheck
    from tasks.run.plan import not_run, withheld_tests

    for one in plan.spec.checks:
        reason = not_run(plan, one)
        subject = plan.spec.subject_of(one)
        yield f"{one.kind:14} {subject:14} {'not run: ' + reason if reason else 'ready'}"
        if isinstance(one, ReasoningCheck) and not reason:
            for test, lacking in withheld_tests(plan, one).items():
                yield f"{one.kind:14} {subject:14} test {test} {lacking}"
