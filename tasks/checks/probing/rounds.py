"""Can a protected attribute be read inside the subject, and is it used?

Two rounds of shards. The first keeps one state per layer and text. The second reads those states
with probes, many layers at a time, and erases every attribute at every layer while the subject
runs on.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.checks.probing.erasure_evidence import Erased
from tasks.checks.probing.probe_evidence import read_measurements
from tasks.data.dataset import MISSING
from tasks.definition.checks import ProbePooling, ProbingCheck
from tasks.run.inputs import cut, read_all, shard
from tasks.run.plan import Plan
from tasks.run.shards import ShardRef, StoredShard, read_payload
from tasks.schema import ErasedCase, Evidence, Measurement, TooSmall

PER_SHARD = 200
CELLS = 1 << 26  # numbers in the states of one shard of probes: a quarter of a gigabyte
AFTER = frozenset(
    {"probe_after_erasure", "decisions_changed", "decisions_changed_random", "selection_change"}
)


def state_shards(plan: Plan, check: ProbingCheck) -> list[ShardRef]:
    """Shards that keep the states of a random sample of rows."""
    rows = plan.rows_of(check)
    return cut(plan, check, "states", rows, PER_SHARD, poolings=check.poolings, span=check.span)


def probe_shards(
    plan: Plan, check: ProbingCheck, store: Path, stored: Sequence[StoredShard]
) -> list[ShardRef]:
    """Shards that read some layers of one pooling, and one per attribute and layer that erases."""
    if not stored:
        return []
    size: Any = read_payload(store, stored[0]).records[0]
    common: dict[str, Any] = {
        "states": [s.model_dump() for s in stored],
        "sampled": plan.rows_of(check),
    }
    reading = [
        one
        for pooling in check.poolings
        for one in _reading(plan, check, pooling, size["layers"], size["width"], common)
    ]
    return [*reading, *_erasing(plan, check, size["layers"], common)]


def _reading(
    plan: Plan,
    check: ProbingCheck,
    pooling: ProbePooling,
    layers: int,
    width: int,
    common: dict[str, Any],
) -> list[ShardRef]:
    """Shards that read some layers of one pooling each."""
    usable = _all_usable(plan, check, pooling)
    union = sorted({row for rows in usable.values() for row in rows})
    if not union:
        return []
    groups = {a: sorted({str(g) for g in plan.data.group(a)[rows]}) for a, rows in usable.items()}
    step = max(1, CELLS // (len(union) * width))
    return [
        shard(
            plan,
            plan.spec.subject_of(check),
            "probing",
            union,
            attributes=groups,
            pooling=pooling,
            layers=[first, min(first + step, layers)],
            **common,
        )
        for first in range(0, layers, step)
    ]


def _erasing(
    plan: Plan, check: ProbingCheck, layers: int, common: dict[str, Any]
) -> list[ShardRef]:
    """Shards that erase one attribute each: at one layer, at named ones, at every layer."""
    usable = _all_usable(plan, check, check.pooling)
    single = [(layer,) for layer in range(layers)]
    sites = list(dict.fromkeys([*single, *check.together, tuple(range(layers))]))
    return [
        shard(
            plan,
            plan.spec.subject_of(check),
            "erasure",
            rows,
            attribute=attribute,
            others=[other for other in usable if other != attribute],
            layers=list(site),
            pooling=check.pooling,
            span=check.span,
            random_subspaces=check.random_subspaces,
            **common,
        )
        for attribute, rows in usable.items()
        for site in sites
    ]


def evidence(
    plan: Plan,
    check: ProbingCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """Probes, erasure and their controls, for every attribute at every layer."""
    payloads = read_all(store, stored)
    told: list[Any] = [p.records[0] for p in payloads]
    reading = [p for p, of in zip(payloads, told, strict=True) if "attributes" in of]
    measurements = read_measurements(reading, check.pooling, seed=plan.spec.seed, span=check.span)
    shown: list[ErasedCase] = []
    for attribute in check.attributes_of(plan.spec):
        sites = [
            p for p, of in zip(payloads, told, strict=True) if of.get("attribute") == attribute
        ]
        if sites:
            rows, _ = _usable(plan, check, attribute, check.pooling)
            erased = _erased(plan, check, attribute, rows)
            measurements += erased.measurements(sites)
            shown += erased.cases(sites, cases)
    too_small = [
        s for a in check.attributes_of(plan.spec) for s in _usable(plan, check, a, check.pooling)[1]
    ]
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(measurements),
        cases=tuple(shown),
        too_small=tuple(too_small),
        notes=(
            "Erasure effects hold jointly over the places where an attribute is erased "
            "(Bonferroni).",
            *_left_out(plan, check),
            *_notes(measurements),
        ),
    )


def _erased(plan: Plan, check: ProbingCheck, attribute: str, rows: Sequence[int]) -> Erased:
    names = plan.labels(plan.spec.subject_of(check))
    return Erased(
        attribute=attribute,
        groups=sorted({str(g) for g in plan.data.group(attribute)[list(rows)]}),
        names=names,
        hoped=names.index(str(plan.spec.data.favourable)),
        rows=list(rows),
        ids=[row.id for row in plan.rows(rows)],
        right=_right(plan, check, rows),
        seed=plan.spec.seed,
    )


def _left_out(plan: Plan, check: ProbingCheck) -> list[str]:
    """Texts that have no span."""
    if check.span is None:
        return []
    sample = plan.rows_of(check)
    lacking = sum(not row.places.get(check.span) for row in plan.rows(sample))
    if not lacking:
        return []
    return [
        f"{lacking} of {len(sample)} texts do not hold the field {check.span}; what is read or "
        "erased at its words is without them."
    ]


def _notes(measurements: Sequence[Measurement]) -> list[str]:
    """Where erasure was incomplete, and where nothing that is done to the state shows."""
    found = []
    erased = [m for m in measurements if m.name in AFTER]
    for attribute in dict.fromkeys(str(m.about.attribute) for m in erased):
        of = [m for m in erased if m.about.attribute == attribute]
        chance = {
            m.about.layer: max(m.value, m.high or 0.0)
            for m in measurements
            if (m.name, m.about.attribute, m.about.position)
            == ("control_accuracy", attribute, None)
        }
        left = [
            m.about.site
            for m in of
            if m.name == "probe_after_erasure"
            and m.low is not None
            and m.low > chance[max(m.about.all_layers)]
        ]
        if left:
            found.append(
                f"{attribute}: a fresh linear probe still reads it after erasure at "
                f"{', '.join(left)}; erasure, fitted on a third of the texts, is incomplete there, "
                "and its effect on the decisions at least what is shown."
            )
        sites = dict.fromkeys(m.about.site for m in of)
        still = [
            site
            for site in sites
            if sum(m.value for m in of if m.about.site == site and "changed" in m.name) == 0
        ]
        if still:
            found.append(
                f"{attribute}: at {', '.join(still)} no erasure, of the attribute or at "
                "random, changes any decision; what is read there has no visible part in them."
            )
    return found


def _right(plan: Plan, check: ProbingCheck, rows: Sequence[int]) -> NDArray[np.int64]:
    """Index of the true class of every row; -1 where there is no label."""
    labels = plan.labels(plan.spec.subject_of(check))
    of = plan.data.labels()[list(rows)]
    return np.array([labels.index(name) if name in labels else -1 for name in of], dtype=np.int64)


def _all_usable(plan: Plan, check: ProbingCheck, pooling: ProbePooling) -> dict[str, list[int]]:
    """Attribute -> the rows it is read in, where there are groups to tell apart."""
    of = {a: _usable(plan, check, a, pooling)[0] for a in check.attributes_of(plan.spec)}
    return {attribute: rows for attribute, rows in of.items() if rows}


def _usable(
    plan: Plan, check: ProbingCheck, attribute: str, pooling: ProbePooling
) -> tuple[list[int], list[TooSmall]]:
    """Sampled rows of groups that are large enough, and the groups that are not."""
    rows = plan.rows_of(check)
    if pooling == "span":
        rows = [i for i in rows if plan.data.rows[i].places.get(str(check.span))]
    group = plan.data.group(attribute)[rows]
    sizes = {str(g): int((group == g).sum()) for g in np.unique(group) if g != MISSING}
    least = plan.spec.data.minimum_group
    small = [TooSmall(attribute=attribute, group=g, n=n) for g, n in sizes.items() if n < least]
    large = [g for g, n in sizes.items() if n >= least]
    kept = [row for row, g in zip(rows, group, strict=True) if g in large]
    return (kept if len(large) > 1 else []), small
