"""The audit definition: what is audited, on which data, by which checks, against which gates.

Importing this module costs pydantic and yaml and nothing more, so that `assay check` answers
before a model library is loaded.
"""

import re
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from tasks.checks import (
    Check,
    CounterfactualCheck,
    CueCheck,
    FairnessCheck,
    LocalLaw144,
    ProbingCheck,
)
from tasks.complaint import first_problem
from tasks.errors import SpecError
from tasks.record import Name, Record
from tasks.vocabulary import MEASURES

CROSS = " x "
"""Stands between two attributes, and between their groups, where they are crossed."""

HOW_REACHED = frozenset(
    {"path", "revision", "timeout", "retries", "concurrency", "budget", "key_env"}
)
"""Keys of a subject that no number depends on: where it is, and how patiently it is asked."""

# --- subjects -----------------------------------------------------------------------------


class LocalModel(Record):
    """Where weights come from: a local folder, or a hub repository at one commit."""

    path: str
    """Folder (relative to the definition) or Hugging Face repository id."""
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    """Commit hash, required for a hub repository; never a branch, which moves."""
    too_long: Literal["truncate", "window", "reject"] = "truncate"
    """Texts beyond the model's window: cut, read in overlapping windows, or refuse the audit."""
    batch: int = Field(default=32, ge=1)
    """Texts per forward pass."""


class AnswerForm(Record):
    """How an answer is read from what is written; what cannot be read for certain is none."""

    form: Literal["choice", "number", "yes-no", "label"] = "choice"
    """One of `choices`; a number (`1,234.50` is 1234.5); yes or no; or a free label."""
    prefix: str = ""
    """What introduces the answer, such as `Decision:`; without it the choice or number that stands
    last is taken."""
    choices: tuple[str, ...] = ()
    """The answers that form `choice` knows."""

    @model_validator(mode="after")
    def choices_belong_to_their_form(self) -> Self:
        """Choices beside another form would be passed over in silence."""
        if self.choices and self.form != "choice":
            raise ValueError(f"answer.choices stand beside form {self.form}; they need form choice")
        folded = [choice.strip().casefold() for choice in self.choices]
        if "" in folded or len(set(folded)) < len(folded):
            raise ValueError(f"answer.choices must differ and not be empty: {list(self.choices)}")
        return self

    @property
    def declared(self) -> bool:
        """Whether an answer can be read at all: form choice needs choices."""
        return self.form != "choice" or bool(self.choices)

    @property
    def known(self) -> tuple[str, ...]:
        """The answers that exist, where they are known beforehand."""
        return ("yes", "no") if self.form == "yes-no" else self.choices


class Answering(Record):
    """What subjects that write have in common."""

    answer: AnswerForm = AnswerForm()
    """How the answer is read from what is written."""

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

    @model_validator(mode="after")
    def prompt_holds_the_text(self) -> Self:
        """A prompt without the text would ask the same question of every row."""
        if self.prompt.count("{text}") != 1:
            raise ValueError(f"prompt must contain {{text}} once, got {self.prompt!r}")
        return self

    @model_validator(mode="after")
    def a_label_can_be_found(self) -> Self:
        """A free label is only known by what stands before it."""
        if self.answer.form == "label" and not self.answer.prefix:
            raise ValueError("answer.form label needs answer.prefix: what introduces the label")
        return self


class ClassifierSubject(LocalModel):
    """A transformer with a sequence-classification head."""

    kind: Literal["sequence-classification"] = "sequence-classification"


class CausalSubject(LocalModel, Prompting):
    """A transformer that writes text."""

    kind: Literal["causal-lm"] = "causal-lm"
    too_long: Literal["truncate", "reject"] = "truncate"
    """Texts beyond the model's window: cut at the start, or refuse the audit."""
    answer: AnswerForm = AnswerForm()
    """How the answer is read; without choices or another form the subject predicts tokens."""
    max_new_tokens: int = Field(default=128, ge=1)
    """Longest completion, in tokens."""

    @model_validator(mode="before")
    @classmethod
    def earlier_spelling(cls, given: Any) -> Any:
        """Reports of 0.1 hold `answer_prefix` and `choices` beside each other."""
        if not isinstance(given, dict) or not {"answer_prefix", "choices"} & given.keys():
            return given
        if "answer" in given:
            raise ValueError("answer_prefix and choices are part of answer: {prefix, choices}")
        rest = {k: v for k, v in given.items() if k not in {"answer_prefix", "choices"}}
        answer = {"prefix": given.get("answer_prefix", ""), "choices": given.get("choices", ())}
        return {**rest, "answer": answer}


class EndpointAddress(Record):
    """Where an OpenAI-compatible endpoint is, and how long it may take."""

    base_url: str | None = None
    """Address of the endpoint; the client's default when absent."""
    timeout: float = Field(default=30.0, gt=0)
    """Seconds per request."""
    retries: int = Field(default=2, ge=0)
    """Further attempts after a 429, a 5xx or a timeout."""
    concurrency: int = Field(default=4, ge=1)
    """Requests in flight at once."""

    @field_validator("base_url", mode="after")
    @classmethod
    def holds_no_secret(cls, url: str | None) -> str | None:
        """Definitions are printed into reports, so no part of an address may be a secret."""
        if url is None:
            return url
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("base_url must begin with http:// or https:// and name a host")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(
                "base_url must not hold a user name, a password or a query: definitions are "
                "printed in reports; the key belongs into the environment (key_env)"
            )
        return url


class Budget(Record):
    """What one run may spend at an endpoint; attempts that failed count as calls."""

    calls: int | None = Field(default=None, ge=0)
    """Requests at most."""
    tokens: int | None = Field(default=None, ge=0)
    """Tokens at most, read and written, as the endpoint counts them; where it does not count, and
    before an answer is there, one per byte of what is sent and `max_tokens` of what comes back."""


def _greedily() -> dict[str, JsonValue]:
    return {"temperature": 0}


def _going_on() -> dict[str, JsonValue]:
    return {"continue_final_message": True, "add_generation_prompt": False}


class OpenAISubject(EndpointAddress, Prompting):
    """A model behind an OpenAI-compatible endpoint: nothing of it is known but what it answers."""

    kind: Literal["openai"] = "openai"
    model: str = Field(min_length=1)
    """Model name at the endpoint."""
    base_url: str
    """Address of the endpoint, such as `http://localhost:8000/v1`."""
    key_env: str | None = "OPENAI_API_KEY"
    """Environment variable that holds the key; null for an endpoint that asks for none."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds per request."""
    retries: int = Field(default=4, ge=0)
    """Further attempts after a 429, a 5xx, a timeout or an answer that cannot be read."""
    budget: Budget = Budget()
    """What one run may spend."""
    system: str | None = None
    """System message, if there is one."""
    max_tokens: int = Field(default=512, ge=1)
    """Longest completion, in tokens."""
    limit_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the endpoint calls that limit."""
    parameters: dict[str, JsonValue] = Field(default_factory=_greedily)
    """Sent with every request as they stand; sampling without a seed of the endpoint's own does
    not repeat, except from the answers that were kept."""
    reasoning_from: Literal["text", "thinking"] = "text"
    """What counts as the reasoning: the text before the answer, or the thinking channel
    (`reasoning_content`, `reasoning`, or <think> tags)."""
    forcing: Literal["prefill", "ask"] = "ask"
    """How an answer is had after a given reasoning. `prefill`: the reasoning and the answer's
    prefix begin the model's own message, and it goes on; the endpoint must support that. `ask`:
    the reasoning stands as the model's message and a further message asks for the answer; works
    everywhere, but the model may reason anew and is asked something it was not asked before."""
    prefill_parameters: dict[str, JsonValue] = Field(default_factory=_going_on)
    """Sent as well where an answer is prefilled; what vLLM and SGLang need."""

    @model_validator(mode="after")
    def a_prefix_to_go_on_from(self) -> Self:
        """Without a prefix the model would go on reasoning instead of answering."""
        if self.forcing == "prefill" and not self.answer.prefix:
            raise ValueError("forcing prefill needs answer.prefix: what introduces the answer")
        return self

    @model_validator(mode="after")
    def an_answer_is_declared(self) -> Self:
        """An endpoint gives text; without a form there is nothing to read from it."""
        if not self.answers:
            raise ValueError("answer: declare choices, or form number, yes-no or label")
        own = {"model", "messages", "stream", "n", self.limit_key}
        for name in sorted(own & {*self.parameters, *self.prefill_parameters}):
            raise ValueError(f"parameters: {name!r} is set by the audit itself")
        return self

    @property
    def identity(self) -> dict[str, JsonValue]:
        """What is known of the subject: where it is asked, by what name, with what parameters."""
        names = {"base_url", "model", "system", "max_tokens", "limit_key", "parameters"}
        return self.model_dump(mode="json", include=names)


class TranscriptColumns(Record):
    """Which column of a table of transcripts holds what."""

    prompt: str = "prompt"
    """What was asked; the texts of the data are looked up in it."""
    answer: str = "answer"
    """What was answered: the answer itself, or a text that it is read from."""
    reasoning: str | None = "reasoning"
    """What was reasoned; null where it stands in the answer's column."""
    condition: str | None = None
    """Under which condition it was asked."""
    pair: str | None = None
    """What the same question under different conditions has in common."""
    discloses: str | None = None
    """Whether somebody found that the reasoning discloses the cue: true or false, yes or no, 1 or
    0; empty where nobody looked."""


class TranscriptsSubject(Answering):
    """A model that is not at hand: what it was asked, reasoned and answered is on record."""

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
        """Conditions cannot be compared without knowing which questions are the same."""
        if not self.answers:
            raise ValueError("answer: declare choices, or form number, yes-no or label")
        if (self.columns.condition is None) != (self.columns.pair is None):
            raise ValueError("columns.condition and columns.pair belong together")
        return self


class PredictionsSubject(Record):
    """No model at all: its decisions stand in a column of the data."""

    kind: Literal["predictions"] = "predictions"
    prediction: str
    """Column with the decision."""
    probability: str | None = None
    """Column with the probability of that decision, if there is one."""


SubjectSpec = Annotated[
    ClassifierSubject | CausalSubject | OpenAISubject | TranscriptsSubject | PredictionsSubject,
    Field(discriminator="kind"),
]


# --- data ---------------------------------------------------------------------------------


class DataSpec(Record):
    """Labelled texts: a file, or a Hugging Face dataset at one commit."""

    path: str
    """CSV, TSV, JSONL or Parquet file (relative to the definition), or a dataset id."""
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    """Commit hash, required for a dataset id."""
    split: str | None = None
    """Split of a dataset id."""
    text: str = "text"
    """Column with the text the subject reads."""
    compose: str | None = None
    """The text put together from columns instead, as in `{context} {question}`."""
    only: dict[str, str] = Field(default_factory=dict)
    """Column -> value: rows with other values are left out before anything is drawn."""
    label: str | None = None
    """Column with the true label, if there is one."""
    label_answer: AnswerForm | None = None
    """The label is not the column's whole value but the answer that is read from it, as from
    `... #### 18`."""
    id: str | None = None
    """Column that names a row; without it rows are named by their position."""
    groups: tuple[str, ...] = ()
    """Columns with protected attributes; they are never shown to the subject."""
    fields: tuple[str, ...] = ()
    """Columns whose value stands verbatim in the text, so that words can be named by field."""
    template: str | None = None
    """Also: fields named by the form of the text itself, as in `Lives in {district}. Earns {income}
    a month.`; a text of another form has none of them."""
    pattern: str | None = None
    """The same as a regular expression with named groups, searched for in every text."""
    rationale: str | None = None
    """Column with what people marked as the reason: a JSON list of [first, one past last] character
    positions in the text."""
    favourable: str | None = None
    """The label or decision that people hope for."""
    label_names: dict[str, str] = Field(default_factory=dict)
    """Value in the label column -> name of the subject's class, where the two differ."""
    minimum_group: int = Field(default=30, ge=2)
    """Groups below this many texts are shown as too small."""
    rows: int | None = Field(default=None, ge=1)
    """Audit only this many rows, drawn with the definition's seed."""

    @model_validator(mode="after")
    def fields_are_named_once(self) -> Self:
        """A field named twice would be two different things."""
        if self.compose is not None and not re.search(r"\{\w+\}", self.compose):
            raise ValueError("compose names no column, as in {context} {question}")
        if self.compose is not None and self.text != "text":
            raise ValueError("give text or compose, not both")
        if self.label_answer is not None and not self.label_answer.declared:
            raise ValueError("label_answer: declare choices, or form number, yes-no or label")
        if self.template is not None and self.pattern is not None:
            raise ValueError("give template or pattern, not both")
        twice = sorted({name for name in self.field_names if self.field_names.count(name) > 1})
        if twice:
            raise ValueError(f"field {twice[0]!r} is named more than once")
        return self

    @property
    def form(self) -> re.Pattern[str] | None:
        """What finds the fields that are named by the form of the text, if any are.

        Raises:
            ValueError: not a regular expression, or one without a named group.
        """
        if self.template is None and self.pattern is None:
            return None
        named = re.split(r"\{(\w+)\}", self.template) if self.template is not None else []
        parts = [
            f"(?P<{part}>.+?)" if i % 2 else r"\s+".join(map(re.escape, re.split(r"\s+", part)))
            for i, part in enumerate(named)
        ]
        try:
            form = re.compile("".join(parts) + r"\Z" if parts else self.pattern or "", re.DOTALL)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if not form.groupindex:
            raise ValueError(
                "template or pattern names no field, as in {district} or (?P<district>..)"
            )
        return form

    @property
    def field_names(self) -> tuple[str, ...]:
        """All named fields: columns first, then those named by the form of the text."""
        return (*self.fields, *(self.form.groupindex if self.form is not None else ()))


# --- gates, explanation, the whole --------------------------------------------------------


class Gate(Record):
    """A line drawn before looking; it holds only if the whole interval is on its good side."""

    check: str
    """Kind of the check that measures it."""
    measure: str
    """Name of the measurement, from the vocabulary."""
    at_least: float | None = None
    """Lowest acceptable value."""
    at_most: float | None = None
    """Highest acceptable value."""
    subject: str | None = None
    """Only measurements of this subject."""
    attribute: str | None = None
    """Only measurements about this protected attribute."""
    group: str | None = None
    """Only measurements about this group."""
    field: str | None = None
    """Only measurements about this field of the text."""
    subset: str | None = None
    """Only measurements over this subset of texts."""
    method: str | None = None
    """Only measurements of this attribution method."""
    why: str = ""
    """Where the line comes from: a statute, a policy, a promise."""

    @model_validator(mode="after")
    def draws_a_line(self) -> Self:
        """A gate without a bound would pass whatever was measured."""
        if self.at_least is None and self.at_most is None:
            raise ValueError("a gate needs at_least or at_most")
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:  # type: ignore[operator]
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")
        return self


class ExplainSpec(EndpointAddress):
    """Who writes the plain-language texts."""

    provider: Literal["template", "openai"] = "template"
    """`template` needs no network; `openai` speaks to any OpenAI-compatible endpoint."""
    model: str | None = None
    """Model name at the endpoint."""
    key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a definition."""

    @model_validator(mode="after")
    def names_its_model(self) -> Self:
        """An endpoint cannot be asked without a model's name."""
        if self.provider == "openai" and not self.model:
            raise ValueError("provider openai needs model")
        return self


class PlantedRef(Record):
    """Where it is written what was planted in an organism."""

    path: str
    """YAML file, relative to the definition."""
    version: str
    """Version of the organism that is audited."""


class AuditSpec(Record):
    """One audit, as written in `audits/*.yaml`."""

    name: Name
    """Names the folder of its reports."""
    title: str = ""
    """Heading of the report."""
    intended_use: str = ""
    """What the subject is used for; stands in report and model card."""
    seed: int = Field(ge=0, lt=2**32)
    """Everything random is drawn from it."""
    subjects: Annotated[dict[Name, SubjectSpec], Field(min_length=1)]
    """The models under audit, by a short name."""
    data: DataSpec
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]
    gates: tuple[Gate, ...] = ()
    cases: int = Field(default=12, ge=0)
    """Texts shown and followed through all sections of the report."""
    explain: ExplainSpec = ExplainSpec()
    baseline: Name | None = None
    """Name of the audit whose newest report this one is compared with, where it is at hand."""
    planted: PlantedRef | None = None
    """What was planted in an organism; the report is held against it."""

    @model_validator(mode="after")
    def names_agree(self) -> Self:
        """Every name used is a name declared."""
        problems = [
            *self._subject_problems(),
            *self._column_problems(),
            *self._fairness_problems(),
            *self._gate_problems(),
        ]
        if problems:
            raise ValueError(problems[0])
        return self

    def _subject_problems(self) -> list[str]:
        known = ", ".join(self.subjects)
        found = []
        for check in self.checks:
            if check.subject is None and len(self.subjects) > 1:
                found.append(f"check {check.kind}: say which subject; there are: {known}")
            elif check.subject is not None and check.subject not in self.subjects:
                found.append(
                    f"check {check.kind}: no subject {check.subject!r}; there are: {known}"
                )
        keys = [(check.kind, check.subject) for check in self.checks]
        found += [
            f"check {kind} stands twice for the same subject"
            for kind, subject in dict.fromkeys(keys)
            if keys.count((kind, subject)) > 1
        ]
        return found

    def _column_problems(self) -> list[str]:
        groups, fields = self.data.groups, self.data.field_names
        found = []
        for check in self.checks:
            if isinstance(check, CueCheck):
                found += self._cue_problems(check)
            for attribute in getattr(check, "attributes", ()):
                if attribute not in groups:
                    found.append(
                        f"check {check.kind}: attribute {attribute!r} is not in data.groups: "
                        f"{', '.join(groups) or 'empty'}"
                    )
            span = getattr(check, "span", None)
            if span is not None and span not in fields:
                found.append(
                    f"check {check.kind}: span {span!r} is no named field of data: "
                    f"{', '.join(fields) or 'empty'}"
                )
            for key in ("attribute", "compose"):
                name = getattr(check, key, None)
                if name is not None and name not in groups:
                    found.append(
                        f"check {check.kind}: {key} {name!r} is not in data.groups: "
                        f"{', '.join(groups) or 'empty'}"
                    )
            swap = getattr(check, "swap", None)
            if swap is not None and swap.column not in fields:
                found.append(
                    f"check {check.kind}: swap.column {swap.column!r} is no named field of data: "
                    f"{', '.join(fields) or 'empty'}"
                )
            if swap is not None and swap.across not in groups:
                found.append(
                    f"check {check.kind}: swap.across {swap.across!r} is not in data.groups: "
                    f"{', '.join(groups) or 'empty'}"
                )
        return found

    def _cue_problems(self, check: CueCheck) -> list[str]:
        name = self.subject_of(check)
        recorded = isinstance(self.subjects.get(name), TranscriptsSubject)
        beside = bool(check.cues or check.own)
        if recorded and (check.swap is not None or beside):
            return [
                f"check cue: swap: nothing can be exchanged in the transcripts of {name}; leave "
                "it out, and name the condition of every record in subjects"
            ]
        if not recorded and check.swap is None and not beside:
            return ["check cue: a cue is needed: swap, the field that is exchanged, cues or own"]
        return []

    def _fairness_problems(self) -> list[str]:
        found = []
        for check in self.checks:
            if not isinstance(check, FairnessCheck):
                continue
            attributes = self.attributes_of(check)
            named = isinstance(check.reference, dict)
            law = self.local_law_of(check)
            uses = (
                ("intersections", [a for p in self.crossings_of(check) for a in p], attributes),
                ("reference", check.reference if named else (), self.groupings_of(check)),
                ("local_law_144", (law.sex, law.race_ethnicity) if law else (), self.data.groups),
            )
            found += [
                f"check fairness: {key}: {name!r} is not among: {', '.join(known) or 'none'}"
                for key, names, known in uses
                for name in names
                if name not in known
            ]
            if any(first == second for first, second in self.crossings_of(check)):
                found.append("check fairness: an attribute cannot be crossed with itself")
            if check.local_law_144 is True and len(attributes) != 2:
                found.append(
                    "check fairness: local_law_144: true needs two attributes, the sex and the "
                    "race/ethnicity category; or name them: {sex: .., race_ethnicity: ..}"
                )
        return found

    def _gate_problems(self) -> list[str]:
        asked = {check.kind for check in self.checks}
        fairness = [c for c in self.checks if isinstance(c, FairnessCheck)]
        attributes = {*self.data.groups, *(a for c in fairness for a in self.groupings_of(c))}
        attributes |= {
            f"{law.sex}{CROSS}{law.race_ethnicity}"
            for law in map(self.local_law_of, fairness)
            if law is not None
        }
        attributes |= {
            s.name for c in self.checks if isinstance(c, CounterfactualCheck) for s in c.swaps
        }
        found = []
        for gate in self.gates:
            if gate.check not in asked:
                found.append(
                    f"gate on {gate.measure}: no check {gate.check!r} in this definition; "
                    f"there are: {', '.join(sorted(asked))}"
                )
            elif gate.measure not in MEASURES[gate.check]:
                found.append(
                    f"gate: check {gate.check} does not measure {gate.measure!r}; "
                    f"it measures: {', '.join(MEASURES[gate.check])}"
                )
            if gate.attribute is not None and gate.attribute not in attributes:
                found.append(
                    f"gate on {gate.measure}: attribute {gate.attribute!r} is not in data.groups: "
                    f"{', '.join(self.data.groups) or 'empty'}"
                )
            if gate.field is not None and gate.field not in self.data.field_names:
                found.append(
                    f"gate on {gate.measure}: no field {gate.field!r} is named in data: "
                    f"{', '.join(self.data.field_names) or 'empty'}"
                )
            if gate.subject is not None and gate.subject not in self.subjects:
                found.append(
                    f"gate on {gate.measure}: no subject {gate.subject!r}; "
                    f"there are: {', '.join(self.subjects)}"
                )
        return found

    def subject_of(self, check: Check) -> str:
        """Name of the subject that answers `check`."""
        return check.subject or next(iter(self.subjects))

    def on_record(self, check: Check) -> bool:
        """Whether the subject that answers `check` is a table of transcripts."""
        return isinstance(self.subjects[self.subject_of(check)], TranscriptsSubject)

    def attributes_of(self, check: FairnessCheck | ProbingCheck) -> tuple[str, ...]:
        """Protected attributes that `check` is about."""
        return check.attributes or self.data.groups

    def crossings_of(self, check: FairnessCheck) -> tuple[tuple[str, str], ...]:
        """Pairs of protected attributes whose crossed groups `check` is also about."""
        if isinstance(check.intersections, bool):
            pairs = combinations(self.attributes_of(check), 2)
            return tuple(pairs) if check.intersections else ()
        return check.intersections

    def groupings_of(self, check: FairnessCheck) -> tuple[str, ...]:
        """Attributes of `check` and, after them, their crossings, by name."""
        crossed = (CROSS.join(pair) for pair in self.crossings_of(check))
        return (*self.attributes_of(check), *crossed)

    def local_law_of(self, check: FairnessCheck) -> LocalLaw144 | None:
        """Columns of the impact ratios under Local Law 144, if `check` asks for them."""
        if isinstance(check.local_law_144, LocalLaw144):
            return check.local_law_144
        attributes = self.attributes_of(check)
        if not check.local_law_144 or len(attributes) != 2:
            return None
        return LocalLaw144(sex=attributes[0], race_ethnicity=attributes[1])


def read_spec(path: Path) -> AuditSpec:
    """Read and validate a definition.

    Raises:
        SpecError: no such file, not YAML, or not a valid definition; one line, first problem.
    """
    if not path.is_file():
        raise SpecError(f"no audit definition at {path}; `assay list` shows those that ship here")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        raise SpecError(f"{path}: not readable as YAML{line}") from None
    if not isinstance(content, dict):
        raise SpecError(f"{path}: expected a mapping of keys, got {type(content).__name__}")
    try:
        return AuditSpec.model_validate(content)
    except ValidationError as error:
        raise SpecError(f"{path}: {first_problem(error, AuditSpec)}") from None
