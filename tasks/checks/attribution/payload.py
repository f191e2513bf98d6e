"""Options and payloads of the rounds of attribution."""

from typing import Literal, Self

from tasks.data.text_units import Span
from tasks.definition.checks.attribution import AttributionCheck, MethodName
from tasks.definition.record import Record
from tasks.definition.target import Operator, Target
from tasks.run.payload import Payload


class ExplainOptions(Record):
    """Which score is attributed to which units, and by which methods."""

    methods: tuple[MethodName, ...]
    target: Target
    units: Literal["tokens", "words", "fields"]
    precision: Literal["float32", "bfloat16"]
    tolerance: float

    @classmethod
    def of(cls, check: AttributionCheck, methods: tuple[MethodName, ...]) -> Self:
        """The options of the definition, with some of its methods."""
        return cls(
            methods=methods,
            target=check.target,
            units=check.units,
            precision=check.precision,
            tolerance=check.tolerance,
        )


class CompareOptions(Record):
    """How methods are compared with their baselines."""

    explain: ExplainOptions
    shares: tuple[float, ...]
    operators: tuple[Operator, ...]
    random_orders: int
    draws: int
    neutral_words: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, check: AttributionCheck) -> Self:
        """The options of the definition, for all its methods."""
        return cls(
            explain=ExplainOptions.of(check, check.methods),
            shares=check.shares,
            operators=check.operators,
            random_orders=check.random_orders,
            draws=check.draws,
            neutral_words=check.neutral_words,
        )


class ExplainedUnit(Record):
    """One part of a text that attribution falls on."""

    text: str
    spans: tuple[Span, ...]
    field: str | None
    """Named field it belongs to."""


class MethodValues(Record):
    """What one method attributes in one text."""

    values: tuple[float, ...]
    """Attribution of every unit."""
    delta: float
    """Completeness error."""
    evaluations: int
    converged: bool | None
    """|delta| within tolerance; none for a method whose attributions need not add up."""


class ExplainedText(Record):
    """One text attributed by one or several methods."""

    id: str
    position: int
    """In the data set."""
    target: str
    """What is explained."""
    decision: str
    groups: dict[str, str]
    windows: int
    score: float
    baseline_score: float
    explained: bool
    """Whether its words move the score by at least half; see `AttributedText.foregone`."""
    units: tuple[ExplainedUnit, ...]
    marked: tuple[bool, ...] | None
    """Which units people marked as the reason; none where nobody was asked."""
    methods: dict[MethodName, MethodValues]

    def usable(self, method: MethodName) -> bool:
        """Whether shares of attribution can be counted on it."""
        return self.methods[method].converged is not False and self.explained


class Replacement(Record):
    """How one ranking of a text's units scores by one way to take units out."""

    ranking: str
    """See `ranking_name`."""
    operator: Operator
    comprehensiveness: float
    sufficiency: float


class Quality(Record):
    """Further measures of one method on one text; none where one cannot be taken."""

    sparsity: float | None = None
    stability: float | None = None
    f1: float | None = None
    """Against the units that people marked."""
    auprc: float | None = None
    """Likewise."""
    removal_error: float
    """Mean squared error of the predicted fall under random removals; see `infidelity_parts`."""
    removal_square: float
    """Mean square of the measured fall; infidelity is sum of errors over sum of squares."""


class ComparedText(Record):
    """One text on which every method is compared with its baselines."""

    text: ExplainedText
    replacements: tuple[Replacement, ...]
    quality: dict[MethodName, Quality]


class ExplainedTexts(Payload):
    """The texts of a shard."""

    texts: tuple[ExplainedText, ...]


class ComparedTexts(Payload):
    """The texts of a shard, with baselines."""

    texts: tuple[ComparedText, ...]


def ranking_name(method: str, weights: str) -> str:
    """Name of the ranking by a method on a subject whose weights are shuffled."""
    return f"{method}, {weights}"
