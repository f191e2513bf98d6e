"""All that one check measured."""

from pydantic import Field

from tasks.definition.any_check import Check
from tasks.definition.record import Record
from tasks.schema.cases import CaseEvidence
from tasks.schema.measurement import ImpactTable, Measurement, TooSmall


class Export(Record):
    """A file of the report that a serving process uses."""

    file: str = Field(pattern=r"^levers/[a-z0-9-]+\.safetensors$")
    """Path below the folder of the report."""
    sha256: str
    says: str
    """What it does, in words."""


class Recommendation(Record):
    """The lever that a remediation recommends, or why none."""

    lever: str | None = None
    """As `About.lever` names it."""
    why: str = ""
    """Why none is recommended."""


class Evidence(Record):
    """The measurements and cases of one check; no judgement."""

    check: Check
    subject: str
    """Which subject answered."""
    measurements: tuple[Measurement, ...] = ()
    cases: tuple[CaseEvidence, ...] = ()
    too_small: tuple[TooSmall, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know before believing the numbers."""
    not_run: str | None = None
    """Why the check was not run, if it was not."""
    cited: str | None = None
    """Attribution method behind sentences and shares; none if none may be cited."""
    withheld: dict[str, str] = Field(default_factory=dict)
    """Measure that was asked for and is not stated -> why."""
    impact_tables: tuple[ImpactTable, ...] = ()
    """Tables under Local Law 144, where the definition asks for them."""
    exports: tuple[Export, ...] = ()
    """Files beside the evidence, by their digest."""
    recommendation: Recommendation | None = None
    """What a remediation recommends."""

    def named(self, name: str) -> tuple[Measurement, ...]:
        """All measurements of that name."""
        return tuple(m for m in self.measurements if m.name == name)
