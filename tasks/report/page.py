"""The report: one self-contained HTML page, rendered from records and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.report.cases import anchors, cards
from tasks.report.formats import filters
from tasks.report.gates import change_rows, gate_rows
from tasks.report.head import head
from tasks.report.methods import glossary, written_by
from tasks.report.sections import sections
from tasks.report.shown import SectionOf
from tasks.schema import Comparison, Explanations, Report, RunRecord
from tasks.schema.notation import Notation

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"
"""The four top-level folders are siblings in a checkout, an editable install and a wheel."""


def render_report(
    report: Report,
    explanations: Explanations,
    *,
    run: RunRecord,
    section_of: SectionOf,
    comparison: Comparison | None = None,
    planted: Mapping[str, str] | None = None,
) -> str:
    """The report as HTML: the same records give the same bytes.

    Args:
        report: what was measured and judged.
        explanations: a text per finding and case.
        run: when the audit ran, and the digest of its evidence.
        section_of: makes the blocks of a check's section.
        comparison: this audit compared with an earlier one, if one is available.
        planted: heading -> sentence, if the truth about the subjects is known.

    Returns:
        One page without scripts that fetches nothing.
    """
    texts = {text.about: text for text in explanations.texts}
    notation = Notation.of(report)
    page = environment(notation).get_template("report/page.html.j2")
    return page.render(
        head=head(report, run, comparison),
        gates=gate_rows(report, texts),
        comparison=comparison,
        changes=change_rows(comparison),
        sections=sections(report, section_of, notation),
        cards=cards(report, texts),
        places=anchors(report),
        planted=dict(planted or {}),
        written_by=written_by(explanations),
        explanations=explanations,
        report=report,
        run=run,
        definition=definition(report),
        glossary=glossary(report),
    )


def definition(report: Report) -> str:
    """The audit's definition with all defaults."""
    content = report.spec.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=88)


def environment(notation: Notation) -> Environment:
    """Jinja2 that escapes everything and refuses undefined names."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters.update(filters(notation))
    return jinja
