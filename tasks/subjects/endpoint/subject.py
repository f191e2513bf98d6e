"""A subject behind an endpoint: conversations in, replies out, each paid for once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from tasks.data.dataset import Row
from tasks.data.once import once
from tasks.data.text_units import Span, words_of
from tasks.definition import AnswerForm, Budget, OpenAISubject
from tasks.subjects.endpoint.api_key import key_in
from tasks.subjects.endpoint.asker import Asker
from tasks.subjects.endpoint.kept_answers import KeptAnswers
from tasks.subjects.endpoint.messages import Messages, answer_now, longest_answer_now, question
from tasks.subjects.endpoint.meter import Meter
from tasks.subjects.endpoint.replies import check_channels, read_answer_after, read_reasoned
from tasks.subjects.endpoint.reply import Reply
from tasks.subjects.outputs import Answers, Decision, EarlyAnswers, Written
from tasks.subjects.reference import SubjectRef, spec_as


@dataclass(frozen=True, kw_only=True)
class EndpointSubject(Asker):
    """A model that can only be asked; its weights are unknown."""

    ref: SubjectRef
    spec: OpenAISubject

    @property
    def name(self) -> str:
        """As the definition calls it."""
        return self.ref.name

    @property
    def who(self) -> str:
        """By the name that the definition gives it."""
        return f"subject {self.ref.name}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The answers that exist, where they are known beforehand."""
        return self.spec.choices

    @property
    def form(self) -> AnswerForm:
        """How its answers are read."""
        return self.spec.answer

    def decide(self, rows: Sequence[Row]) -> list[Decision]:
        """Its answer to every row after its own reasoning."""
        return self.decide_on([row.text for row in rows])

    def decide_on(self, texts: Sequence[str], odds_of: str | None = None) -> list[Decision]:
        """Its answer to every text after its own reasoning; it gives no log-odds."""
        return [Decision(written.answer) for written in self.write(texts)]

    def write(self, texts: Sequence[str]) -> list[Written]:
        """Reasoning and answer for every text.

        Raises:
            SubjectError: no reply came, or none has the reasoning channel that the definition
                names.
        """
        replies = self.ask([question(self.spec, text) for text in texts])
        written = [read_reasoned(self.spec, reply) for reply in replies]
        check_channels(self.name, self.spec, written)
        return written

    def answer_after(self, texts: Sequence[str], reasonings: Sequence[str]) -> list[str | None]:
        """The answer after a given reasoning: prefilled or asked for, as the definition says."""
        spec = self.spec
        pairs = zip(texts, reasonings, strict=True)
        replies = self.ask(
            [answer_now(spec, text, reasoning) for text, reasoning in pairs],
            max_tokens=longest_answer_now(spec),
            **(spec.prefill_parameters if spec.forcing == "prefill" else {}),
        )
        return [read_answer_after(spec, reply) for reply in replies]

    def early_answers(
        self, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
    ) -> Answers:
        """Answers given at once after each version of the reasoning, [points][texts]."""
        return [self.answer_after(texts, cut) for cut in cuts]

    def early_likelihoods(
        self,
        texts: Sequence[str],
        reasonings: Sequence[str],
        cuts: Sequence[Sequence[str]],
        answers: Sequence[str | None],
    ) -> EarlyAnswers:
        """Nothing: an endpoint gives no log-probability of an answer that is given to it."""
        return EarlyAnswers([], [[None] * len(texts) for _ in cuts])

    def resumed_answers(
        self, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
    ) -> Answers:
        """Answers given at once: it cannot be made to go on from the middle of a reasoning."""
        return self.early_answers(texts, reasonings, cuts)

    def spans(self, text: str) -> list[Span]:
        """Spans of words: its tokens are not known."""
        return words_of(text)

    def ask(
        self,
        conversations: Sequence[Messages],
        *,
        max_tokens: int | None = None,
        **parameters: JsonValue,
    ) -> list[Reply]:
        """The reply to every conversation; one with a stored answer is not sent again.

        Args:
            conversations: messages, oldest first.
            max_tokens: longest reply, where it is less than the definition's.
            parameters: sent beside those of the definition.

        Raises:
            SubjectError: the budget is used up, or the endpoint gives no answer; answers until
                then are stored.
        """
        requests = [self.request(c, max_tokens, **parameters) for c in conversations]
        answered = self.replies(requests, all_or_none=True)
        return [reply for reply in answered if reply is not None]


def load_endpoint(ref: SubjectRef) -> EndpointSubject:
    """The subject of a reference; all copies share one budget and one set of stored answers.

    Raises:
        SpecError: the environment holds no key under the name that the definition gives.
    """
    spec = spec_as(ref.spec, OpenAISubject)
    meter, answers = accounts(ref.name, ref.sha256, ref.folder, spec.budget.model_dump_json())
    key = key_in(spec.key_env, f"subject {ref.name}")
    return EndpointSubject(ref=ref, spec=spec, key=key, meter=meter, kept=answers)


@once(maxsize=8)
def accounts(_name: str, _sha256: str, folder: str, budget: str) -> tuple[Meter, KeptAnswers]:
    """One per process and subject; prompt and answers, which controls replace, do not count."""
    meter = Meter(Budget.model_validate_json(budget))
    return meter, KeptAnswers(Path(folder) if folder else None)
