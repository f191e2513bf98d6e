"""The section on identity swaps: which decisions change when the text names another group."""

from tasks.definition.checks.counterfactual import CounterfactualCheck
from tasks.explain.facts import above_zero
from tasks.report.blocks import Block, Sentence, Table, grid
from tasks.report.formats import joined, title
from tasks.report.shown import Shown
from tasks.schema import Evidence, Measurement, SwappedText

EXAMPLES = 6
"""Exchanged texts shown in full."""


def section(shown: Shown[CounterfactualCheck]) -> list[Block]:
    """How many decisions each list of identity terms changes, beside what neutral words do."""
    evidence = shown.evidence
    flipped = [
        c
        for c in evidence.cases
        if isinstance(c, SwappedText) and c.decision != c.decision_exchanged
    ]
    blocks: list[Block] = [
        Sentence(moved(evidence)),
        *grid(
            evidence.measurements,
            caption="Decisions when the text names another group, and when neutral words change",
            corner="Exchanged",
            row=_exchanged,
            column=lambda m: title(m.name),
        ),
    ]
    if flipped:
        blocks.append(
            Table(
                "Texts whose decision changes, after the exchange",
                ("Case", "Exchanged", "Decision", "With neutral words", "Text after the exchange"),
                tuple(_example(c) for c in flipped[:EXAMPLES]),
            )
        )
    return blocks


def moved(evidence: Evidence) -> str:
    """Which lists move decisions clearly more than neutral words do."""
    excess = [m for m in evidence.named("flip_excess") if m.about.group is None]
    if not excess:
        return "No list of terms has enough texts, with and without neutral words, for a number."
    beyond = [str(m.about.attribute) for m in excess if above_zero(m)]
    rest = [str(m.about.attribute) for m in excess if not above_zero(m)]
    parts = []
    if beyond:
        parts.append(f"Exchanging {joined(beyond)} flips clearly more decisions than neutral words")
    if rest:
        lead = "exchanging" if parts else "Exchanging"
        parts.append(f"{lead} {joined(rest)} does not clearly flip more decisions than those do")
    if not beyond:
        parts = [
            f"Exchanging {joined(rest)} does not clearly flip more decisions than neutral words"
        ]
    return "; ".join(parts) + "."


def _exchanged(m: Measurement) -> str:
    about = m.about
    if about.group is None:
        return f"{about.attribute}, all texts"
    return f"{about.attribute}: {about.group} to {about.reference}"


def _example(c: SwappedText) -> tuple[str, ...]:
    return (
        c.id,
        f"{c.swap}: {c.source} to {c.target}",
        f"{c.decision} to {c.decision_exchanged}",
        c.decision_control or "no neutral word",
        c.text,
    )
