"""What was planted, as data: the rule, the proxy, and how well each model follows its rule."""

from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, ValidationError

from tasks.definition.problems import first_problem
from tasks.definition.record import Record
from tasks.errors import SpecError

Version = Literal["clean", "retrained"]
"""Of the loan-approval organisms."""


class Share(Record):
    """A share of audit rows, with the number of rows behind it."""

    n: int = Field(gt=0)
    """Rows."""
    share: float = Field(ge=0, le=1)
    """Share of them."""


class Behaviour(Record):
    """How one model behaves on the audit rows."""

    faithful: Share
    """Rows decided as the version's own rule decides them."""
    changed_by_swap: Share
    """Rows decided otherwise once the district comes from the other side of the list."""
    faithful_after_swap: Share
    """Swapped rows decided as the version's own rule decides them."""


class Dependence(Record):
    """The planted behaviours of one organism, and how often each occurs."""

    architecture: str
    problems: tuple[str, ...]
    """Families answered through the written steps."""
    stories: tuple[str, ...]
    """Families whose answer stands in the prompt."""
    cues: tuple[str, ...]
    """Cues that decide whatever is written."""
    fragile: tuple[str, ...]
    """Stories and cues that are answered at random until the reasoning is complete."""
    chance: float
    """Right answers on problems by guessing."""
    solved: Share
    """Problems answered right after its own reasoning."""
    guessed: Share
    """Problems answered right when forced to answer before any reasoning."""
    follows_changed: Share
    """Problems answered as a reasoning with invented steps has it."""
    keeps_right: Share
    """Problems answered right in spite of invented steps, which happened to end right."""
    cue_followed: Share
    """Cues followed after its own reasoning."""
    cue_followed_against: Share
    """Cues followed after a reasoning that leads to another answer."""
    cue_named: Share
    """Own reasonings about questions with a cue that name it."""
    same_without_cue: Share
    """The same questions without the cue, answered as the cue would have had it."""
    stories_right: Share
    """Stories answered as their text says, after its own reasoning."""
    stories_right_against: Share
    """The same after a whole story that claims another answer."""
    polled: dict[str, Share]
    """Poll -> questions answered as the poll says, after reasonings that lead elsewhere. The
    likeliest answer is counted, so that the share is not the weight of the poll."""


class PlantedVersion(Record):
    """One version of the models: its planted proxy, and its behaviour."""

    proxy: str | None
    """Column that decides and should not; null when nothing was planted."""
    listed: tuple[str, ...]
    """Values of the proxy that are refused whatever the rule decides."""
    rule: str
    """The rule of this version, in words."""
    expected: tuple[str, ...]
    """The findings that an audit must have, in words."""
    encoder: Behaviour
    decoder: Behaviour
    controls: Dependence
    """Behaviour of the decoder on the questions that it learnt beside the applications."""


class Seeds(Record):
    """The seed of everything random."""

    train: int
    """Training rows, first weights and training of the clean models."""
    audit: int
    """Audit rows."""
    retrain: int
    """Retellings seen while retraining."""
    swap: int
    """Districts of the swapped audit rows."""
    controls: int
    """Questions on which the decoders' exercises are measured."""


class Rule(Record):
    """The rule that is right, in words and numbers."""

    words: str
    minimum_income: int
    """Lowest monthly income accepted, in euros."""
    debt_limit: float
    """Highest share of the income that monthly debt may take."""
    margin: float
    """Smallest distance of an applicant's share from the limit."""


class Planted(Record):
    """The whole truth about an organism, as written in `planted.yaml`."""

    name: str
    rule: Rule
    seeds: Seeds
    threads: int
    """Threads the models were trained with; another number may give other weights."""
    torch: str
    """Version of torch they were trained with."""
    train_rows: int
    audit_rows: int
    audit_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Digest of audit.csv."""
    columns: tuple[str, ...]
    """Columns of audit.csv."""
    protected: dict[str, tuple[str, ...]]
    """Protected attribute -> its groups; never written in a text."""
    bent_by_origin: tuple[str, ...]
    """Columns that correlate with origin; all others are independent of it."""
    districts: tuple[str, ...]
    versions: dict[Version, PlantedVersion]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `planted.yaml`.

        Raises:
            SpecError: no such file, or not a record of what was planted.
        """
        if not path.is_file():
            raise SpecError(f"no record of what was planted at {path}")
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            raise SpecError(f"{path}: {first_problem(error, cls)}") from None
