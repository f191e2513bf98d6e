"""A subject whose reasonings and answers a test writes down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tasks.data.dataset import Row
from tasks.data.text_units import Span, words_of
from tasks.definition import AnswerForm
from tasks.subjects.outputs import Answers, Decision, EarlyAnswers, Written


@dataclass(frozen=True)
class Scripted:
    """It writes what `writes` says of a text, and answers what `answers` says of a reasoning."""

    writes: Callable[[str], Written] = lambda _: Written("", None)
    answers: Callable[[str, str], str | None] = lambda _, __: None
    name: str = "scripted"
    labels: tuple[str, ...] = ()
    form: AnswerForm = field(default_factory=AnswerForm)

    def decide(self, rows: Sequence[Row]) -> list[Decision]:
        return self.decide_on([row.text for row in rows])

    def decide_on(self, texts: Sequence[str], odds_of: str | None = None) -> list[Decision]:
        return [Decision(one.answer) for one in self.write(texts)]

    def write(self, texts: Sequence[str]) -> list[Written]:
        return [self.writes(text) for text in texts]

    def answer_after(self, texts: Sequence[str], reasonings: Sequence[str]) -> list[str | None]:
        return list(map(self.answers, texts, reasonings))

    def early_answers(
        self, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
    ) -> Answers:
        return [self.answer_after(texts, cut) for cut in cuts]

    resumed_answers = early_answers

    def early_likelihoods(
        self,
        texts: Sequence[str],
        reasonings: Sequence[str],
        cuts: Sequence[Sequence[str]],
        answers: Sequence[str | None],
    ) -> EarlyAnswers:
        return EarlyAnswers([], [[None] * len(texts) for _ in cuts])

    def spans(self, text: str) -> list[Span]:
        return words_of(text)
