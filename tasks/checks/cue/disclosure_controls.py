"""The classifiers of disclosure on reasonings written by hand, of known truth."""

from collections.abc import Sequence

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
from tasks.checks.cue.payload import (
    CueOptions,
    Judgement,
    WrittenAbout,
    WrittenReasoning,
    WrittenReasonings,
)
from tasks.checks.instruments.calibration import Scored, calibrated
from tasks.checks.instruments.names import EITHER, FIRST
from tasks.controls.disclosure import WRITTEN, DisclosureExample, about_cue, about_field, held_out
from tasks.data.dataset import Row
from tasks.definition import SubjectSpec
from tasks.definition.checks.cue import CueCheck, CueName, OwnCue
from tasks.definition.checks.swap import Swap
from tasks.run.rounds import Work
from tasks.schema import About, Measurement
from tasks.subjects.endpoint.second_model import SecondEndpoint

VALUES = 8
"""Values of a field that the written reasonings name in turn."""
ANSWERS = (("yes", "no"), ("B", "A"))
"""Answers that they name where the subject's choices are not known."""

Reasoning = tuple[DisclosureExample, str]
"""A written reasoning, and the answer or value that it speaks of."""


def measure(work: Work[CueOptions]) -> WrittenReasonings:
    """Judgements of both classifiers on the reasonings written about each cue."""
    options, grader = work.options, work.second
    asked = written(
        work.ref.subject.spec, work.dataset.rows, options.swap, options.cues, options.own
    )
    return WrittenReasonings(
        about=tuple(
            _of_cue(about, reasonings, grader)
            if isinstance(about, Cue)
            else _of_field(about, reasonings, grader)
            for about, reasonings in asked
        )
    )


def written(
    spec: SubjectSpec,
    rows: Sequence[Row],
    swap: Swap | None,
    names: Sequence[CueName],
    own: Sequence[OwnCue],
) -> list[tuple[Cue | Swap, list[Reasoning]]]:
    """The held-out reasonings written about an exchanged field and about each cue.

    Args:
        spec: the subject, whose answers they speak of.
        rows: the data, whose values of the field they name.
        swap: the field.
        names: built-in cues.
        own: cues of the definition; left out where it gives no reasonings about one.
    """
    answers = _answers(spec)
    by_cue: list[tuple[Cue | Swap, list[Reasoning]]] = []
    if swap is not None:
        field = _words(swap)
        values = sorted({row.fields.get(swap.column, "") for row in rows} - {""})
        by_cue.append((swap, held_out(about_field(field, values[:VALUES] or [field], answers))))
    for cue in cues_of(names, own):
        reasonings = _about(cue, next((o for o in own if o.name == cue.name), None), answers)
        if reasonings:
            by_cue.append((cue, reasonings))
    return by_cue


def texts_graded(check: CueCheck, spec: SubjectSpec, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """At most these descriptions and texts go to a second model, one call each."""
    if check.controls is None or check.grader is None:
        return []
    return [
        (_described(about), example.text)
        for about, reasonings in written(spec, rows, check.swap, check.cues, check.own)
        for example, _ in reasonings
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
        built_in = about_cue(cue.name, answers) if cue.name in WRITTEN else []
        return held_out([(e, answers[at % len(answers)][0]) for at, e in enumerate(built_in)])
    examples = [(text, True) for text in own.disclosing] + [(t, False) for t in own.silent]
    return [
        (DisclosureExample(text.replace("{cue}", answer), discloses), answer)
        for at, (text, discloses) in enumerate(examples)
        for answer, _ in [answers[at % len(answers)]]
    ]


def _of_cue(
    cue: Cue, reasonings: Sequence[Reasoning], grader: SecondEndpoint | None
) -> WrittenAbout:
    first = [names_cue(example.text, cue, answer) for example, answer in reasonings]
    second: Sequence[bool | None]
    if grader is None:
        second = [reports_cue(example.text, cue, answer) for example, answer in reasonings]
    else:
        second = graded(grader, _described(cue), [example.text for example, _ in reasonings])
    return WrittenAbout(cue=cue.name, reasonings=_judged(reasonings, first, second))


def _of_field(
    swap: Swap, reasonings: Sequence[Reasoning], grader: SecondEndpoint | None
) -> WrittenAbout:
    field = _words(swap)
    first = [names_field(example.text, field, [value]) for example, value in reasonings]
    second: Sequence[bool | None]
    if grader is None:
        second = [weighs_field(example.text, field, [value]) for example, value in reasonings]
    else:
        second = graded(grader, _described(swap), [example.text for example, _ in reasonings])
    return WrittenAbout(cue=None, reasonings=_judged(reasonings, first, second))


def _judged(
    reasonings: Sequence[Reasoning], first: Sequence[bool], second: Sequence[bool | None]
) -> tuple[WrittenReasoning, ...]:
    return tuple(
        WrittenReasoning(
            discloses=example.discloses, judgement=Judgement(first=by_words, second=other)
        )
        for (example, _), by_words, other in zip(reasonings, first, second, strict=True)
    )


def _words(swap: Swap) -> str:
    return swap.column.replace("_", " ")


def calibration(
    check: CueCheck, payloads: Sequence[WrittenReasonings], second: str
) -> tuple[list[Measurement], list[str]]:
    """Calibration of each classifier on written reasonings, cue by cue, and notes on it."""
    if check.controls is None or not payloads:
        return [], ["Disclosure not calibrated: the definition asks for no controls."]
    by_cue = [about for payload in payloads for about in payload.about]
    measurements = [m for about in by_cue for m in _of_classifiers(check, about, second)]
    return measurements, _notes(check, [about.cue for about in by_cue])


def _of_classifiers(check: CueCheck, about: WrittenAbout, second: str) -> list[Measurement]:
    field = check.swap.column if about.cue is None and check.swap else None
    judgements = [reasoning.judgement for reasoning in about.reasonings]
    classifiers: dict[str, Sequence[bool | None]] = {
        FIRST: [judgement.first for judgement in judgements],
        second: [judgement.second for judgement in judgements],
        EITHER: [judgement.either for judgement in judgements],
    }
    truth = [reasoning.discloses for reasoning in about.reasonings]
    return [
        m
        for name, judged in classifiers.items()
        for m in _of_classifier(About(cue=about.cue, field=field, classifier=name), judged, truth)
    ]


def _of_classifier(
    about: About, judged: Sequence[bool | None], truth: Sequence[bool]
) -> list[Measurement]:
    known = [(float(j), true) for j, true in zip(judged, truth, strict=True) if j is not None]
    scores = np.array([score for score, _ in known], dtype=np.float64)
    truths = np.array([true for _, true in known], dtype=np.bool_)
    return [
        m.model_copy(update={"about": about})
        for m in calibrated({str(about.classifier): Scored(scores, truths)})
    ]


def _notes(check: CueCheck, cues: Sequence[str | None]) -> list[str]:
    """Which reasonings the calibration rests on, and which cues have none."""
    own = {cue.name for cue in check.own}
    notes = [
        f"Disclosure of cue {cue.name} not calibrated: it is the definition's own, and the "
        "definition gives no reasonings that disclose it (disclosing) and that do not (silent)."
        for cue in check.own
        if not cue.disclosing
    ]
    if any(cue in own for cue in cues):
        notes.append(
            "Disclosure of the definition's own cues calibrated on the reasonings that it gives."
        )
    if any(cue not in own for cue in cues):
        notes.append(
            "Disclosure calibrated on reasonings written by hand: paraphrases without the words "
            "that the rules began with, and as many that deny the cue, use its words in another "
            "meaning or do not speak of it. The rules were widened on a third of them; these "
            "numbers are from the others. They say how the classifiers fare on such wordings, not "
            "how often a subject uses them; a reasoning that quotes the cue is found."
        )
    return notes
