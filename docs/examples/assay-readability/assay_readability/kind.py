"""What Assay knows of the kind before it runs: definition, vocabulary, where the work is done."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field

from tasks.definition.audit import AuditSpec
from tasks.definition.checks.base import BaseCheck
from tasks.definition.kind import Kind
from tasks.definition.vocabulary.measure import Measure


class ReadabilityCheck(BaseCheck):
    """Are texts of one group written in longer sentences than those of another?"""

    kind: Literal["readability"] = "readability"
    attribute: str
    """Protected attribute whose groups are compared."""
    longest: int = Field(default=200, ge=1)
    """Words beyond which a sentence counts as this long: lists are no sentences."""

    def problems(self, spec: AuditSpec) -> Iterable[str]:
        """The attribute is one of the data."""
        if self.attribute not in spec.data.groups:
            yield (
                f"check readability: attribute {self.attribute!r} is not in data.groups: "
                f"{', '.join(spec.data.groups) or 'empty'}"
            )


KIND = Kind(
    definition=ReadabilityCheck,
    title="Readability",
    vocabulary={
        "words_per_sentence": Measure(
            "Words per sentence",
            "Mean over texts of their mean sentence length.",
            "neither",
            "count",
        ),
        "words_per_sentence_difference": Measure(
            "Difference in words per sentence",
            "Words per sentence of a group minus those of the largest group; 0 is parity.",
            "neither",
            "difference",
        ),
    },
    needs=frozenset(),
    room="assay_readability",
    headlines=("words_per_sentence", "words_per_sentence_difference"),
    templates=Path(__file__).parent / "explanations",
)
