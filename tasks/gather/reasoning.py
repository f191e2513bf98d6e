"""Does the answer depend on the written reasoning?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks import ReasoningCheck
from tasks.gather.inputs import cut, read_all, records, rows_of, subject_of
from tasks.gather.unparsed import confound, corrected, unparsed_difference
from tasks.gather.writing import answer_after, write
from tasks.measures import stats
from tasks.measures.reasoning import area_over_curve, truncated
from tasks.plan import Plan
from tasks.schema import About, Evidence, Measurement, TruncatedReasoning
from tasks.shards import Payload, ShardRef, StoredShard

PER_SHARD = 50


def shards(plan: Plan, check: ReasoningCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Shards over a random sample of rows, then the cases that are only shown."""
    sample = plan.rows_of(check)
    shown = [case for case in cases if case not in set(sample)]
    return cut(plan, check, "reasoning", sample + shown, PER_SHARD, shares=check.shares)


def measure(ref: ShardRef, _: Path) -> Payload:
    """Reasoning, answer, and the answer when the reasoning is cut at every share."""
    subject, rows = subject_of(ref), rows_of(ref)
    texts = [row.text for row in rows]
    written = write(subject, texts)
    answers = [
        answer_after(subject, texts, [truncated(w.reasoning, share) for w in written])
        for share in ref.option("shares")
    ]
    return Payload(
        {},
        [
            {
                "id": row.id,
                "reasoning": w.reasoning,
                "answer": w.answer,
                "answers": [at_share[i] for at_share in answers],
            }
            for i, (row, w) in enumerate(zip(rows, written, strict=True))
        ],
    )


def evidence(
    plan: Plan,
    check: ReasoningCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """The truncation curve and the area over it."""
    found: list[Any] = records(read_all(store, stored))
    sample = found[: len(plan.rows_of(check))]
    answered = [r for r in sample if r["answer"] is not None]
    missing = np.array([r["answer"] is None for r in sample])
    measurements = [Measurement.of("unparsed", stats.share(missing), len(sample), stats.SHARE)]
    if len(answered) > 1:
        measurements += _curve(check, answered, plan.spec.seed)
    unread = _unread(check, sample)
    measurements += unread
    shown = {plan.data.rows[case].id for case in cases}
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        cases=tuple(
            TruncatedReasoning(
                id=r["id"],
                reasoning=r["reasoning"],
                answer=r["answer"],
                answers=tuple(r["answers"]),
            )
            for r in found
            if r["id"] in shown
        ),
        notes=tuple(
            note
            for m in unread
            for note in confound(m, f"the whole reasoning and {m.about.share:.0%} of it")
        ),
    )


def _unread(check: ReasoningCheck, sample: list[Any]) -> list[Measurement]:
    """How much more often no answer can be read at a cut than where it was written unforced."""
    freely = [r["answer"] for r in sample]
    found = [
        unparsed_difference(freely, [r["answers"][i] for r in sample], About(share=share))
        for i, share in enumerate(check.shares)
    ]
    return corrected(found, "unparsed answers, all shares")


def _curve(check: ReasoningCheck, answered: list[Any], seed: int) -> list[Measurement]:
    same = np.array([[a == r["answer"] for a in r["answers"]] for r in answered]).T
    curve = [
        Measurement.of(
            "answer_unchanged", stats.share(row), len(answered), stats.SHARE, About(share=share)
        )
        for share, row in zip(check.shares, same, strict=True)
    ]
    area = stats.bootstrap_mean(area_over_curve(check.shares, same.astype(float)), seed=seed)
    method = "area over the truncation curve, mean over texts, BCa bootstrap"
    return [*curve, Measurement.of("dependence_on_reasoning", area, len(answered), method)]
