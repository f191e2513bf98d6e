"""The steps of contradictory questions: both of every pair answered, then the controls."""

from tasks.checks.contradiction import controls
from tasks.checks.contradiction.payload import AnsweredQuestion, AnsweredQuestions
from tasks.checks.instruments import paired_controls
from tasks.checks.instruments.paired_controls import ControlsOptions, PairedControls
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.measures.stats.random_streams import stream
from tasks.run.plan import Plan
from tasks.run.rounds import Asked, Finished, NoOptions, Piece, Round, Work, cut
from tasks.subjects.load import writer

PER_SHARD = 50


def pairs_of(plan: Plan, check: ContradictionCheck) -> list[tuple[int, int]]:
    """Positions of the two rows of every pair, a random sample of them where `texts` limits it."""
    rows_by_name: dict[str, list[int]] = {}
    for position, row in enumerate(plan.data.rows):
        rows_by_name.setdefault(row.columns[check.pair], []).append(position)
    pairs = [(p[0], p[1]) for name, p in rows_by_name.items() if name and len(p) == 2]
    most = len(pairs) if check.texts is None else max(1, check.texts // 2)
    if most >= len(pairs):
        return pairs
    rng = stream(plan.spec.seed, "sample of pairs")
    return [pairs[i] for i in sorted(rng.choice(len(pairs), size=most, replace=False))]


def pieces(asked: Asked[ContradictionCheck], _: Finished) -> list[Piece[NoOptions]]:
    """The rows of the pairs, both of a pair in one piece."""
    rows = [position for pair in pairs_of(asked.plan, asked.check) for position in pair]
    return cut(rows, PER_SHARD, NoOptions())


def measure(work: Work[NoOptions]) -> AnsweredQuestions:
    """Reasoning and answer of every question."""
    written = writer(work.ref.subject).write([row.text for row in work.rows])
    return AnsweredQuestions(
        questions=tuple(
            AnsweredQuestion(id=row.id, text=row.text, answer=w.answer, reasoning=w.reasoning)
            for row, w in zip(work.rows, written, strict=True)
        )
    )


def _controls(asked: Asked[ContradictionCheck], _: Finished) -> list[Piece[ControlsOptions]]:
    return paired_controls.pieces(asked.plan, asked.subject, asked.check.controls)


QUESTIONS: Round[ContradictionCheck, NoOptions, AnsweredQuestions] = Round(
    name="contradiction",
    title="contradictory questions to {subject}",
    options=NoOptions,
    payload=AnsweredQuestions,
    pieces=pieces,
    measure=measure,
)
CONTROLS: Round[ContradictionCheck, ControlsOptions, PairedControls] = Round(
    name="contradiction-controls",
    title="controls of contradictory questions, {subject}",
    options=ControlsOptions,
    payload=PairedControls,
    pieces=_controls,
    measure=controls.measure,
)

ROUNDS = (QUESTIONS, CONTROLS)
