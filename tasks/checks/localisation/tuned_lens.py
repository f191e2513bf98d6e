"""How much more of the decision reads a lens that was fitted to every layer?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tasks.definition.checks.localisation import LocalisationCheck
from tasks.measures.localisation import tuned_lens
from tasks.measures.model.hooks import captured
from tasks.measures.stats import intervals
from tasks.run.inputs import cut, rows_of
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef
from tasks.schema import About, Measurement
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches
from tasks.subjects.local.head_position import READS_ALL, head_of, one_position
from tasks.subjects.protocols import Opens

HELD_OUT = 0.5
METHOD = "mean over held-out texts of KL(final || lens) in nats, BCa bootstrap"


def shards(plan: Plan, check: LocalisationCheck) -> list[ShardRef]:
    """One shard: a translator is fitted on all texts of its half."""
    rows = plan.rows_of(check)
    return cut(plan, check, "tuned-lens", rows, len(rows))


def measure(ref: ShardRef, _: Path) -> Payload:
    """Divergence of the plain and of the tuned lens on the texts that it was not fitted on."""
    subject = opened(ref.subject)
    if head_of(subject, subject.encode([subject.render(rows_of(ref)[0].text)])) is None:
        return Payload({}, [f"The tuned lens is not fitted: {READS_ALL}."])
    states, final = _states(subject, [subject.render(row.text) for row in rows_of(ref)])
    order = np.random.default_rng([ref.data.seed, 3]).permutation(len(final))
    cut_at = round(len(order) * HELD_OUT)
    test, train = torch.from_numpy(order[:cut_at]), torch.from_numpy(order[cut_at:])
    test, train = test.to(final.device), train.to(final.device)
    stage = one_position(subject)
    plain, tuned = [], []
    for layer in states[:-1]:  # the last one is the final distribution
        fitted = tuned_lens.fit(stage, layer[train], final[train], seed=ref.data.seed)
        with torch.no_grad():
            plain.append(tuned_lens.divergence(stage, layer[test], final[test]))
            tuned.append(tuned_lens.divergence(stage, fitted(layer[test]), final[test]))
    arrays = {"plain": torch.stack(plain), "tuned": torch.stack(tuned)}
    return Payload({name: a.cpu().numpy() for name, a in arrays.items()}, [])


def measurements(payloads: Sequence[Payload], *, seed: int) -> list[Measurement]:
    """Held-out divergence by layer, of the plain lens and of the tuned one."""
    return [
        Measurement.of(
            name,
            intervals.bootstrap_mean(texts, seed=seed),
            len(texts),
            METHOD,
            About(layer=layer),
        )
        for payload in payloads
        for name, part in (("lens_kl", "plain"), ("tuned_lens_kl", "tuned"))
        if part in payload.arrays
        for layer, texts in enumerate(payload.arrays[part])
    ]


def notes(payloads: Sequence[Payload]) -> tuple[str, ...]:
    """Why there is no tuned lens, if there is none."""
    return tuple(str(note) for payload in payloads for note in payload.records)


def _states(subject: Opens, rendered: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Hidden states at the head's position [layers + 1, texts, d], and what is read from them."""
    found: list[Tensor | None] = [None] * len(rendered)
    for positions, batch in batches(subject, rendered):
        with torch.no_grad(), captured(subject.blocks) as seen:
            subject.scores(batch)
        first = [int((batch.owner == i).nonzero()[0, 0]) for i in range(batch.texts)]
        head = subject.head_position(batch)[first]
        at = torch.stack([layer[first, head] for layer in seen], dim=1)
        for i, position in enumerate(positions):
            found[position] = at[i]
    states = torch.stack([one for one in found if one is not None], dim=1)
    with torch.no_grad():
        return states, one_position(subject)(states[-1])
