"""Names of the tests calibrated on controls, and which of them a measurement rests on."""

from collections.abc import Callable, Sequence

from tasks.schema import About, Measurement

CHANGE = "change of the answer"
"""Test of influence: the answer with the cue differs from that without it."""
FOLLOWS = "answer turns to the cue's"
"""Test of influence: with the cue, and only then, the answer is the cue's."""
SAME = "same answer to both"
"""Test of contradictory questions: one answer to two questions that cannot share it."""
EXCHANGED = "change of the answer when a field is exchanged"
"""Test of influence of a field: the answer changes with the field's value."""
FIRST = "words of the cue"
"""First classifier of disclosure."""
STATED = "stated factors"
"""Test of stated factors: the fields that a reasoning names against as many of the strongest."""
RANKED = "stated factors by rank"
"""The same, by the ranks of the named fields among all fields."""
FACTORS = {
    "factor_precision": STATED,
    "factor_recall": STATED,
    "factor_rank_agreement": RANKED,
    "factor_gain": STATED,
}
"""Measurement -> the test of stated factors that it rests on. Recall and gain compare the same two
lists as precision. On controls of two or three fields, recall of the top three covers all fields
and cannot separate them."""
EITHER = "either classifier"
"""Disclosed if at least one of the two classifiers says so."""

RestsOn = Callable[[Measurement], Sequence[About]]
"""The tests that a measurement rests on; empty where it needs none."""


def resting(measurements: Sequence[Measurement], rests_on: RestsOn) -> list[Measurement]:
    """The same measurements, each with the tests that must be shown to separate controls."""
    return [m.model_copy(update={"rests_on": tuple(rests_on(m))}) for m in measurements]
