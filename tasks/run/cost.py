"""Upper bounds on calls to endpoints and their tokens, before anything is sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tasks.definition import AnswerForm, SubjectSpec
from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.second_model import SecondModel
from tasks.run.plan import Plan
from tasks.subjects.load import reader_of
from tasks.subjects.reader import Price

RETOLD = 8
"""Most tokens of a second model for one token of a reasoning: one per byte, quoted as JSON."""


@dataclass(frozen=True)
class Calls:
    """Most calls and tokens of one step."""

    step: str
    subject: str
    """Who is asked: a subject, or another model by its name at the endpoint."""
    calls: int
    """Questions that need an answer; a failed attempt is repeated up to `attempts` times in all."""
    exact: bool
    """Whether the number is known; else it is an upper bound."""
    tokens: int | None
    """Upper bound, read and written; a reasoning that is given back counts with its longest length.
    None if there is no bound."""
    attempts: int

    def words(self) -> str:
        """One line for a reader."""
        line = f"{self.calls} calls" if self.exact else f"at most {self.calls} calls"
        if self.attempts > 1 and self.calls:
            line += f" ({self.calls * self.attempts} if every one needs every retry)"
        return line if self.tokens is None else f"{line}, at most {self.tokens} tokens"


@dataclass
class Asking:
    """A subject that is asked over a network, and the texts it has been asked about."""

    plan: Plan
    name: str
    spec: SubjectSpec
    price: Price
    attempts: int
    texts: set[str] = field(default_factory=set)

    def answering(self, answer: AnswerForm) -> "Asking":
        """The same subject, asked for other answers, with no text asked about yet."""
        spec = self.spec.answering(answer)
        price = reader_of(spec).price(spec) or self.price
        return replace(self, spec=spec, price=price, texts=set())

    def write(self, texts: Sequence[str]) -> tuple[int, int]:
        """Calls and tokens for those of the texts that are new."""
        new = set(texts) - self.texts
        self.texts |= new
        return len(new), sum(self.cost(text) for text in new)

    def unknown(self, number: int) -> tuple[int, int]:
        """Calls and tokens for a number of texts of the data, whichever they are."""
        new = [text for text in self.plan.data.texts if text not in self.texts]
        costs = sorted((self.cost(text) for text in new), reverse=True)[:number]
        return len(costs), sum(costs)

    def forced(self, texts: Sequence[str], times: int) -> tuple[int, int]:
        """Calls and tokens for answers after a number of given reasonings each."""
        return times * len(texts), times * sum(map(self.price.of_answer_after, texts))

    def longest(self, number: int) -> list[str]:
        """The longest texts of the data, as an upper bound for any."""
        return sorted(self.plan.data.texts, key=lambda t: -len(t.encode()))[:number]

    def cost(self, text: str) -> int:
        """Tokens that reasoning and answering about a text can cost."""
        return self.price.of_writing(text)


def cases_beside(plan: Plan, check: BaseCheck) -> int:
    """Texts that may be shown as cases beside the sample."""
    return min(plan.spec.cases, len(plan.data.rows) - len(plan.rows_of(check)))


def longest_reasoning(plan: Plan, check: BaseCheck) -> int:
    """Tokens that a subject may write."""
    longest = plan.spec.subjects[plan.spec.subject_of(check)].longest_reasoning
    if longest is None:
        raise TypeError(f"check {check.kind}: its subject does not write")
    return longest


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
        attempts=asked.attempts,
    )


def asking(plan: Plan, name: str) -> Asking | None:
    """A subject and what asking it costs; none for one that is not asked over a network."""
    spec = plan.spec.subjects[name]
    price = reader_of(spec).price(spec)
    if price is None or spec.asked is None:
        return None
    return Asking(plan, name, spec, price, spec.asked.retries + 1)
