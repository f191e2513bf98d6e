"""How often the subject decides as labelled, in the report."""

from tasks.definition.checks.performance import PerformanceCheck
from tasks.report.blocks import Block, grid
from tasks.report.formats import about_words, title
from tasks.report.shown import Shown


def section(shown: Shown[PerformanceCheck]) -> list[Block]:
    """Accuracy and recall in one table."""
    return grid(
        shown.evidence.measurements,
        caption="How often the subject decides as labelled",
        corner="Texts",
        row=about_words,
        column=lambda m: title(m.name),
    )
