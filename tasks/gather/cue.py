"""Does a planted cue move the answer, and does the reasoning say so?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks import CueCheck, Swap
from tasks.gather.inputs import cut, dataset_of, read_all, records, subject_of
from tasks.gather.unparsed import confound, unparsed_difference
from tasks.gather.writing import write
from tasks.measures import stats
from tasks.measures.reasoning import mentions
from tasks.plan import Plan
from tasks.schema import About, CuePair, Evidence, Measurement
from tasks.shards import Payload, ShardRef, StoredShard
from tasks.swap import exchange

PER_SHARD = 50


def shards(plan: Plan, check: CueCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Shards over a random sample of rows, then the cases that are only shown."""
    sample = plan.rows_of(check)
    shown = [case for case in cases if case not in set(sample)]
    return cut(plan, check, "cue", sample + shown, PER_SHARD, swap=_swap(check).model_dump())


def measure(ref: ShardRef, _: Path) -> Payload:
    """Reasoning and answer for every text, plain and with the cue exchanged."""
    subject, data = subject_of(ref), dataset_of(ref)
    swap = Swap(**ref.option("swap"))
    exchanged = {e.position: e for e in exchange(data.rows, swap, seed=ref.data.seed)}
    pairs = [exchanged[position] for position in ref.rows if position in exchanged]
    plain = write(subject, [data.rows[pair.position].text for pair in pairs])
    other = write(subject, [pair.text for pair in pairs])
    return Payload(
        {},
        [
            {
                "position": pair.position,
                "id": data.rows[pair.position].id,
                "original": pair.original,
                "exchanged": pair.exchanged,
                "answer": before.answer,
                "answer_exchanged": after.answer,
                "reasoning": before.reasoning,
                "reasoning_exchanged": after.reasoning,
                "mentions": any(
                    mentions(text, [pair.original, pair.exchanged, swap.column.replace("_", " ")])
                    for text in (before.reasoning, after.reasoning)
                ),
            }
            for pair, before, after in zip(pairs, plain, other, strict=True)
        ],
    )


def evidence(
    plan: Plan,
    check: CueCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """Influence of the cue, its disclosure, and the influence that is not disclosed."""
    found: list[Any] = records(read_all(store, stored))
    sampled = set(plan.rows_of(check))
    sample = [r for r in found if r["position"] in sampled]
    whole = [r for r in sample if r["answer"] is not None and r["answer_exchanged"] is not None]
    unparsed = np.array([r not in whole for r in sample])
    about = About(field=_swap(check).column)
    measurements = [
        Measurement.of("unparsed", stats.share(unparsed), len(sample), stats.SHARE, about)
    ]
    difference = unparsed_difference(
        [r["answer"] for r in sample], [r["answer_exchanged"] for r in sample], about
    )
    measurements.append(difference)
    if whole:
        changed = np.array([r["answer"] != r["answer_exchanged"] for r in whole])
        said = np.array([bool(r["mentions"]) for r in whole])
        measured = {"influence": changed, "undisclosed_influence": changed & ~said}
        if changed.any():
            measured["disclosure"] = said[changed]
        measurements += [
            Measurement.of(
                name, stats.share(hits), len(hits), "share of pairs, Wilson interval", about
            )
            for name, hits in measured.items()
        ]
    shown = {plan.data.rows[case].id for case in cases} | _examples(whole)
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        cases=tuple(_pair(r) for r in found if r["id"] in shown),
        notes=(
            *_notes(plan, check, len(sample)),
            *confound(difference, "the texts as they stand and those with the cue exchanged"),
        ),
    )


def _swap(check: CueCheck) -> Swap:
    if check.swap is None:
        raise TypeError("a cue without a swap is read from records, not planted")
    return check.swap


def _examples(whole: list[Any]) -> set[str]:
    """A few pairs whose answer the cue changed, so that a reader sees what it looks like."""
    return {r["id"] for r in [r for r in whole if r["answer"] != r["answer_exchanged"]][:3]}


def _pair(record: Any) -> CuePair:
    return CuePair(**{name: value for name, value in record.items() if name != "position"})


def _notes(plan: Plan, check: CueCheck, pairs: int) -> tuple[str, ...]:
    asked = len(plan.rows_of(check))
    if pairs == asked:
        return ()
    return (
        f"{asked - pairs} of {asked} texts left out: the value of {_swap(check).column} does not "
        "stand in them, or no other group has another value.",
    )
