"""Checks run without a flow: their shards measured one after another, and put together."""

from pathlib import Path

import yaml

from tasks.checks import MEASURES
from tasks.checks.preflight import prepare
from tasks.checks.remediation import rounds as remediation
from tasks.checks.steering import evidence as steered
from tasks.checks.steering import rounds as steering
from tasks.run.plan import Plan
from tasks.run.shards import ShardRef, StoredShard, write_payload
from tasks.schema import Evidence

AUDITS = Path("audits").resolve()


def measured(refs: list[ShardRef], store: Path) -> list[StoredShard]:
    return [write_payload(store, ref, MEASURES[ref.kind](ref, store)) for ref in refs]


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


def remedied(plan: Plan, store: Path) -> tuple[Evidence, list[StoredShard]]:
    """The evidence of a plan's only check, a remediation, and what it rests on."""
    (check,) = plan.spec.checks
    fitted = measured(remediation.fit_shards(plan, check), store)
    tried = measured(remediation.choose_shards(plan, check, store, fitted), store)
    last = measured(remediation.confirm_shards(plan, check, store, fitted, tried), store)
    stored = [*fitted, *tried, *last]
    return remediation.evidence(plan, check, store, stored), stored


def steered_by(plan: Plan, store: Path) -> tuple[Evidence, list[StoredShard]]:
    """The evidence of a plan's only check, a steering, and what it rests on."""
    (check,) = plan.spec.checks
    stored = measured(steering.direction_shards(plan, check), store)
    stored += measured(steering.shards(plan, check, store, stored), store)
    return steered.evidence(plan, check, store, stored), stored
