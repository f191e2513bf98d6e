"""Does the subject say yes to two questions that exclude each other?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks.contradiction import controls
from tasks.definition.checks import ContradictionCheck
from tasks.measures.reasoning.contradiction import by_chance
from tasks.measures.stats import intervals
from tasks.run.inputs import cut, read_all, records, rows_of
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef, StoredShard
from tasks.schema import About, ContradictoryPair, Evidence, Measurement
from tasks.subjects.load import writer

PER_SHARD = 50
PAIRS = "share of pairs, Wilson interval"
CHANCE = "couples of answers to different pairs, jackknife over pairs"
SHOWN = 6


def pairs_of(plan: Plan, check: ContradictionCheck) -> list[tuple[int, int]]:
    """Positions of the two rows of every pair, a random sample of pairs where `texts` asks it."""
    named: dict[str, list[int]] = {}
    for position, row in enumerate(plan.data.rows):
        named.setdefault(row.columns[check.pair], []).append(position)
    pairs = [(p[0], p[1]) for name, p in named.items() if name and len(p) == 2]
    most = len(pairs) if check.texts is None else max(1, check.texts // 2)
    if most >= len(pairs):
        return pairs
    rng = np.random.default_rng([plan.spec.seed, 1])
    return [pairs[i] for i in sorted(rng.choice(len(pairs), size=most, replace=False))]


def shards(plan: Plan, check: ContradictionCheck) -> list[ShardRef]:
    """Shards over the rows of the pairs, both of a pair in one; then the controls."""
    rows = [position for pair in pairs_of(plan, check) for position in pair]
    texts = cut(plan, check, "contradiction", rows, PER_SHARD)
    return [*texts, *controls.shards(plan, check)]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Reasoning and answer of every question."""
    rows = rows_of(ref)
    written = writer(ref.subject).write([row.text for row in rows])
    return Payload(
        {},
        [
            {"id": row.id, "text": row.text, "answer": w.answer, "reasoning": w.reasoning}
            for row, w in zip(rows, written, strict=True)
        ],
    )


def evidence(
    plan: Plan, check: ContradictionCheck, store: Path, stored: Sequence[StoredShard]
) -> Evidence:
    """Share of pairs answered yes to both, to neither, and what chance would give."""
    kind = controls.KIND
    on_controls = [one for one in stored if Path(one.path).parent.name == kind]
    found: list[Any] = records(read_all(store, [s for s in stored if s not in on_controls]))
    calibrated, told = controls.calibration(check, read_all(store, on_controls))
    pairs = list(zip(found[::2], found[1::2], strict=True))
    whole = [p for p in pairs if None not in (p[0]["answer"], p[1]["answer"])]
    measurements = []
    if found:
        unread = np.array([r["answer"] is None for r in found])
        measurements = [
            Measurement.of("unparsed", intervals.share(unread), len(found), intervals.SHARE)
        ]
    if whole:
        answers = [(first["answer"], second["answer"]) for first, second in whole]
        measurements += _shares(answers, check.answer)
    contradicting = [p for p in whole if _excluded(p[0]["answer"], p[1]["answer"], check.answer)]
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=(*measurements, *calibrated),
        cases=tuple(_case(pair) for pair in contradicting[:SHOWN]),
        notes=(*_notes(plan, check, len(pairs)), *told),
    )


def _excluded(first: str, second: str, shared: str | None) -> bool:
    """Whether both questions have an answer that they cannot share."""
    return first == second and shared in (None, first)


def _shares(answers: list[tuple[str, str]], shared: str | None) -> list[Measurement]:
    """From the answers to the two questions of every pair."""
    n = len(answers)
    same = np.array([_excluded(*pair, shared) for pair in answers])
    found = [Measurement.of("contradiction", intervals.share(same), n, PAIRS)]
    if shared is not None:
        denied = np.array([shared not in pair for pair in answers])
        found.append(Measurement.of("both_denied", intervals.share(denied), n, PAIRS))
    if n < 2:
        return found
    chance = by_chance(answers, shared)
    return [*found, Measurement.of("contradiction_chance", chance, n, CHANCE, About())]


def _case(pair: tuple[Any, Any]) -> ContradictoryPair:
    first, second = pair
    return ContradictoryPair(
        id=first["id"],
        other=second["id"],
        text=first["text"],
        other_text=second["text"],
        answer=first["answer"],
        reasoning=first["reasoning"],
        other_reasoning=second["reasoning"],
    )


def _notes(plan: Plan, check: ContradictionCheck, pairs: int) -> tuple[str, ...]:
    sizes: dict[str, int] = {}
    for row in plan.data.rows:
        name = row.columns[check.pair]
        sizes[name] = sizes.get(name, 0) + 1
    alone = sum(n for name, n in sizes.items() if not name or n != 2)
    if not alone:
        return ()
    return (
        f"{alone} of {len(plan.data.rows)} questions left out: column {check.pair} does not name "
        f"exactly one other for them; {pairs} pairs remain.",
    )
