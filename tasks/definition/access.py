"""What a check may need of a subject, and what each kind of subject offers."""

from typing import Literal

Access = Literal[
    "answers", "asking again", "decisions", "gradients", "hidden states", "log-probabilities",
    "writing",
]  # fmt: skip
"""What a check may need of a subject: answers and decisions that can be read; asking again, to
answer what nobody asked before; gradients and hidden states of local weights; log-probabilities of
an answer that is given to it; writing, to reason before it answers."""

OFFERS: dict[str, frozenset[Access]] = {
    "sequence-classification": frozenset(
        {"asking again", "decisions", "gradients", "hidden states"}
    ),
    "causal-lm": frozenset(
        {
            "answers",
            "asking again",
            "decisions",
            "gradients",
            "hidden states",
            "log-probabilities",
            "writing",
        }
    ),
    "openai": frozenset({"answers", "asking again", "decisions", "writing"}),
    "transcripts": frozenset({"answers", "decisions", "writing"}),
    "predictions": frozenset({"decisions"}),
}
