"""What changed since an earlier report."""

from tasks.definition.record import Record
from tasks.schema.measurement import Measurement
from tasks.schema.report import Verdict


class Change(Record):
    """One gate's measurement in the earlier audit and in this one."""

    check: str
    measure: str
    about: str
    before: Measurement
    after: Measurement
    verdict_before: Verdict | None = None
    verdict_after: Verdict | None = None
    clear: bool
    """The two intervals do not overlap."""


class Comparison(Record):
    """This audit against an earlier one."""

    baseline: str
    """Name of the earlier audit."""
    finished: str
    """When it finished, ISO 8601, UTC."""
    evidence_sha256: str
    """Digest of the earlier evidence.json."""
    refused: str = ""
    """Why nothing is compared: the earlier evidence is of another version; else empty."""
    same_data: bool = False
    changed: tuple[str, ...] = ()
    """Differences: definition keys, data, weights, in words."""
    changes: tuple[Change, ...] = ()
