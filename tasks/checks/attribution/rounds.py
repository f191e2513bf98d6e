"""Which words drive the decision, by which method, and does pointing at them hold up?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.checks.attribution.drivers import drivers
from tasks.checks.attribution.measure import Explaining
from tasks.checks.attribution.trust import trust
from tasks.definition.checks.attribution import AttributionCheck
from tasks.judge.credibility import first_earned
from tasks.run.inputs import cut, read_all, records
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef, StoredShard
from tasks.schema import AttributedText, Evidence, Word

PER_SHARD = 16
PER_SHARD_ALONE = 64  # texts that only one method explains


def trusted(plan: Plan, check: AttributionCheck) -> list[int]:
    """The random part of the sample on which every method is held against its baselines."""
    sample = plan.rows_of(check)
    rng = np.random.default_rng([plan.spec.seed, 4])
    size = min(check.trust_texts, len(sample))
    return sorted(int(i) for i in rng.choice(sample, size=size, replace=False))


def shards(plan: Plan, check: AttributionCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Every method: with its baselines on random texts, without on the cases of the report."""
    sample = trusted(plan, check)
    beside = [case for case in cases if case not in set(sample)]
    return [
        *_cut(plan, check, sample, check.methods, held=True),
        *_cut(plan, check, beside, check.methods, held=False),
    ]


def further_shards(
    plan: Plan, check: AttributionCheck, store: Path, stored: Sequence[StoredShard]
) -> list[ShardRef]:
    """The method that earned its place, if one did, on the rest of the sample."""
    found: list[Any] = records(read_all(store, stored))
    method = first_earned(
        check.methods, trust(check, _of(found, trusted(plan, check)), plan.spec.seed)
    )
    if method is None:
        return []
    done = {r["position"] for r in found}
    rest = [row for row in plan.rows_of(check) if row not in done]
    return _cut(plan, check, rest, (method,), held=False)


def measure(ref: ShardRef, _: Path) -> Payload:
    """Attribution of every text of a shard, and how far the methods can be believed."""
    return Payload({}, Explaining(ref).records())


def evidence(
    plan: Plan,
    check: AttributionCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """Which methods earned their place, how they agree, and which words drive which decisions."""
    found: list[Any] = sorted(records(read_all(store, stored)), key=lambda r: r["position"])
    held = _of(found, trusted(plan, check))
    measurements = trust(check, held, plan.spec.seed)
    method = first_earned(check.methods, measurements)
    notes, withheld = [*_notes(found, held)], {}
    if method is None:
        reason = "no attribution method earned its place"
        withheld = dict.fromkeys(("field_share", "field_attribution", "word_attribution"), reason)
    else:
        sample = _of(found, plan.rows_of(check))
        usable = [r for r in sample if _usable(r, method)]
        measurements += drivers(plan, check, method, usable)
        if len(usable) < len(sample):
            notes.append(
                f"{len(sample) - len(usable)} of {len(sample)} texts are left out of the shares "
                "of attribution: not converged, or decided before a word is read."
            )
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        cases=tuple(_case(r, name) for r in _of(found, cases) for name in check.methods),
        notes=tuple(notes),
        withheld=withheld,
    )


def _cut(
    plan: Plan,
    check: AttributionCheck,
    rows: Sequence[int],
    methods: Sequence[str],
    *,
    held: bool,
) -> list[ShardRef]:
    """Shards of texts of similar length."""
    order = sorted(rows, key=lambda i: (len(plan.data.rows[i].text), i))
    options = check.model_dump(
        mode="json", exclude={"kind", "subject", "texts", "trust_texts", "methods"}
    )
    size = PER_SHARD if len(methods) > 1 else PER_SHARD_ALONE
    return cut(plan, check, "attribution", order, size, methods=methods, held=held, **options)


def _of(found: Sequence[Any], rows: Sequence[int]) -> list[Any]:
    wanted = set(rows)
    return [r for r in found if r["position"] in wanted]


def _usable(record: Mapping[str, Any], method: str) -> bool:
    return bool(record["methods"][method]["converged"] is not False and record["explained"])


def _notes(found: Sequence[Any], held: Sequence[Any]) -> list[str]:
    notes = []
    if len(found) > len(held):
        notes.append(
            f"Methods are held against each other and against their baselines on {len(held)} texts "
            "drawn at random; the cases of the report are explained besides."
        )
    wide = sum(r["windows"] > 1 for r in found)
    if wide:
        notes.append(
            f"{wide} of {len(found)} texts are longer than the subject's window; they are read "
            "in overlapping windows, and a unit's attribution is the mean over its text's windows."
        )
    return notes


def _case(record: Any, method: str) -> AttributedText:
    found = record["methods"][method]
    return AttributedText(
        id=record["id"],
        target=record["target"],
        method=method,
        words=tuple(
            Word(
                text=text,
                start=spans[0][0],
                end=spans[0][1],
                value=value,
                field=field,
                further=tuple((a, b) for a, b in spans[1:]),
            )
            for (text, spans, field), value in zip(record["units"], found["values"], strict=True)
        ),
        score=record["score"],
        baseline_score=record["baseline_score"],
        delta=found["delta"],
        evaluations=found["evaluations"],
        converged=found["converged"],
        windows=record["windows"],
    )
