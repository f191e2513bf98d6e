"""The two tasks of an audit: a shard measured and kept; stored shards put together as evidence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from tasks.checks import MEASURES
from tasks.checks.attribution import rounds as attribution
from tasks.checks.contradiction import rounds as contradiction
from tasks.checks.counterfactual import rounds as counterfactual
from tasks.checks.cue import recorded
from tasks.checks.cue import rounds as cue
from tasks.checks.fairness import evidence as fairness
from tasks.checks.localisation import rounds as localisation
from tasks.checks.performance import evidence as performance
from tasks.checks.probing import rounds as probing
from tasks.checks.reasoning import rounds as reasoning
from tasks.checks.remediation import rounds as remediation
from tasks.checks.steering import evidence as steered
from tasks.definition.checks import (
    AttributionCheck,
    BaseCheck,
    ContradictionCheck,
    CounterfactualCheck,
    CueCheck,
    FairnessCheck,
    LocalisationCheck,
    PerformanceCheck,
    ProbingCheck,
    ReasoningCheck,
    RemediationCheck,
    SteeringCheck,
)
from tasks.run.decisions_table import Decided
from tasks.run.plan import Plan
from tasks.run.shards import ShardRef, StoredShard, write_payload
from tasks.schema import Evidence


def shard_key(_: TaskRunContext, parameters: dict[str, Any]) -> str:
    """Prefect's cache key of a shard."""
    ref = ShardRef.model_validate(parameters["ref"])
    return f"{ref.kind}-{ref.key()}"


def _transient(_: object, __: object, state: Any) -> bool:
    """Retry only what another attempt can mend: the file system, not a wrong input."""
    try:
        state.result()
    except OSError:
        return True
    except Exception:
        return False
    return False


@task(
    task_run_name="{ref[kind]} {ref[rows][0]}..",
    cache_key_fn=shard_key,
    persist_result=True,
    result_serializer="json",
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=0.5,
    retry_condition_fn=_transient,
)
def measure_shard(ref: dict[str, Any], store: str) -> dict[str, str]:
    """Measure one shard and keep its payload; returns the `StoredShard` as JSON."""
    shard = ShardRef.model_validate(ref)
    payload = MEASURES[shard.kind](shard, Path(store))
    return write_payload(Path(store), shard, payload).model_dump()


@task(cache_policy=NO_CACHE, persist_result=False)
def gather_evidence(
    plan: Plan,
    check: BaseCheck,
    decided: Decided,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """The evidence of one check.

    Args:
        plan: the audit.
        check: the question.
        decided: decisions it is about, where it is about decisions.
        cases: rows that are shown in the report.
        store: folder of the payloads.
        stored: what was measured for this check.
    """
    match check:
        case PerformanceCheck():
            return performance.evidence(plan, check, decided)
        case FairnessCheck():
            return fairness.evidence(plan, check, decided)
        case AttributionCheck():
            return attribution.evidence(plan, check, cases, store, stored)
        case LocalisationCheck():
            return localisation.evidence(plan, check, cases, store, stored)
        case CounterfactualCheck():
            return counterfactual.evidence(plan, check, cases, store, stored)
        case ProbingCheck():
            return probing.evidence(plan, check, cases, store, stored)
        case SteeringCheck():
            return steered.evidence(plan, check, store, stored)
        case RemediationCheck():
            return remediation.evidence(plan, check, store, stored)
        case ReasoningCheck():
            return reasoning.evidence(plan, check, cases, store, stored)
        case CueCheck() if plan.spec.on_record(check):
            return recorded.evidence(plan, check, cases)
        case CueCheck():
            return cue.evidence(plan, check, cases, store, stored)
        case ContradictionCheck():
            return contradiction.evidence(plan, check, store, stored)
        case _:
            raise TypeError(f"not a kind of check that is known here: {check.kind}")
