"""Everything knowable before a model loads is checked, and what is wrong is said in one line."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from tasks.controls.cues import CUES
from tasks.controls.items import control_set
from tasks.controls.problems import DRAWN
from tasks.controls.stories import TOLD
from tasks.data.dataset import MISSING, load_dataset
from tasks.definition import (
    AuditSpec,
    read_spec,
)
from tasks.definition.checks import (
    AttributionCheck,
    Check,
    ContradictionCheck,
    CueCheck,
    LeverCheck,
    ProbingCheck,
    ReasoningCheck,
    second_model_of,
)
from tasks.definition.endpoints import AskedModel
from tasks.definition.problems import nearest
from tasks.errors import DataError, SpecError
from tasks.measures.reasoning.answers import Form, whole_answer
from tasks.run.plan import Plan
from tasks.subjects.endpoint.api_key import key_in
from tasks.subjects.endpoint.secret import has_key
from tasks.subjects.load import reader_of, refer


def prepare(definition: Path, weights: Mapping[str, str] | None = None) -> Plan:
    """Read a definition and check everything knowable before a model loads.

    Args:
        definition: YAML file.
        weights: subject name -> folder that replaces the one in the definition, for auditing
            weights that were just trained.

    Raises:
        AuditError: the first problem found, in one line.
    """
    spec = read_spec(definition)
    for name, folder in (weights or {}).items():
        spec = _with_weights(spec, name, folder)
    root = definition.resolve().parent
    extra = tuple(c for subject in spec.subjects.values() for c in subject.data_columns)
    extra += tuple(c.pair for c in spec.checks if isinstance(c, ContradictionCheck))
    data = load_dataset(spec.data.model_dump_json(), root, spec.seed, extra)
    subjects = {
        name: refer(name, subject, root, data.sha256) for name, subject in spec.subjects.items()
    }
    plan = Plan(
        spec=spec,
        root=root,
        definition_sha256=hashlib.sha256(spec.model_dump_json().encode()).hexdigest(),
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
    for check in spec.checks:
        if isinstance(check, AttributionCheck):
            _check_attribution(plan, check)
        if isinstance(check, LeverCheck):
            _check_layers(plan, check, "layers", check.layers)
        if isinstance(check, ProbingCheck):
            _check_layers(plan, check, "together", [x for t in check.together for x in t])
        _check_reasoning(plan, check)
        _check_controls(plan, check)
    _check_references(plan)
    return plan


def _with_weights(spec: AuditSpec, name: str, folder: str) -> AuditSpec:
    if name not in spec.subjects:
        raise SpecError(f"weights for subject {name!r}: {nearest(name, spec.subjects)}")
    subject = spec.subjects[name]
    changed = subject.with_weights(str(Path(folder).resolve()))
    if changed is None:
        raise SpecError(f"weights for subject {name!r}: it is {subject.kind}, not a local model")
    return spec.model_copy(update={"subjects": {**spec.subjects, name: changed}})


def _check_keys(plan: Plan) -> None:
    """The keys are at hand, and no definition holds one."""
    asked: list[tuple[str, AskedModel]] = [
        (f"subject {name}", subject.asked)
        for name, subject in plan.spec.subjects.items()
        if subject.asked is not None
    ]
    seconds = [second_model_of(check) for check in plan.spec.checks]
    asked += [(f"second model {one.model}", one) for one in seconds if one is not None]
    for who, one in asked:
        key = key_in(one.key_env, who)
        if key is not None and has_key(one.model_dump_json(), key):
            raise SpecError(
                f"{who}: the key itself stands in the definition, which is printed "
                f"in reports; leave it to the environment variable {one.key_env}"
            )


def _check_labels(plan: Plan) -> None:
    _check_written_labels(plan)
    if plan.spec.data.label is None and plan.spec.data.favourable is None:
        return
    for name in plan.spec.subjects:
        known = plan.labels(name)
        if not known or plan.spec.subjects[name].data_columns:
            continue  # a column of decisions does not say which others were possible
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
    """Labels of a form without known answers are written as answers will be."""
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
        held = sum(bool(row.places.get(name)) for row in plan.data.rows)
        if held == 0 and name not in spec.fields:
            raise DataError(
                f"{spec.path}: no text has the form that names field {name!r}; "
                f"the first text begins {plan.data.rows[0].text[:60]!r}"
            )
        if held == 0:
            raise DataError(
                f"{plan.spec.data.path}: field {name!r} stands verbatim in no text; "
                f"its first value is {plan.data.rows[0].fields[name]!r}"
            )


def _check_attribution(plan: Plan, check: AttributionCheck) -> None:
    if "partition" in check.methods and find_spec("shap") is None:
        raise SpecError("method partition needs the package shap: pip install assay-audit[shap]")
    name = plan.spec.subject_of(check)
    if check.target.answer is not None and "writing" not in plan.offers(name):
        raise SpecError(f"target.answer: subject {name} does not write; name a target.label")
    known = plan.labels(name)
    for label in (check.target.label, check.target.against):
        if label is not None and known and label not in known:
            raise SpecError(
                f"target {label!r} is no class of subject {name}; {nearest(label, known)}"
            )


def _check_layers(plan: Plan, check: Check, key: str, layers: Sequence[int]) -> None:
    name = plan.spec.subject_of(check)
    ref = plan.subjects[name]
    last = reader_of(ref.spec).last_layer(ref)
    if layers and last is not None and max(layers) > last:
        raise SpecError(
            f"check {check.kind}: {key}: {max(layers)} is beyond the last layer of subject "
            f"{name}, which is {last}"
        )


def _check_reasoning(plan: Plan, check: Check) -> None:
    """What the tests of a reasoning need: points of a curve, pairs, an answer to count."""
    if isinstance(check, ReasoningCheck):
        rising = all(a < b for a, b in pairwise(check.shares))
        if check.shares[:1] != (0,) or check.shares[-1:] != (1,) or not rising:
            raise SpecError(f"check reasoning: shares must rise from 0 to 1: {list(check.shares)}")
    if isinstance(check, ContradictionCheck):
        name = plan.spec.subject_of(check)
        known, form = plan.labels(name), plan.spec.subjects[name].answer_form
        if not known and form is not None:
            _check_shared_answer(check, name, form.form)
        if known and check.answer is not None and check.answer not in known:
            raise SpecError(
                f"check contradiction: answer: {check.answer!r} is no answer of the subject; "
                f"{nearest(check.answer, known)}"
            )
        names = [row.columns[check.pair] for row in plan.data.rows]
        if all(names.count(name) != 2 for name in set(names) - {MISSING}):
            raise DataError(
                f"check contradiction: column {check.pair!r} names no pair: no value stands in "
                f"exactly two rows; the first is {names[0]!r}"
            )
    if isinstance(check, CueCheck) and (check.cues or check.own):
        name = plan.spec.subject_of(check)
        form = plan.spec.subjects[name].answer_form
        if form is not None and len(form.known) < 2:
            raise SpecError(
                f"check cue: a cue speaks for one of the known answers, and form "
                f"{form.form} of subject {name} names none; use swap, or form choice"
            )
    if isinstance(check, CueCheck) and "answer-position" in check.cues and not plan.spec.data.label:
        raise SpecError(
            "check cue: cue answer-position needs labelled examples; the definition names no "
            "data.label"
        )


def _check_shared_answer(check: ContradictionCheck, name: str, form: Form) -> None:
    """An answer that no reading of an answer gives would never be found twice."""
    if "answer" not in check.model_fields_set:
        raise SpecError(
            f"check contradiction: the answers of subject {name} (form {form}) are not known "
            "beforehand; name the answer that two questions cannot have, or null for any"
        )
    if check.answer is not None and check.answer != whole_answer(check.answer, form):
        raise SpecError(
            f"check contradiction: answer: {check.answer!r} is not written as the answers of "
            f"subject {name} (form {form}) will be"
        )


def _check_controls(plan: Plan, check: Check) -> None:
    """Families and cues exist, and there are as many different questions of them."""
    if not isinstance(check, ReasoningCheck | CueCheck | ContradictionCheck):
        return
    asked = check.controls
    if asked is None:
        return
    for key, known in (("problems", DRAWN), ("stories", TOLD), ("cues", CUES)):
        for name in getattr(asked, key):
            if name not in known:
                raise SpecError(
                    f"check {check.kind}: controls.{key}: nothing is called {name!r}; "
                    f"{nearest(name, known)}"
                )
    try:
        control_set(plan.spec.seed, asked.items, problems=asked.problems or tuple(DRAWN))
    except ValueError:
        raise SpecError(
            f"check {check.kind}: controls.items: there are no {asked.items} different questions "
            f"of {', '.join(asked.problems or DRAWN)}; ask for fewer, or name more families"
        ) from None


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


def _check_references(plan: Plan) -> None:
    for check in plan.spec.checks:
        named = getattr(check, "reference", None)
        for attribute, group in named.items() if isinstance(named, dict) else ():
            known = sorted(set(plan.data.grouping(attribute)) - {MISSING})
            if group not in known:
                raise SpecError(
                    f"check fairness: reference: no group {group!r} in {attribute!r}; "
                    f"{nearest(group, known)}"
                )
