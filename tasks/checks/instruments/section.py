"""What sections print beside scores of tests: what each test is worth on controls."""

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
    """Which tests tell nothing apart, and what follows for gates."""
    blinded = dict.fromkeys(b for m in scores if (b := untrusted(m, evidence)))
    return [Sentence(f"{doubt}. A gate on it is inconclusive.", "caution") for doubt in blinded]
