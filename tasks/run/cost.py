"""What endpoints are asked at most, and what that costs, before anything is sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.definition import CausalSubject, OpenAISubject
from tasks.definition.checks import BaseCheck, SecondModel
from tasks.run.plan import Plan
from tasks.subjects.endpoint.messages import (
    answer_now,
    longest_answer_now,
    question,
    tokens_at_most,
)

RETOLD = 8
"""Tokens that a token of a reasoning may be for a second model: one per byte, quoted as JSON."""


@dataclass(frozen=True)
class Calls:
    """What one step asks at most."""

    step: str
    subject: str
    """Who is asked: a subject, or another model by its name at the endpoint."""
    calls: int
    """Questions that need an answer; a failed attempt is repeated up to `attempts` times in all."""
    exact: bool
    """Whether the number is known; else it is an upper bound."""
    tokens: int | None
    """Upper bound, read and written; a reasoning given back counts with its longest length. None
    where nothing bounds it."""
    attempts: int

    def words(self) -> str:
        """One line for a reader."""
        told = f"{self.calls} calls" if self.exact else f"at most {self.calls} calls"
        if self.attempts > 1 and self.calls:
            told += f" ({self.calls * self.attempts} if every one needs every retry)"
        return told if self.tokens is None else f"{told}, at most {self.tokens} tokens"


@dataclass
class Asking:
    """A subject behind an endpoint and the texts it was asked already."""

    plan: Plan
    name: str
    spec: OpenAISubject
    texts: set[str] = field(default_factory=set)

    def write(self, texts: Sequence[str]) -> tuple[int, int]:
        """Calls and tokens for those of the texts that are new."""
        new = set(texts) - self.texts
        self.texts |= new
        return len(new), sum(self.cost(text) for text in new)

    def unknown(self, number: int) -> tuple[int, int]:
        """Calls and tokens for so many texts of the data, whichever they are."""
        new = [text for text in self.plan.data.texts if text not in self.texts]
        costs = sorted((self.cost(text) for text in new), reverse=True)[:number]
        return len(costs), sum(costs)

    def forced(self, texts: Sequence[str], times: int) -> tuple[int, int]:
        """Calls and tokens for answers after so many given reasonings each."""
        longest = longest_answer_now(self.spec) + self.spec.max_tokens
        costs = (tokens_at_most(answer_now(self.spec, t, "."), longest) for t in texts)
        return times * len(texts), times * sum(costs)

    def longest(self, number: int) -> list[str]:
        """The longest texts of the data, standing in for any."""
        return sorted(self.plan.data.texts, key=lambda t: -len(t.encode()))[:number]

    def cost(self, text: str) -> int:
        """Tokens that reasoning and answering about a text can cost."""
        return tokens_at_most(question(self.spec, text), self.spec.max_tokens)


def cases_beside(plan: Plan, check: BaseCheck) -> int:
    """Texts that may be shown beside those that are sampled."""
    return min(plan.spec.cases, len(plan.data.rows) - len(plan.rows_of(check)))


def longest_reasoning(plan: Plan, check: BaseCheck) -> int:
    """Tokens that a subject may write."""
    spec = plan.spec.subjects[plan.spec.subject_of(check)]
    match spec:
        case CausalSubject():
            return spec.max_new_tokens
        case OpenAISubject():
            return spec.max_tokens
        case _:
            raise TypeError(f"check {check.kind}: its subject does not write")


def helping(step: str, settings: SecondModel, number: int, tokens: int) -> Calls:
    """A step in which a second model helps."""
    return Calls(
        step=step,
        subject=settings.model,
        calls=number,
        exact=False,
        tokens=tokens,
        attempts=settings.retries + 1,
    )


def step_of(
    step: str, asked: Asking, parts: Sequence[tuple[int, int]], *, exact: bool = True
) -> Calls:
    """A step that asks a subject, of the calls and tokens of its parts."""
    return Calls(
        step=step,
        subject=asked.name,
        calls=sum(number for number, _ in parts),
        exact=exact,
        tokens=sum(tokens for _, tokens in parts),
        attempts=asked.spec.retries + 1,
    )
