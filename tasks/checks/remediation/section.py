"""The remediation section: what would close the gap, at what price, and how it was chosen."""

from collections.abc import Sequence

from tasks.checks.interventions.export_blocks import exported_files
from tasks.definition.checks.remediation import RemediationCheck
from tasks.definition.digits import count, given
from tasks.report import charts
from tasks.report.blocks import Block, Sentence, Title, grid
from tasks.report.charts import Axis, Place
from tasks.report.figures import figure
from tasks.report.formats import title
from tasks.report.places import anchor
from tasks.report.shown import Shown
from tasks.schema import Evidence, Measurement
from tasks.schema.notation import Notation

COLUMNS = {
    "untouched_gap": "Gap",
    "remedied_gap": "Gap",
    "remedied_gap_change": "Change of the gap",
    "untouched_accuracy": "Accuracy",
    "remedied_accuracy": "Accuracy",
    "remedied_accuracy_change": "Change of accuracy",
    "untouched_rate": "Selection rate",
    "remedied_rate": "Selection rate",
    "choosing_gap": "Gap",
    "choosing_accuracy_change": "Change of accuracy",
}
CHOOSING = ("choosing_gap", "choosing_accuracy_change")

GAP = Axis("Gap between groups")
KINDS = ("untouched", "erase at one layer", "erase together", "steer")
"""Kinds of levers, each with a colour and a mark of its own."""

MOST_NAMED = 7
"""Up to this many levers have a colour and a mark each; more share those of their kind."""

NOT_OFFERED = (
    "A threshold of its own for each group is not offered. It needs the protected attribute at the "
    "moment of decision and treats equal scores differently by group: in employment in the United "
    "States, 42 U.S.C. 2000e-2(l) forbids to adjust scores or to use different cutoffs by race, "
    "color, religion, sex or national origin, and elsewhere it needs a legal basis of its own. The "
    "levers here treat every text alike and never see the attribute."
)

SERVE = """from tasks.subjects.local.serving import load_lever
lever = load_lever("{file}")
with lever.applied(model):
    model(**inputs)"""


def section(shown: Shown[RemediationCheck]) -> list[Block]:
    """The recommendation, its confirmed numbers, how it was chosen, and its export."""
    evidence, check = shown.evidence, shown.check
    if evidence.recommendation is None:
        return []
    chosen, key = evidence.recommendation.lever, anchor(evidence)
    confirmed = [m for m in evidence.measurements if m.name not in CHOOSING]
    tried = [m for m in evidence.measurements if m.name in CHOOSING]
    has_levers = len({m.about.lever for m in confirmed}) > 1
    return [
        *recommended(evidence, check, shown.notation),
        *grid(
            confirmed,
            caption="Confirmed on texts that neither fitted nor chose a lever",
            corner="Lever",
            row=lambda m: _lever(m, chosen),
            column=_column,
        ),
        *(
            figure(_confirmed(confirmed, chosen, f"{key}-confirmed"),
                   "Gap and accuracy on the texts that confirm, with the interval of each; below "
                   "and to the right is worse.")
            if has_levers else []
        ),
        Title("How it was chosen"),
        Sentence(
            "A lever is chosen by a rule that was fixed before: the smallest gap among levers that "
            "narrow it clearly (the whole interval of the change below 0) and whose accuracy "
            f"falls by at most {given(check.tolerance)} and not clearly. The numbers of the texts "
            "that choose flatter the best of many; they are no result."
        ),
        *figure(_tried(tried, chosen, f"{key}-tried"),
                "Every lever that was tried, on the texts that choose. No lever beats those on the "
                "dashed line in both; the ring marks the chosen one."),
        *grid(tried, caption="Every lever on the texts that choose", corner="Lever",
              row=lambda m: _lever(m, chosen), column=_column, folded=True),
        Title("What is not offered"),
        Sentence(NOT_OFFERED),
        *([Title("Serving it")] if evidence.exports else []),
        *exported_files(evidence, SERVE),
    ]  # fmt: skip


def recommended(evidence: Evidence, check: RemediationCheck, notation: Notation) -> list[Block]:
    """What is recommended and whether fresh texts confirm it; why nothing, where nothing is."""
    of = evidence.recommendation
    if of is None or of.lever is None:
        why = of.why if of is not None else ""
        return [Sentence(f"No lever is recommended: {why}.")]
    by = {m.name: m for m in evidence.measurements if m.about.lever in (of.lever, "untouched")}
    change, accuracy_change = by["remedied_gap_change"], by["remedied_accuracy_change"]
    gap, before = by["remedied_gap"], by["untouched_gap"]
    value = notation.value
    effect = (
        f"{of.lever}. It takes the gap between the groups of {check.attribute} from "
        f"{value(before)} to {value(gap)} (change {value(change)}, {notation.interval(change)}) "
        f"and changes the accuracy by {notation.estimate(accuracy_change)}, on {count(gap.n)} "
        "texts that neither fitted nor chose the lever."
    )
    doubts = []
    if change.high is None or change.high >= 0:
        doubts.append("the gap does not clearly narrow there")
    if accuracy_change.high is not None and accuracy_change.high < 0:
        doubts.append("the accuracy clearly falls there")
    if doubts:
        return [
            Sentence(f"Chosen: {effect}"),
            Sentence(f"Fresh texts do not confirm it: {' and '.join(doubts)}.", "caution"),
        ]
    return [Sentence(f"Recommended: {effect}")]


def _tried(measurements: Sequence[Measurement], chosen: str | None, key: str) -> str:
    """Every lever by its kind, and the front that no other beats."""
    places = _places(measurements, *CHOOSING)
    ordered = sorted(places, key=lambda p: KINDS.index(p.series))
    y = Axis(title(CHOOSING[1]))
    return charts.scatter(
        ordered, GAP, y, key=key, label="Levers tried", ringed=chosen, beside="front"
    )


def _confirmed(measurements: Sequence[Measurement], chosen: str | None, key: str) -> str:
    """The levers on fresh texts by name, with both intervals; by kind where they are many."""
    places = _places(measurements, "gap", "accuracy")
    if len(places) <= MOST_NAMED:
        places = [place._replace(series=place.name) for place in places]
    y = Axis("Accuracy", percent=True)
    return charts.scatter(
        places, GAP, y, key=key, label="Levers confirmed", ringed=chosen, beside="intervals"
    )


def _places(measurements: Sequence[Measurement], gap: str, accuracy: str) -> list[Place]:
    """Levers by two measures, each named by the end of its name."""
    by: dict[str, dict[str, Measurement]] = {}
    for m in measurements:
        for end in (gap, accuracy):
            if m.name.endswith(end) and m.about.group is None:
                by.setdefault(m.about.lever or "", {})[end] = m
    return [
        Place(name, _kind(name), of[gap], of[accuracy]) for name, of in by.items() if len(of) == 2
    ]


def _kind(lever: str) -> str:
    if lever == "untouched":
        return lever
    if lever.startswith("steer"):
        return "steer"
    return "erase together" if "together" in lever or "every" in lever else "erase at one layer"


def _lever(m: Measurement, chosen: str | None) -> str:
    name = m.about.lever or ""
    return f"{name} (chosen)" if name == chosen else name


def _column(m: Measurement) -> str:
    named = COLUMNS[m.name]
    return f"{named}, {m.about.group}" if m.about.group else named
