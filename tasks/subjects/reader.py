"""The interface of a kind of subject before a run, and its loading on a worker."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import NoReturn, Protocol

from tasks.data.dataset import Dataset
from tasks.definition import SubjectSpec
from tasks.errors import SubjectError
from tasks.schema import SubjectProvenance
from tasks.subjects.protocols import (
    Decides,
    DecidesAnew,
    OnRecord,
    Opens,
    OpenWriter,
    Resumes,
    Writes,
)
from tasks.subjects.reference import SubjectRef


class Price(Protocol):
    """The highest cost of asking a subject, in tokens."""

    def of_writing(self, text: str) -> int:
        """Reasoning and answering about a text."""

    def of_answer_after(self, text: str) -> int:
        """Answering about a text after a given reasoning of any length."""


class Reader(ABC):
    """One kind of subject: its reference, its properties before it loads, and its loading.

    A kind overrides the loaders of what it offers in `tasks.definition.access`, and no others.
    """

    @abstractmethod
    def refer(self, name: str, spec: SubjectSpec, root: Path, data: str) -> SubjectRef:
        """The exact reference of a subject, after a check of all that its files show.

        Args:
            name: as the definition calls it.
            spec: the definition of the subject.
            root: folder that relative paths start from.
            data: digest of the data.

        Raises:
            SubjectError: there is no such subject, or it cannot be read safely.
        """

    def labels(self, ref: SubjectRef, data: Dataset) -> tuple[str, ...]:
        """Class names or choices, without loading; empty if it predicts tokens or free answers."""
        return ref.spec.known_answers

    def check(self, ref: SubjectRef, data: Dataset) -> None:
        """Check subject and data before the run; does nothing unless a kind overrides it."""
        return

    def last_layer(self, ref: SubjectRef) -> int | None:
        """Number of its last layer; none if it has no layers or does not state it."""
        return None

    def tells_apart(self, ref: SubjectRef) -> bool:
        """Whether its known answers differ in their first token; its weights are not loaded."""
        return True

    def price(self, spec: SubjectSpec) -> Price | None:
        """The cost of asking it; none for a subject that is not asked over a network."""
        return None

    def begin(self, ref: SubjectRef, store: Path | None, *, fresh: bool) -> SubjectRef:
        """The subject at the start of a run; unchanged unless a kind keeps answers or a budget.

        Args:
            ref: the subject.
            store: folder of finished work; none if that is no folder of this machine.
            fresh: delete stored answers.
        """
        return ref

    @abstractmethod
    def provenance(self, ref: SubjectRef, data: Dataset) -> SubjectProvenance:
        """Its record for provenance; weights are loaded and checked for that.

        Raises:
            SubjectError: it cannot be read, or a text is too long where that is refused.
        """

    @abstractmethod
    def decider(self, ref: SubjectRef) -> Decides:
        """Load it for its decisions on the data."""

    def fresh_decider(self, ref: SubjectRef) -> DecidesAnew:
        """Load it for decisions on other texts."""
        self._lacks(ref, "asking again")

    def writer(self, ref: SubjectRef) -> Writes:
        """Load it for its reasonings."""
        self._lacks(ref, "writing")

    def resumer(self, ref: SubjectRef) -> Resumes:
        """Load it for answers after given reasonings."""
        self._lacks(ref, "writing and asking again")

    def on_record(self, ref: SubjectRef) -> OnRecord:
        """Load the records under several conditions."""
        self._lacks(ref, "conditions on record")

    def opened(self, ref: SubjectRef) -> Opens:
        """Load its weights."""
        self._lacks(ref, "gradients and hidden states")

    def open_writer(self, ref: SubjectRef) -> OpenWriter:
        """Load the weights of a subject that writes."""
        self._lacks(ref, "writing, gradients and hidden states")

    def _lacks(self, ref: SubjectRef, access: str) -> NoReturn:
        raise SubjectError(f"subject {ref.name} ({ref.spec.kind}) does not offer {access}")
