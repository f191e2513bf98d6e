"""One number: what it is about, its interval, its n."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.definition.digits import given
from tasks.definition.record import Record
from tasks.definition.subset import Subset


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
    """Layer; 0 is the embedding, the last one is read by the head."""
    layers: tuple[int, ...] | None = None
    """Layers at which something was done together."""
    field: str | None = None
    """Named field of the text."""
    subset: Subset | None = None
    """Which texts, when not all."""
    share: float | None = None
    """Share of words or sentences."""
    method: str | None = None
    """Attribution method."""
    baseline: str | None = None
    """Baseline without information: `random order`, randomised weights, other texts' fields."""
    other: str | None = None
    """Method or test it is compared with."""
    test: str | None = None
    """Test of the reasoning: `truncation`, `log-probability`."""
    cue: str | None = None
    """Cue beside the text."""
    condition: str | None = None
    """Condition on record under which the texts were answered."""
    instrument: str | None = None
    """What is calibrated on controls of known truth: a test, or a comparison of answers."""
    classifier: str | None = None
    """Classifier of disclosure: a grader, `words of the cue`."""
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
    erased: str | None = None
    """Control that was erased instead of the attribute: another attribute, or `shuffled groups`."""

    def words(self) -> str:
        """What the measurement is about, in words; empty for all."""
        parts = []
        if self.group is not None:
            against = f" against {self.reference}" if self.reference else ""
            parts.append(f"{self.attribute}: {self.group}{against}")
        elif self.attribute is not None:
            parts.append(self.attribute)
        parts += [self.label] if self.label is not None else []
        named = (self.method, self.test, self.instrument)
        parts += [name for name in named if name is not None]
        parts += [f"cue {self.cue}"] if self.cue is not None else []
        parts += [f"condition {self.condition}"] if self.condition is not None else []
        parts += [f"by {self.classifier}"] if self.classifier is not None else []
        beside = (self.baseline, self.other)
        parts += [f"against {name}" for name in beside if name is not None]
        parts += [f"units taken out by: {self.operator}"] if self.operator is not None else []
        parts += [f"word {self.word!r}"] if self.word is not None else []
        parts += [f"field {self.field}"] if self.field is not None else []
        parts += [self.site] if self.all_layers else []
        parts += [self.part] if self.part is not None else []
        parts += [f"at {self.position}"] if self.position is not None else []
        parts += [f"alpha {given(self.alpha)}"] if self.alpha is not None else []
        parts += [self.lever] if self.lever is not None else []
        parts += [f"{given(self.share, 'share')} kept"] if self.share is not None else []
        parts += [f"{self.erased} erased instead"] if self.erased is not None else []
        parts += [self.subset.words()] if self.subset is not None else []
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
    rests_on: tuple[About, ...] = ()
    """Instruments that must separate their controls before the number decides anything; each is
    what an `instrument_auroc` of the same evidence is about."""

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
    """Whether its share of the data is below that for which the definition asks for a ratio."""


class ImpactTable(Record):
    """Selection rates and impact ratios of one categorisation under Local Law 144."""

    attribute: str
    """Column, or two crossed ones."""
    heading: str
    """The rule's name for it: `sex`, `race/ethnicity`, or their intersection."""
    assessed: int
    """Everyone for whom there is a decision."""
    unknown: int
    """Number of these without a category, who are in no row."""
    categories: tuple[ImpactCategory, ...]
