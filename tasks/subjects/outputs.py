"""Outputs of subjects: decisions, reasonings with their answers, and transcripts."""

from dataclasses import dataclass
from typing import NamedTuple

Answers = list[list[str | None]]
"""[points][texts]; none where no answer can be read."""


class Decision(NamedTuple):
    """A subject's decision on one text, and its probability."""

    label: str | None
    """Class or answer decided for; none where none can be read."""
    probability: float | None = None
    """Of that decision, in [0, 1]; none if the subject gives none."""
    log_odds: float | None = None
    """Of the class that was asked about, in nats; none if the subject gives none."""


class Written(NamedTuple):
    """One completion, split."""

    reasoning: str
    answer: str | None
    """In canonical writing; none when none can be read."""
    completion: str = ""
    """The whole completion, if available."""
    thinking: str = ""
    """The thinking channel, if the subject has one."""


class EarlyAnswers(NamedTuple):
    """Answers given at once after each version of a reasoning."""

    answers: Answers
    """Empty for a subject whose answers are not known beforehand."""
    log_probabilities: list[list[float | None]]
    """Of a given answer in nats, [points][texts]; none where the subject has none."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One question with its reasoning and answer."""

    prompt: str
    reasoning: str
    answer: str | None
    """In canonical writing; none where none can be read."""
    condition: str
    pair: str
    discloses: bool | None
    """Whether the reasoning discloses the cue of its condition; none if unknown."""
