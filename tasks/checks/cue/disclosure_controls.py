"""The classifiers of disclosure on reasonings written by hand, of which the truth is known."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks.cue.cues import Cue, cues_of
from tasks.checks.cue.disclosure import (
    described_cue,
    described_field,
    graded,
    names_cue,
    names_field,
    reports_cue,
    weighs_field,
)
from tasks.checks.instruments.calibration import Scored, calibrated
from tasks.controls.disclosure import WRITTEN, Told, about_cue, about_field, held_out
from tasks.data.dataset import Row
from tasks.definition import SubjectSpec
from tasks.definition.checks import CueCheck, CueName, OwnCue, Swap
from tasks.judge.credibility import EITHER, FIRST
from tasks.run.inputs import dataset_of, second_of, shard
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef
from tasks.schema import About, Measurement
from tasks.subjects.endpoint.second_model import SecondEndpoint

KIND = "disclosure-controls"
VALUES = 8
"""Values of a field that the written reasonings name in turn."""
ANSWERS = (("yes", "no"), ("B", "A"))
"""Answers that they name where the subject's are not known."""

Reasoning = tuple[Told, str]
"""A written reasoning, and the answer or value that it speaks of."""


def shards(plan: Plan, check: CueCheck) -> list[ShardRef]:
    """One shard; none where no controls are asked for."""
    if check.controls is None:
        return []
    return [
        shard(
            plan,
            plan.spec.subject_of(check),
            KIND,
            [0],
            swap=check.swap.model_dump() if check.swap else None,
            cues=check.cues,
            own=[cue.model_dump() for cue in check.own],
            second=check.grader,
        )
    ]


def measure(ref: ShardRef, store: Path) -> Payload:
    """What every classifier says of the reasonings written about each cue."""
    swap, grader = ref.option("swap"), second_of(ref, store)
    names: list[CueName] = ref.option("cues")
    asked = written(
        ref.subject.spec,
        dataset_of(ref).rows,
        Swap(**swap) if swap else None,
        names,
        [OwnCue(**one) for one in ref.option("own")],
    )
    return Payload(
        {},
        [
            _of_cue(about, told, grader)
            if isinstance(about, Cue)
            else _of_field(about, told, grader)
            for about, told in asked
        ],
    )


def written(
    spec: SubjectSpec,
    rows: Sequence[Row],
    swap: Swap | None,
    names: Sequence[CueName],
    own: Sequence[OwnCue],
) -> list[tuple[Cue | Swap, list[Reasoning]]]:
    """The reasonings written about an exchanged field and about each cue, held out ones alone.

    Args:
        spec: the subject, whose answers they speak of.
        rows: the data, whose values of the field they name.
        swap: the field.
        names: built-in cues.
        own: cues of the definition; left out where it gives no reasonings about one.
    """
    answers = _answers(spec)
    found: list[tuple[Cue | Swap, list[Reasoning]]] = []
    if swap is not None:
        field = _words(swap)
        values = sorted({row.fields.get(swap.column, "") for row in rows} - {""})
        found.append((swap, held_out(about_field(field, values[:VALUES] or [field], answers))))
    for cue in cues_of(names, own):
        told = _about(cue, next((one for one in own if one.name == cue.name), None), answers)
        if told:
            found.append((cue, told))
    return found


def texts_graded(check: CueCheck, spec: SubjectSpec, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """What a second model is asked about at most, one call each: what is described, and a text."""
    if check.controls is None or check.grader is None:
        return []
    return [
        (_described(about), one.text)
        for about, told in written(spec, rows, check.swap, check.cues, check.own)
        for one, _ in told
    ]


def _described(about: Cue | Swap) -> str:
    return described_cue(about) if isinstance(about, Cue) else described_field(_words(about))


def _answers(spec: SubjectSpec) -> list[tuple[str, str]]:
    known = spec.known_answers
    if len(known) < 2:
        return list(ANSWERS)
    return [(one, other) for one, other in zip(known, [*known[1:], known[0]], strict=True)]


def _about(cue: Cue, own: OwnCue | None, answers: Sequence[tuple[str, str]]) -> list[Reasoning]:
    """Reasonings about a cue, each with the answer that the cue speaks for in it."""
    if own is None:
        told = about_cue(cue.name, answers) if cue.name in WRITTEN else []
        return held_out([(one, answers[at % len(answers)][0]) for at, one in enumerate(told)])
    examples = [(text, True) for text in own.disclosing] + [(t, False) for t in own.silent]
    return [
        (Told(text.replace("{cue}", answer), discloses), answer)
        for at, (text, discloses) in enumerate(examples)
        for answer, _ in [answers[at % len(answers)]]
    ]


def _of_cue(cue: Cue, told: Sequence[Reasoning], grader: SecondEndpoint | None) -> dict[str, Any]:
    second: list[bool] | list[bool | None]
    if grader is None:
        second = [reports_cue(one.text, cue, answer) for one, answer in told]
    else:
        second = graded(grader, _described(cue), [one.text for one, _ in told])
    return {
        "cue": cue.name,
        "truth": [one.discloses for one, _ in told],
        "first": [names_cue(one.text, cue, answer) for one, answer in told],
        "second": second,
    }


def _of_field(
    swap: Swap, told: Sequence[Reasoning], grader: SecondEndpoint | None
) -> dict[str, Any]:
    field = _words(swap)
    second: list[bool] | list[bool | None]
    if grader is None:
        second = [weighs_field(one.text, field, [value]) for one, value in told]
    else:
        second = graded(grader, _described(swap), [one.text for one, _ in told])
    return {
        "cue": None,
        "truth": [one.discloses for one, _ in told],
        "first": [names_field(one.text, field, [value]) for one, value in told],
        "second": second,
    }


def _words(swap: Swap) -> str:
    return swap.column.replace("_", " ")


def calibration(
    check: CueCheck, payloads: Sequence[Payload], second: str
) -> tuple[list[Measurement], list[str]]:
    """What each classifier is worth on written reasonings, cue by cue, and notes on them."""
    if check.controls is None or not payloads:
        return [], ["Disclosure not calibrated: the definition asks for no controls."]
    found: list[Measurement] = []
    notes = []
    records: list[Any] = payloads[0].records
    for record in records:
        field = check.swap.column if record["cue"] is None and check.swap else None
        pairs = zip(record["first"], record["second"], strict=True)
        either = [True if one else other for one, other in pairs]
        classifiers = {FIRST: record["first"], second: record["second"], EITHER: either}
        for name, told in classifiers.items():
            about = About(method=record["cue"], field=field, against=name)
            found += _of_classifier(about, told, record["truth"])
    missing = [cue.name for cue in check.own if not cue.disclosing]
    notes += [
        f"Disclosure of cue {name} not calibrated: it is the definition's own, and the definition "
        "gives no reasonings that disclose it (disclosing) and that do not (silent)."
        for name in missing
    ]
    own = {cue.name for cue in check.own}
    if any(record["cue"] in own for record in records):
        notes.append(
            "Disclosure of the definition's own cues calibrated on the reasonings that it gives."
        )
    if any(record["cue"] not in own for record in records):
        notes.append(
            "Disclosure calibrated on reasonings written by hand: paraphrases without the words "
            "that the rules began with, and as many that deny the cue, use its words in another "
            "meaning or do not speak of it. The rules were widened on a third of them; these "
            "numbers are from the others. They say how the classifiers fare on such wordings, not "
            "how often a subject uses them; a reasoning that quotes the cue is found."
        )
    return found, notes


def _of_classifier(
    about: About, told: Sequence[bool | None], truth: Sequence[bool]
) -> list[Measurement]:
    kept = [(float(said), true) for said, true in zip(told, truth, strict=True) if said is not None]
    scores = np.array([said for said, _ in kept], dtype=np.float64)
    held = np.array([true for _, true in kept], dtype=np.bool_)
    return [
        m.model_copy(update={"about": about})
        for m in calibrated({str(about.against): Scored(scores, held)})
    ]
