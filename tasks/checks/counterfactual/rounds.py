"""Texts decided as they stand, with identity terms exchanged, and with neutral words instead."""

from collections.abc import Sequence

import torch

from tasks.checks.counterfactual.payload import (
    Decided,
    ExchangedText,
    ExchangedTexts,
    SwapOptions,
)
from tasks.data.term_swap import swapped
from tasks.definition import ClassifierSubject
from tasks.definition.checks import CounterfactualCheck
from tasks.run.inputs import batches, subject_of
from tasks.run.rounds import Asked, Finished, Piece, Round, Work, cut
from tasks.subjects.local.subject import Subject
from tasks.subjects.writing import write

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
    subject, rows, swap = subject_of(work.ref), work.rows, work.options.swap
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


def _decide(subject: Subject, texts: Sequence[str], favourable: str) -> list[Decided]:
    """Decision of every text, and the log-odds of the favourable one where the subject has them."""
    if not isinstance(subject.ref.spec, ClassifierSubject):
        return [Decided(decision=w.answer, log_odds=None) for w in write(subject, texts)]
    hoped = subject.class_index(favourable)
    decided = [Decided(decision=None, log_odds=None)] * len(texts)
    rendered = [subject.render(text) for text in texts]
    with torch.inference_mode():
        for positions, batch in batches(subject, rendered):
            logits = batch.merged(subject.scores(batch).double())
            others = logits.clone()
            others[:, hoped] = -torch.inf
            odds = logits[:, hoped] - others.logsumexp(dim=-1)
            best = logits.argmax(dim=-1)
            for i, position in enumerate(positions):
                decided[position] = Decided(
                    decision=subject.class_name(int(best[i])), log_odds=float(odds[i])
                )
    return decided


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
