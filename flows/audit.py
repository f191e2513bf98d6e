"""The audit: definition -> evidence -> findings -> report and model card."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, assert_never

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.events import emit_event
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from flows.progress import STAGES
from flows.shards import ShardRunner
from flows.stopping import STOPPING
from tasks.checks.attribution import rounds as attribution
from tasks.checks.contradiction import rounds as contradiction
from tasks.checks.counterfactual import rounds as counterfactual
from tasks.checks.cue import rounds as cue
from tasks.checks.localisation import rounds as localisation
from tasks.checks.probing import rounds as probing
from tasks.checks.reasoning import rounds as reasoning
from tasks.checks.remediation import rounds as remediation
from tasks.checks.steering import rounds as steering
from tasks.checks.work import gather_evidence
from tasks.definition.checks import (
    AttributionCheck,
    Check,
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
from tasks.explain.texts import explain
from tasks.judge.comparison import compare, newest
from tasks.judge.gates import judge
from tasks.judge.planted import held_against_planted
from tasks.record.bundle import summary, write_bundle
from tasks.run import decisions
from tasks.run.answers import with_answers
from tasks.run.decisions_table import Decided, choose, shown
from tasks.run.plan import Plan, not_run
from tasks.run.preflight import prepare
from tasks.run.provenance import provenance
from tasks.run.shards import StoredShard
from tasks.schema import Evidence, Explanations, Report, RunRecord

RUNNER: Any = ThreadPoolTaskRunner(max_workers=1)
"""One shard at a time: torch uses all cores by itself. Dask and Ray runners take its place."""


@flow(name="audit", task_runner=RUNNER)
def audit(
    definition: Path,
    out: Path = Path("reports"),
    weights: dict[str, str] | None = None,
    fresh: bool = False,
    must_pass: bool = False,
) -> str:
    """Gather the evidence a definition asks for, judge it against its gates, write the report.

    Args:
        definition: YAML file; see `assay schema`.
        out: folder for reports; finished shards are kept below it.
        weights: subject name -> folder that replaces the definition's, to audit weights that
            were just trained.
        fresh: measure every shard anew, whatever is kept.
        must_pass: end the run as failed, `GateFailed`, unless every gate passed; for
            deployments, where nobody sees an exit code.

    Returns:
        Folder of the finished report.
    """
    started = datetime.now(UTC)
    with STAGES.stage("definition, data and subjects"):
        plan = prepare(definition, weights)
        source = provenance(plan)
    runner = ShardRunner(out / ".shards", fresh=fresh)
    plan = with_answers(plan, runner.store, fresh=fresh)
    decided = decide(plan, plan.main, range(len(plan.data.rows)), runner)
    cases = choose(plan, decided, plan.spec.cases)
    evidence = tuple(gather(plan, check, decided, cases, runner) for check in plan.spec.checks)
    with STAGES.stage("judgement and explanations"):
        report = Report(
            spec=plan.spec,
            provenance=source,
            cases=shown(plan, decided, cases),
            evidence=evidence,
            findings=judge(plan.spec, evidence),
        )
        explanations = explain(report)
    with STAGES.stage("report and model card"):
        earlier = newest(out, plan.spec.baseline) if plan.spec.baseline else None
        folder = write_bundle(
            out,
            report,
            explanations,
            RunRecord(
                started=started.isoformat(timespec="seconds"),
                finished=datetime.now(UTC).isoformat(timespec="seconds"),
                seconds=dict(STAGES.seconds),
                shards_computed=runner.computed,
                shards_reused=runner.reused,
            ),
            compare(report, earlier) if earlier else None,
            held_against_planted(report, plan.root),
            runner.store,
        )
    STOPPING.report = folder
    announce(report, explanations, folder)
    if must_pass and report.verdict != "pass":
        # Prefect takes a state for the outcome of the run
        return Failed(name="GateFailed", message=f"{report.verdict}: {folder}")  # type: ignore[return-value]
    return str(folder)


def decide(plan: Plan, subject: str, rows: Sequence[int], runner: ShardRunner) -> Decided:
    """The decisions of a subject over `rows`."""
    refs = decisions.shards(plan, subject, rows)
    stored = runner.run(f"decisions of {subject}", refs) if refs else []
    return decisions.decided(plan, subject, rows, runner.store, stored)


def gather(
    plan: Plan, check: Check, decided: Decided, cases: Sequence[int], runner: ShardRunner
) -> Evidence:
    """Measure the shards a check needs and put its evidence together."""
    subject = plan.spec.subject_of(check)
    if reason := not_run(plan, check):
        return Evidence(check=check, subject=subject, not_run=reason)
    title = f"{check.kind} of {subject}"
    about = decided
    match check:
        case PerformanceCheck() | FairnessCheck():
            stored: list[StoredShard] = []
            rows = plan.rows_of(check)
            about = (
                decided.at(rows) if subject == plan.main else decide(plan, subject, rows, runner)
            )
        case AttributionCheck():
            stored = runner.run(title, attribution.shards(plan, check, cases))
            rest = attribution.further_shards(plan, check, runner.store, stored)
            stored += runner.run(f"words and fields that drive {subject}", rest)
        case LocalisationCheck():
            stored = runner.run(title, localisation.shards(plan, check, cases))
            further = localisation.further_shards(plan, check, cases, runner.store, stored)
            stored += runner.run(f"places in {subject}", further)
        case ProbingCheck():
            states = runner.run(f"states of {subject}", probing.state_shards(plan, check))
            stored = runner.run(title, probing.probe_shards(plan, check, runner.store, states))
        case CounterfactualCheck():
            stored = runner.run(title, counterfactual.shards(plan, check, cases))
        case SteeringCheck():
            stored = runner.run(f"vectors in {subject}", steering.direction_shards(plan, check))
            stored += runner.run(title, steering.shards(plan, check, runner.store, stored))
        case RemediationCheck():
            stored = remedy(plan, check, runner)
        case ReasoningCheck():
            stored = runner.run(title, reasoning.shards(plan, check, cases))
        case CueCheck() if plan.spec.on_record(check):
            stored = []  # read from records
        case CueCheck():
            stored = runner.run(title, cue.shards(plan, check, cases))
        case ContradictionCheck():
            stored = runner.run(title, contradiction.shards(plan, check))
        case _:
            assert_never(check)
    with STAGES.stage(f"evidence: {title}"):
        # quoted: Prefect would otherwise walk through every row looking for futures
        known: list[Any] = [quote(plan), quote(check), quote(about)]
        found: Evidence = gather_evidence(*known, *[tuple(cases), runner.store, stored])
        return found


def remedy(plan: Plan, check: RemediationCheck, runner: ShardRunner) -> list[StoredShard]:
    """Levers fitted on one part of the texts, tried on another, confirmed on the last."""
    subject, store = plan.spec.subject_of(check), runner.store
    fitted = runner.run(f"levers in {subject}", remediation.fit_shards(plan, check))
    tried = runner.run(
        f"levers tried on {subject}", remediation.choose_shards(plan, check, store, fitted)
    )
    confirmed = runner.run(
        f"levers confirmed on {subject}",
        remediation.confirm_shards(plan, check, store, fitted, tried),
    )
    return [*fitted, *tried, *confirmed]


def announce(report: Report, explanations: Explanations, folder: Path) -> None:
    """Leave the summary where schedules and triggers can see it."""
    create_markdown_artifact(
        key=f"audit-{report.spec.name}",
        markdown=summary(report, explanations, folder),
        description="Audit",
    )
    emit_event(
        "audit.finished",
        resource={
            "prefect.resource.id": f"audit.{report.spec.name}",
            "assay.verdict": report.verdict,  # triggers match labels, not payloads
        },
        payload={"verdict": report.verdict, "report": str(folder.resolve())},
    )
