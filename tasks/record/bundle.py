"""The files of an audit: written to a draft folder, then moved into a folder of their own."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from tasks.checks.sections import section_of
from tasks.errors import AuditError, SpecError
from tasks.report.card import render_card
from tasks.report.page import render_report
from tasks.run.store import Store
from tasks.schema import Comparison, Explanations, Report, RunRecord
from tasks.schema.stored import read_report, read_run

Planted = dict[str, str] | None


def evidence_json(report: Report) -> str:
    """The evidence as text; the same audit gives the same bytes."""
    return report.model_dump_json(indent=1) + "\n"


def write_bundle(
    out: Path,
    report: Report,
    explanations: Explanations,
    run: RunRecord,
    comparison: Comparison | None,
    planted: Planted,
    store: Store | None = None,
) -> Path:
    """Write evidence, report, model card and exported levers into a new folder below `out`.

    Nothing is overwritten and nothing half-written is left: the files are written to a draft
    folder that takes its name when all are there. Exports are copied from `store` and must have
    the digest that the evidence states.

    Returns:
        `out/<audit>/<time the run finished>`.

    Raises:
        AuditError: an export is missing, or not the one that the evidence names.
    """
    home = out / report.spec.name
    home.mkdir(parents=True, exist_ok=True)
    evidence = evidence_json(report)
    run = run.model_copy(update={"evidence_sha256": _sha256(evidence)})
    files = {
        "evidence.json": evidence,
        "explanations.json": explanations.model_dump_json(indent=1) + "\n",
        "comparison.json": json.dumps(
            comparison.model_dump(mode="json") if comparison else None, indent=1
        ),
        "planted.json": json.dumps(planted, indent=1),
        "run.json": run.model_dump_json(indent=1) + "\n",
        **rendered(report, explanations, run, comparison, planted),
    }
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
    try:
        for name, content in files.items():
            (draft / name).write_text(content, encoding="utf-8")
        _copy_exports(report, store, draft)
        draft.chmod(0o755)
        return _moved(draft, home, run.finished)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy_exports(report: Report, store: Store | None, draft: Path) -> None:
    for export in (export for evidence in report.evidence for export in evidence.exports):
        if store is None:
            raise AuditError(f"{export.file}: no store to take it from")
        target = draft / export.file
        target.parent.mkdir(exist_ok=True)
        try:
            target.write_bytes(store.export(export.sha256))
        except AuditError as error:
            raise AuditError(f"{export.file}: {error}") from None


def rendered(
    report: Report,
    explanations: Explanations,
    run: RunRecord,
    comparison: Comparison | None,
    planted: Planted,
) -> dict[str, str]:
    """Report and model card, by file name; needs no model."""
    page = render_report(
        report,
        explanations,
        run=run,
        section_of=section_of,
        comparison=comparison,
        planted=planted,
    )
    return {"report.html": page, "model_card.md": render_card(report, explanations, run=run)}


def render_again(folder: Path) -> list[Path]:
    """Render report and model card of a finished audit anew from its files.

    Raises:
        SpecError: the folder holds no finished audit, or its evidence was changed.
    """
    report, explanations = read_finished(folder)
    run = read_run(folder)
    if _sha256(_text(folder / "evidence.json")) != run.evidence_sha256:
        raise SpecError(
            f"{folder}: evidence.json is not the one this run left; run.json says "
            f"{run.evidence_sha256[:12]}"
        )
    earlier = json.loads(_text(folder / "comparison.json"))
    comparison = Comparison.model_validate(earlier) if earlier else None
    planted: Planted = json.loads(_text(folder / "planted.json"))
    files = rendered(report, explanations, run, comparison, planted)
    for name, content in files.items():
        draft = folder / f".{name}.draft"
        draft.write_text(content, encoding="utf-8")
        draft.replace(folder / name)
    return [folder / name for name in files]


def read_finished(folder: Path) -> tuple[Report, Explanations]:
    """Evidence and explanations of a finished audit.

    Raises:
        SpecError: the folder holds no finished audit, or one of another version of Assay.
    """
    if not (folder / "evidence.json").is_file():
        raise SpecError(
            f"no evidence.json in {folder}; `assay run` leaves one in each run's folder"
        )
    return (
        read_report(folder),
        Explanations.model_validate_json(_text(folder / "explanations.json")),
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _moved(draft: Path, home: Path, finished: str) -> Path:
    """Give the draft its name: the time the run finished, with a counter if that is taken."""
    stamp = finished.split("+")[0].replace(":", "") + "Z"
    for attempt in range(1, 1000):
        target = home / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        try:
            os.rename(draft, target)  # noqa: PTH104 - fails on a folder that is not empty
        except OSError:
            if target.exists():
                continue
            raise
        return target
    raise AuditError(f"{home}: a thousand runs finished in the same second")
