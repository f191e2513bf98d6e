"""The section on fairness: rates by group, the gaps between groups, the tables of a statute."""

from collections.abc import Sequence

from tasks.definition.checks.fairness import FairnessCheck
from tasks.definition.digits import count, given, number
from tasks.report import charts
from tasks.report.blocks import Block, Sentence, Table, Title, grid
from tasks.report.charts import Axis, Dot
from tasks.report.figures import figure
from tasks.report.formats import about_words, title
from tasks.report.places import anchor
from tasks.report.shown import Shown
from tasks.schema import Evidence, ImpactCategory, ImpactTable, Measurement
from tasks.schema.notation import Notation

SELECTION = ("selection_rate", "adverse_impact_ratio")
ERRORS = (
    "true_positive_rate",
    "false_negative_rate",
    "false_positive_rate",
    "true_negative_rate",
)
MEANING = ("positive_predictive_value", "expected_calibration_error")
DRAWN = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "positive_predictive_value",
)
STATUTE = "impact_ratio"
SMALL = 0.02
"""Share of the data below which 6 RCNY 5-301(d) allows to leave a category out."""
TO_BEST = (
    "That group was chosen after looking at the data; the intervals and tests of the ratios allow "
    "for that choice."
)


def section(shown: Shown[FairnessCheck]) -> list[Block]:
    """Every attribute, every crossing of two, then the tables of Local Law 144."""
    evidence, check = shown.evidence, shown.check
    gaps = [m for m in evidence.measurements if m.name != STATUTE]
    named = [m.about.attribute for m in gaps if m.about.attribute is not None]
    small = [s.attribute for s in evidence.too_small]
    blocks: list[Block] = []
    for i, attribute in enumerate(dict.fromkeys([*named, *small])):
        about = [m for m in gaps if m.about.attribute == attribute]
        blocks += [
            Title(attribute),
            *_between(about, check, attribute),
            *_by_group(about, evidence, attribute, f"{anchor(evidence)}-{i}"),
        ]
    return blocks + _statute(evidence, shown.notation)


def _between(about: list[Measurement], check: FairnessCheck, attribute: str) -> list[Block]:
    ratios = [m for m in about if m.name == "adverse_impact_ratio"]
    reference: list[Block] = []
    if ratios and ratios[0].about.reference is not None:
        reference = [Sentence(_reference(ratios[0].about.reference, check, attribute))]
    return reference + grid(
        [m for m in about if m.about.group is None],
        caption="Between groups",
        corner="Attribute",
        row=about_words,
        column=lambda m: title(m.name),
    )


def _reference(group: str, check: FairnessCheck, attribute: str) -> str:
    """Which group the ratios divide by, and by which rule it was chosen."""
    if isinstance(check.reference, dict) and attribute in check.reference:
        return f"Ratios are against {group}, which the definition names."
    if check.reference == "largest":
        return f"Ratios are against {group}, the largest group, as the definition asks."
    return f"Ratios are against {group}, the group selected most often. {TO_BEST}"


def _by_group(
    about: list[Measurement], evidence: Evidence, attribute: str, key: str
) -> list[Block]:
    by_group = [m for m in about if m.about.group is not None]
    small = [s for s in evidence.too_small if s.attribute == attribute]
    tables: list[Block] = []
    for names, caption, left_out in (
        (SELECTION, "Selection by group", small),
        (ERRORS, "Error rates by group", []),
        (MEANING, "What decision and probability mean, by group", []),
    ):
        tables += grid(
            [m for m in by_group if m.name in names],
            caption=caption,
            corner="Group",
            row=lambda m: m.about.group or "",
            column=lambda m: title(m.name),
            too_small=left_out,
        )
    rates = [m for m in by_group if m.name in DRAWN]
    ratios = [m for m in by_group if m.name == "adverse_impact_ratio"]
    return [
        *tables,
        *figure(_rates(rates, attribute, key),
                "Rates by group; bars are the intervals of the tables."),
        *figure(_ratios(ratios if len(ratios) > 1 else [], f"{key}-ratios"),
                "Selection rate over that of the reference group."),
    ]  # fmt: skip


def _rates(rates: Sequence[Measurement], attribute: str, key: str) -> str:
    return charts.dots(
        [Dot(m.about.group or "all texts", title(m.name), m) for m in rates],
        Axis("Share of texts", percent=True, domain=(0, 1)),
        key=key,
        label=f"Rates by {attribute}",
    )


def _ratios(ratios: Sequence[Measurement], key: str) -> str:
    return charts.dots(
        [Dot(m.about.group or "all texts", f"against {m.about.reference}", m) for m in ratios],
        Axis("Ratio of selection rates (1 = parity)", rule=1),
        key=key,
        label=title("adverse_impact_ratio"),
    )


# --- Local Law 144 --------------------------------------------------------------------------


def _statute(evidence: Evidence, notation: Notation) -> list[Block]:
    if not evidence.impact_tables:
        return []
    ratios = {(m.about.attribute, m.about.group): m for m in evidence.named(STATUTE)}
    blocks: list[Block] = [
        Title("Impact ratios under New York City Local Law 144"),
        Sentence(
            "Selection rate of every category over that of the most selected category (6 RCNY "
            "5-300 and 5-301). The law asks for no interval; it is shown so that small categories "
            "are read with care."
        ),
    ]
    for table in evidence.impact_tables:
        blocks += [_table(table, ratios, notation), Sentence(_left_out(table))]
    return blocks


def _table(
    table: ImpactTable,
    ratios: dict[tuple[str | None, str | None], Measurement],
    notation: Notation,
) -> Table:
    return Table(
        caption=f"By {table.heading} ({table.attribute})",
        columns=(
            "Category",
            "Applicants",
            "Selected",
            "Selection rate",
            "Impact ratio",
            "Interval of the ratio",
        ),
        rows=tuple(
            _row(category, ratios.get((table.attribute, category.category)), notation)
            for category in table.categories
        ),
    )


def _row(of: ImpactCategory, ratio: Measurement | None, notation: Notation) -> tuple[str, ...]:
    none = "excluded" if of.excluded else "none"
    return (
        of.category,
        count(of.applicants),
        count(of.selected),
        notation.number(of.selection_rate, "selection_rate"),
        none if of.impact_ratio is None else notation.number(of.impact_ratio, STATUTE),
        "" if ratio is None else notation.interval(ratio),
    )


def _left_out(table: ImpactTable) -> str:
    """Applicants of unknown category and excluded categories, stated as 6 RCNY 5-301 requires."""
    excluded = [c for c in table.categories if c.excluded]
    known = f"Assessed: {count(table.assessed)}; of unknown category: {count(table.unknown)}."
    if not excluded:
        return known
    applicants = count(sum(c.applicants for c in excluded))
    most = max(c.applicants for c in excluded) / table.assessed
    return (
        f"{known} Excluded from the ratios: {len(excluded)} of {len(table.categories)} categories "
        f"with {applicants} applicants, since each is a small share of the data (the largest "
        f"{number(most, 'share', [SMALL])}; 6 RCNY 5-301(d) allows this below "
        f"{given(SMALL, 'share')})."
    )
