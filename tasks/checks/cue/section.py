"""The section on cues: what each moves, whether reasonings disclose it, and calibration."""

from collections.abc import Sequence

from tasks.checks.instruments.names import FIRST
from tasks.checks.instruments.section import INSTRUMENT, UNKNOWN, doubts
from tasks.definition.checks.cue import CueCheck
from tasks.report.blocks import Block, Pairs, Sentence, grid
from tasks.report.formats import about_words, title
from tasks.report.shown import Shown
from tasks.schema import CuePair, Evidence, Measurement

EXAMPLES = 6
"""Cue pairs shown in full."""

AGREEMENT = ("disclosure_agreement", "disclosure_ac2")

UNCOMPARED = Sentence(
    "The comparison of answers was not run on controls of known truth for this subject, so how "
    "often it errs on it is not known; the classifiers of the reasoning were."
)


def section(shown: Shown[CueCheck]) -> list[Block]:
    """Influence and disclosure of every cue, each beside its test's calibration, and examples."""
    evidence = shown.evidence
    tests = [m for m in evidence.measurements if m.name in INSTRUMENT]
    compared = [m for m in tests if m.about.classifier is None]
    agreed = [m for m in evidence.measurements if m.name in AGREEMENT]
    disclosed = evidence.named("disclosure")
    shown_apart = {*tests, *agreed, *disclosed}
    scores = [m for m in evidence.measurements if m not in shown_apart]
    return [
        *grid(scores, caption="What the cue does to the answer", corner="Cue", row=about_words,
              column=lambda m: title(m.name)),
        *grid(compared,
              caption="The comparison of answers on controls: does it see what decides?",
              corner="Test", row=about_words, column=lambda m: title(m.name)),
        *_classified([*disclosed, *(m for m in tests if m.about.classifier is not None)]),
        *grid(agreed, caption="How far the two classifiers agree", corner="Cue",
              row=_cue,
              column=lambda m: title(m.name)),
        *doubts([*scores, *disclosed], evidence),
        *([] if compared else [UNCOMPARED if tests else UNKNOWN]),
        *_pairs(evidence),
    ]  # fmt: skip


def _classified(measurements: Sequence[Measurement]) -> list[Block]:
    """Disclosure by every classifier, and each classifier's calibration, cue by cue."""
    cues = list(dict.fromkeys(map(_cue, measurements)))
    return grid(
        sorted(measurements, key=lambda m: cues.index(_cue(m))),
        caption="Whether the reasoning says so, and how far each classifier is right about "
        "written reasonings",
        corner="Cue and classifier",
        row=_classifier,
        column=lambda m: title(m.name),
    )


def _pairs(evidence: Evidence) -> list[Block]:
    pairs = sorted((c for c in evidence.cases if isinstance(c, CuePair)), key=_interest)
    some = tuple(pairs[:EXAMPLES])
    return [Pairs(some, len(pairs) - len(some))] if some else []


def _classifier(m: Measurement) -> str:
    """A cue, and which classifier says whether a reasoning discloses it."""
    return f"{_cue(m)}, by {m.about.classifier or FIRST}"


def _cue(m: Measurement) -> str:
    """The cue that a measurement is about, whichever classifier it is by."""
    about = m.about.model_copy(update={"classifier": None})
    return about_words(m.model_copy(update={"about": about}))


def _interest(pair: CuePair) -> tuple[bool, bool]:
    """Moved and silent first, then moved and open, then the rest."""
    return pair.answer == pair.answer_exchanged, pair.mentions
