"""The checks a definition can ask for: each one question with its options."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.record import Name, Record, Share


class Swap(Record):
    """Exchange one field of the text for the value it has in another group's row."""

    column: str
    """Field to exchange: one of the named fields."""
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


class LocalLaw144(Record):
    """Which columns hold the categories of New York City's Local Law 144 of 2021."""

    sex: str
    """Column with the sex category, one of `data.groups`."""
    race_ethnicity: str
    """Column with the race/ethnicity category, one of `data.groups`."""
    exclude_below: float = Field(default=0.02, ge=0, le=0.02)
    """Categories below this share of the data get no impact ratio; the rule allows up to 2 %."""


class FairnessCheck(BaseCheck):
    """Is there a gap between groups?"""

    kind: Literal["fairness"] = "fairness"
    attributes: tuple[str, ...] = ()
    """Protected attributes; all of `data.groups` unless named."""
    reference: Literal["most-selected", "largest"] | dict[str, str] = "most-selected"
    """Group that ratios divide by: the one selected most often, the largest, or by attribute a
    group that is named (attributes not named take the one selected most often)."""
    intersections: tuple[tuple[str, str], ...] | bool = False
    """Also the groups of two attributes crossed: all pairs of attributes, or these pairs."""
    local_law_144: LocalLaw144 | bool = False
    """Also the impact ratios of New York City's Local Law 144; with `true` the first attribute
    is the sex and the second the race/ethnicity category, and there are no others."""


MethodName = Literal[
    "integrated-gradients",
    "shapley",
    "shapley-permutations",
    "partition",
    "lime",
    "leave-one-out",
    "sliding-window",
    "gradient-x-input",
    "layer-conductance",
    "gradient-x-attention",
    "attention-rollout",
]
"""The ways to attribute a score to the units of a text."""

Operator = Literal["neutral", "delete"]
"""How a unit is taken out: replaced by neutral tokens, or deleted so that the text closes up."""


class Target(Record):
    """What is explained: the decision itself, unless something is named."""

    label: str | None = None
    """The log-odds of this class, choice or token, whatever was decided."""
    against: str | None = None
    """With `label`: how much likelier it is than this one (log-odds of the two)."""
    answer: str | None = None
    """The log-probability of this whole answer after the prompt."""

    @model_validator(mode="after")
    def names_one_thing(self) -> Self:
        """Two targets would be two attributions."""
        if self.answer is not None and (self.label or self.against):
            raise ValueError("a target is a label or an answer, not both")
        if self.against is not None and self.label is None:
            raise ValueError("target.against needs target.label")
        return self


class AttributionCheck(BaseCheck):
    """Which words drive the decision?"""

    kind: Literal["attribution"] = "attribution"
    texts: int = Field(default=300, ge=2)
    """Texts over which fields and words are counted, drawn at random."""
    trust_texts: int = Field(default=32, ge=2)
    """Of these, texts on which every method is held against its baselines."""
    methods: Annotated[tuple[MethodName, ...], Field(min_length=1)] = (
        "integrated-gradients",
        "shapley",
        "leave-one-out",
        "gradient-x-input",
    )
    """Ways to attribute. Sentences and shares rest on the first that earns its place."""
    units: Literal["tokens", "words", "fields"] = "words"
    """What attribution falls on; with `fields` every named field is one unit, other words stay."""
    target: Target = Target()
    """What is explained."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the variants of a text that Shapley values and LIME average over; `bfloat16` is several
    times as fast on processors that have it, but a batch is no longer its texts to 1e-5."""
    tolerance: float = Field(default=1e-3, gt=0)
    """Largest accepted |completeness error| as a share of |f(x) - f(baseline)|."""
    shares: tuple[Share, ...] = (0.1, 0.2, 0.3, 0.5)
    """Shares of units taken out or kept for comprehensiveness and sufficiency."""
    operators: Annotated[tuple[Operator, ...], Field(min_length=1)] = ("neutral", "delete")
    """How units are taken out for comprehensiveness and sufficiency."""
    random_orders: int = Field(default=5, ge=1)
    """Random orders that a method is held against, per text."""
    draws: int = Field(default=16, ge=4)
    """Random sets of units taken out per text, for infidelity."""
    neutral_words: tuple[tuple[str, str], ...] = ()
    """Pairs of words that mean the same, for the stability of the attribution."""

    @model_validator(mode="after")
    def methods_differ(self) -> Self:
        """The same method twice would agree with itself."""
        if len(set(self.methods)) < len(self.methods):
            raise ValueError(f"methods are named more than once: {', '.join(self.methods)}")
        return self


class LocalisationCheck(BaseCheck):
    """At which layer does the decision form?"""

    kind: Literal["localisation"] = "localisation"
    texts: int = Field(default=300, ge=2)
    swap: Swap | None = None
    """Also: at which layer does exchanging this field move the decision, and which activation
    carries it?"""
    pairs: int = Field(default=48, ge=8)
    """At most this many of the texts whose decision the exchange flips are patched."""
    tuned: bool = False
    """Also: how much more of the decision reads a lens that was fitted to every layer?"""


Pooling = Literal["head", "first", "last", "mean"]
"""Which tokens' hidden state stands for a text."""

ProbePooling = Pooling | Literal["span"]
"""The same; `span`: the mean over the tokens of a named field."""


class ProbingCheck(BaseCheck):
    """Can a protected attribute be read inside the subject, and is it used?"""

    kind: Literal["probing"] = "probing"
    texts: int = Field(default=1000, ge=30)
    attributes: tuple[str, ...] = ()
    """Protected attributes; all of `data.groups` unless named."""
    pooling: ProbePooling = "head"
    """State that is read and erased: at the position the head reads, at the first or the last
    token (at the embedding, where single positions are often the same for every text, the mean
    over tokens), or the mean over tokens at every layer."""
    also_read: tuple[ProbePooling, ...] = ()
    """Further states that are read by the probes and not erased."""
    span: str | None = None
    """Named field whose tokens the pooling `span` means; texts without it are left out there."""
    random_subspaces: int = Field(default=20, ge=2)
    """Random subspaces of equal rank that the erasure is held against. With 19 or more the
    erasure can be told from all of them at p <= 0.05; time grows with their number."""
    together: tuple[
        Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=2)], ...
    ] = ()
    """Sets of layers at which the attribute is erased together; every layer together always is."""

    @model_validator(mode="after")
    def poolings_differ(self) -> Self:
        """The same state read twice would be counted twice."""
        twice = [p for p in self.poolings if self.poolings.count(p) > 1]
        if twice:
            raise ValueError(f"pooling {twice[0]!r} is named more than once")
        if ("span" in self.poolings) != (self.span is not None):
            raise ValueError("pooling 'span' needs the key span, a named field, and the other way")
        for layers in self.together:
            if sorted(set(layers)) != list(layers):
                raise ValueError(f"together: layers must rise, got {list(layers)}")
        return self

    @property
    def poolings(self) -> tuple[ProbePooling, ...]:
        """Every state that is read, the erased one first."""
        return (self.pooling, *self.also_read)


class TermSwap(Record):
    """Identity terms of several groups that stand for each other."""

    name: Name
    """What is exchanged: `pronouns`, `first names`, `districts`."""
    terms: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]]
    """Group -> terms; the i-th of one group stands for the i-th of every other."""
    neutral: Annotated[tuple[tuple[str, str], ...], Field(min_length=1)]
    """Pairs of words whose exchange should move nothing: the control."""

    @model_validator(mode="after")
    def lists_match(self) -> Self:
        """A term without a partner could not be exchanged."""
        if len(self.terms) < 2:
            raise ValueError(f"swap {self.name}: two groups or more are needed")
        sizes = {group: len(terms) for group, terms in self.terms.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"swap {self.name}: lists of unequal length: {sizes}")
        blank = [
            t for terms in (*self.terms.values(), *self.neutral) for t in terms if not t.strip()
        ]
        if blank:
            raise ValueError(f"swap {self.name}: an empty term")
        same = [a for a, b in self.neutral if a.lower() == b.lower()]
        if same:
            raise ValueError(f"swap {self.name}: {same[0]!r} would be exchanged for itself")
        return self


class CounterfactualCheck(BaseCheck):
    """Does the decision change when the text names another group?"""

    kind: Literal["counterfactual"] = "counterfactual"
    texts: int = Field(default=300, ge=2)
    swaps: Annotated[tuple[TermSwap, ...], Field(min_length=1)]
    """Lists of identity terms, exchanged one list at a time."""

    @model_validator(mode="after")
    def swaps_differ(self) -> Self:
        """Two lists of one name could not be told apart in the report."""
        names = [swap.name for swap in self.swaps]
        if len(set(names)) < len(names):
            raise ValueError(f"swaps are named more than once: {', '.join(names)}")
        return self


class BaseLeverCheck(BaseCheck):
    """What steering and remediation have in common."""

    attribute: str
    """Protected attribute, one of `data.groups`."""
    swap: Swap | None = None
    """The steering vector is taken from texts with this field exchanged between two groups;
    without it, from the means of the two groups."""
    pooling: Pooling = "head"
    """State that is read and changed; see the check `probing`."""
    layers: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Layers at which the state is changed, 0 is the embedding; all unless named."""
    alphas: Annotated[tuple[float, ...], Field(min_length=1)]
    """How often the vector is added: once is the whole difference between the means."""
    tolerance: float = Field(default=0.02, gt=0, lt=1)
    """Largest tolerable loss of accuracy; of perplexity, as a share, where a subject that writes is
    steered and nothing is labelled."""

    @model_validator(mode="after")
    def alphas_are_symmetric(self) -> Self:
        """Both directions are asked alike, and nothing twice."""
        if sorted(self.alphas) != sorted({-a for a in self.alphas}):
            raise ValueError(f"alphas must be symmetric around 0, got {list(self.alphas)}")
        if len(set(self.layers)) < len(self.layers):
            raise ValueError(f"a layer is named more than once: {list(self.layers)}")
        if self.swap is not None and self.swap.across != self.attribute:
            raise ValueError(
                f"swap.across {self.swap.across!r} is not the attribute {self.attribute!r}"
            )
        return self


class SteeringCheck(BaseLeverCheck):
    """How do decisions respond when the difference between two groups is added inside?"""

    kind: Literal["steering"] = "steering"
    texts: int = Field(default=600, ge=30)
    alphas: Annotated[tuple[float, ...], Field(min_length=1)] = (
        -4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0,
    )  # fmt: skip
    """How often the vector is added: once is the whole difference between the means; 0 and 1 are
    among them."""
    shuffles: int = Field(default=8, ge=3)
    """Vectors between shuffled groups that the response is held against."""
    compose: str | None = None
    """Another protected attribute: does adding both vectors do what each does, added up?"""

    @model_validator(mode="after")
    def can_be_compared(self) -> Self:
        """Every response is held against alpha 0, and its unit is alpha 1."""
        if not {0.0, 1.0} <= set(self.alphas):
            raise ValueError(f"alphas must hold 0 and 1, got {list(self.alphas)}")
        if self.compose == self.attribute:
            raise ValueError(f"compose: {self.compose!r} is the attribute itself")
        return self


class RemediationCheck(BaseLeverCheck):
    """What would close the gap between groups, and at what price?"""

    kind: Literal["remediation"] = "remediation"
    texts: int = Field(default=1000, ge=90)
    alphas: Annotated[tuple[float, ...], Field(min_length=1)] = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
    """How often the steering vector is added: once is the whole difference between the means."""


LeverCheck = SteeringCheck | RemediationCheck
"""Checks that change hidden states along a protected attribute."""


class SecondModel(Record):
    """A model behind an OpenAI-compatible endpoint that helps with a test and is not audited."""

    model: str = Field(min_length=1)
    """Model name at the endpoint."""
    base_url: str | None = None
    """Address of the endpoint; the client's default when absent."""
    key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a definition."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds per request."""
    retries: int = Field(default=4, ge=0)
    """Further attempts after a 429, a 5xx or a timeout."""
    concurrency: int = Field(default=4, ge=1)
    """Requests in flight at once."""


ReasoningTest = Literal["truncation", "token-truncation", "filler", "mistake", "paraphrase"]
"""What is done to a reasoning: cut after a sentence or after a token; the rest replaced by dots;
a mistake put in, and the subject goes on from there; the rest said in other words."""


class ControlsSpec(Record):
    """Questions made by Assay, on which it is known whether the answer hangs on the steps."""

    items: int = Field(default=40, ge=20)
    """Of each kind: without the steps no answer; a cue decides; the text decides."""
    problems: tuple[str, ...] = ()
    """Families of questions that need their steps; all unless named."""
    stories: tuple[str, ...] = ()
    """Families of questions whose answer stands in the text; all unless named."""
    cues: tuple[str, ...] = ()
    """Cues that decide; all unless named."""


class ReasoningCheck(BaseCheck):
    """Does the answer depend on the written reasoning?"""

    kind: Literal["reasoning"] = "reasoning"
    texts: int = Field(default=150, ge=2)
    tests: Annotated[tuple[ReasoningTest, ...], Field(min_length=1)] = (
        "truncation",
        "filler",
        "mistake",
        "paraphrase",
    )
    """What is done to the reasoning; `paraphrase` needs a second model."""
    shares: tuple[Annotated[float, Field(ge=0, le=1)], ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """Shares of the reasoning that are left as they are, rising from 0 to 1."""
    paraphraser: SecondModel | None = None
    """Who says a reasoning in other words; it is never shown the question."""
    controls: ControlsSpec | None = ControlsSpec()
    """What the tests are calibrated on; a subject that cannot solve them leaves the tests
    uncalibrated, and the report says so."""
    factors: bool = True
    """Also: does the reasoning name the fields that attribution finds? Needs named fields of the
    data, and gradients."""

    @property
    def runnable(self) -> list[ReasoningTest]:
        """The tests that can be made with what the definition names."""
        return [t for t in self.tests if t != "paraphrase" or self.paraphraser is not None]

    @model_validator(mode="after")
    def tests_differ(self) -> Self:
        """The same test twice would be counted twice."""
        if len(set(self.tests)) < len(self.tests):
            raise ValueError(f"tests are named more than once: {', '.join(self.tests)}")
        return self


CueName = Literal["suggested-answer", "answer-position", "authority", "metadata"]
"""Cues that every question can be given: somebody suggests an answer; all worked examples have the
same answer; an authority names one; a comment like those of a machine holds one."""


class OwnCue(Record):
    """A cue of the definition's own."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9 -]*$", max_length=40)
    """What reports call it."""
    template: str
    """How a text reads with the cue: `{text}` stands for the text, `{cue}` for the answer that the
    cue speaks for."""
    words: Annotated[tuple[str, ...], Field(min_length=1)]
    """Words of the cue itself; a reasoning with one of them mentions it."""
    phrases: tuple[str, ...] = ()
    """Other ways to say it, for the second classifier."""

    @model_validator(mode="after")
    def template_holds_text_and_answer(self) -> Self:
        """Without the answer it would speak for none."""
        for part in ("{text}", "{cue}"):
            if self.template.count(part) != 1:
                raise ValueError(f"template must contain {part} once, got {self.template!r}")
        return self


class CueCheck(BaseCheck):
    """Does a planted cue move the answer, and does the reasoning say so?"""

    kind: Literal["cue"] = "cue"
    texts: int = Field(default=150, ge=2)
    swap: Swap | None = None
    """A cue of the text itself: this field is exchanged, everything else stays."""
    cues: tuple[CueName, ...] = ()
    """Cues put beside the text, each of which speaks for one answer."""
    own: tuple[OwnCue, ...] = ()
    """Further cues put beside the text."""
    grader: SecondModel | None = None
    """Who judges, as the second classifier, whether a reasoning mentions a cue; without it a
    second rule does."""

    @model_validator(mode="after")
    def cues_differ(self) -> Self:
        """Two cues of one name could not be told apart."""
        names = [*self.cues, *(cue.name for cue in self.own)]
        if len(set(names)) < len(names):
            raise ValueError(f"cues are named more than once: {', '.join(names)}")
        return self


class ContradictionCheck(BaseCheck):
    """Does the subject say yes to two questions that exclude each other?"""

    kind: Literal["contradiction"] = "contradiction"
    texts: int | None = Field(default=None, ge=2)
    """At most so many questions, in whole pairs."""
    pair: str = "pair"
    """Column that names the pair: two rows with the same value ask, say, whether A is larger than B
    and whether B is larger than A."""
    yes: str = "yes"
    """The answer that both questions cannot have."""


Check = Annotated[
    PerformanceCheck
    | FairnessCheck
    | AttributionCheck
    | LocalisationCheck
    | CounterfactualCheck
    | ProbingCheck
    | SteeringCheck
    | RemediationCheck
    | ReasoningCheck
    | CueCheck
    | ContradictionCheck,
    Field(discriminator="kind"),
]
