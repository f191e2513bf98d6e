"""How much more of the decision does a lens read that was fitted to every layer?"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tasks.checks.localisation.payload import LensDivergence
from tasks.measures.localisation import tuned_lens
from tasks.measures.model.hooks import captured
from tasks.measures.stats.random_streams import stream
from tasks.run.rounds import NoOptions, Work
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches
from tasks.subjects.local.head_position import READS_ALL, head_of, one_position
from tasks.subjects.protocols import Opens

HELD_OUT = 0.5


def measure(work: Work[NoOptions]) -> LensDivergence:
    """Divergence of the plain and of the tuned lens on the texts that it was not fitted on."""
    subject = opened(work.ref.subject)
    rendered = [subject.render(row.text) for row in work.rows]
    if head_of(subject, subject.encode(rendered[:1])) is None:
        nothing = np.empty((0, 0))
        note = f"The tuned lens is not fitted: {READS_ALL}."
        return LensDivergence(plain=nothing, tuned=nothing, notes=(note,))
    states, final = _states(subject, rendered)
    order = stream(work.seed, "texts the tuned lens is fitted on").permutation(len(final))
    cut_at = round(len(order) * HELD_OUT)
    test, train = torch.from_numpy(order[:cut_at]), torch.from_numpy(order[cut_at:])
    test, train = test.to(final.device), train.to(final.device)
    stage = one_position(subject)
    plain, tuned = [], []
    for layer in states[:-1]:  # the last one is the final distribution
        fitted = tuned_lens.fit(stage, layer[train], final[train], seed=work.seed)
        with torch.no_grad():
            plain.append(tuned_lens.divergence(stage, layer[test], final[test]))
            tuned.append(tuned_lens.divergence(stage, fitted(layer[test]), final[test]))
    return LensDivergence(
        plain=torch.stack(plain).cpu().numpy(), tuned=torch.stack(tuned).cpu().numpy()
    )


def _states(subject: Opens, rendered: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Hidden states at the head's position [layers + 1, texts, d], and what is read from them."""
    at_head: list[Tensor | None] = [None] * len(rendered)
    for positions, batch in batches(subject, rendered):
        with torch.no_grad(), captured(subject.blocks) as seen:
            subject.scores(batch)
        first = [int((batch.owner == i).nonzero()[0, 0]) for i in range(batch.texts)]
        head = subject.head_position(batch)[first]
        states_at_head = torch.stack([layer[first, head] for layer in seen], dim=1)
        for i, position in enumerate(positions):
            at_head[position] = states_at_head[i]
    states = torch.stack([state for state in at_head if state is not None], dim=1)
    with torch.no_grad():
        return states, one_position(subject)(states[-1])
