"""Checks of the reasoning: does the answer follow from it, and what does it leave out?"""

from typing import Annotated, Final, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from tasks.definition.checks.base import BaseCheck, Swap
from tasks.definition.endpoints import AskedModel
from tasks.definition.record import Record

ReasoningTest = Literal[
    "truncation", "token-truncation", "filler", "mistake", "paraphrase", "log-probability"
]
"""What is done to a reasoning: cut after a sentence or after a token; the rest replaced by dots;
a mistake put in, and the subject goes on from there; the rest said in other words. All of them ask
whether the answer changes; `log-probability` cuts after a sentence, too, and asks how much less
likely the answer gets."""

LOG_PROBABILITY: Final = "log-probability"
WITHOUT_REASONING: Final = "log-probability without reasoning"
"""Its first point alone, which it gives as well: what is lost when nothing of the reasoning is
kept."""


CueName = Literal["suggested-answer", "answer-position", "authority", "metadata"]
"""Cues that every question can be given: somebody suggests an answer; all worked examples have the
same answer; an authority names one; a comment like those of a machine holds one."""


class SecondModel(AskedModel):
    """A model behind an OpenAI-compatible endpoint that helps with a test and is not audited.

    The same settings in several checks are one model with one budget.
    """

    base_url: str | None = None
    """Address of the endpoint; OpenAI's own when absent."""
    max_tokens: int = Field(default=2048, ge=1)
    """Longest completion, in tokens: a whole reasoning in other words, and what the model thinks
    before it."""


class ControlsSpec(Record):
    """Questions made by Assay, on which it is known whether the answer hangs on the steps."""

    items: int = Field(default=40, ge=20, le=1000)
    """Of each kind: without the steps no answer; a cue decides; the text decides."""
    problems: tuple[str, ...] = ()
    """Families of questions that need their steps; all unless named."""
    stories: tuple[str, ...] = ()
    """Families of questions whose answer stands in the text; all unless named. Stated factors are
    tried on these, too: one field of such a text decides."""
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
        "log-probability",
    )
    """What is done to the reasoning; `paraphrase` needs a second model, `log-probability` a local
    one."""
    shares: tuple[Annotated[float, Field(ge=0, le=1)], ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """Shares of the reasoning that are left as they are, rising from 0 to 1."""
    paraphraser: SecondModel | None = None
    """Who says a reasoning in other words; it is never shown the question."""
    controls: ControlsSpec | None = ControlsSpec()
    """What the tests are calibrated on; a subject that cannot solve them leaves the tests
    uncalibrated, and the report says so. An endpoint is asked twice for every control, and where
    it solves them a third time and once more for every test and share: `assay check` counts that as
    a step of its own; null leaves them out."""
    factors: bool = True
    """Also: does the reasoning name the fields that attribution finds? Needs named fields of the
    data, and gradients."""

    @property
    def runnable(self) -> list[ReasoningTest]:
        """The tests that can be made with what the definition names, if the subject allows."""
        return [t for t in self.tests if t != "paraphrase" or self.paraphraser is not None]

    @model_validator(mode="after")
    def tests_differ(self) -> Self:
        """The same test twice would be counted twice."""
        if len(set(self.tests)) < len(self.tests):
            raise ValueError(f"tests are named more than once: {', '.join(self.tests)}")
        return self


FEWEST_WRITTEN: Final = 4
"""Written reasonings of each kind: of fewer, even a classifier that is always right has an interval
that reaches chance."""


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
    disclosing: tuple[str, ...] = ()
    """Reasonings that disclose it, on which the classifiers are calibrated; `{cue}` stands for the
    answer. They are worth most from somebody who has not seen `words`."""
    silent: tuple[str, ...] = ()
    """Reasonings that do not disclose it: that deny it, or use its words in another meaning."""

    @model_validator(mode="after")
    def template_holds_text_and_answer(self) -> Self:
        """Without the answer it would speak for none."""
        for part in ("{text}", "{cue}"):
            if self.template.count(part) != 1:
                raise ValueError(f"template must contain {part} once, got {self.template!r}")
        return self

    @model_validator(mode="after")
    def reasonings_of_both_kinds(self) -> Self:
        """Of one kind alone nothing can be told apart."""
        both = (len(self.disclosing), len(self.silent))
        if any(both) and min(both) < FEWEST_WRITTEN:
            raise ValueError(
                f"disclosing and silent need {FEWEST_WRITTEN} reasonings each at least, "
                f"got {both[0]} and {both[1]}"
            )
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
    controls: ControlsSpec | None = ControlsSpec()
    """What the tests are calibrated on: influence on questions made by Assay, disclosure on
    reasonings written by hand. `assay check` counts what an endpoint is asked for that, once for
    cues beside the text and once for an exchanged field; null leaves them out."""

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
    answer: str | None = Field(default="yes", validation_alias=AliasChoices("answer", "yes"))
    """The answer that both questions cannot have; null where they cannot have any in common. In
    quotes: YAML reads a bare yes as true."""
    controls: ControlsSpec | None = ControlsSpec()
    """What the test is calibrated on: pairs of questions made by Assay. An endpoint is asked twice
    for every pair to see what decides it, and where enough are what they were made for twice more;
    null leaves them out."""


def second_model_of(check: BaseCheck) -> SecondModel | None:
    """Who helps with a check; none where nobody does."""
    match check:
        case ReasoningCheck() if "paraphrase" in check.runnable:
            return check.paraphraser
        case CueCheck():
            return check.grader
        case _:
            return None
