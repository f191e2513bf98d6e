"""Integrated gradients that say how far they can be believed."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from captum.attr import IntegratedGradients
from torch import Tensor

Scorer = Callable[[Tensor, Tensor], Tensor]
"""(embeddings [texts, tokens, d], rows [texts]) -> score [texts]; `rows` says which of the
original texts each one is, so that the scorer can pick mask and target."""

FIRST_STEPS = 32
SMALLEST_RANGE = 1e-2  # below this |f(x) - f(baseline)| a relative error means nothing


class Attribution(NamedTuple):
    """Attribution per token, with the error that was reached."""

    tokens: Tensor
    """Signed attribution, [texts, tokens], in the unit of the score."""
    score: Tensor
    """Score of every text, [texts]."""
    baseline_score: Tensor
    """Score of every baseline, [texts]."""
    delta: Tensor
    """Completeness error, sum of attributions minus (score - baseline score), [texts]."""
    steps: Tensor
    """Integration steps used, [texts]."""
    converged: Tensor
    """|delta| within tolerance, [texts]."""


def integrated_gradients(
    scorer: Scorer,
    embeddings: Tensor,
    baseline: Tensor,
    *,
    tolerance: float = 1e-3,
    max_steps: int = 1024,
    rows_per_pass: int = 64,
) -> Attribution:
    """Attribution of a score to tokens along the straight path from a baseline.

    Completeness: the attributions of a text add up to score - baseline score. The number of
    Gauss-Legendre steps doubles, text by text, until the completeness error is within
    tolerance; a fixed number is wrong where the path crosses the class boundary.

    Args:
        scorer: score of (embeddings, rows); one number per text.
        embeddings: of the texts, [texts, tokens, d].
        baseline: of the neutral inputs, same shape; equal to `embeddings` where a token is
            not to be attributed to. Never zeros: norms are singular there.
        tolerance: accepted |delta| as a share of |score - baseline score|.
        max_steps: steps after which a text is given up as not converged, >= 32.
        rows_per_pass: interpolated texts per forward pass; bounds memory.

    Returns:
        Attribution per token with its completeness error; a text that did not converge keeps
        its best attribution and says so.

    Raises:
        ValueError: the shapes disagree.

    Source: Sundararajan, Taly and Yan 2017, arXiv:1703.01365; captum `IntegratedGradients`.
    """
    if embeddings.shape != baseline.shape or embeddings.ndim != 3:
        raise ValueError(
            f"integrated gradients: expected [texts, tokens, d] twice, "
            f"got {tuple(embeddings.shape)} and {tuple(baseline.shape)}"
        )
    n = len(embeddings)
    rows = torch.arange(n)
    with torch.no_grad():
        score, start = scorer(embeddings, rows).double(), scorer(baseline, rows).double()
    allowed = tolerance * (score - start).abs().clamp(min=SMALLEST_RANGE)
    tokens = torch.zeros(embeddings.shape[:2], dtype=torch.float64)
    delta = torch.full((n,), torch.inf, dtype=torch.float64)
    steps = torch.zeros(n, dtype=torch.long)
    n_steps = FIRST_STEPS
    todo = rows
    while len(todo) and n_steps <= max_steps:
        per_token = _attribute(
            scorer, embeddings[todo], baseline[todo], todo, n_steps, rows_per_pass
        )
        error = per_token.sum(dim=1) - (score - start)[todo].cpu()
        better = error.abs() < delta[todo].abs()
        kept = todo[better]
        tokens[kept], delta[kept], steps[kept] = per_token[better], error[better], n_steps
        todo = rows[delta.abs() > allowed.cpu()]
        n_steps *= 2
    return Attribution(tokens, score.cpu(), start.cpu(), delta, steps, delta.abs() <= allowed.cpu())


def _attribute(
    scorer: Scorer, x: Tensor, baseline: Tensor, rows: Tensor, steps: int, per_pass: int
) -> Tensor:
    """Attribution per token at a fixed number of steps, [texts, tokens], float64."""
    attributions = IntegratedGradients(scorer).attribute(
        x,
        baseline,
        additional_forward_args=(rows,),
        n_steps=steps,
        method="gausslegendre",
        internal_batch_size=max(per_pass, len(x)),
    )
    per_token: Tensor = attributions.detach().sum(dim=-1).double().cpu()
    return per_token
