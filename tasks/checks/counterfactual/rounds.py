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
        *[rows[one.position].text for one in pairs],
        *[one.text for one in pairs],
        *[one.control for one in pairs if one.control is not None],
    ]
    decided = iter(_decide(subject, versions, work.options.favourable))
    plain, exchanged = ([next(decided) for _ in pairs] for _ in range(2))
    control = [next(decided) if one.control is not None else None for one in pairs]
    return ExchangedTexts(
        texts=tuple(
            ExchangedText(
                position=work.ref.rows[one.position],
                id=rows[one.position].id,
                swap=swap.name,
                source=one.source,
                target=one.target,
                text=one.text,
                plain=before,
                exchanged=after,
                control=neutral,
            )
            for one, before, after, neutral in zip(pairs, plain, exchanged, control, strict=True)
        )
    )


def _decide(subject: DecidesAnew, texts: Sequence[str], favourable: str) -> list[Decided]:
    """Decision of every text, and the log-odds of the favourable one where the subject has them."""
    decisions = subject.decide_on(texts, odds_of=favourable)
    return [Decided(decision=one.label, log_odds=one.log_odds) for one in decisions]


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
