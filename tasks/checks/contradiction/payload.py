"""Payloads of the rounds of contradictory questions."""

from tasks.definition.record import Record
from tasks.run.payload import Payload


class AnsweredQuestion(Record):
    """One question and what the subject writes about it."""

    id: str
    text: str
    answer: str | None
    """None where no answer can be read."""
    reasoning: str


class AnsweredQuestions(Payload):
    """The questions of a shard, those of a pair next to each other."""

    questions: tuple[AnsweredQuestion, ...]
