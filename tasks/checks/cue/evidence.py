"""Does a planted cue move the answer, and does the reasoning say so?"""

from collections.abc import Sequence
from typing import Literal

from tasks.checks.cue import disclosure_controls, field_swap_controls, influence_controls, recorded
from tasks.checks.cue.cues import cues_of
from tasks.checks.cue.numbers import PULLS, Across, beside_texts, of_swap
from tasks.checks.cue.payload import CuedText
from tasks.checks.cue.rounds import CUE_CONTROLS, DISCLOSURE_CONTROLS, EXCHANGE_CONTROLS, TEXTS
from tasks.checks.instruments.multiple_testing import corrected
from tasks.checks.instruments.names import CHANGE, EITHER, EXCHANGED, FIRST, FOLLOWS, resting
from tasks.definition.checks.cue import CueCheck
from tasks.definition.checks.swap import Swap
from tasks.run.rounds import Asked, Finished
from tasks.schema import About, CuePair, Evidence, Measurement

INSTRUMENTED = (
    "influence",
    "cue_pull",
    "swap_difference",
    "swap_turned",
    "disclosure",
    "undisclosed_influence",
)
"""Measurements that rest on a test calibrated on controls."""
SHOWN_PAIRS = 3
"""Pairs shown beside the cases, of those whose answer the cue changed."""

Second = Literal["grader", "phrases"]
"""The second classifier."""


def evidence(asked: Asked[CueCheck], finished: Finished) -> Evidence:
    """Influence of each cue, its disclosure, and the influence that is not disclosed."""
    plan, check = asked.plan, asked.check
    if plan.spec.on_record(check):
        return recorded.evidence(asked)
    texts = [text for payload in finished.of(TEXTS) for text in payload.texts]
    sampled = set(asked.sample)
    sample = [text for text in texts if text.position in sampled]
    second: Second = "grader" if check.grader else "phrases"
    measurements, notes = _influence(asked, sample, second)
    calibrated, basis = _calibration(check, finished, second)
    shown = {plan.data.rows[case].id for case in asked.cases} | _examples(sample)
    return Evidence(
        check=check,
        subject=asked.subject,
        measurements=(*resting(measurements, rests_on), *calibrated),
        cases=tuple(_case(text, check.swap) for text in texts if text.id in shown),
        notes=(*basis, *notes),
    )


def rests_on(m: Measurement) -> list[About]:
    """The comparison of answers, the classifier that says what is disclosed, or both.

    Undisclosed influence rests on two tests: the comparison, and the classifier that says what is
    undisclosed.
    """
    if m.name not in INSTRUMENTED:
        return []
    by_cue = CHANGE if m.name == "influence" else FOLLOWS
    compared = About(instrument=EXCHANGED if m.about.cue is None else by_cue)
    cue = About(cue=m.about.cue, field=m.about.field)
    if m.name == "disclosure":
        return [cue.model_copy(update={"classifier": m.about.classifier or FIRST})]
    if m.name == "undisclosed_influence":
        return [compared, cue.model_copy(update={"classifier": EITHER})]
    return [compared]


def _influence(
    asked: Asked[CueCheck], sample: Sequence[CuedText], second: Second
) -> tuple[list[Measurement], list[str]]:
    """Measurements of the exchanged field and of every cue beside the texts, and notes."""
    check, size = asked.check, len(asked.sample)
    measurements: list[Measurement] = []
    notes: list[str] = []
    if check.swap is not None:
        pairs = [text for text in sample if text.cue is None]
        across = Across(check.swap.across, asked.plan.spec.data.favourable)
        measurements += of_swap(pairs, check.swap.column, second, across)
        notes += _left_out(check.swap, size - len(pairs), size)
        notes += _undirected(across)
    for cue in cues_of(check.cues, check.own):
        pairs = [text for text in sample if text.cue == cue.name]
        of_cue, cue_notes = beside_texts(pairs, cue.name, second, size)
        measurements += of_cue
        notes += cue_notes
    notes += _unjudged(check, sample)
    return corrected(measurements, PULLS, "pulls of all cues"), notes


def _calibration(
    check: CueCheck, finished: Finished, second: Second
) -> tuple[list[Measurement], list[str]]:
    """Calibration of the tests of influence and of disclosure, and notes on its basis."""
    of_each = (
        field_swap_controls.calibration(check, finished.of(EXCHANGE_CONTROLS)),
        influence_controls.calibration(check, finished.of(CUE_CONTROLS)),
        disclosure_controls.calibration(check, finished.of(DISCLOSURE_CONTROLS), second),
    )
    measurements = [m for of_test, _ in of_each for m in of_test]
    return measurements, [note for _, notes in of_each for note in notes]


def _undirected(across: Across) -> list[str]:
    if across.favourable is not None:
        return []
    return [
        "Whether exchanging the field turns answers one way is not tested: the definition names no "
        "favourable answer."
    ]


def _unjudged(check: CueCheck, sample: Sequence[CuedText]) -> list[str]:
    """How many judgements of the grader could not be read."""
    asked = [text for text in sample if text.changed]
    lost = sum(text.judgement.second is None for text in asked)
    if check.grader is None or not lost:
        return []
    return [
        f"Second model {check.grader.model}: {lost} of {len(asked)} judgements could not be read."
    ]


def _examples(sample: Sequence[CuedText]) -> set[str]:
    """A few pairs whose answer a cue changed, as examples."""
    return {text.id for text in [t for t in sample if t.read and t.changed][:SHOWN_PAIRS]}


def _case(text: CuedText, swap: Swap | None) -> CuePair:
    return CuePair(
        id=text.id,
        original=text.original,
        exchanged=text.exchanged,
        answer=text.plain.answer,
        answer_exchanged=text.cued.answer,
        reasoning=text.plain.reasoning,
        reasoning_exchanged=text.cued.reasoning,
        mentions=text.judgement.first,
        cue=text.cue,
        field=swap.column if swap is not None and text.cue is None else None,
    )


def _left_out(swap: Swap, missing: int, asked: int) -> list[str]:
    if not missing:
        return []
    return [
        f"{missing} of {asked} texts left out: the value of {swap.column} does not "
        "stand in them, their group is not known, or no other group has another value."
    ]
