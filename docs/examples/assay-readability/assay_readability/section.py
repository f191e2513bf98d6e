"""The section in the report: one table."""

from assay_readability.kind import ReadabilityCheck
from tasks.report.blocks import Block, grid
from tasks.report.formats import about_words, title
from tasks.report.shown import Shown


def section(shown: Shown[ReadabilityCheck]) -> list[Block]:
    """Every group's mean, and how far it is from the largest group's."""
    return grid(
        shown.evidence.measurements,
        caption="Words per sentence",
        corner="Group",
        row=about_words,
        column=lambda m: title(m.name),
        too_small=shown.evidence.too_small,
    )
