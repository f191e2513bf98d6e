"""The steps of a cue check: texts with and without cues, then controls that calibrate the tests."""

from tasks.checks.cue import disclosure_controls, field_swap_controls, influence_controls, measure
from tasks.checks.cue.payload import CuedTexts, CueOptions, WrittenReasonings
from tasks.checks.instruments import paired_controls
from tasks.checks.instruments.paired_controls import ControlsOptions, PairedControls
from tasks.definition.checks.cue import CueCheck
from tasks.run.rounds import Asked, Finished, Piece, Round, cut

PER_SHARD = 50


def _texts(asked: Asked[CueCheck], _: Finished) -> list[Piece[CueOptions]]:
    """A random sample of rows, then the cases that are only shown; nothing on record."""
    check = asked.check
    if asked.plan.spec.on_record(check):
        return []
    return cut(asked.sample + asked.beside, PER_SHARD, CueOptions.of(check), second=check.grader)


def _field_swap_controls(asked: Asked[CueCheck], _: Finished) -> list[Piece[ControlsOptions]]:
    """Controls where a field of the texts is exchanged."""
    return [] if asked.check.swap is None else _paired(asked)


def _cue_controls(asked: Asked[CueCheck], _: Finished) -> list[Piece[ControlsOptions]]:
    """Controls where cues stand beside the texts."""
    return _paired(asked) if asked.check.cues or asked.check.own else []


def _paired(asked: Asked[CueCheck]) -> list[Piece[ControlsOptions]]:
    return paired_controls.pieces(asked.plan, asked.subject, asked.check.controls)


def _disclosure_controls(asked: Asked[CueCheck], _: Finished) -> list[Piece[CueOptions]]:
    """One piece; none where no controls are asked for, nor on record."""
    check = asked.check
    if check.controls is None or asked.plan.spec.on_record(check):
        return []
    return [Piece((0,), CueOptions.of(check), check.grader)]


TEXTS: Round[CueCheck, CueOptions, CuedTexts] = Round(
    name="cue",
    title="cues given to {subject}",
    options=CueOptions,
    payload=CuedTexts,
    pieces=_texts,
    measure=measure.measure,
)
EXCHANGE_CONTROLS: Round[CueCheck, ControlsOptions, PairedControls] = Round(
    name="exchange-controls",
    title="controls of exchanged fields, {subject}",
    options=ControlsOptions,
    payload=PairedControls,
    pieces=_field_swap_controls,
    measure=field_swap_controls.measure,
)
CUE_CONTROLS: Round[CueCheck, ControlsOptions, PairedControls] = Round(
    name="cue-controls",
    title="controls of cues, {subject}",
    options=ControlsOptions,
    payload=PairedControls,
    pieces=_cue_controls,
    measure=influence_controls.measure,
)
DISCLOSURE_CONTROLS: Round[CueCheck, CueOptions, WrittenReasonings] = Round(
    name="disclosure-controls",
    title="controls of disclosure, {subject}",
    options=CueOptions,
    payload=WrittenReasonings,
    pieces=_disclosure_controls,
    measure=disclosure_controls.measure,
)

ROUNDS = (TEXTS, EXCHANGE_CONTROLS, CUE_CONTROLS, DISCLOSURE_CONTROLS)
