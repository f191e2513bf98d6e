"""Activation patching: which activation carries the effect of an exchanged field.

The subject reads the original text, and at one site (layer, part, positions) its activation is
that of the exchanged text. The site carries the resulting change of the decision, as a share of
the change under the whole exchange.

Source: Vig et al. 2020, NeurIPS 33 (causal mediation); Meng et al. 2022, arXiv:2202.05262;
Zhang and Nanda 2023, arXiv:2309.16042 (metrics: log-odds, and effects that are there).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.errors import EvidenceError
from tasks.measures.model.hooks import Part, captured, changed, edited, recorded, resumed, watched
from tasks.measures.model.hooks import with_hidden as answer_with
from tasks.measures.model.passes import in_passes
from tasks.measures.stats.intervals import RESAMPLES, Interval, spread
from tasks.measures.stats.random_streams import stream

Floats = NDArray[np.float64]
HALF = 0.5
MINIMUM = 8  # fewest pairs for a recovered share


class Recorded(NamedTuple):
    """One forward pass over a batch, with all activations that can be patched into another."""

    scores: Tensor
    """[texts, classes]."""
    outputs: list[Any]
    """What every block returned."""
    activations: dict[Part, list[Tensor]]
    """[texts, tokens, d] each: the residual stream from the embedding on, else one a block."""

    def at(self, part: Part, layer: int) -> Tensor:
        """Activations at a layer: 0 is the embedding, l the l-th block."""
        return self.activations[part][layer if part == "residual" else layer - 1]


Halves = Mapping[Part, Sequence[nn.Module]]
"""Part -> its module in every block, for the parts beside the residual stream."""


def record(run: Callable[[], Tensor], blocks: nn.ModuleList, halves: Halves) -> Recorded:
    """Run a batch once and keep its activations."""
    with torch.no_grad(), ExitStack() as stack:
        states = stack.enter_context(captured(blocks))
        outputs = stack.enter_context(recorded(blocks))
        seen = {part: stack.enter_context(watched(modules)) for part, modules in halves.items()}
        scores = run()
    return Recorded(scores, outputs, {"residual": states, **seen})


class Site(NamedTuple):
    """Where an activation is exchanged."""

    part: Part
    layer: int


def patched_scores(
    run: Callable[[Tensor], Tensor],
    blocks: nn.ModuleList,
    halves: Halves,
    site: Site,
    original: Recorded,
    donor: Tensor,
    rows: Tensor,
    masks: Tensor,
    size: int,
) -> Tensor:
    """Scores of texts with the activation of their donors at one site.

    Args:
        run: the subject over these rows of the batch, [n] -> scores [n, classes].
        blocks: the stack.
        halves: see `Halves`.
        site: part and layer.
        original: the batch as it is, see `record`; blocks below the site are not run again.
        donor: activations to put there, [texts, tokens, d].
        rows: text of the batch that each item reads, [items].
        masks: True where the donor's activation is put, [items, tokens].
        size: items per pass.

    Returns:
        Scores [items, classes].
    """

    def scores_of(items: slice) -> Tensor:
        texts, mask = rows[items], masks[items].unsqueeze(-1)
        theirs = donor[texts]
        edit = partial(_put, mask, theirs)
        below = site.layer if site.part == "residual" else site.layer - 1
        answers = [
            answer_with(output, state[texts])
            for output, state in zip(
                original.outputs[:below], original.activations["residual"][1:], strict=False
            )
        ]
        where = (
            edited(blocks, site.layer, edit)
            if site.part == "residual"
            else changed(halves[site.part][site.layer - 1], edit)
        )
        with torch.no_grad(), resumed(blocks, below, answers), where:
            return run(texts)

    return in_passes(scores_of, len(rows), size)


def log_odds(scores: Tensor, target: Tensor) -> Tensor:
    """Log-odds of one class of every text, [texts], from scores [texts, classes]."""
    exact = scores.double()
    own = exact.gather(-1, target.unsqueeze(-1)).squeeze(-1)
    others = exact.scatter(-1, target.unsqueeze(-1), -torch.inf)
    return own - others.logsumexp(dim=-1)


class Recovery(NamedTuple):
    """Recovered shares at several sites, on all pairs and on resampled ones."""

    point: Floats
    """[sites]."""
    draws: Floats
    """[resamples, sites]; the sites of one draw come from the same pairs."""

    def interval(self, site: int) -> Interval:
        """Share at one site with its percentile interval."""
        return spread(float(self.point[site]), self.draws[:, site])

    def first_half(self) -> Interval:
        """First of the sites at which at least half is recovered, with its percentile interval.

        Sites are layers from the embedding on; where none recovers half, the last one.
        """
        first = _first_half(self.point[None])[0]
        return spread(float(first), _first_half(self.draws))


def recovered_share(effect: Floats, change: Floats, *, seed: int) -> Recovery:
    """The share of an effect that remains when only one site is exchanged.

    Args:
        effect: change of each pair under the whole exchange, [pairs].
        change: change of each pair with one site exchanged, [pairs, sites].
        seed: drawn from the definition's seed.

    Returns:
        sum_i sign(e_i) c_i / sum_i |e_i|: 0 where nothing is recovered, 1 where all of it is;
        below 0 where the site moves decisions the other way, above 1 where other sites oppose it.

    Raises:
        EvidenceError: no pairs, or pairs without any effect.
    """
    if len(effect) == 0 or not np.abs(effect).sum() > 0:
        raise EvidenceError("recovered share of no effect: there is nothing to recover")
    n = len(effect)
    towards, size = np.sign(effect)[:, None] * change, np.abs(effect)
    weights = stream(seed, "bootstrap of pairs").multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    return Recovery(
        towards.sum(axis=0) / size.sum(), (weights @ towards) / (weights @ size)[:, None]
    )


def _first_half(shares: Floats) -> Floats:
    reached = shares >= HALF
    reached[:, -1] = True
    first: Floats = reached.argmax(axis=1).astype(np.float64)
    return first


def _put(mask: Tensor, theirs: Tensor, hidden: Tensor) -> Tensor:
    return torch.where(mask, theirs, hidden)
