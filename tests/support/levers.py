"""The loan organism's encoder under some checks only, and a check run to its evidence."""

from pathlib import Path

import yaml

from tasks.checks import room_of
from tasks.checks.preflight import prepare
from tasks.run.plan import Plan
from tasks.run.rounds import Finished
from tasks.schema import Evidence
from tests.support import gathering

AUDITS = Path("audits").resolve()


def loan_plan(folder: Path, version: str, *checks: dict[str, object], **data: object) -> Plan:
    """The loan organism's encoder under some checks only."""
    content = yaml.safe_load((AUDITS / "loan-approval.yaml").read_text())
    content["data"] |= {"path": str(AUDITS / "loan-approval/audit.csv"), **data}
    encoder = str(AUDITS / "loan-approval" / version / "encoder")
    content |= {
        "subjects": {"decider": {"kind": "sequence-classification", "path": encoder}},
        "checks": list(checks),
        "gates": [],
        "planted": None,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(content))
    return prepare(path)


def measured(plan: Plan, store: Path) -> tuple[Evidence, Finished]:
    """The evidence of a plan's only check, and what it rests on."""
    (check,) = plan.spec.checks
    one = gathering.asked(plan, check)
    finished = gathering.finished(one, store)
    return room_of(check.kind).evidence(one, finished), finished
