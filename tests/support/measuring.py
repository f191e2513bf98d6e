"""The measuring of an audit, without Prefect and without a report; also as a process of its own."""

import sys
from pathlib import Path

from tasks.checks.preflight import prepare
from tasks.run.answers import with_answers
from tasks.run.store import Store
from tests.support.gathering import asked, finished


def measure(definition: Path, folder: Path) -> None:
    """What a run does between its decisions and its report."""
    store = Store(folder)
    plan = with_answers(prepare(definition), store)
    for check in plan.spec.checks:
        finished(asked(plan, check), store)


if __name__ == "__main__":
    measure(*map(Path, sys.argv[1:]))
