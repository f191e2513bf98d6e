"""What the tests that are tried on controls are called, and which of them a number rests on."""

from collections.abc import Callable, Sequence

from tasks.schema import About, Measurement

CHANGE = "change of the answer"
"""Test of influence: the answer is another one with the cue than without."""
FOLLOWS = "answer turns to the cue's"
"""Test of influence: with the cue, and not without, the answer is the one it speaks for."""
SAME = "same answer to both"
"""Test of contradictory questions: one answer to two questions that cannot share it."""
EXCHANGED = "change of the answer when a field is exchanged"
"""Test of influence of a field: the answer is another one when its value is."""
FIRST = "words of the cue"
"""First classifier of disclosure."""
STATED = "stated factors"
"""Test of stated factors: the fields that a reasoning names against as many strongest."""
RANKED = "stated factors by rank"
"""The same, by where the named fields stand in the order of all fields."""
FACTORS = {
    "factor_precision": STATED,
    "factor_recall": STATED,
    "factor_rank_agreement": RANKED,
    "factor_gain": STATED,
}
"""Measurement -> the test of stated factors that it rests on. Recall and gain compare the same two
lists as precision does; controls of two or three fields leave a recall of three nothing to miss."""
EITHER = "either classifier"
"""Disclosed as soon as one of the two classifiers says so."""

RestsOn = Callable[[Measurement], Sequence[About]]
"""What the tests are about that a measurement comes from; empty for one that needs none."""


def resting(measurements: Sequence[Measurement], rests_on: RestsOn) -> list[Measurement]:
    """The same measurements, each with the tests that must be shown to tell controls apart."""
    return [m.model_copy(update={"rests_on": tuple(rests_on(m))}) for m in measurements]
