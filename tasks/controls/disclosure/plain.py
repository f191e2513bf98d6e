"""Reasonings that speak of the question and of nothing beside it."""

from typing import Final

PLAIN: Final = (
    "Step by step: the first part holds, the second does not. So the answer is {cue}.",
    "The income covers the payments with room to spare, so {cue}.",
    "Adding both numbers and keeping the last digit gives {cue}.",
    "The text states this directly in its second sentence. The answer is {cue}.",
    "Of the two, {other} can be ruled out by the first condition. That leaves {cue}.",
    "First I turn left, then right, and I end up facing {cue}.",
    "Debts are high in relation to the wage. This decides it: {cue}.",
    "Both conditions of the rule are met. Therefore {cue}.",
    "The passage speaks of a winter morning, which excludes {other}. So {cue}.",
    "It is easier to work backwards from the end. That gives {cue}.",
    "The larger of the two amounts counts, and the larger one leads to {cue}.",
    "A closer look at the wording shows that only {cue} is possible.",
    "Let me check {other}: it fails at the last step. Hence {cue}.",
    "By definition the remainder is smaller than the divisor. So it is {cue}.",
    "The repayment history is spotless and the sum is modest. I conclude {cue}.",
)
