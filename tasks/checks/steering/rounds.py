"""How decisions respond when the difference between two groups is added inside.

Two rounds of shards: the first fits the vectors on a third of the texts, the second adds them,
layer by layer, to the other two thirds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checks.interventions.group_vector import direction, read, scores_with, thirds, where_of
from tasks.data.dataset import Row
from tasks.definition.checks import SteeringCheck, Swap
from tasks.measures.interventions.levers import adding, applied
from tasks.measures.localisation.patching import log_odds
from tasks.run.inputs import rows_of, shard
from tasks.run.plan import Plan, group_sizes
from tasks.run.shards import Payload, ShardRef, StoredShard, read_array, read_payload
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches
from tasks.subjects.protocols import Opens

Floats = NDArray[np.float64]

ONCE = (-1.0, 1.0)
"""Alphas of the control: the slope is all that is needed of it."""


def by_perplexity(plan: Plan, check: SteeringCheck) -> bool:
    """Whether perplexity says what is safe: the subject writes, and nothing is labelled."""
    offered = plan.offers(plan.spec.subject_of(check))
    return plan.spec.data.label is None and "log-probabilities" in offered


def direction_shards(plan: Plan, check: SteeringCheck) -> list[ShardRef]:
    """The shard that fits the vectors; none where too few texts are usable."""
    fit, _, _ = thirds(plan, check)
    if not fit:
        return []
    asked = [a for a in (check.attribute, check.compose) if a is not None]
    least = plan.spec.data.minimum_group
    groups = {a: sorted(g for g, n in group_sizes(plan, a).items() if n >= least) for a in asked}
    return [
        shard(
            plan,
            plan.spec.subject_of(check),
            "directions",
            fit,
            attributes=asked,
            groups=groups,
            swap=check.swap.model_dump() if check.swap else None,
            pooling=check.pooling,
            draws=check.shuffles,
        )
    ]


def shards(
    plan: Plan, check: SteeringCheck, store: Path, fitted: Sequence[StoredShard]
) -> list[ShardRef]:
    """One shard per layer over the texts that fitted nothing."""
    if not fitted:
        return []
    _, second, third = thirds(plan, check)
    about: Any = read_payload(store, fitted[0]).records[0]
    return [
        shard(
            plan,
            plan.spec.subject_of(check),
            "steering",
            sorted([*second, *third]),
            layer=layer,
            alphas=check.alphas,
            composed=check.compose is not None,
            pooling=check.pooling,
            directions=fitted[0].model_dump(),
            perplexity=by_perplexity(plan, check),
        )
        for layer in check.layers or range(about["layers"])
    ]


def measure_directions(ref: ShardRef, _: Path) -> Payload:
    """The vectors of all layers, and those between shuffled groups."""
    subject, rows, pooling = opened(ref.subject), rows_of(ref), ref.option("pooling")
    found = read(subject, [subject.render(row.text) for row in rows], pooling)
    swap = Swap(**ref.option("swap")) if ref.option("swap") else None
    arrays: dict[str, Floats] = {}
    told: list[dict[str, object]] = []
    for i, attribute in enumerate(ref.option("attributes")):
        groups = ref.option("groups")[attribute]
        swapped = swap if i == 0 else None
        of = direction(
            subject, rows, found, attribute, groups, swapped, ref, pooling, ref.option("draws")
        )
        arrays["composed" if i else "vectors"] = of.vectors
        told.append({"attribute": attribute, "low": of.low, "high": of.high, "n": of.n})
        if i == 0:
            arrays["random"] = of.shuffled
    layers = len(found.states)
    where = [where_of(subject, pooling, layer) for layer in range(layers)]
    return Payload({**arrays}, [{"layers": layers, "directions": told, "where": where}])


def measure(ref: ShardRef, store: Path) -> Payload:
    """Log-odds of the favourable class and decision of every text at every alpha."""
    subject, rows, layer = opened(ref.subject), rows_of(ref), ref.option("layer")
    stored = StoredShard.model_validate(ref.option("directions"))
    where = where_of(subject, ref.option("pooling"), layer)

    def vectors(name: str) -> torch.Tensor:
        return torch.from_numpy(read_array(store, stored, name)[layer])

    own = vectors("vectors")
    added = [alpha * own for alpha in ref.option("alphas")]
    added += [alpha * vector for vector in vectors("random") for alpha in ONCE]
    if ref.option("composed"):
        other = vectors("composed")
        added += [other, own + other]
    several = [[adding(layer, where, v)] if bool(v.any()) else [] for v in added]
    odds = np.empty((len(added), len(rows)))
    decided = np.empty((len(added), len(rows)), dtype=np.int64)
    hoped = subject.labels.index(str(ref.data.spec.favourable))
    for positions, batch in batches(subject, [subject.render(row.text) for row in rows]):
        scores = scores_with(subject, batch, several)
        target = torch.full(scores.shape[:2], hoped, device=scores.device)
        odds[:, positions] = log_odds(scores, target).cpu().numpy()
        decided[:, positions] = scores.argmax(dim=-1).cpu().numpy()
    alphas = len(ref.option("alphas"))
    random = odds[alphas:][: len(odds) - alphas - 2 * bool(ref.option("composed"))]
    return Payload(
        {
            "odds": odds[:alphas],
            "decided": decided[:alphas],
            "random": random.reshape(-1, len(ONCE), len(rows)),
            "composed": odds[len(odds) - 2 :] if ref.option("composed") else odds[:0],
            **(_surprise(subject, rows, layer, own, ref) if ref.option("perplexity") else {}),
        },
        [{"layer": layer}],
    )


def _surprise(
    subject: Opens, rows: Sequence[Row], layer: int, vector: torch.Tensor, ref: ShardRef
) -> dict[str, Floats]:
    """Negative log-likelihood of every text at every alpha, and its tokens.

    The vector is added at every token: a subject that writes on has it at each in turn.
    """
    alphas = ref.option("alphas")
    surprise, tokens = np.empty((len(alphas), len(rows))), np.empty(len(rows))
    for positions, batch in batches(subject, [subject.render(row.text) for row in rows]):
        told = batch.mask.bool() & (batch.mask.cumsum(dim=1) > 1)  # all but the first
        tokens[positions] = told.sum(dim=1).cpu().numpy()
        for i, alpha in enumerate(alphas):
            steps = [adding(layer, "all", alpha * vector)]
            with torch.inference_mode(), applied(subject.model, steps):
                surprise[i, positions] = -subject.log_probability(batch, told).cpu().numpy()
    return {"surprise": surprise, "tokens": tokens}
