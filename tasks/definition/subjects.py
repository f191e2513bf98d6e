"""The subjects of an audit: local weights, endpoints, transcripts and recorded decisions."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue, model_validator

from tasks.definition.access import Access
from tasks.definition.endpoints import AskedModel
from tasks.definition.record import Record

HOW_REACHED = frozenset(
    {"path", "revision", "timeout", "retries", "concurrency", "budget", "key_env"}
)
"""Keys of a subject that no number depends on: its location, timeouts and retries."""


class AnswerForm(Record):
    """How an answer is read from a completion; one that cannot be read for certain is no answer."""

    form: Literal["choice", "number", "yes-no", "label"] = "choice"
    """One of `choices`; a number (`1,234.50` is 1234.5); yes or no; or a free label."""
    prefix: str = ""
    """What introduces the answer, such as `Decision:`; without it the choice or number that stands
    last is taken."""
    choices: tuple[str, ...] = ()
    """The answers that form `choice` knows."""

    @model_validator(mode="after")
    def choices_belong_to_their_form(self) -> Self:
        """Choices beside another form would be ignored silently."""
        if self.choices and self.form != "choice":
            raise ValueError(f"answer.choices stand beside form {self.form}; they need form choice")
        folded = [choice.strip().casefold() for choice in self.choices]
        if "" in folded or len(set(folded)) < len(folded):
            raise ValueError(f"answer.choices must differ and not be empty: {list(self.choices)}")
        return self

    @property
    def declared(self) -> bool:
        """Whether an answer can be read: form `choice` needs choices."""
        return self.form != "choice" or bool(self.choices)

    @property
    def known(self) -> tuple[str, ...]:
        """The answers that exist, where they are known beforehand."""
        return ("yes", "no") if self.form == "yes-no" else self.choices


class Declared(Record):
    """What every kind of subject declares of itself; no other code asks for its kind."""

    reader: ClassVar[str]
    """`module:NAME` of the reader of this kind; imported when first needed."""
    hub_task: ClassVar[Literal["text-classification", "text-generation"]] = "text-classification"
    """The hub's name of its task, as model cards state it."""
    own_words: ClassVar[bool] = False
    """Whether controls are asked in their own words, not in the definition's prompt."""
    by_first_token: ClassVar[bool] = False
    """Whether its known answers are scored by their first token, which must then differ."""

    @property
    def lacks(self) -> frozenset[Access]:
        """Access that its kind offers but this subject does not."""
        return frozenset()

    @property
    def answer_form(self) -> AnswerForm | None:
        """How answers are read from what it writes; none where it writes nothing."""
        return None

    @property
    def known_answers(self) -> tuple[str, ...]:
        """The answers that exist, where they are known beforehand."""
        return self.answer_form.known if self.answer_form is not None else ()

    @property
    def longest_reasoning(self) -> int | None:
        """Tokens that it may write about a text; none where nothing is written anew."""
        return None

    @property
    def data_columns(self) -> tuple[str, ...]:
        """Columns of the data that hold its decisions; empty where it decides by itself."""
        return ()

    @property
    def has_paired_conditions(self) -> bool:
        """Whether the same question is available with and without a cue."""
        return True

    @property
    def asked(self) -> AskedModel | None:
        """The endpoint behind which it is asked, if it is."""
        return None

    def answering(self, answer: AnswerForm) -> Self:
        """The same subject, asked for other answers.

        Raises:
            TypeError: it cannot be asked anything new.
        """
        raise TypeError(f"{type(self).__name__} cannot be asked for {answer.form} answers")

    def with_weights(self, folder: str) -> Self | None:
        """The same subject with the weights of a folder; none for one without weights."""
        return None


class LocalModel(Declared):
    """Source of the weights: a local folder, or a hub repository at one commit."""

    path: str
    """Folder (relative to the definition) or Hugging Face repository id."""
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    """Commit hash, required for a hub repository; never a branch, which moves."""
    too_long: Literal["truncate", "window", "reject"] = "truncate"
    """Texts beyond the model's window: cut, read in overlapping windows, or refuse the audit."""
    batch: int = Field(default=32, ge=1)
    """Texts per forward pass."""

    def with_weights(self, folder: str) -> Self:
        """The same subject with the weights of a folder."""
        return self.model_copy(update={"path": folder, "revision": None})


class Answering(Declared):
    """What subjects that write have in common."""

    hub_task: ClassVar[Literal["text-classification", "text-generation"]] = "text-generation"

    answer: AnswerForm = AnswerForm()
    """How the answer is read from what is written."""

    @property
    def answer_form(self) -> AnswerForm:
        """How the answer is read from what is written."""
        return self.answer

    @property
    def answer_prefix(self) -> str:
        """What introduces the answer."""
        return self.answer.prefix

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers that exist, where they are known beforehand."""
        return self.answer.known

    @property
    def answers(self) -> bool:
        """Whether an answer can be read at all."""
        return self.answer.declared


class Prompting(Answering):
    """What subjects that are given a prompt have in common."""

    prompt: str = "{text}"
    """What the model is given; `{text}` stands for the text of a row."""

    def answering(self, answer: AnswerForm) -> Self:
        """The same subject, asked for other answers."""
        bare = {"prompt": "{text}"} if self.own_words else {}
        return self.model_copy(update={"answer": answer, **bare})

    @model_validator(mode="after")
    def prompt_holds_the_text(self) -> Self:
        """A prompt without the text would ask the same question of every row."""
        if self.prompt.count("{text}") != 1:
            raise ValueError(f"prompt must contain {{text}} once, got {self.prompt!r}")
        return self

    @model_validator(mode="after")
    def a_label_can_be_found(self) -> Self:
        """A free label can only be recognised by its prefix."""
        if self.answer.form == "label" and not self.answer.prefix:
            raise ValueError("answer.form label needs answer.prefix: what introduces the label")
        return self


class ClassifierSubject(LocalModel):
    """A transformer with a sequence-classification head."""

    reader: ClassVar[str] = "tasks.subjects.local.reader:CLASSIFIER"
    kind: Literal["sequence-classification"] = "sequence-classification"


class CausalSubject(LocalModel, Prompting):
    """A transformer that writes text."""

    reader: ClassVar[str] = "tasks.subjects.local.reader:DECODER"
    by_first_token: ClassVar[bool] = True
    kind: Literal["causal-lm"] = "causal-lm"
    too_long: Literal["truncate", "reject"] = "truncate"
    """Texts beyond the model's window: cut at the start, or refuse the audit."""
    answer: AnswerForm = AnswerForm()
    """How the answer is read; without choices or another form the subject predicts tokens."""
    max_new_tokens: int = Field(default=128, ge=1)
    """Longest completion, in tokens."""

    @property
    def lacks(self) -> frozenset[Access]:
        """Without choices or another form there is no answer to read."""
        return frozenset() if self.answers else frozenset({"decisions", "answers"})

    @property
    def longest_reasoning(self) -> int:
        """Tokens that it may write about a text."""
        return self.max_new_tokens

    @model_validator(mode="before")
    @classmethod
    def earlier_spelling(cls, given: Any) -> Any:
        """Reports of version 0.1 hold `answer_prefix` and `choices` as separate keys."""
        if not isinstance(given, dict) or not {"answer_prefix", "choices"} & given.keys():
            return given
        if "answer" in given:
            raise ValueError("answer_prefix and choices are part of answer: {prefix, choices}")
        rest = {k: v for k, v in given.items() if k not in {"answer_prefix", "choices"}}
        answer = {"prefix": given.get("answer_prefix", ""), "choices": given.get("choices", ())}
        return {**rest, "answer": answer}


def _going_on() -> dict[str, JsonValue]:
    return {"continue_final_message": True, "add_generation_prompt": False}


class OpenAISubject(AskedModel, Prompting):
    """A model behind an OpenAI-compatible endpoint; only its answers are known."""

    reader: ClassVar[str] = "tasks.subjects.endpoint.reader:ENDPOINT"
    own_words: ClassVar[bool] = True
    kind: Literal["openai"] = "openai"
    base_url: str
    """Address of the endpoint, such as `http://localhost:8000/v1`."""
    system: str | None = None
    """System message, if there is one."""
    reasoning_from: Literal["text", "thinking"] = "text"
    """What counts as the reasoning: the text before the answer, or the thinking channel
    (`reasoning_content`, `reasoning`, or <think> tags)."""
    forcing: Literal["prefill", "ask"] = "ask"
    """How the subject is made to answer after a given reasoning. `prefill`: its own message begins
    with the reasoning and the answer's prefix, and it goes on; the endpoint must support that.
    `ask`: the reasoning is its message, and a further message asks for the answer; works
    everywhere, but the model may reason anew, and the question is another one."""
    prefill_parameters: dict[str, JsonValue] = Field(default_factory=_going_on)
    """Also sent where an answer is prefilled; vLLM and SGLang need it."""

    @model_validator(mode="after")
    def a_prefix_to_go_on_from(self) -> Self:
        """Without a prefix the model would go on reasoning instead of answering."""
        if self.forcing == "prefill" and not self.answer.prefix:
            raise ValueError("forcing prefill needs answer.prefix: what introduces the answer")
        return self

    @model_validator(mode="after")
    def an_answer_is_declared(self) -> Self:
        """An endpoint gives text; without a form no answer can be read from it."""
        if not self.answers:
            raise ValueError("answer: declare choices, or form number, yes-no or label")
        for name in sorted(self.own_keys & self.prefill_parameters.keys()):
            raise ValueError(f"parameters: {name!r} is set by the audit itself")
        return self

    @property
    def longest_reasoning(self) -> int:
        """Tokens that it may write about a text."""
        return self.max_tokens

    @property
    def asked(self) -> AskedModel:
        """The endpoint behind which it is asked."""
        return self

    @property
    def identity(self) -> dict[str, JsonValue]:
        """All that identifies the subject: address, model name and parameters."""
        names = {"base_url", "model", "system", "max_tokens", "limit_key", "parameters"}
        return self.model_dump(mode="json", include=names)


class TranscriptColumns(Record):
    """Which column of a table of transcripts holds what."""

    prompt: str = "prompt"
    """Column with the prompt; the texts of the data are looked up in it."""
    answer: str = "answer"
    """Column with the answer itself, or with a text that it is read from."""
    reasoning: str | None = "reasoning"
    """Column with the reasoning; null where it is in the answer's column."""
    condition: str | None = None
    """Column with the condition under which it was asked."""
    pair: str | None = None
    """Column whose value the same question shares across conditions."""
    discloses: str | None = None
    """Column with an annotation whether the reasoning discloses the cue: true or false, yes or no,
    1 or 0; empty where there is none."""


class TranscriptsSubject(Answering):
    """A model that is not available: its prompts, reasonings and answers are on record."""

    reader: ClassVar[str] = "tasks.subjects.transcripts:TRANSCRIPTS"
    kind: Literal["transcripts"] = "transcripts"
    path: str
    """CSV, TSV, JSONL or Parquet file, relative to the definition."""
    columns: TranscriptColumns = TranscriptColumns()
    plain: str = "plain"
    """The condition without a cue; every other one is a cue."""
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Condition -> words by which a reasoning discloses its cue, where no column says so."""

    @model_validator(mode="after")
    def conditions_come_in_pairs(self) -> Self:
        """Conditions cannot be compared unless it is known which questions are the same."""
        if not self.answers:
            raise ValueError("answer: declare choices, or form number, yes-no or label")
        if (self.columns.condition is None) != (self.columns.pair is None):
            raise ValueError("columns.condition and columns.pair belong together")
        return self

    @property
    def has_paired_conditions(self) -> bool:
        """Whether the same question is on record with and without a cue."""
        return self.columns.condition is not None


class PredictionsSubject(Declared):
    """No model: decisions that are recorded in a column of the data."""

    reader: ClassVar[str] = "tasks.subjects.predictions:PREDICTIONS"
    kind: Literal["predictions"] = "predictions"
    prediction: str
    """Column with the decision."""
    probability: str | None = None
    """Column with the probability of that decision, if there is one."""

    @property
    def data_columns(self) -> tuple[str, ...]:
        """Columns of the data that hold its decisions."""
        return tuple(c for c in (self.prediction, self.probability) if c is not None)


SubjectSpec = Annotated[
    ClassifierSubject | CausalSubject | OpenAISubject | TranscriptsSubject | PredictionsSubject,
    Field(discriminator="kind"),
]
