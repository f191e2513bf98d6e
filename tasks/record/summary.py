"""The report in a few lines of Markdown, for Prefect's pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tasks.report.card import markdown
from tasks.report.gates import GateRow, gate_rows
from tasks.report.head import Head
from tasks.schema import Explanations, Report

REPORT: Final = "report.html"


def summary(report: Report, head: Head, explanations: Explanations, address: str, out: Path) -> str:
    """Verdict, gates and links.

    Args:
        report: what was measured and judged.
        head: of the page.
        explanations: a text per finding.
        address: of the folder of the report, ending with a slash.
        out: folder for reports.
    """
    texts = {text.about: text for text in explanations.texts}
    lines = [
        f"# {markdown(head.title)}: {head.word}",
        "",
        markdown(head.summary),
        "",
        *(_line(row) for row in gate_rows(report, texts)),
        *(f"- not run: {markdown(reason)}" for reason in head.not_run),
        "",
        f"About {markdown(', '.join(head.subjects))}, {head.rows} texts; finished {head.finished}.",
        "",
        f"[Report]({address}{REPORT}) · [model card]({address}model_card.md) · "
        f"[evidence]({address}evidence.json)",
        *(_served(address, out) if address.startswith("file:") else ()),
    ]
    return "\n".join(lines)


def _line(row: GateRow) -> str:
    """One gate: the deciding measurement, and the text about it."""
    scope = f" ({markdown(row.scope)})" if row.scope else ""
    about = row.explanation.text if row.explanation else row.finding.reason
    return f"- **{row.word}** {markdown(row.title)}{scope}: {markdown(about)}"


def _served(address: str, out: Path) -> Iterator[str]:
    """How to open files that a browser cannot reach from this page."""
    place = address.removeprefix(out.resolve().as_uri()).lstrip("/")
    yield ""
    yield (
        "Browsers open links to files from no web page. Where the report lies, "
        f"`python -m http.server 8000 --bind 127.0.0.1 --directory '{out.resolve()}'` serves it at "
        f"<http://127.0.0.1:8000/{place}{REPORT}>; with the parameter `address` of the flow the "
        "links above lead there."
    )
