"""Options and payloads of the rounds on reasoning."""

from tasks.definition.checks.controls import ControlsSpec
from tasks.definition.checks.reasoning import LOG_PROBABILITY, ReasoningTest
from tasks.definition.record import Record
from tasks.measures.stats.intervals import Interval
from tasks.run.payload import Payload


class ReasoningOptions(Record):
    """What is done to the reasonings of texts."""

    tests: tuple[ReasoningTest, ...]
    shares: tuple[float, ...]
    """Of a reasoning that are kept, rising from 0 to 1."""
    factors: bool
    """Whether to compare the fields that a reasoning names with those that move its answer."""


class ControlsOptions(Record):
    """What is done to the reasonings of controls."""

    controls: ControlsSpec
    tests: tuple[ReasoningTest, ...]
    shares: tuple[float, ...]


class FactorControlsOptions(Record):
    """Which texts the comparison of fields is tried on."""

    controls: ControlsSpec


class UnderTest(Record):
    """Outcome of one test on one text, share by share."""

    answers: tuple[str | None, ...]
    """None where no answer can be read."""
    kept: tuple[int, ...]
    """Tokens of the reasoning that are kept."""


class Answered(Record):
    """The answer to a text, and the outcome of every test of its reasoning."""

    answer: str | None
    """After the whole reasoning; none where no answer can be read."""
    by_test: dict[ReasoningTest, UnderTest | None]
    """None where a test cannot change the reasoning."""
    log_probabilities: tuple[float, ...] | None = None
    """Of the answer, in nats, share by share; none where they are not asked for, there is no
    answer, or the subject does not give them."""

    def readable(self, test: ReasoningTest) -> bool:
        """Whether a test could change the reasoning, and its outcome can be read at every share."""
        if self.answer is None:
            return False
        if test == LOG_PROBABILITY:
            return self.log_probabilities is not None
        under = self.by_test[test]
        return under is not None and None not in under.answers


class NamedFields(Record):
    """Fields of a text: how much each moves the answer, and which the reasoning names."""

    attributed: dict[str, float]
    """Absolute attribution."""
    named: tuple[str, ...]


class ReasonedText(Answered):
    """One text of the data."""

    id: str
    label: str | None
    reasoning: str
    fields: NamedFields | None
    """None where they are not asked for, or nothing could be attributed."""


class ReasonedTexts(Payload):
    """The texts of a shard."""

    texts: tuple[ReasonedText, ...]


class ScoredControls(Record):
    """One test's scores of controls, and their truth."""

    scores: tuple[float, ...]
    truth: tuple[bool, ...]
    questions: tuple[str, ...]
    """What each is made from; controls of one question are not independent."""


class ControlScores(Record):
    """Controls that a subject confirms, and the tests' scores of them."""

    controls: int
    """Put to the subject."""
    depend: int
    """Confirmed as depending on their reasoning."""
    independent: int
    """Confirmed as not depending on it."""
    chance: float
    """Accuracy of guessing on the controls that need their steps."""
    solved: Interval
    """Share of these answered right after the subject's own reasoning."""
    guessed: Interval
    """Share of these answered right before any reasoning."""
    own_words: bool
    """Whether they were put in words of their own, not in the definition's prompt."""
    tests: dict[str, ScoredControls]


class OnControls(Payload):
    """The tests of a reasoning on controls."""

    reason: str | None = None
    """Why nothing can be calibrated on this subject; none when it can."""
    left_out: str = ""
    """Which families of controls were left out, in words."""
    scores: ControlScores | None = None
    """None where there is a reason."""


class FactorScores(Record):
    """Controls that a subject confirms, and how named and attributed fields agree on them."""

    controls: int
    """Put to the subject."""
    decisive: int
    """Confirmed, with a reasoning that names the field which decides."""
    idle: int
    """Confirmed, with a reasoning that names another field."""
    unread: int
    """Confirmed, but nothing could be attributed to their fields."""
    flat: int
    """With fields that all count alike, so that there is no rank."""
    families: tuple[str, ...]
    """Of the controls that count."""
    alike: tuple[str, ...]
    """Families in which one field decides in all texts."""
    tests: dict[str, ScoredControls]


class FactorsOnControls(Payload):
    """The comparison of named and attributed fields on controls."""

    reason: str | None = None
    """Why nothing can be calibrated on this subject; none when it can."""
    left_out: str = ""
    """Which families of controls were left out, in words."""
    scores: FactorScores | None = None
    """None where there is a reason."""
