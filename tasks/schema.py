"""Every record that an audit leaves behind: measurements, cases, evidence, findings, report."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.checks import Check
from tasks.record import Record
from tasks.spec import AuditSpec, Gate

Verdict = Literal["pass", "fail", "inconclusive"]


class About(Record):
    """What a measurement is about; absent means all."""

    attribute: str | None = None
    """Protected attribute."""
    group: str | None = None
    """Group of the attribute."""
    reference: str | None = None
    """Group it is compared with."""
    label: str | None = None
    """Class."""
    layer: int | None = None
    """Layer; 0 is the embedding, the last is what the head reads."""
    layers: tuple[int, ...] | None = None
    """Layers at which something was done together."""
    field: str | None = None
    """Named field of the text."""
    subset: str | None = None
    """Which texts, when not all: `errors`, `unfavourable, origin=migrant`."""
    share: float | None = None
    """Share of words or sentences."""
    method: str | None = None
    """Attribution method; `random order` for the baseline that knows nothing."""
    against: str | None = None
    """What the method is compared with: another method, a random order, randomised weights."""
    operator: str | None = None
    """How units were taken out: `neutral` or `delete`."""
    word: str | None = None
    """Word of the text."""
    position: str | None = None
    """Where in the text: `field district`, `before` or `after` it, `head`, `everything`."""
    part: Literal["residual", "attention", "mlp"] | None = None
    """Residual stream, or what attention or MLP of a block add to it."""
    alpha: float | None = None
    """How often a steering vector was added."""
    lever: str | None = None
    """What was done to the subject: `erase at layer 2`."""

    def words(self) -> str:
        """What the measurement is about, as a reader would say it; empty for all."""
        parts = []
        if self.group is not None:
            against = f" against {self.reference}" if self.reference else ""
            parts.append(f"{self.attribute}: {self.group}{against}")
        elif self.attribute is not None:
            parts.append(self.attribute)
        parts += [self.label] if self.label is not None else []
        if self.method is not None:
            parts.append(f"{self.method} against {self.against}" if self.against else self.method)
        elif self.against is not None:
            parts.append(f"against {self.against}")
        parts += [f"units taken out by: {self.operator}"] if self.operator is not None else []
        parts += [f"word {self.word!r}"] if self.word is not None else []
        parts += [f"field {self.field}"] if self.field is not None else []
        parts += [self.site] if self.all_layers else []
        parts += [self.part] if self.part is not None else []
        parts += [f"at {self.position}"] if self.position is not None else []
        parts += [f"alpha {self.alpha:g}"] if self.alpha is not None else []
        parts += [self.lever] if self.lever is not None else []
        parts += [f"{self.share:.0%} kept"] if self.share is not None else []
        parts += [self.subset] if self.subset is not None else []
        return ", ".join(parts)

    @property
    def all_layers(self) -> tuple[int, ...]:
        """The layers it is about; none where it is about no layer."""
        alone = () if self.layer is None else (self.layer,)
        return self.layers or alone

    @property
    def site(self) -> str:
        """The layers in words: `layer 2`, `layers 0 to 3 together`; empty without a layer."""
        layers = self.all_layers
        if len(layers) < 2:
            return f"layer {layers[0]}" if layers else ""
        run = len(layers) > 2 and layers[-1] - layers[0] == len(layers) - 1
        listed = ", ".join(map(str, layers))
        return f"layers {f'{layers[0]} to {layers[-1]}' if run else listed} together"


class Measurement(Record):
    """One number with its interval, its n and how it was obtained."""

    name: str
    """What was measured, from the vocabulary."""
    value: float
    """Point estimate."""
    low: float | None = None
    """Lower end of the interval, if one could be computed."""
    high: float | None = None
    """Upper end of the interval."""
    level: float = Field(default=0.95, gt=0, lt=1)
    """Coverage that the interval states."""
    n: int = Field(gt=0)
    """Texts behind the value."""
    about: About = About()
    """Which group, layer, class or field, when there are several."""
    method: str
    """How value and interval were computed, in a few words."""
    p: float | None = Field(default=None, ge=0, le=1)
    """p value of the test named in `method`, if one was made."""
    q: float | None = Field(default=None, ge=0, le=1)
    """p after Benjamini-Hochberg over `family`."""
    family: str | None = None
    """The tests that were corrected together."""

    @classmethod
    def of(
        cls,
        name: str,
        interval: tuple[float, float, float],
        n: int,
        method: str,
        about: About | None = None,
    ) -> Self:
        """A measurement from (value, low, high)."""
        value, low, high = interval
        return cls(
            name=name, value=value, low=low, high=high, n=n, about=about or About(), method=method
        )

    @model_validator(mode="after")
    def interval_holds_the_value(self) -> Self:
        """An interval that excludes its own estimate is a bug, not a result."""
        if (self.low is None) != (self.high is None):
            raise ValueError(f"{self.name}: an interval has two ends")
        if self.low is not None and self.high is not None:
            slack = 1e-9
            if not self.low - slack <= self.value <= self.high + slack:
                raise ValueError(
                    f"{self.name}: value {self.value} lies outside [{self.low}, {self.high}]"
                )
        return self


class TooSmall(Record):
    """A group that is shown as too small, not as a number."""

    attribute: str
    group: str
    n: int


class ImpactCategory(Record):
    """One category of a table under Local Law 144."""

    category: str
    applicants: int = Field(gt=0)
    selected: int
    selection_rate: float
    impact_ratio: float | None = None
    """Selection rate over that of the most selected category; none where there is no ratio."""
    excluded: bool = False
    """Below the share of the data under which the definition asks for no ratio."""


class ImpactTable(Record):
    """Selection rates and impact ratios of one categorisation under Local Law 144."""

    attribute: str
    """Column, or two crossed ones."""
    heading: str
    """What the rule calls it: `sex`, `race/ethnicity`, or their intersection."""
    assessed: int
    """Everyone for whom there is a decision."""
    unknown: int
    """Of these, how many have no category and are in no row."""
    categories: tuple[ImpactCategory, ...]


# --- cases: one text followed through all sections ----------------------------------------


class Case(Record):
    """One text followed through all sections."""

    id: str
    text: str
    decision: str
    """What the first subject decided."""
    probability: float | None = Field(default=None, ge=0, le=1)
    """How sure it was of that decision."""
    label: str | None = None
    groups: dict[str, str] = Field(default_factory=dict)
    """Protected attribute -> group."""
    chosen_for: str
    """Why this text and not another: `error`, `origin=migrant, denied`, ..."""


class Word(Record):
    """One word of a text with the attribution that falls on it."""

    text: str
    start: int
    """First character in the text."""
    end: int
    """One past the last character."""
    value: float
    """Signed attribution, in log-odds of the decision; above 0 speaks for it."""
    field: str | None = None
    """Named field of the text that the word belongs to."""
    further: tuple[tuple[int, int], ...] = ()
    """Where else it stands, when a field stands in the text more than once."""


class AttributedText(Record):
    """The words of one case with the attribution of one method."""

    kind: Literal["attribution"] = "attribution"
    id: str
    target: str
    """What is explained: the decision, unless the definition names something else."""
    method: str
    words: tuple[Word, ...]
    """In the order of the text; tokens or whole fields where the definition asks for them."""
    score: float
    """Log-odds of the target on the text."""
    baseline_score: float
    """Log-odds of the target on the baseline."""
    delta: float
    """Completeness error: sum of attributions minus (score - baseline score)."""
    evaluations: int
    """Forward passes of this text that were spent."""
    converged: bool | None
    """|delta| within tolerance; none for a method whose attributions need not add up."""
    windows: int = Field(default=1, ge=1)
    """In how many overlapping windows the text was read."""

    @property
    def foregone(self) -> bool:
        """The words move the log-odds by less than half of where they end.

        Then the baseline is no neutral ground for this decision, and what is attributed to the
        words is the small rest.
        """
        return self.score - self.baseline_score < abs(self.score) / 2


class LayerReading(Record):
    """The decision of one text as it reads at every layer."""

    kind: Literal["localisation"] = "localisation"
    id: str
    target: str
    """The final decision."""
    probabilities: tuple[float, ...]
    """Probability of the target read at layer 0 (embedding) .. last."""
    formed_at: int
    """First layer from which on the decision read is the final one."""


class LensMap(Record):
    """What would be decided if the head read one position of a text at one layer."""

    kind: Literal["lens-map"] = "lens-map"
    id: str
    target: str
    """The final decision."""
    tokens: tuple[str, ...]
    """The text as the subject reads it."""
    head: int | None
    """Which of the tokens the head reads; none where it reads all of them."""
    probabilities: tuple[tuple[float, ...], ...]
    """Probability of the target by layer (0 is the embedding) and token."""
    tops: tuple[tuple[str, ...], ...] = ()
    """Likeliest token by layer and token, for a subject that predicts tokens."""


class PatchingMap(Record):
    """What each position of a text carries of the effect that an exchanged field has."""

    kind: Literal["patching-map"] = "patching-map"
    id: str
    field: str
    original: str
    """Value of the field as it stands."""
    exchanged: str
    """Value it was exchanged for."""
    decision: str
    decision_exchanged: str
    tokens: tuple[str, ...]
    """The text as the subject reads it."""
    head: int | None
    """Which of the tokens the head reads; none where it reads all of them."""
    recovered: tuple[tuple[float, ...], ...]
    """Recovered share of the change in log-odds, by layer of the residual stream and token."""


class TruncatedReasoning(Record):
    """One chain of thought and the answers when it is cut short."""

    kind: Literal["reasoning"] = "reasoning"
    id: str
    reasoning: str
    answer: str | None
    """Answer with the whole reasoning; none if none could be read."""
    answers: tuple[str | None, ...]
    """Answer at each share that the check names."""


class CuePair(Record):
    """The same text with one field exchanged, and what changed."""

    kind: Literal["cue"] = "cue"
    id: str
    original: str
    """Value of the field as it stands."""
    exchanged: str
    """Value it was exchanged for."""
    answer: str | None
    answer_exchanged: str | None
    reasoning: str
    reasoning_exchanged: str
    mentions: bool
    """A reasoning names either value or the field itself; with a cue beside the text, the reasoning
    with it has words of the cue."""
    cue: str | None = None
    """Name of a cue beside the text; then `exchanged` is the answer it speaks for."""


class ContradictoryPair(Record):
    """Two questions that exclude each other, both answered yes."""

    kind: Literal["contradiction"] = "contradiction"
    id: str
    other: str
    """Id of the second question."""
    text: str
    other_text: str
    answer: str
    """What both were answered."""
    reasoning: str
    other_reasoning: str


class SwappedText(Record):
    """One text with its identity terms exchanged for those of another group."""

    kind: Literal["counterfactual"] = "counterfactual"
    id: str
    swap: str
    """Which list."""
    source: str
    """Group that the text names."""
    target: str
    """Group that it names after the exchange."""
    text: str
    """The text after the exchange."""
    decision: str | None
    decision_exchanged: str | None
    decision_control: str | None = None
    """With as many neutral words exchanged instead; none where the text holds none."""


class ErasedCase(Record):
    """What is decided about one text once an attribute is erased."""

    kind: Literal["erasure"] = "erasure"
    id: str
    attribute: str
    decision: str
    """Untouched."""
    sites: tuple[str, ...]
    """Where the attribute was erased, in words."""
    decisions: tuple[str, ...]
    """Decision with it erased there."""
    changed_at_random: tuple[float, ...]
    """Share of random subspaces whose erasure there changes the decision."""


CaseEvidence = Annotated[
    AttributedText
    | LayerReading
    | LensMap
    | PatchingMap
    | ErasedCase
    | SwappedText
    | TruncatedReasoning
    | CuePair
    | ContradictoryPair,
    Field(discriminator="kind"),
]


# --- evidence, findings, report -----------------------------------------------------------


class Export(Record):
    """A file of the report that goes on into a serving process."""

    file: str = Field(pattern=r"^levers/[a-z0-9-]+\.safetensors$")
    """Below the folder of the report."""
    sha256: str
    says: str
    """What it does, in words."""


class Recommendation(Record):
    """Which lever a remediation found best, or why none."""

    lever: str | None = None
    """As `About.lever` names it."""
    why: str = ""
    """Why none is recommended."""


class Evidence(Record):
    """The measurements and cases of one check; no judgement."""

    check: Check
    subject: str
    """Which subject answered."""
    measurements: tuple[Measurement, ...] = ()
    cases: tuple[CaseEvidence, ...] = ()
    too_small: tuple[TooSmall, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know before believing the numbers."""
    not_run: str | None = None
    """Why the check was not run, if it was not."""
    withheld: dict[str, str] = Field(default_factory=dict)
    """Measure that is not stated although it was asked for -> why."""
    impact_tables: tuple[ImpactTable, ...] = ()
    """Tables under Local Law 144, where the definition asks for them."""
    exports: tuple[Export, ...] = ()
    """Files beside the evidence, by their digest."""
    recommendation: Recommendation | None = None
    """What a remediation recommends."""

    def named(self, name: str) -> tuple[Measurement, ...]:
        """All measurements of that name."""
        return tuple(m for m in self.measurements if m.name == name)


class Finding(Record):
    """A gate held against what was measured."""

    id: str
    """Names the finding in report and explanations: `f1`, `f2`, ..."""
    gate: Gate
    verdict: Verdict
    subject: str
    """Which subject it is about."""
    deciding: Measurement | None = None
    """The measurement that decided; none when nothing was measured."""
    measured: int = 0
    """How many measurements the gate was held against."""
    beyond: tuple[Measurement, ...] = ()
    """All measurements that are not on the good side, the deciding one first."""
    reason: str = ""
    """Why the verdict is not simply pass or fail."""
    more_texts: int | None = None
    """Further texts that would decide an inconclusive finding at 80 % power, if it is knowable."""


class SubjectProvenance(Record):
    """A subject, named so exactly that anyone can load the same weights."""

    name: str
    kind: str
    path: str
    revision: str | None = None
    sha256: str
    """Digest over configuration, tokenizer and weights; see `known_by`."""
    known_by: Literal["weights", "records", "address"] = "weights"
    """What the digest is of: the weights themselves; recorded answers, whose model is not at hand;
    or an endpoint's address, model name and parameters, behind which weights may change unseen."""
    architecture: str | None = None
    parameters: int | None = None
    layers: int | None = None
    labels: tuple[str, ...] = ()
    window: int | None = None
    """Longest text in tokens."""
    too_long: int = 0
    """Texts of the data beyond the window, treated as the definition says."""


class DataProvenance(Record):
    """The data, named so exactly that anyone can check that it is the same."""

    path: str
    revision: str | None = None
    sha256: str
    rows: int = Field(gt=0)
    """Rows audited."""
    rows_in_file: int = Field(gt=0)
    groups: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Attribute -> group -> rows."""
    labels: dict[str, int] = Field(default_factory=dict)


class Provenance(Record):
    """Everything that a repetition needs."""

    definition_sha256: str
    code_sha256: str
    """Digest over Assay's own code."""
    versions: dict[str, str]
    """Library -> version."""
    data: DataProvenance
    subjects: tuple[SubjectProvenance, ...]


class Report(Record):
    """The durable product: judging and rendering run again from it, without a model."""

    format: Literal[1] = 1
    spec: AuditSpec
    provenance: Provenance
    cases: tuple[Case, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Fail if any gate failed; inconclusive if none failed but one could not be decided.

        Without gates nothing was judged, which is no pass either.
        """
        verdicts = {finding.verdict for finding in self.findings}
        if "fail" in verdicts:
            return "fail"
        return "pass" if verdicts == {"pass"} else "inconclusive"


# --- beside the evidence ------------------------------------------------------------------


class Explanation(Record):
    """A short plain-language text about one finding or one case."""

    about: str
    """Id of the finding or of the case."""
    text: str
    written_by: Literal["template", "model"]
    claims_checked: int = 0
    claims_rejected: int = 0
    rejected: tuple[str, ...] = ()
    """Why claims of the model were rejected, in the checker's words."""


class Explanations(Record):
    """All texts, and how far they were checked."""

    provider: str
    texts: tuple[Explanation, ...] = ()

    @property
    def checked(self) -> int:
        """Claims of a language model held against the evidence."""
        return sum(t.claims_checked for t in self.texts)

    @property
    def rejected(self) -> int:
        """Of these, how many the evidence does not support."""
        return sum(t.claims_rejected for t in self.texts)


class Change(Record):
    """One gate's measurement in the earlier audit and in this one."""

    check: str
    measure: str
    about: str
    before: Measurement
    after: Measurement
    verdict_before: Verdict | None = None
    verdict_after: Verdict | None = None
    clear: bool
    """The two intervals do not overlap."""


class Comparison(Record):
    """This audit against an earlier one."""

    baseline: str
    """Name of the earlier audit."""
    finished: str
    """When it finished, ISO 8601, UTC."""
    evidence_sha256: str
    """Digest of the earlier evidence.json."""
    same_data: bool
    changed: tuple[str, ...] = ()
    """What is not the same: definition keys, data, weights, in words."""
    changes: tuple[Change, ...] = ()


class RunRecord(Record):
    """When and where a run took place; kept apart so that evidence repeats to the byte."""

    started: str
    finished: str
    seconds: dict[str, float] = Field(default_factory=dict)
    """Stage -> seconds."""
    shards_computed: int = 0
    shards_reused: int = 0
    evidence_sha256: str = ""
