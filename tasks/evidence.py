"""One thin task per check: stored shards in, evidence out."""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.decided import Decided
from tasks.gather import attribution, cue, fairness, localisation, performance, probing, reasoning
from tasks.plan import Plan
from tasks.schema import Evidence
from tasks.shards import StoredShard
from tasks.spec import (
    AttributionCheck,
    Check,
    CueCheck,
    FairnessCheck,
    LocalisationCheck,
    PerformanceCheck,
    ProbingCheck,
    ReasoningCheck,
)


@task(cache_policy=NO_CACHE, persist_result=False)
def gather_evidence(
    plan: Plan,
    check: Check,
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
            return attribution.evidence(plan, check, store, stored)
        case LocalisationCheck():
            return localisation.evidence(plan, check, cases, store, stored)
        case ProbingCheck():
            return probing.evidence(plan, check, store, stored)
        case ReasoningCheck():
            return reasoning.evidence(plan, check, cases, store, stored)
        case CueCheck():
            return cue.evidence(plan, check, cases, store, stored)
        case _:
            assert_never(check)
