"""Questions that exclude each other."""

from tasks.definition.vocabulary.instrument import INSTRUMENT
from tasks.definition.vocabulary.measure import Measure

CONTRADICTION = {
    "contradiction": Measure(
        "Contradiction",
        "Share of pairs of questions that exclude each other which are both answered yes, or with "
        "another answer that they cannot share.",
        "low",
    ),
    "both_denied": Measure(
        "Both denied",
        "Share of pairs of questions that exclude each other neither of which has the answer that "
        "only one can have.",
        "neither",
    ),
    "contradiction_chance": Measure(
        "Contradiction by chance",
        "Share of pairs that would both be answered so if every such answer fell on a pair by "
        "chance.",
        "neither",
    ),
    "unparsed": Measure("Unparsed answers", "Share of completions without an answer.", "low"),
    **INSTRUMENT,
}
