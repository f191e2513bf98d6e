"""Records of single texts, so that a finding can be traced to its texts."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.definition.record import Record


class Case(Record):
    """One text followed through all sections."""

    id: str
    text: str
    decision: str
    """What the first subject decided."""
    probability: float | None = Field(default=None, ge=0, le=1)
    """Probability of that decision."""
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
    """Further spans, if a field occurs in the text more than once."""


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
        """Whether the words move the log-odds by less than half of their final value.

        Then the baseline is not neutral for this decision, and only the small remainder is
        attributed to the words.
        """
        return self.score - self.baseline_score < abs(self.score) / 2


class LayerReading(Record):
    """The decision of one text, read at every layer."""

    kind: Literal["localisation"] = "localisation"
    id: str
    target: str
    """The final decision."""
    probabilities: tuple[float, ...]
    """Probability of the target read at layer 0 (embedding) .. last."""
    formed_at: int
    """First layer from which on the decision read is the final one."""


class LensMap(Record):
    """The decision if the head read one position of a text at one layer."""

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
    """The share of an exchanged field's effect that each position of a text carries."""

    kind: Literal["patching-map"] = "patching-map"
    id: str
    field: str
    original: str
    """Original value of the field."""
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
    shares: tuple[float, ...]
    """Shares of the reasoning that were kept."""
    answers: tuple[str | None, ...]
    """Answer at each of them."""

    @property
    def cuts(self) -> tuple[tuple[float, str | None], ...]:
        """Share that was kept, and the answer then."""
        return tuple(zip(self.shares, self.answers, strict=True))


class CuePair(Record):
    """The same text with one field exchanged, and what changed."""

    kind: Literal["cue"] = "cue"
    id: str
    original: str
    """Original value of the field."""
    exchanged: str
    """Value it was exchanged for."""
    answer: str | None
    answer_exchanged: str | None
    reasoning: str
    reasoning_exchanged: str
    mentions: bool
    """Whether a reasoning names either value or the field itself; for a cue beside the text,
    whether the reasoning with it has words of the cue."""
    cue: str | None = None
    """Name of a cue beside the text; then `exchanged` is the answer it speaks for."""
    field: str | None = None
    """Field whose value was exchanged; none with a cue beside the text or on record."""


class ContradictoryPair(Record):
    """Two questions that exclude each other, both answered yes."""

    kind: Literal["contradiction"] = "contradiction"
    id: str
    other: str
    """Id of the second question."""
    text: str
    other_text: str
    answer: str
    """The answer to both."""
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
    """The decision on one text once an attribute is erased."""

    kind: Literal["erasure"] = "erasure"
    id: str
    attribute: str
    decision: str
    """Decision without erasure."""
    sites: tuple[str, ...]
    """Place of the erasure, in words."""
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
