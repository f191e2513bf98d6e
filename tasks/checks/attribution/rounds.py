"""Some texts explained by every method and its baselines, then the rest by the cited method."""

from collections.abc import Sequence

from tasks.checks.attribution.baselines import compare
from tasks.checks.attribution.measure import explain
from tasks.checks.attribution.payload import (
    ComparedText,
    ComparedTexts,
    CompareOptions,
    ExplainedText,
    ExplainedTexts,
    ExplainOptions,
)
from tasks.checks.attribution.trust import trust
from tasks.definition.checks.attribution import AttributionCheck, MethodName
from tasks.judge.credibility import first_credible
from tasks.measures.stats.random_streams import stream
from tasks.run.plan import Plan
from tasks.run.rounds import Asked, Finished, Piece, Round, cut

PER_SHARD = 16
PER_SHARD_ALONE = 64
"""Texts that only one method explains."""


def compared_rows(asked: Asked[AttributionCheck]) -> list[int]:
    """The random part of the sample on which every method is compared with its baselines."""
    sample = asked.sample
    rng = stream(asked.seed, "texts that methods are compared on")
    size = min(asked.check.trust_texts, len(sample))
    return sorted(int(i) for i in rng.choice(sample, size=size, replace=False))


def compared_pieces(asked: Asked[AttributionCheck], _: Finished) -> list[Piece[CompareOptions]]:
    """Every method with its baselines, on random texts."""
    rows = _by_length(asked.plan, compared_rows(asked))
    return cut(rows, _size(asked.check.methods), CompareOptions.of(asked.check))


def rest_pieces(asked: Asked[AttributionCheck], finished: Finished) -> list[Piece[ExplainOptions]]:
    """Every method on the cases of the report; the cited method on the rest of the sample."""
    compared = set(compared_rows(asked))
    cases = [case for case in asked.cases if case not in compared]
    pieces = _explained(asked, cases, asked.check.methods)
    method = cited_method(asked, finished)
    if method is None:
        return pieces
    done = compared | set(cases)
    rest = [row for row in asked.sample if row not in done]
    return pieces + _explained(asked, rest, (method,))


def cited_method(asked: Asked[AttributionCheck], finished: Finished) -> MethodName | None:
    """The first method that is credible on the subject; none if none is."""
    check = asked.check
    return first_credible(check.methods, trust(check, compared_texts(finished), asked.seed))


def compared_texts(finished: Finished) -> list[ComparedText]:
    """The texts that methods were compared on, in the order of the data."""
    texts = [text for payload in finished.of(COMPARED) for text in payload.texts]
    return sorted(texts, key=lambda one: one.text.position)


def further_texts(finished: Finished) -> list[ExplainedText]:
    """The texts explained without baselines."""
    return [text for payload in finished.of(REST) for text in payload.texts]


def _explained(
    asked: Asked[AttributionCheck], rows: Sequence[int], methods: tuple[MethodName, ...]
) -> list[Piece[ExplainOptions]]:
    options = ExplainOptions.of(asked.check, methods)
    return cut(_by_length(asked.plan, rows), _size(methods), options)


def _size(methods: Sequence[MethodName]) -> int:
    return PER_SHARD if len(methods) > 1 else PER_SHARD_ALONE


def _by_length(plan: Plan, rows: Sequence[int]) -> list[int]:
    """Texts of similar length together."""
    return sorted(rows, key=lambda i: (len(plan.data.rows[i].text), i))


COMPARED: Round[AttributionCheck, CompareOptions, ComparedTexts] = Round(
    name="attribution",
    title="attribution of {subject}",
    options=CompareOptions,
    payload=ComparedTexts,
    pieces=compared_pieces,
    measure=compare,
)
REST: Round[AttributionCheck, ExplainOptions, ExplainedTexts] = Round(
    name="attribution-rest",
    title="attribution of {subject}, cases and the rest of the sample",
    options=ExplainOptions,
    payload=ExplainedTexts,
    pieces=rest_pieces,
    measure=explain,
)
ROUNDS = (COMPARED, REST)
