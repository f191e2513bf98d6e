"""A loaded model with a sequence-classification head."""

from dataclasses import dataclass

from torch import Tensor

from tasks.errors import SubjectError
from tasks.subjects.local.batches import Batch
from tasks.subjects.local.subject import LocalSubject


@dataclass(frozen=True)
class Classifier(LocalSubject):
    """A model that decides for one of its classes and writes nothing."""

    def render(self, text: str) -> str:
        """The text itself."""
        return text

    def with_answer(self, text: str, answer: str) -> str:
        """Refused: it has no answers."""
        raise self._writes_nothing()

    def log_probability(
        self, batch: Batch, answer: Tensor, embeddings: Tensor | None = None
    ) -> Tensor:
        """Refused: it has no answers."""
        raise self._writes_nothing()

    def _run(
        self, batch: Batch, embeddings: Tensor | None, **extra: bool
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        output = self.model(**self._inputs(batch, embeddings), **extra)
        return output.logits.float(), getattr(output, "attentions", None)

    def _writes_nothing(self) -> SubjectError:
        return SubjectError(f"subject {self.name} does not write; it has classes, no answers")
