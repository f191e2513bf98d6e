"""The report's records: findings with their verdict, and their provenance."""

from typing import Final, Literal

from pydantic import Field

from tasks.definition import AuditSpec, Gate
from tasks.definition.record import Record
from tasks.schema.cases import Case
from tasks.schema.evidence import Evidence
from tasks.schema.measurement import Measurement

Verdict = Literal["pass", "fail", "inconclusive"]

FORMAT: Final = 2
"""Format of the evidence that this version leaves and reads."""


class Finding(Record):
    """A gate and the verdict on what was measured."""

    id: str
    """Names the finding in report and explanations: `f1`, `f2`, ..."""
    gate: Gate
    verdict: Verdict
    subject: str
    """Which subject it is about."""
    deciding: Measurement | None = None
    """The measurement that decided; none when nothing was measured."""
    measured: int = 0
    """Number of measurements that the gate covers."""
    beyond: tuple[Measurement, ...] = ()
    """All measurements that are not on the good side, the deciding one first."""
    reason: str = ""
    """Why the verdict is not simply pass or fail."""
    more_texts: int | None = None
    """Further texts that would decide an inconclusive finding at 80 % power, if known."""


class SubjectProvenance(Record):
    """A subject, named so exactly that anyone can load the same weights."""

    name: str
    kind: str
    path: str
    revision: str | None = None
    sha256: str
    """Digest over configuration, tokenizer and weights; see `known_by`."""
    known_by: Literal["weights", "records", "address"] = "weights"
    """Content of the digest: the weights; recorded answers, whose model is not available; or an
    endpoint's address, model name and parameters, behind which weights may change unnoticed."""
    architecture: str | None = None
    parameters: int | None = None
    layers: int | None = None
    labels: tuple[str, ...] = ()
    window: int | None = None
    """Longest text in tokens."""
    too_long: int = 0
    """Texts of the data beyond the window, treated as the definition says."""


class DataProvenance(Record):
    """The data, named so exactly that anyone can check that it is the same."""

    path: str
    revision: str | None = None
    sha256: str
    rows: int = Field(gt=0)
    """Rows audited."""
    rows_in_file: int = Field(gt=0)
    groups: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Attribute -> group -> rows."""
    labels: dict[str, int] = Field(default_factory=dict)


class Provenance(Record):
    """Everything that a repetition needs."""

    definition_sha256: str
    code_sha256: str
    """Digest over Assay's own code."""
    versions: dict[str, str]
    """Library -> version."""
    data: DataProvenance
    subjects: tuple[SubjectProvenance, ...]


class Report(Record):
    """The durable product: judging and rendering run again from it, without a model."""

    format: Literal[2] = FORMAT
    """Increased when the meaning of evidence changes; other formats are not read."""
    spec: AuditSpec
    provenance: Provenance
    cases: tuple[Case, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Fail if any gate failed; inconclusive if none failed but one could not be decided.

        Without gates nothing was judged, which is no pass either.
        """
        verdicts = {finding.verdict for finding in self.findings}
        if "fail" in verdicts:
            return "fail"
        return "pass" if verdicts == {"pass"} else "inconclusive"


class RunRecord(Record):
    """When and where a run took place; kept apart so that evidence repeats to the byte."""

    started: str
    finished: str
    seconds: dict[str, float] = Field(default_factory=dict)
    """Stage -> seconds."""
    shards_computed: int = 0
    shards_reused: int = 0
    evidence_sha256: str = ""
