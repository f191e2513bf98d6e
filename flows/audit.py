"""The audit: definition -> evidence -> findings -> report and model card."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows import dashboard
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
from tasks.record.bundle import write_bundle
from tasks.record.summary import summary
from tasks.report.head import head
from tasks.run.answers import with_answers
from tasks.run.case_selection import choose, shown
from tasks.run.plan import Plan
from tasks.run.provenance import provenance
from tasks.run.rounds import Asked
from tasks.run.store import Store
from tasks.schema import Provenance, Report, RunRecord

RUNNER: Any = ThreadPoolTaskRunner(max_workers=1)
"""One shard at a time: torch uses all cores by itself. Dask and Ray runners take its place."""

Address = Annotated[str, Field(pattern=r"^https?://\S+$")]


@flow(name="audit", flow_run_name=dashboard.first_name, task_runner=RUNNER)
def audit(
    definition: Path,
    out: Path = Path("reports"),
    weights: dict[str, str] | None = None,
    fresh: bool = False,
    must_pass: bool = False,
    address: Address | None = None,
) -> str:
    """Gather the evidence a definition asks for, judge it against its gates, write the report.

    Args:
        definition: YAML file; see `assay schema`.
        out: folder for reports; finished shards are kept below it.
        weights: subject name -> folder that replaces the definition's, to audit weights that
            were just trained.
        fresh: measure every shard anew and ignore stored payloads.
        must_pass: end the run as failed, `GateFailed`, unless every gate passed; for
            deployments, where nobody sees an exit code.
        address: where `out` is served, such as https://reports.example/; Prefect's pages then
            link to the report there.

    Returns:
        Folder of the finished report.

    Raises:
        GateFailed: the report is written, and not every gate passed as `must_pass` asks.
    """
    started = datetime.now(UTC)
    with STAGES.stage("definition, data and subjects"):
        plan = prepare(definition, weights)
        source = provenance(plan)
    store = Store((out / ".shards").resolve())
    runner = ShardRunner(store, fresh=fresh)
    plan = with_answers(plan, store, fresh=fresh)
    report = judged(plan, source, runner)
    with STAGES.stage("explanations"):
        explanations = explain(report, offers_of)
    with STAGES.stage("report and model card"):
        run = record(started, runner)
        earlier = newest(out, plan.spec.baseline) if plan.spec.baseline else None
        comparison = compare(report, earlier) if earlier else None
        planted = held_against_planted(report, plan.root)
        folder = write_bundle(out, report, explanations, run, comparison, planted, store)
    STOPPING.report = folder
    top = head(report, run, comparison)
    place = dashboard.address_of(folder, out, address)
    dashboard.add_verdict(top)
    dashboard.announce(report, summary(report, top, explanations, place, out), folder, place)
    if must_pass and report.verdict != "pass":
        dashboard.fail(report, place)
    return str(folder)


def judged(plan: Plan, source: Provenance, runner: ShardRunner) -> Report:
    """Measure what the checks ask for and hold it against the gates."""
    decisions = decide(plan, runner.store, runner.run)
    cases = tuple(choose(plan, decisions, plan.spec.cases))
    evidence = tuple(
        gather(Asked(plan, check, decisions, cases), runner.store, runner.run)
        for check in plan.spec.checks
    )
    with STAGES.stage("judgement"):
        return Report(
            spec=plan.spec,
            provenance=source,
            cases=shown(plan, decisions, cases),
            evidence=evidence,
            findings=judge(plan.spec, evidence),
        )


def record(started: datetime, runner: ShardRunner) -> RunRecord:
    """When the run took place, how long its stages took, and what it measured itself."""
    return RunRecord(
        started=started.isoformat(timespec="seconds"),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=dict(STAGES.seconds),
        shards_computed=runner.computed,
        shards_reused=runner.reused,
    )
