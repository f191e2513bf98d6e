"""The audit definition: what is audited, on which data, by which checks, against which gates.

Importing this module costs pydantic and yaml and nothing more, so that `assay check` answers
before a model library is loaded.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tasks.complaint import first_problem
from tasks.errors import SpecError
from tasks.vocabulary import MEASURES

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Share = Annotated[float, Field(gt=0, le=1)]


class Record(BaseModel):
    """Immutable, exact, and the same after a round trip through JSON."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )


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


class ClassifierSubject(LocalModel):
    """A transformer with a sequence-classification head."""

    kind: Literal["sequence-classification"] = "sequence-classification"


class CausalSubject(LocalModel):
    """A transformer that writes text."""

    kind: Literal["causal-lm"] = "causal-lm"
    too_long: Literal["truncate", "reject"] = "truncate"
    """Texts beyond the model's window: cut at the start, or refuse the audit."""
    prompt: str = "{text}"
    """What the model is given; `{text}` stands for the text of a row."""
    answer_prefix: str = ""
    """What introduces the answer in the model's writing, such as `Decision:`."""
    choices: tuple[str, ...] = ()
    """The answers it may give. Without choices the subject predicts the next token."""
    max_new_tokens: int = Field(default=128, ge=1)
    """Longest completion, in tokens."""

    @model_validator(mode="after")
    def prompt_holds_the_text(self) -> Self:
        """A prompt without the text would ask the same question of every row."""
        if self.prompt.count("{text}") != 1:
            raise ValueError(f"prompt must contain {{text}} once, got {self.prompt!r}")
        return self


class PredictionsSubject(Record):
    """No model at all: its decisions stand in a column of the data."""

    kind: Literal["predictions"] = "predictions"
    prediction: str
    """Column with the decision."""
    probability: str | None = None
    """Column with the probability of that decision, if there is one."""


SubjectSpec = Annotated[
    ClassifierSubject | CausalSubject | PredictionsSubject, Field(discriminator="kind")
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
    label: str | None = None
    """Column with the true label, if there is one."""
    id: str | None = None
    """Column that names a row; without it rows are named by their position."""
    groups: tuple[str, ...] = ()
    """Columns with protected attributes; they are never shown to the subject."""
    fields: tuple[str, ...] = ()
    """Columns whose value stands verbatim in the text, so that words can be named by field."""
    favourable: str | None = None
    """The label or decision that people hope for."""
    label_names: dict[str, str] = Field(default_factory=dict)
    """Value in the label column -> name of the subject's class, where the two differ."""
    minimum_group: int = Field(default=30, ge=2)
    """Groups below this many texts are shown as too small."""
    rows: int | None = Field(default=None, ge=1)
    """Audit only this many rows, drawn with the definition's seed."""


class Swap(Record):
    """Exchange one field of the text for the value it has in another group's row."""

    column: str
    """Field to exchange: one of `data.fields`."""
    across: str
    """Protected attribute: the new value comes from a row of another of its groups."""


# --- checks -------------------------------------------------------------------------------


class BaseCheck(Record):
    """What all checks have in common."""

    subject: str | None = None
    """Which subject answers; may be left out when there is only one."""
    texts: int | None = Field(default=None, ge=2)
    """At most this many texts, drawn at random with the definition's seed."""


class PerformanceCheck(BaseCheck):
    """How often is the subject right?"""

    kind: Literal["performance"] = "performance"


class FairnessCheck(BaseCheck):
    """Is there a gap between groups?"""

    kind: Literal["fairness"] = "fairness"
    attributes: tuple[str, ...] = ()
    """Protected attributes; all of `data.groups` unless named."""


class AttributionCheck(BaseCheck):
    """Which words drive the decision?"""

    kind: Literal["attribution"] = "attribution"
    texts: int = Field(default=48, ge=2)
    """Cases explained, chosen over errors, groups and both sides of the boundary."""
    tolerance: float = Field(default=1e-3, gt=0)
    """Largest accepted |completeness error| as a share of |f(x) - f(baseline)|."""
    max_steps: int = Field(default=1024, ge=32)
    """Integration steps after which a text counts as not converged."""
    shares: tuple[Share, ...] = (0.1, 0.2, 0.3, 0.5)
    """Shares of words taken out or kept for comprehensiveness and sufficiency."""
    random_orders: int = Field(default=10, ge=1)
    """Random orders that the attribution is held against, per text."""


class LocalisationCheck(BaseCheck):
    """At which layer does the decision form?"""

    kind: Literal["localisation"] = "localisation"
    texts: int = Field(default=300, ge=2)
    swap: Swap | None = None
    """Also: at which layer does exchanging this field move the decision?"""


class ProbingCheck(BaseCheck):
    """Can a protected attribute be read inside the subject, and is it used?"""

    kind: Literal["probing"] = "probing"
    texts: int = Field(default=1000, ge=30)
    attributes: tuple[str, ...] = ()
    """Protected attributes; all of `data.groups` unless named."""
    pooling: Literal["head", "mean"] = "head"
    """State that is read and erased: at the position the head reads (at the embedding, where that
    is the same for every text, the mean over tokens), or the mean over tokens at every layer."""
    random_subspaces: int = Field(default=5, ge=2)
    """Random subspaces of equal rank that the erasure is held against."""


class ReasoningCheck(BaseCheck):
    """Does the answer depend on the written reasoning?"""

    kind: Literal["reasoning"] = "reasoning"
    texts: int = Field(default=150, ge=2)
    shares: tuple[Annotated[float, Field(ge=0, le=1)], ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """Shares of the reasoning's sentences that are kept."""


class CueCheck(BaseCheck):
    """Does a planted cue move the answer, and does the reasoning say so?"""

    kind: Literal["cue"] = "cue"
    texts: int = Field(default=150, ge=2)
    swap: Swap
    """The cue: this field is exchanged, everything else stays."""


Check = Annotated[
    PerformanceCheck
    | FairnessCheck
    | AttributionCheck
    | LocalisationCheck
    | ProbingCheck
    | ReasoningCheck
    | CueCheck,
    Field(discriminator="kind"),
]


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


class ExplainSpec(Record):
    """Who writes the plain-language texts."""

    provider: Literal["template", "openai"] = "template"
    """`template` needs no network; `openai` speaks to any OpenAI-compatible endpoint."""
    model: str | None = None
    """Model name at the endpoint."""
    base_url: str | None = None
    """Address of the endpoint; the client's default when absent."""
    key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a definition."""
    timeout: float = Field(default=30.0, gt=0)
    """Seconds per request."""
    retries: int = Field(default=2, ge=0)
    """Further attempts after a 429, a 5xx or a timeout."""
    concurrency: int = Field(default=4, ge=1)
    """Requests in flight at once."""

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
        problems = [*self._subject_problems(), *self._column_problems(), *self._gate_problems()]
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
        groups, fields = self.data.groups, self.data.fields
        found = []
        for check in self.checks:
            for attribute in getattr(check, "attributes", ()):
                if attribute not in groups:
                    found.append(
                        f"check {check.kind}: attribute {attribute!r} is not in data.groups: "
                        f"{', '.join(groups) or 'empty'}"
                    )
            swap = getattr(check, "swap", None)
            if swap is not None and swap.column not in fields:
                found.append(
                    f"check {check.kind}: swap.column {swap.column!r} is not in data.fields: "
                    f"{', '.join(fields) or 'empty'}"
                )
            if swap is not None and swap.across not in groups:
                found.append(
                    f"check {check.kind}: swap.across {swap.across!r} is not in data.groups: "
                    f"{', '.join(groups) or 'empty'}"
                )
        return found

    def _gate_problems(self) -> list[str]:
        asked = {check.kind for check in self.checks}
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
            if gate.attribute is not None and gate.attribute not in self.data.groups:
                found.append(
                    f"gate on {gate.measure}: attribute {gate.attribute!r} is not in data.groups: "
                    f"{', '.join(self.data.groups) or 'empty'}"
                )
            if gate.field is not None and gate.field not in self.data.fields:
                found.append(
                    f"gate on {gate.measure}: field {gate.field!r} is not in data.fields: "
                    f"{', '.join(self.data.fields) or 'empty'}"
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

    def attributes_of(self, check: FairnessCheck | ProbingCheck) -> tuple[str, ...]:
        """Protected attributes that `check` is about."""
        return check.attributes or self.data.groups


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
