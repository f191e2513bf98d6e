"""Texts decided as they stand, with identity terms exchanged, and with neutral words instead."""

from collections.abc import Sequence

from tasks.checks.counterfactual.payload import (
    Decided,
    ExchangedText,
    ExchangedTexts,
    SwapOptions,
)
from tasks.data.term_swap import swapped
from tasks.definition.checks.counterfactual import CounterfactualCheck
from tasks.run.rounds import Asked, Finished, Piece, Round, Work, cut
from tasks.subjects.load import fresh_decider
from tasks.subjects.protocols import DecidesAnew

PER_SHARD = 200


def pieces(asked: Asked[CounterfactualCheck], _: Finished) -> list[Piece[SwapOptions]]:
    """A random sample of rows, then the cases that are only shown; one list of terms at a time."""
    favourable = str(asked.plan.spec.data.favourable)
    rows = asked.sample + asked.beside
    return [
        piece
        for swap in asked.check.swaps
        for piece in cut(rows, PER_SHARD, SwapOptions(swap=swap, favourable=favourable))
    ]


def measure(work: Work[SwapOptions]) -> ExchangedTexts:
    """Decisions, and log-odds of the favourable one, with identity and neutral words exchanged."""
    subject, rows, swap = fresh_decider(work.ref.subject), work.rows, work.options.swap
    pairs = swapped([row.text for row in rows], swap, seed=work.seed)
    versions = [
        *[rows[pair.position].text for pair in pairs],
        *[pair.text for pair in pairs],
        *[pair.control for pair in pairs if pair.control is not None],
    ]
    decided = iter(_decide(subject, versions, work.options.favourable))
    plain, exchanged = ([next(decided) for _ in pairs] for _ in range(2))
    control = [next(decided) if pair.control is not None else None for pair in pairs]
    return ExchangedTexts(
        texts=tuple(
            ExchangedText(
                position=work.ref.rows[pair.position],
                id=rows[pair.position].id,
                swap=swap.name,
                source=pair.source,
                target=pair.target,
                text=pair.text,
                plain=before,
                exchanged=after,
                control=neutral,
            )
            for pair, before, after, neutral in zip(pairs, plain, exchanged, control, strict=True)
        )
    )


def _decide(subject: DecidesAnew, texts: Sequence[str], favourable: str) -> list[Decided]:
    """Decision of every text, and the log-odds of the favourable one where the subject has them."""
    decisions = subject.decide_on(texts, odds_of=favourable)
    return [Decided(decision=decision.label, log_odds=decision.log_odds) for decision in decisions]


ROUNDS = (
    Round(
        name="counterfactual",
        title="counterfactual of {subject}",
        options=SwapOptions,
        payload=ExchangedTexts,
        pieces=pieces,
        measure=measure,
    ),
)
