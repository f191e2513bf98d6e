"""The plain-language texts."""

from typing import Literal

from tasks.definition.record import Record


class Explanation(Record):
    """A short plain-language text about one finding or one case."""

    about: str
    """Id of the finding or of the case."""
    text: str
    written_by: Literal["template", "model"]
    claims_checked: int = 0
    claims_rejected: int = 0
    rejected: tuple[str, ...] = ()
    """Why claims of the model were rejected, in the checker's words."""


class Explanations(Record):
    """All texts, and how far they were checked."""

    provider: str
    texts: tuple[Explanation, ...] = ()

    @property
    def checked(self) -> int:
        """Claims of a language model held against the evidence."""
        return sum(t.claims_checked for t in self.texts)

    @property
    def rejected(self) -> int:
        """Of these, how many the evidence does not support."""
        return sum(t.claims_rejected for t in self.texts)
