"""The audit: definition -> evidence -> findings -> report and model card."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.events import emit_event
from prefect.states import Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.progress import STAGES
from flows.shards import ShardRunner
from flows.stopping import STOPPING
from tasks.checks import offers_of
from tasks.checks.gather import decide, gather
from tasks.checks.preflight import prepare
from tasks.explain.texts import explain
from tasks.judge.comparison import compare, newest
from tasks.judge.gates import judge
from tasks.judge.planted import held_against_planted
from tasks.record.bundle import summary, write_bundle
from tasks.run.answers import with_answers
from tasks.run.case_selection import choose, shown
from tasks.run.provenance import provenance
from tasks.run.rounds import Asked
from tasks.run.store import Store
from tasks.schema import Explanations, Report, RunRecord

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
    store = Store((out / ".shards").resolve())
    runner = ShardRunner(store, fresh=fresh)
    plan = with_answers(plan, store, fresh=fresh)
    decisions = decide(plan, store, runner.run)
    cases = tuple(choose(plan, decisions, plan.spec.cases))
    evidence = tuple(
        gather(Asked(plan, check, decisions, cases), store, runner.run)
        for check in plan.spec.checks
    )
    with STAGES.stage("judgement and explanations"):
        report = Report(
            spec=plan.spec,
            provenance=source,
            cases=shown(plan, decisions, cases),
            evidence=evidence,
            findings=judge(plan.spec, evidence),
        )
        explanations = explain(report, offers_of)
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
            store,
        )
    STOPPING.report = folder
    announce(report, explanations, folder)
    if must_pass and report.verdict != "pass":
        # Prefect takes a state for the outcome of the run
        return Failed(name="GateFailed", message=f"{report.verdict}: {folder}")  # type: ignore[return-value]
    return str(folder)


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
