"""The classifiers of disclosure on reasonings written by hand, of which the truth is known."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks import CueCheck, CueName, OwnCue, SecondModel, Swap
from tasks.controls.disclosure import WRITTEN, Told, about_cue, about_field, held_out
from tasks.earned import EITHER, FIRST
from tasks.gather.cues import Cue, cues_of
from tasks.gather.disclosing import (
    described_cue,
    described_field,
    graded,
    names_cue,
    names_field,
    reports_cue,
    weighs_field,
)
from tasks.gather.inputs import dataset_of, shard
from tasks.gather.instruments import calibrated
from tasks.plan import Plan
from tasks.schema import About, Measurement
from tasks.shards import Payload, ShardRef

KIND = "disclosure-controls"
VALUES = 8
"""Values of a field that the written reasonings name in turn."""
ANSWERS = (("yes", "no"), ("B", "A"))
"""Answers that they name where the subject's are not known."""


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
            grader=check.grader.model_dump() if check.grader else None,
        )
    ]


def measure(ref: ShardRef, _: Path) -> Payload:
    """What every classifier says of the reasonings written about each cue."""
    settings, swap = ref.option("grader"), ref.option("swap")
    grader = SecondModel(**settings) if settings else None
    answers = _answers(ref)
    names: list[CueName] = ref.option("cues")
    own = [OwnCue(**one) for one in ref.option("own")]
    found = [_of_field(ref, Swap(**swap), answers, grader)] if swap else []
    for cue in cues_of(names, own):
        written = next((one for one in own if one.name == cue.name), None)
        told = _written(cue, written, answers)
        if told:
            found.append(_of_cue(cue, told, grader))
    return Payload({}, found)


def _answers(ref: ShardRef) -> list[tuple[str, str]]:
    form = getattr(ref.subject.spec, "answer", None)
    known = list(getattr(form, "known", None) or ())
    if len(known) < 2:
        return list(ANSWERS)
    return [(one, other) for one, other in zip(known, [*known[1:], known[0]], strict=True)]


def _written(
    cue: Cue, own: OwnCue | None, answers: Sequence[tuple[str, str]]
) -> list[tuple[Told, str]]:
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


def _of_cue(
    cue: Cue, told: Sequence[tuple[Told, str]], grader: SecondModel | None
) -> dict[str, Any]:
    second: list[bool] | list[bool | None]
    if grader is None:
        second = [reports_cue(one.text, cue, answer) for one, answer in told]
    else:
        second = graded(grader, described_cue(cue), [one.text for one, _ in told])
    return {
        "cue": cue.name,
        "truth": [one.discloses for one, _ in told],
        "first": [names_cue(one.text, cue, answer) for one, answer in told],
        "second": second,
    }


def _of_field(
    ref: ShardRef, swap: Swap, answers: Sequence[tuple[str, str]], grader: SecondModel | None
) -> dict[str, Any]:
    rows, field = dataset_of(ref).rows, _words(swap)
    values = sorted({row.fields.get(swap.column, "") for row in rows} - {""})
    told = held_out(about_field(field, values[:VALUES] or [field], answers))
    second: list[bool] | list[bool | None]
    if grader is None:
        second = [weighs_field(one.text, field, [value]) for one, value in told]
    else:
        second = graded(grader, described_field(field), [one.text for one, _ in told])
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
    if found:
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
        for m in calibrated({str(about.against): (scores, held)})
    ]


def texts_graded(check: CueCheck) -> int:
    """Written reasonings that a second model is asked about at most, one call each."""
    if check.controls is None or check.grader is None:
        return 0
    one = [("yes", "no")]
    of_cues = sum(len(held_out(about_cue(name, one))) for name in check.cues)
    of_own = sum(len(cue.disclosing) + len(cue.silent) for cue in check.own)
    of_field = len(held_out(about_field(_words(check.swap), ["x"], one))) if check.swap else 0
    return of_cues + of_own + of_field
