"""Vectors fitted on some texts, and how decisions about other texts respond to them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.checks.interventions.forward import scores_with
from tasks.checks.interventions.group_vector import FitTexts, GroupVector, group_vector
from tasks.checks.interventions.states import where_of
from tasks.checks.steering.payload import (
    Directions,
    DirectionsOptions,
    Responses,
    SteeringOptions,
)
from tasks.measures.interventions.levers import adding, applied
from tasks.measures.localisation.patching import log_odds
from tasks.run.rounds import Work
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches
from tasks.subjects.protocols import Opens

Floats = NDArray[np.float64]

ONCE = (-1.0, 1.0)
"""Alphas of the control, of which only the slope is needed."""


# --- vectors ------------------------------------------------------------------------------


def measure_directions(work: Work[DirectionsOptions]) -> Directions:
    """The vectors of all layers, and those between shuffled groups."""
    options = work.options
    subject = opened(work.ref.subject)
    texts = FitTexts.of(subject, work.rows, options.pooling)
    own = _vector(work, texts, options.attribute, exchanged=True)
    other = None if options.compose is None else _vector(work, texts, options.compose)
    return Directions(
        ends=own.ends,
        composed_ends=None if other is None else other.ends,
        where=tuple(where_of(subject, options.pooling, at) for at in range(len(own.vectors))),
        vectors=own.vectors,
        random=own.shuffled,
        composed=None if other is None else other.vectors,
    )


def _vector(
    work: Work[DirectionsOptions], texts: FitTexts, attribute: str, *, exchanged: bool = False
) -> GroupVector:
    """The vector of one attribute; `exchanged`: from exchanged texts, if the check names a swap."""
    options = work.options
    return group_vector(
        texts,
        attribute,
        options.groups[attribute],
        favourable=options.favourable,
        swap=options.swap if exchanged else None,
        draws=options.draws,
        seed=work.seed,
    )


# --- responses ----------------------------------------------------------------------------


def measure(work: Work[SteeringOptions]) -> Responses:
    """Log-odds of the favourable class and decision of every text at every alpha."""
    subject = opened(work.ref.subject)
    options, vectors = work.options, _vectors(work)
    alphas, draws = len(options.alphas), len(vectors.random)
    odds, decided = _answers(work, subject, _added(options.alphas, vectors))
    after = alphas + draws * len(ONCE)
    surprise = _surprise(work, subject, vectors.own) if options.perplexity else None
    return Responses(
        layer=options.layer,
        odds=odds[:alphas],
        decided=decided[:alphas],
        random=odds[alphas:after].reshape(draws, len(ONCE), -1),
        composed=odds[after:] if options.composed else None,
        surprise=None if surprise is None else surprise.nats,
        tokens=None if surprise is None else surprise.tokens,
    )


class _Vectors(NamedTuple):
    """The vectors of one layer."""

    own: Tensor
    random: Sequence[Tensor]
    other: Tensor | None


def _vectors(work: Work[SteeringOptions]) -> _Vectors:
    def at_layer(name: str) -> Tensor:
        fitted = work.store.array(work.options.directions, name)
        return torch.from_numpy(fitted[work.options.layer])

    other = at_layer("composed") if work.options.composed else None
    return _Vectors(at_layer("vectors"), list(at_layer("random")), other)


def _added(alphas: Sequence[float], vectors: _Vectors) -> list[Tensor]:
    """What is added in turn: every dose, every control, the other vector alone and with `own`."""
    own, other = vectors.own, vectors.other
    return [
        *(alpha * own for alpha in alphas),
        *(alpha * vector for vector in vectors.random for alpha in ONCE),
        *([] if other is None else [other, own + other]),
    ]


def _answers(
    work: Work[SteeringOptions], subject: Opens, added: Sequence[Tensor]
) -> tuple[Floats, NDArray[np.int64]]:
    """Log-odds of the favourable class and class with every vector, [vectors, texts]."""
    layer = work.options.layer
    where = where_of(subject, work.options.pooling, layer)
    steps = [[adding(layer, where, v)] if bool(v.any()) else [] for v in added]
    odds = np.empty((len(added), len(work.rows)))
    decided = np.empty((len(added), len(work.rows)), dtype=np.int64)
    hoped = subject.labels.index(work.options.favourable)
    for positions, batch in batches(subject, [subject.render(row.text) for row in work.rows]):
        scores = scores_with(subject, batch, steps)
        target = torch.full(scores.shape[:2], hoped, device=scores.device)
        odds[:, positions] = log_odds(scores, target).cpu().numpy()
        decided[:, positions] = scores.argmax(dim=-1).cpu().numpy()
    return odds, decided


class _Surprise(NamedTuple):
    nats: Floats
    """Negative log-likelihood, [alphas, texts]."""
    tokens: Floats
    """[texts]."""


def _surprise(work: Work[SteeringOptions], subject: Opens, vector: Tensor) -> _Surprise:
    """Negative log-likelihood of every text at every alpha, and its tokens.

    The vector is added at every token, as when the subject writes on token by token.
    """
    layer, alphas = work.options.layer, work.options.alphas
    nats, tokens = np.empty((len(alphas), len(work.rows))), np.empty(len(work.rows))
    for positions, batch in batches(subject, [subject.render(row.text) for row in work.rows]):
        predicted = batch.mask.bool() & (batch.mask.cumsum(dim=1) > 1)  # all but the first
        tokens[positions] = predicted.sum(dim=1).cpu().numpy()
        for i, alpha in enumerate(alphas):
            steps = [adding(layer, "all", alpha * vector)]
            with torch.inference_mode(), applied(subject.model, steps):
                nats[i, positions] = -subject.log_probability(batch, predicted).cpu().numpy()
    return _Surprise(nats, tokens)
