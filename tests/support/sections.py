"""Sections of reports from a few measurements written by hand."""

from tasks.checks.contradiction import evidence as contradiction
from tasks.checks.cue import evidence as cue
from tasks.checks.instruments.names import resting
from tasks.checks.reasoning import evidence as reasoning
from tasks.checks.sections import section_of
from tasks.definition.checks.reasoning import ReasoningCheck
from tasks.report.blocks import Sentence
from tasks.schema import About, Evidence, Measurement


def m(name, value, n=50, **about):
    """A measurement with an interval of 0.05 to either side."""
    low, high = max(-1.0, value - 0.05), min(1.0, value + 0.05)
    return Measurement.of(name, (value, low, high), n, "by hand", About(**about))


RESTS_ON = {
    "contradiction": contradiction.rests_on,
    "cue": cue.rests_on,
    "reasoning": reasoning.rests_on,
}


def shown(*measurements, check=None, **more):
    """The blocks of a check of the reasoning, unless another is given.

    Its measurements rest on what those of an audit do.
    """
    check = check or ReasoningCheck(shares=(0.0, 0.5, 1.0))
    found = Evidence(
        check=check, subject="s", measurements=resting(measurements, RESTS_ON[check.kind]), **more
    )
    return section_of(found)


def sentences(found):
    """What stands in sentences, tables and figures left out."""
    return " ".join(b.text for b in found if isinstance(b, Sentence))
