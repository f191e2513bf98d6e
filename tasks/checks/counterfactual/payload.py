"""Options and payloads of the rounds of identity swaps."""

from tasks.definition.checks.counterfactual import TermSwap
from tasks.definition.record import Record
from tasks.run.payload import Payload


class SwapOptions(Record):
    """One list of identity terms."""

    swap: TermSwap
    favourable: str


class Decided(Record):
    """The decision about one version of a text."""

    decision: str | None
    """None where no answer could be read."""
    log_odds: float | None
    """Of the favourable decision, in nats; none where the subject does not give them."""


class ExchangedText(Record):
    """One text as it stands, with its terms exchanged, and with neutral words exchanged."""

    position: int
    """In the data set."""
    id: str
    swap: str
    """Name of the list."""
    source: str
    target: str
    text: str
    """After the exchange."""
    plain: Decided
    exchanged: Decided
    control: Decided | None
    """None where the text holds no neutral word."""

    @property
    def flips(self) -> bool:
        """Whether the exchange changes the decision."""
        return self.plain.decision != self.exchanged.decision

    @property
    def flips_by_control(self) -> bool | None:
        """Whether exchanging neutral words changes the decision; none where nobody can say."""
        if self.control is None or self.control.decision is None:
            return None
        return self.plain.decision != self.control.decision

    @property
    def read(self) -> bool:
        """Whether both decisions could be read."""
        return bool(self.plain.decision and self.exchanged.decision)


class ExchangedTexts(Payload):
    """The texts of a shard that hold a term of the list."""

    texts: tuple[ExchangedText, ...]
