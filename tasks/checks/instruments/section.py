"""What sections print beside the scores of tests: each test's calibration on controls."""

from collections.abc import Sequence

from tasks.judge.credibility import untrusted
from tasks.report.blocks import Sentence
from tasks.schema import Evidence, Measurement

INSTRUMENT = ("instrument_auroc", "instrument_sensitivity", "instrument_specificity")

UNKNOWN = Sentence(
    "These tests were not run on controls of known truth for this subject, so how often they err "
    "on it is not known."
)


def doubts(scores: Sequence[Measurement], evidence: Evidence) -> list[Sentence]:
    """Tests that do not separate controls, and what follows for gates."""
    doubted = dict.fromkeys(b for m in scores if (b := untrusted(m, evidence)))
    return [Sentence(f"{doubt}. A gate on it is inconclusive.", "caution") for doubt in doubted]
