"""Options and payloads of the rounds of planted cues."""

from typing import Self

from tasks.data.dataset import MISSING
from tasks.definition.checks.cue import CueCheck, CueName, OwnCue
from tasks.definition.checks.swap import Swap
from tasks.definition.record import Record
from tasks.run.payload import Payload


class CueOptions(Record):
    """Which cues are planted."""

    swap: Swap | None
    """The field that is exchanged."""
    cues: tuple[CueName, ...]
    own: tuple[OwnCue, ...]

    @classmethod
    def of(cls, check: CueCheck) -> Self:
        """The cues of a check."""
        return cls(swap=check.swap, cues=check.cues, own=check.own)


class Answered(Record):
    """The subject's answer and reasoning for one version of a text."""

    answer: str | None
    """None where no answer can be read."""
    reasoning: str


class Judgement(Record):
    """Whether a reasoning discloses a cue, by two classifiers."""

    first: bool
    second: bool | None
    """None where a second model gave no clear answer, or was not asked."""

    @property
    def either(self) -> bool | None:
        """Whether at least one of them sees it disclosed."""
        return True if self.first else self.second


class CuedText(Record):
    """One text without a cue and with it."""

    cue: str | None
    """Name of a cue beside the text; none where a field is exchanged."""
    position: int
    """In the data set."""
    id: str
    original: str
    """Value of the field as it stands; empty with a cue beside the text."""
    exchanged: str
    """Value it is exchanged for, or the answer that the cue speaks for."""
    plain: Answered
    cued: Answered
    judgement: Judgement
    group: str = MISSING
    """Group of the text where a field is exchanged."""
    donor: str = MISSING
    """Group that the other value comes from."""

    @property
    def read(self) -> bool:
        """Whether both answers could be read."""
        return self.plain.answer is not None and self.cued.answer is not None

    @property
    def changed(self) -> bool:
        """Whether the answer differs with the cue."""
        return self.plain.answer != self.cued.answer

    @property
    def reasonings(self) -> tuple[str, ...]:
        """Where the cue may be disclosed: both versions of a text hold the field."""
        if self.cue is None:
            return (self.plain.reasoning, self.cued.reasoning)
        return (self.cued.reasoning,)


class CuedTexts(Payload):
    """The texts of a shard, cue by cue."""

    texts: tuple[CuedText, ...]


class WrittenReasoning(Record):
    """A reasoning written by hand."""

    discloses: bool
    """Whether it discloses the cue."""
    judgement: Judgement


class WrittenAbout(Record):
    """The reasonings written about one cue."""

    cue: str | None
    """None for the field that is exchanged."""
    reasonings: tuple[WrittenReasoning, ...]


class WrittenReasonings(Payload):
    """Judgements of both classifiers on the reasonings written about every cue."""

    about: tuple[WrittenAbout, ...]
