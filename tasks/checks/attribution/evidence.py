"""Which words drive the decision, by which method, and can that method be believed?"""

from collections.abc import Collection, Sequence

from tasks.checks.attribution.drivers import drivers
from tasks.checks.attribution.payload import ExplainedText
from tasks.checks.attribution.rounds import compared_texts, further_texts
from tasks.checks.attribution.trust import trust
from tasks.definition.checks.attribution import AttributionCheck, MethodName
from tasks.judge.credibility import first_credible
from tasks.run.rounds import Asked, Finished
from tasks.schema import AttributedText, Evidence, Measurement, Word

SHARES = ("field_share", "field_attribution", "word_attribution")
"""Measurements that only a credible method may state."""
UNEARNED = "no attribution method earned its place"


def evidence(asked: Asked[AttributionCheck], finished: Finished) -> Evidence:
    """Which methods are credible, how they agree, and which words drive which decisions."""
    check, compared = asked.check, compared_texts(finished)
    texts = [*(each.text for each in compared), *further_texts(finished)]
    texts.sort(key=lambda text: text.position)
    measurements = trust(check, compared, asked.seed)
    method = first_credible(check.methods, measurements)
    notes = _notes(texts, len(compared))
    if method is not None:
        shares, left_out = _shares(asked, method, _of(texts, asked.sample))
        measurements += shares
        notes += left_out
    return Evidence(
        check=check,
        subject=asked.subject,
        measurements=tuple(measurements),
        cases=tuple(_case(t, name) for t in _of(texts, asked.cases) for name in check.methods),
        notes=tuple(notes),
        cited=method,
        withheld=dict.fromkeys(SHARES, UNEARNED) if method is None else {},
    )


def _shares(
    asked: Asked[AttributionCheck], method: MethodName, sample: Sequence[ExplainedText]
) -> tuple[list[Measurement], list[str]]:
    """Shares of attribution on fields and words, and a note on the texts that are left out."""
    usable = [text for text in sample if text.usable(method)]
    notes = []
    if len(usable) < len(sample):
        notes.append(
            f"{len(sample) - len(usable)} of {len(sample)} texts are left out of the shares "
            "of attribution: not converged, or decided before a word is read."
        )
    return drivers(asked.plan, asked.check, method, usable), notes


def _of(texts: Sequence[ExplainedText], rows: Collection[int]) -> list[ExplainedText]:
    wanted = set(rows)
    return [text for text in texts if text.position in wanted]


def _notes(texts: Sequence[ExplainedText], compared: int) -> list[str]:
    notes = []
    if len(texts) > compared:
        notes.append(
            f"Methods are compared with each other and with their baselines on {compared} texts "
            "drawn at random; the cases of the report are explained as well."
        )
    wide = sum(text.windows > 1 for text in texts)
    if wide:
        notes.append(
            f"{wide} of {len(texts)} texts are longer than the subject's window; they are read "
            "in overlapping windows, and a unit's attribution is the mean over its text's windows."
        )
    return notes


def _case(text: ExplainedText, method: MethodName) -> AttributedText:
    attribution = text.methods[method]
    return AttributedText(
        id=text.id,
        target=text.target,
        method=method,
        words=tuple(
            Word(
                text=unit.text,
                start=unit.spans[0][0],
                end=unit.spans[0][1],
                value=value,
                field=unit.field,
                further=unit.spans[1:],
            )
            for unit, value in zip(text.units, attribution.values, strict=True)
        ),
        score=text.score,
        baseline_score=text.baseline_score,
        delta=attribution.delta,
        evaluations=attribution.evaluations,
        converged=attribution.converged,
        windows=text.windows,
    )
