"""What Assay must know of a kind of check before the check runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tasks.definition.access import Access
from tasks.definition.vocabulary.measure import Measure

if TYPE_CHECKING:
    from tasks.definition.checks.base import BaseCheck

EXPLANATIONS: Final = Path(__file__).resolve().parents[2] / "templates" / "explanations"
"""Templates of the kinds that ship with Assay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of check: a light record, read wherever checks are named but not run.

    The code that measures is imported from `room` when it is first needed.
    """

    definition: "type[BaseCheck]"
    """What a definition may ask of such a check; its docstring is the question."""
    title: str
    """Heading in the report."""
    vocabulary: Mapping[str, Measure]
    """Name of a measurement -> what it means."""
    needs: frozenset[Access]
    """Access to the subject without which the check is not run."""
    room: str
    """Import path of the package that measures, gathers the evidence and writes the section."""
    headlines: tuple[str, ...]
    """Measures that the model card states over all texts, besides those that decided a gate."""
    headlines_by_subset: tuple[str, ...] = ()
    """Measures that the model card states for every subset of the texts."""
    indexed: bool = False
    """Whether its headlines are also in the model card's machine-readable index."""
    words: tuple[str, ...] = ()
    """Regular expressions: a text may use matching words only where it cites a check of this kind,
    or of another kind with the same expression."""
    plain_words: tuple[str, ...] = ()
    """Base forms of words of its trade that sentences may use besides the ordinary ones."""
    templates: Path = EXPLANATIONS
    """Folder with `<name>.j2`, the sentences for its measures."""

    def __post_init__(self) -> None:
        """Refuse a record that refers to measures it does not have, or a word that never fits."""
        strangers = [m for m in self.all_headlines if m not in self.vocabulary]
        if strangers:
            raise ValueError(f"headline {strangers[0]!r} is not in its vocabulary")
        odd = [w for w in self.plain_words if not re.fullmatch("[a-z]+", w)]
        if odd:
            raise ValueError(f"plain word {odd[0]!r} is not one word in small letters")
        if not (self.templates / f"{self.name}.j2").is_file():
            raise ValueError(f"no {self.name}.j2 in {self.templates}")

    @property
    def name(self) -> str:
        """What a definition writes as `kind`."""
        return str(self.definition.model_fields["kind"].default)

    @property
    def question(self) -> str:
        """What the check asks, in one line."""
        return (self.definition.__doc__ or "").strip().partition("\n")[0]

    @property
    def all_headlines(self) -> tuple[str, ...]:
        """Every measure that the model card states."""
        return (*self.headlines, *self.headlines_by_subset)
