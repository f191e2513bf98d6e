"""Reasoning: does the answer depend on the written reasoning?"""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.checks.second_model import SecondModel
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.reasoning import REASONING
from tasks.definition.vocabulary.topics import ABOUT_REASONING

ReasoningTest = Literal[
    "truncation", "token-truncation", "filler", "mistake", "paraphrase", "log-probability"
]
"""What is done to a reasoning: cut after a sentence or after a token; the rest replaced by dots;
a mistake inserted, from which the subject goes on; the rest paraphrased. All of these measure
whether the answer changes. `log-probability` also cuts after a sentence, and measures how much
less likely the answer becomes."""

LOG_PROBABILITY: Final = "log-probability"
WITHOUT_REASONING: Final = "log-probability without reasoning"
"""The first point of that test, which it also reports: the loss when nothing of the reasoning is
kept."""


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
    """Second model that paraphrases a reasoning; it is never shown the question."""
    controls: ControlsSpec | None = ControlsSpec()
    """Controls on which the tests are calibrated; a subject that cannot solve them leaves the tests
    uncalibrated, and the report says so. An endpoint is asked twice for every control; where it
    solves them, a third time and once more for every test and share. `assay check` counts that as
    a separate step; null leaves them out."""
    factors: bool = True
    """Also: does the reasoning name the fields that attribution ranks highest? Needs named fields
    of the data, and gradients."""

    @property
    def runnable(self) -> list[ReasoningTest]:
        """The tests that the definition makes possible, if the subject allows them."""
        return [t for t in self.tests if t != "paraphrase" or self.paraphraser is not None]

    @model_validator(mode="after")
    def tests_differ(self) -> Self:
        """A test that is named twice would be counted twice."""
        if len(set(self.tests)) < len(self.tests):
            raise ValueError(f"tests are named more than once: {', '.join(self.tests)}")
        return self

    @property
    def second_model(self) -> SecondModel | None:
        """Second model that paraphrases a reasoning, if that test is asked for."""
        return self.paraphraser if "paraphrase" in self.runnable else None


KIND = Kind(
    definition=ReasoningCheck,
    title="Dependence on the reasoning",
    vocabulary=REASONING,
    needs=frozenset({"writing", "answers", "asking again"}),
    room="tasks.checks.reasoning",
    headlines=(
        "dependence_on_reasoning",
        "log_probability_lost",
        "factor_gain",
        "instrument_auroc",
        "unparsed",
    ),
    words=(ABOUT_REASONING,),
)
