"""One audit as it is written down, and whether the names in it agree."""

from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from tasks.definition.checks import (
    Check,
    CounterfactualCheck,
    CueCheck,
    FairnessCheck,
    LocalLaw144,
    ProbingCheck,
)
from tasks.definition.data import DataSpec
from tasks.definition.endpoints import EndpointAddress
from tasks.definition.gates import Gate
from tasks.definition.problems import first_problem
from tasks.definition.record import Name, Record
from tasks.definition.subjects import SubjectSpec, TranscriptsSubject
from tasks.definition.vocabulary import MEASURES
from tasks.errors import SpecError

CROSS = " x "
"""Stands between two attributes, and between their groups, where they are crossed."""


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
    """Where it is written what was planted in an organism."""

    path: str
    """YAML file, relative to the definition."""
    version: str
    """Version of the organism that is audited."""


class AuditSpec(Record):
    """One audit, as written in `audits/*.yaml`."""

    name: Name
    """Names the folder of its reports."""
    title: str = ""
    """Heading of the report."""
    intended_use: str = ""
    """What the subject is used for; stands in report and model card."""
    seed: int = Field(ge=0, lt=2**32)
    """Everything random is drawn from it."""
    subjects: Annotated[dict[Name, SubjectSpec], Field(min_length=1)]
    """The models under audit, by a short name."""
    data: DataSpec
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]
    gates: tuple[Gate, ...] = ()
    cases: int = Field(default=12, ge=0)
    """Texts shown and followed through all sections of the report."""
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
            *self._column_problems(),
            *self._fairness_problems(),
            *self._gate_problems(),
        ]
        if problems:
            raise ValueError(problems[0])
        return self

    def _subject_problems(self) -> list[str]:
        known = ", ".join(self.subjects)
        found = []
        for check in self.checks:
            if check.subject is None and len(self.subjects) > 1:
                found.append(f"check {check.kind}: say which subject; there are: {known}")
            elif check.subject is not None and check.subject not in self.subjects:
                found.append(
                    f"check {check.kind}: no subject {check.subject!r}; there are: {known}"
                )
        keys = [(check.kind, check.subject) for check in self.checks]
        found += [
            f"check {kind} stands twice for the same subject"
            for kind, subject in dict.fromkeys(keys)
            if keys.count((kind, subject)) > 1
        ]
        return found

    def _column_problems(self) -> list[str]:
        groups, fields = self.data.groups, self.data.field_names
        found = []
        for check in self.checks:
            if isinstance(check, CueCheck):
                found += self._cue_problems(check)
            for attribute in getattr(check, "attributes", ()):
                if attribute not in groups:
                    found.append(
                        f"check {check.kind}: attribute {attribute!r} is not in data.groups: "
                        f"{', '.join(groups) or 'empty'}"
                    )
            span = getattr(check, "span", None)
            if span is not None and span not in fields:
                found.append(
                    f"check {check.kind}: span {span!r} is no named field of data: "
                    f"{', '.join(fields) or 'empty'}"
                )
            for key in ("attribute", "compose"):
                name = getattr(check, key, None)
                if name is not None and name not in groups:
                    found.append(
                        f"check {check.kind}: {key} {name!r} is not in data.groups: "
                        f"{', '.join(groups) or 'empty'}"
                    )
            swap = getattr(check, "swap", None)
            if swap is not None and swap.column not in fields:
                found.append(
                    f"check {check.kind}: swap.column {swap.column!r} is no named field of data: "
                    f"{', '.join(fields) or 'empty'}"
                )
            if swap is not None and swap.across not in groups:
                found.append(
                    f"check {check.kind}: swap.across {swap.across!r} is not in data.groups: "
                    f"{', '.join(groups) or 'empty'}"
                )
        return found

    def _cue_problems(self, check: CueCheck) -> list[str]:
        name = self.subject_of(check)
        recorded = isinstance(self.subjects.get(name), TranscriptsSubject)
        beside = bool(check.cues or check.own)
        if recorded and (check.swap is not None or beside):
            return [
                f"check cue: swap: nothing can be exchanged in the transcripts of {name}; leave "
                "it out, and name the condition of every record in subjects"
            ]
        if not recorded and check.swap is None and not beside:
            return ["check cue: a cue is needed: swap, the field that is exchanged, cues or own"]
        return []

    def _fairness_problems(self) -> list[str]:
        found = []
        for check in self.checks:
            if not isinstance(check, FairnessCheck):
                continue
            attributes = self.attributes_of(check)
            named = isinstance(check.reference, dict)
            law = self.local_law_of(check)
            uses = (
                ("intersections", [a for p in self.crossings_of(check) for a in p], attributes),
                ("reference", check.reference if named else (), self.groupings_of(check)),
                ("local_law_144", (law.sex, law.race_ethnicity) if law else (), self.data.groups),
            )
            found += [
                f"check fairness: {key}: {name!r} is not among: {', '.join(known) or 'none'}"
                for key, names, known in uses
                for name in names
                if name not in known
            ]
            if any(first == second for first, second in self.crossings_of(check)):
                found.append("check fairness: an attribute cannot be crossed with itself")
            if check.local_law_144 is True and len(attributes) != 2:
                found.append(
                    "check fairness: local_law_144: true needs two attributes, the sex and the "
                    "race/ethnicity category; or name them: {sex: .., race_ethnicity: ..}"
                )
        return found

    def _gate_problems(self) -> list[str]:
        asked = {check.kind for check in self.checks}
        fairness = [c for c in self.checks if isinstance(c, FairnessCheck)]
        attributes = {*self.data.groups, *(a for c in fairness for a in self.groupings_of(c))}
        attributes |= {
            f"{law.sex}{CROSS}{law.race_ethnicity}"
            for law in map(self.local_law_of, fairness)
            if law is not None
        }
        attributes |= {
            s.name for c in self.checks if isinstance(c, CounterfactualCheck) for s in c.swaps
        }
        found = []
        for gate in self.gates:
            if gate.check not in asked:
                found.append(
                    f"gate on {gate.measure}: no check {gate.check!r} in this definition; "
                    f"there are: {', '.join(sorted(asked))}"
                )
            elif gate.measure not in MEASURES[gate.check]:
                found.append(
                    f"gate: check {gate.check} does not measure {gate.measure!r}; "
                    f"it measures: {', '.join(MEASURES[gate.check])}"
                )
            if gate.attribute is not None and gate.attribute not in attributes:
                found.append(
                    f"gate on {gate.measure}: attribute {gate.attribute!r} is not in data.groups: "
                    f"{', '.join(self.data.groups) or 'empty'}"
                )
            if gate.field is not None and gate.field not in self.data.field_names:
                found.append(
                    f"gate on {gate.measure}: no field {gate.field!r} is named in data: "
                    f"{', '.join(self.data.field_names) or 'empty'}"
                )
            if gate.subject is not None and gate.subject not in self.subjects:
                found.append(
                    f"gate on {gate.measure}: no subject {gate.subject!r}; "
                    f"there are: {', '.join(self.subjects)}"
                )
        return found

    def subject_of(self, check: Check) -> str:
        """Name of the subject that answers `check`."""
        return check.subject or next(iter(self.subjects))

    def on_record(self, check: Check) -> bool:
        """Whether the subject that answers `check` is a table of transcripts."""
        return isinstance(self.subjects[self.subject_of(check)], TranscriptsSubject)

    def attributes_of(self, check: FairnessCheck | ProbingCheck) -> tuple[str, ...]:
        """Protected attributes that `check` is about."""
        return check.attributes or self.data.groups

    def crossings_of(self, check: FairnessCheck) -> tuple[tuple[str, str], ...]:
        """Pairs of protected attributes whose crossed groups `check` is also about."""
        if isinstance(check.intersections, bool):
            pairs = combinations(self.attributes_of(check), 2)
            return tuple(pairs) if check.intersections else ()
        return check.intersections

    def groupings_of(self, check: FairnessCheck) -> tuple[str, ...]:
        """Attributes of `check` and, after them, their crossings, by name."""
        crossed = (CROSS.join(pair) for pair in self.crossings_of(check))
        return (*self.attributes_of(check), *crossed)

    def local_law_of(self, check: FairnessCheck) -> LocalLaw144 | None:
        """Columns of the impact ratios under Local Law 144, if `check` asks for them."""
        if isinstance(check.local_law_144, LocalLaw144):
            return check.local_law_144
        attributes = self.attributes_of(check)
        if not check.local_law_144 or len(attributes) != 2:
            return None
        return LocalLaw144(sex=attributes[0], race_ethnicity=attributes[1])


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
