"""The section on contradictory questions: how often both get one answer, and the test's error."""

from tasks.checks.instruments.section import INSTRUMENT, UNKNOWN, doubts
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.report.blocks import Block, Table, grid
from tasks.report.formats import about_words, title
from tasks.report.shown import Shown
from tasks.schema import ContradictoryPair, Evidence


def section(shown: Shown[ContradictionCheck]) -> list[Block]:
    """Share of pairs answered yes to both, the test's calibration, and examples."""
    evidence = shown.evidence
    tests = [m for m in evidence.measurements if m.name in INSTRUMENT]
    scores = [m for m in evidence.measurements if m.name not in INSTRUMENT]
    return [
        *grid(scores, caption="Pairs of questions that exclude each other", corner="Pairs",
              row=about_words, column=lambda m: title(m.name)),
        *grid(tests, caption="The test on controls: does it see which pairs something else than "
              "the questions decides?", corner="Test", row=about_words,
              column=lambda m: title(m.name)),
        *doubts(scores, evidence),
        *([] if tests else [UNKNOWN]),
        *_pairs(evidence),
    ]  # fmt: skip


def _pairs(evidence: Evidence) -> list[Block]:
    pairs = [c for c in evidence.cases if isinstance(c, ContradictoryPair)]
    if not pairs:
        return []
    return [
        Table(
            "Pairs answered alike",
            ("Pair", "First question", "Second question", "Answer to both"),
            tuple((f"{p.id}, {p.other}", p.text, p.other_text, p.answer) for p in pairs),
        )
    ]
