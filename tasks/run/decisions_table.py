"""The decisions of one subject over some rows, ready to be counted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Decided:
    """Decisions in the order of `rows`."""

    subject: str
    rows: tuple[int, ...]
    """Positions in the data set."""
    decision: NDArray[np.str_]
    """Class decided for, [rows]; empty where no answer could be read."""
    probability: NDArray[np.float64]
    """Probability of the decision, [rows]; NaN where the subject gives none."""

    @property
    def parsed(self) -> NDArray[np.bool_]:
        """Rows with an answer, [rows]."""
        answered: NDArray[np.bool_] = self.decision != ""
        return answered

    def at(self, rows: Sequence[int]) -> "Decided":
        """The decisions of some of the rows."""
        place = {row: i for i, row in enumerate(self.rows)}
        keep = [place[row] for row in rows]
        return Decided(self.subject, tuple(rows), self.decision[keep], self.probability[keep])

    @property
    def unanswered(self) -> tuple[str, ...]:
        """A note on rows without an answer, if there are any."""
        missing = int((~self.parsed).sum())
        if not missing:
            return ()
        return (f"{missing} of {len(self.rows)} texts left out: no answer could be read.",)
