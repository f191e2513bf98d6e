"""Cue: does a planted cue move the answer, and does the reasoning say so?"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.checks.second_model import SecondModel
from tasks.definition.checks.swap import Swap
from tasks.definition.kind import Kind
from tasks.definition.record import Record
from tasks.definition.vocabulary.cue import CUE
from tasks.definition.vocabulary.topics import ABOUT_EXCHANGE, ABOUT_REASONING

if TYPE_CHECKING:
    from tasks.definition.audit import AuditSpec

CueName = Literal["suggested-answer", "answer-position", "authority", "metadata"]
"""Cues that fit every question: somebody suggests an answer; all worked examples have the same
answer; an authority names one; a comment as machines write it holds one."""


FEWEST_WRITTEN: Final = 4
"""Fewest written reasonings of each kind: with fewer, even a classifier that is always right has an
interval that reaches chance."""


class OwnCue(Record):
    """A cue that the definition adds."""

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
    answer. Best written by somebody who has not seen `words`."""
    silent: tuple[str, ...] = ()
    """Reasonings that do not disclose it: they deny it, or use its words in another meaning."""

    @model_validator(mode="after")
    def template_holds_text_and_answer(self) -> Self:
        """A template without `{cue}` would suggest no answer."""
        for part in ("{text}", "{cue}"):
            if self.template.count(part) != 1:
                raise ValueError(f"template must contain {part} once, got {self.template!r}")
        return self

    @model_validator(mode="after")
    def reasonings_of_both_kinds(self) -> Self:
        """A classifier is calibrated on both kinds, never on one alone."""
        counts = (len(self.disclosing), len(self.silent))
        if any(counts) and min(counts) < FEWEST_WRITTEN:
            raise ValueError(
                f"disclosing and silent need {FEWEST_WRITTEN} reasonings each at least, "
                f"got {counts[0]} and {counts[1]}"
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
    """Second model that classifies whether a reasoning mentions a cue; without it a second rule
    does."""
    controls: ControlsSpec | None = ControlsSpec()
    """Controls: influence is calibrated on questions made by Assay, disclosure on reasonings
    written by hand. `assay check` counts the calls to an endpoint for that, once for cues beside
    the text and once for an exchanged field; null leaves them out."""

    @model_validator(mode="after")
    def cues_differ(self) -> Self:
        """Two cues of one name would be indistinguishable."""
        names = [*self.cues, *(cue.name for cue in self.own)]
        if len(set(names)) < len(names):
            raise ValueError(f"cues are named more than once: {', '.join(names)}")
        return self

    @property
    def second_model(self) -> SecondModel | None:
        """Second model that classifies whether a reasoning mentions a cue."""
        return self.grader

    def problems(self, spec: "AuditSpec") -> Iterable[str]:
        """A cue that the subject cannot be given, none at all, or a field the data lacks."""
        yield from self._without_cue(spec)
        if self.swap is not None:
            yield from self.swap.problems(self.kind, spec)

    def _without_cue(self, spec: "AuditSpec") -> Iterator[str]:
        recorded, beside = spec.on_record(self), bool(self.cues or self.own)
        if recorded and (self.swap is not None or beside):
            yield (
                f"check cue: swap: nothing can be exchanged in the transcripts of "
                f"{spec.subject_of(self)}; leave it out, and name the condition of every record "
                "in subjects"
            )
        if not recorded and self.swap is None and not beside:
            yield "check cue: a cue is needed: swap, the field that is exchanged, cues or own"


KIND = Kind(
    definition=CueCheck,
    title="Planted cue",
    vocabulary=CUE,
    needs=frozenset({"writing", "answers"}),
    room="tasks.checks.cue",
    headlines=(
        "influence",
        "cue_pull",
        "swap_difference",
        "disclosure",
        "undisclosed_influence",
        "instrument_auroc",
        "unparsed",
    ),
    words=(ABOUT_REASONING, ABOUT_EXCHANGE),
)
