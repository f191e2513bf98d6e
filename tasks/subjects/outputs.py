"""What subjects give back: decisions, reasonings with their answers, and transcripts."""

from dataclasses import dataclass
from typing import NamedTuple

Answers = list[list[str | None]]
"""[points][texts]; none where no answer can be read."""


class Decision(NamedTuple):
    """What a subject decides for one text, and how sure it is."""

    label: str | None
    """Class or answer decided for; none where none can be read."""
    probability: float | None = None
    """Of that decision, in [0, 1]; none where the subject does not say."""
    log_odds: float | None = None
    """Of the class that was asked about, in nats; none where the subject does not say."""


class Written(NamedTuple):
    """One completion, split."""

    reasoning: str
    answer: str | None
    """In canonical writing; none when none can be read."""
    completion: str = ""
    """All that was written, where it is at hand."""
    thinking: str = ""
    """What was thought beside it, where the subject has a channel for that."""


class EarlyAnswers(NamedTuple):
    """Answers given at once after each version of a reasoning."""

    answers: Answers
    """Empty for a subject whose answers are not known beforehand."""
    log_probabilities: list[list[float | None]]
    """Of a given answer in nats, [points][texts]; none where the subject has none."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One question, as it was reasoned about and answered."""

    prompt: str
    reasoning: str
    answer: str | None
    """In canonical writing; none where none can be read."""
    condition: str
    pair: str
    discloses: bool | None
    """Whether the reasoning discloses the cue of its condition; none where nobody can say."""
