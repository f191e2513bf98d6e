"""The definition of one audit, and whether its names agree."""

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from tasks.definition.any_check import Check
from tasks.definition.checks.base import BaseCheck
from tasks.definition.data import DataSpec
from tasks.definition.endpoints import EndpointAddress
from tasks.definition.gates import Gate
from tasks.definition.kinds import kind_of
from tasks.definition.problems import first_problem
from tasks.definition.record import Name, Record
from tasks.definition.subjects import SubjectSpec, TranscriptsSubject
from tasks.errors import SpecError


class ExplainSpec(EndpointAddress):
    """Who writes the plain-language texts."""

    provider: Literal["template", "openai"] = "template"
    """`template` needs no network; `openai` speaks to any OpenAI-compatible endpoint."""
    model: str | None = None
    """Model name at the endpoint."""
    key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a definition."""

    @model_validator(mode="after")
    def names_its_model(self) -> Self:
        """An endpoint cannot be asked without a model's name."""
        if self.provider == "openai" and not self.model:
            raise ValueError("provider openai needs model")
        return self


class PlantedRef(Record):
    """The record of what was planted in an organism."""

    path: str
    """YAML file, relative to the definition."""
    version: str
    """Version of the organism that is audited."""


class AuditSpec(Record):
    """One audit, as written in `audits/*.yaml`."""

    model_config = ConfigDict(
        defer_build=True
    )  # kinds of checks are looked up when a definition is read

    name: Name
    """Names the folder of its reports."""
    title: str = ""
    """Heading of the report."""
    intended_use: str = ""
    """What the subject is used for; stands in report and model card."""
    seed: int = Field(ge=0, lt=2**32)
    """Seed of every random draw."""
    subjects: Annotated[dict[Name, SubjectSpec], Field(min_length=1)]
    """The models under audit, by a short name."""
    data: DataSpec
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]
    gates: tuple[Gate, ...] = ()
    cases: int = Field(default=12, ge=0)
    """Texts that are shown as cases and followed through all sections of the report."""
    explain: ExplainSpec = ExplainSpec()
    baseline: Name | None = None
    """Name of the audit whose newest report this one is compared with, where it is at hand."""
    planted: PlantedRef | None = None
    """What was planted in an organism; the report is held against it."""

    @model_validator(mode="after")
    def names_agree(self) -> Self:
        """Every name used is a name declared."""
        problems = [
            *self._subject_problems(),
            *(problem for check in self.checks for problem in check.problems(self)),
            *self._gate_problems(),
        ]
        if problems:
            raise ValueError(problems[0])
        return self

    def _subject_problems(self) -> list[str]:
        known = ", ".join(self.subjects)
        problems = []
        for check in self.checks:
            if check.subject is None and len(self.subjects) > 1:
                problems.append(f"check {check.kind}: say which subject; there are: {known}")
            elif check.subject is not None and check.subject not in self.subjects:
                problems.append(
                    f"check {check.kind}: no subject {check.subject!r}; there are: {known}"
                )
        keys = [(check.kind, check.subject) for check in self.checks]
        problems += [
            f"check {kind} stands twice for the same subject"
            for kind, subject in dict.fromkeys(keys)
            if keys.count((kind, subject)) > 1
        ]
        return problems

    def _gate_problems(self) -> list[str]:
        kinds = {check.kind for check in self.checks}
        attributes = {*self.data.groups}
        attributes.update(name for check in self.checks for name in check.gate_attributes(self))
        problems = []
        for gate in self.gates:
            if gate.check not in kinds:
                problems.append(
                    f"gate on {gate.measure}: no check {gate.check!r} in this definition; "
                    f"there are: {', '.join(sorted(kinds))}"
                )
            elif gate.measure not in (known := kind_of(gate.check).vocabulary):
                problems.append(
                    f"gate: check {gate.check} does not measure {gate.measure!r}; "
                    f"it measures: {', '.join(known)}"
                )
            if gate.attribute is not None and gate.attribute not in attributes:
                problems.append(
                    f"gate on {gate.measure}: attribute {gate.attribute!r} is not in data.groups: "
                    f"{', '.join(self.data.groups) or 'empty'}"
                )
            if gate.field is not None and gate.field not in self.data.field_names:
                problems.append(
                    f"gate on {gate.measure}: no field {gate.field!r} is named in data: "
                    f"{', '.join(self.data.field_names) or 'empty'}"
                )
            if gate.subject is not None and gate.subject not in self.subjects:
                problems.append(
                    f"gate on {gate.measure}: no subject {gate.subject!r}; "
                    f"there are: {', '.join(self.subjects)}"
                )
        return problems

    def subject_of(self, check: BaseCheck) -> str:
        """Name of the subject that answers `check`."""
        return check.subject or next(iter(self.subjects))

    def on_record(self, check: BaseCheck) -> bool:
        """Whether the subject that answers `check` is a table of transcripts."""
        return isinstance(self.subjects.get(self.subject_of(check)), TranscriptsSubject)


def read_spec(path: Path) -> AuditSpec:
    """Read and validate a definition.

    Raises:
        SpecError: no such file, not YAML, or not a valid definition; one line, first problem.
    """
    if not path.is_file():
        raise SpecError(f"no audit definition at {path}; `assay list` shows those that ship here")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        raise SpecError(f"{path}: not readable as YAML{line}") from None
    if not isinstance(content, dict):
        raise SpecError(f"{path}: expected a mapping of keys, got {type(content).__name__}")
    try:
        return AuditSpec.model_validate(content)
    except ValidationError as error:
        raise SpecError(f"{path}: {first_problem(error, AuditSpec)}") from None
