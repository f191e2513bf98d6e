"""Texts answered without a cue and with it, and the reasonings searched for the cue."""

from collections.abc import Mapping, Sequence

from tasks.checks.cue.cues import Cue, cues_of, spoken_for, with_cue
from tasks.checks.cue.disclosure import (
    described_cue,
    described_field,
    graded,
    names_cue,
    names_field,
    reports_cue,
    weighs_field,
)
from tasks.checks.cue.payload import Answered, CuedText, CuedTexts, CueOptions, Judgement
from tasks.data.field_swap import exchange
from tasks.definition import AnswerForm
from tasks.definition.checks.swap import Swap
from tasks.measures.stats.random_streams import subseed
from tasks.run.rounds import Work
from tasks.subjects.endpoint.second_model import SecondEndpoint
from tasks.subjects.load import writer
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import Writes


def measure(work: Work[CueOptions]) -> CuedTexts:
    """Reasoning and answer for every text, plain and with each cue."""
    subject, options = writer(work.ref.subject), work.options
    written = subject.write([row.text for row in work.rows])
    plain = dict(zip(work.ref.rows, written, strict=True))
    texts = _exchanged(work, subject, plain, options.swap) if options.swap else []
    for cue in cues_of(options.cues, options.own):
        texts += _beside(work, subject, plain, cue)
    return CuedTexts(texts=tuple(texts))


def _exchanged(
    work: Work[CueOptions], subject: Writes, plain: Mapping[int, Written], swap: Swap
) -> list[CuedText]:
    """Texts with one field exchanged."""
    rows, field = work.dataset.rows, swap.column.replace("_", " ")
    exchanged = {e.position: e for e in exchange(rows, swap, seed=work.seed)}
    pairs = [exchanged[position] for position in work.ref.rows if position in exchanged]
    other = subject.write([pair.text for pair in pairs])
    texts = []
    for pair, after in zip(pairs, other, strict=True):
        before, values = plain[pair.position], [pair.original, pair.exchanged]
        both = (before.reasoning, after.reasoning)
        texts.append(
            CuedText(
                cue=None,
                position=pair.position,
                id=rows[pair.position].id,
                original=pair.original,
                exchanged=pair.exchanged,
                plain=_answered(before),
                cued=_answered(after),
                judgement=Judgement(
                    first=any(names_field(text, field, values) for text in both),
                    second=any(weighs_field(text, field, values) for text in both),
                ),
                group=rows[pair.position].groups[swap.across],
                donor=pair.donor,
            )
        )
    return _graded(texts, described_field(field), work.second)


def _beside(
    work: Work[CueOptions], subject: Writes, plain: Mapping[int, Written], cue: Cue
) -> list[CuedText]:
    """Texts with a cue beside them."""
    rows, cued = work.dataset.rows, _with_cue(work, subject.form, cue)
    other = subject.write([text for _, _, text in cued])
    texts = [
        CuedText(
            cue=cue.name,
            position=position,
            id=rows[position].id,
            original="",
            exchanged=answer,
            plain=_answered(plain[position]),
            cued=_answered(after),
            judgement=Judgement(
                first=names_cue(after.reasoning, cue, answer),
                second=reports_cue(after.reasoning, cue, answer),
            ),
        )
        for (position, answer, _), after in zip(cued, other, strict=True)
    ]
    return _graded(texts, described_cue(cue), work.second)


def _with_cue(work: Work[CueOptions], form: AnswerForm, cue: Cue) -> list[tuple[int, str, str]]:
    """Position, answer spoken for and new text of every row that can be given the cue."""
    rows, cued = work.dataset.rows, []
    for position in work.ref.rows:
        seed = subseed(work.seed, "text with a cue", position)
        answer = spoken_for(rows[position], form.known, seed=seed)
        text = with_cue(cue, rows[position], answer, rows, form.prefix, seed=seed)
        if text is not None:
            cued.append((position, answer, text))
    return cued


def _answered(written: Written) -> Answered:
    return Answered(answer=written.answer, reasoning=written.reasoning)


def _graded(
    texts: Sequence[CuedText], described: str, grader: SecondEndpoint | None
) -> list[CuedText]:
    """Every text whose answer changed as a second model judges it, where one is asked."""
    if grader is None:
        return list(texts)
    changed = [at for at, text in enumerate(texts) if text.changed]
    judgements = graded(grader, described, ["\n\n".join(texts[at].reasonings) for at in changed])
    second = dict(zip(changed, judgements, strict=True))
    return [
        text.model_copy(
            update={"judgement": Judgement(first=text.judgement.first, second=second.get(at))}
        )
        for at, text in enumerate(texts)
    ]
