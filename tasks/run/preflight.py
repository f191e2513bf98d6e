"""Check everything knowable before a model loads; a problem is reported in one line."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from tasks.data.dataset import MISSING, load_dataset
from tasks.definition import AuditSpec, read_spec
from tasks.definition.checks.base import BaseCheck
from tasks.definition.endpoints import AskedModel
from tasks.definition.problems import nearest
from tasks.errors import DataError, SpecError
from tasks.measures.reasoning.answers import whole_answer
from tasks.run.plan import Plan
from tasks.subjects.endpoint.api_key import key_in
from tasks.subjects.endpoint.secret import has_key
from tasks.subjects.load import reader_of, refer

C = TypeVar("C", bound=BaseCheck)


@dataclass(frozen=True)
class Preflight(Generic[C]):
    """Checks of one kind of check before a model loads; every part may be left out."""

    problems: Callable[[Plan, C], None] = lambda _, __: None
    """Raises an `AuditError` if something that is asked for does not exist."""
    not_run: Callable[[Plan, C], str | None] = lambda _, __: None
    """Why data or subject cannot answer the check, beyond the access that the kind needs."""
    remarks: Callable[[Plan, C], Iterable[str]] = lambda _, __: ()
    """Notes for the reader before the run, one line each."""


def read_plan(definition: Path, weights: Mapping[str, str] | None = None) -> Plan:
    """Read a definition, its data and its subjects; check all that is not about a single check.

    Args:
        definition: YAML file.
        weights: subject name -> folder that replaces the one in the definition, for auditing
            weights that were just trained.

    Raises:
        AuditError: the first problem, in one line.
    """
    spec = read_spec(definition)
    for name, folder in (weights or {}).items():
        spec = _with_weights(spec, name, folder)
    root = definition.resolve().parent
    extra = tuple(c for subject in spec.subjects.values() for c in subject.data_columns)
    extra += tuple(name for check in spec.checks for name in check.columns)
    data = load_dataset(spec.data.model_dump_json(), root, spec.seed, extra)
    subjects = {
        name: refer(name, subject, root, data.sha256) for name, subject in spec.subjects.items()
    }
    plan = Plan(
        spec=spec,
        root=root,
        definition_sha256=_digest(spec),
        data=data,
        subjects=subjects,
    )
    if spec.explain.provider == "openai":
        key_in(spec.explain.key_env, "explain.provider openai", "set it, or use provider template")
    _check_keys(plan)
    _check_labels(plan)
    for ref in subjects.values():
        reader_of(ref.spec).check(ref, data)
    _check_fields(plan)
    _check_groups(plan)
    return plan


def _digest(spec: AuditSpec) -> str:
    """Of what is asked, whatever the order in which it is written or declared."""
    canonical = json.dumps(spec.model_dump(mode="json"), sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _with_weights(spec: AuditSpec, name: str, folder: str) -> AuditSpec:
    if name not in spec.subjects:
        raise SpecError(f"weights for subject {name!r}: {nearest(name, spec.subjects)}")
    subject = spec.subjects[name]
    changed = subject.with_weights(str(Path(folder).resolve()))
    if changed is None:
        raise SpecError(f"weights for subject {name!r}: it is {subject.kind}, not a local model")
    return spec.model_copy(update={"subjects": {**spec.subjects, name: changed}})


def _check_keys(plan: Plan) -> None:
    """Check that the keys are in the environment, and that no definition contains one."""
    asked: list[tuple[str, AskedModel]] = [
        (f"subject {name}", subject.asked)
        for name, subject in plan.spec.subjects.items()
        if subject.asked is not None
    ]
    seconds = [check.second_model for check in plan.spec.checks]
    asked += [(f"second model {model.model}", model) for model in seconds if model is not None]
    for who, model in asked:
        key = key_in(model.key_env, who)
        if key is not None and has_key(model.model_dump_json(), key):
            raise SpecError(
                f"{who}: the key itself stands in the definition, which is printed "
                f"in reports; leave it to the environment variable {model.key_env}"
            )


def _check_labels(plan: Plan) -> None:
    _check_written_labels(plan)
    if plan.spec.data.label is None and plan.spec.data.favourable is None:
        return
    for name in plan.spec.subjects:
        known = plan.labels(name)
        if not known or plan.spec.subjects[name].data_columns:
            continue  # a column of decisions does not show which other ones were possible
        for row in plan.data.rows:
            if row.label is not None and row.label not in known:
                raise DataError(
                    f"{plan.spec.data.path}: label {row.label!r} (row {row.id}) is no class of "
                    f"subject {name}; {nearest(row.label, known)} (data.label_names can map them)"
                )
        favourable = plan.spec.data.favourable
        if favourable is not None and favourable not in known:
            raise SpecError(
                f"data.favourable {favourable!r} is no class of subject {name}; "
                f"{nearest(favourable, known)}"
            )


def _check_written_labels(plan: Plan) -> None:
    """Check that labels of a form without known answers are in the canonical writing of answers."""
    for name, subject in plan.spec.subjects.items():
        if subject.answer_form is None or subject.answer_form.form not in {"number", "label"}:
            continue
        form = subject.answer_form.form
        for row in plan.data.rows:
            if row.label and row.label != whole_answer(row.label, form):
                raise DataError(
                    f"{plan.spec.data.path}: label {row.label[:40]!r} (row {row.id}) is not "
                    f"written as the answers of subject {name} will be; data.label_answer: "
                    f"{{form: {form}}} reads it that way"
                )


def _check_fields(plan: Plan) -> None:
    spec = plan.spec.data
    for name in spec.field_names:
        count = sum(bool(row.places.get(name)) for row in plan.data.rows)
        if count == 0 and name not in spec.fields:
            raise DataError(
                f"{spec.path}: no text has the form that names field {name!r}; "
                f"the first text begins {plan.data.rows[0].text[:60]!r}"
            )
        if count == 0:
            raise DataError(
                f"{plan.spec.data.path}: field {name!r} stands verbatim in no text; "
                f"its first value is {plan.data.rows[0].fields[name]!r}"
            )


def _check_groups(plan: Plan) -> None:
    for gate in plan.spec.gates:
        if gate.group is None or gate.attribute is None:
            continue
        known = sorted(set(plan.data.grouping(gate.attribute)) - {MISSING})
        if gate.group not in known:
            raise SpecError(
                f"gate on {gate.measure}: no group {gate.group!r} in {gate.attribute!r}; "
                f"{nearest(gate.group, known)}"
            )


def check_layers(plan: Plan, check: BaseCheck, key: str, layers: Sequence[int]) -> None:
    """Check that the layers that a check names exist.

    Raises:
        SpecError: one of them is beyond the last layer of the subject.
    """
    name = plan.spec.subject_of(check)
    ref = plan.subjects[name]
    last = reader_of(ref.spec).last_layer(ref)
    if layers and last is not None and max(layers) > last:
        raise SpecError(
            f"check {check.kind}: {key}: {max(layers)} is beyond the last layer of subject "
            f"{name}, which is {last}"
        )
