"""Input and output of every attribution method.

A method sees texts as rows of one padded batch; a long text stands in several rows, one for each
window. Tokens are grouped into units (tokens, words or fields), and attribution falls on units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tasks.measures.model.passes import in_passes

Scorer = Callable[[Tensor, Tensor], Tensor]
"""(embeddings [k, tokens, d], rows [k]) -> score [k]; `rows` says which row of the batch each one
is a variant of, so that the scorer can pick its mask and target. Where `Inputs.padding` is given,
tokens that are padding in all of them may be left out."""


class Attended(NamedTuple):
    """One forward pass with its attention."""

    score: Tensor
    """Score, [k]."""
    attention: list[Tensor]
    """Attention probabilities of every block, [k, heads, tokens, tokens]."""


@dataclass(frozen=True)
class Inputs:
    """A batch of rows to attribute a score in."""

    own: Tensor
    """Embeddings of the tokens, [rows, tokens, d]."""
    neutral: Tensor
    """Baseline, same shape: equal to `own` where nothing is attributed (special tokens, padding,
    a prompt's frame), never zeros: norms are singular there."""
    units: Tensor
    """Unit that every token belongs to, counted from 0 in every row; -1 for none. [rows, tokens]"""
    score: Scorer
    tokens_per_pass: int = 2048
    """Tokens in one forward pass; bounds memory."""
    attend: Callable[[Tensor, Tensor], Attended] | None = None
    """Like `score`, with the attention; none if the subject does not show it."""
    read_at: Tensor | None = None
    """Position that the head reads, [rows]."""
    blocks: nn.ModuleList | None = None
    """The stack of transformer blocks, if there is one."""
    padding: Tensor | None = None
    """True where a row has no token, [rows, tokens]; none if such columns must not be left out."""
    rough: Scorer | None = None
    """Like `score`, faster and less exact (as in bfloat16), for methods that average over many
    coalitions; text and baseline are still scored with `score`. None: `score` is used for all."""

    def __post_init__(self) -> None:
        """Shapes that disagree would be broadcast to wrong numbers."""
        if self.own.ndim != 3 or self.own.shape != self.neutral.shape:
            raise ValueError(
                f"attribution: expected [rows, tokens, d] twice, got {tuple(self.own.shape)} and "
                f"{tuple(self.neutral.shape)}"
            )
        if self.units.shape != self.own.shape[:2]:
            raise ValueError(
                f"attribution: units {tuple(self.units.shape)} do not fit tokens "
                f"{tuple(self.own.shape[:2])}"
            )

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.own)

    @property
    def counts(self) -> Tensor:
        """Number of units of every row, [rows]."""
        return self.units.max(dim=1).values + 1

    @property
    def rows_per_pass(self) -> int:
        """Rows in one forward pass."""
        return max(1, self.tokens_per_pass // self.own.shape[1])

    def ends(self) -> tuple[Tensor, Tensor]:
        """Score of every row and of its baseline, [rows] each, float64 on the processor."""
        everything = torch.arange(len(self))
        whole = torch.ones(len(self), int(self.counts.max()), dtype=torch.bool)
        return self.values(everything, whole), self.values(everything, ~whole)

    def values(self, rows: Tensor, present: Tensor) -> Tensor:
        """Score with only some units present, the others neutral: the game of Shapley values.

        Args:
            rows: row of the batch that every coalition is of, [k].
            present: which units are there, [k, units], bool; entries beyond a row's own units
                are ignored.

        Returns:
            Score of every coalition, [k], float64 on the processor.
        """

        def run(part: slice) -> Tensor:
            with torch.no_grad():
                embeddings = self.mixed(rows[part], present[part])
                return self.read(embeddings, rows[part]).double().cpu()

        return in_passes(run, len(rows), self.rows_per_pass)

    def read(self, embeddings: Tensor, rows: Tensor) -> Tensor:
        """Score of variants of rows, without the columns that are padding in all of them."""
        if self.padding is None:
            return self.score(embeddings, rows)
        used = torch.nonzero(~self.padding[rows].all(dim=0)).flatten()
        return self.score(embeddings[:, int(used[0]) : int(used[-1]) + 1], rows)

    def mixed(self, rows: Tensor, present: Tensor) -> Tensor:
        """Embeddings with only some units present, [k, tokens, d]; see `values`."""
        units = self.units[rows]
        present_tokens = present.gather(1, units.clamp(min=0)) | (units < 0)
        indices = rows.to(self.own.device)
        mask = present_tokens.to(self.own.device).unsqueeze(-1)
        return torch.where(mask, self.own[indices], self.neutral[indices])

    def per_unit(self, tokens: Tensor) -> Tensor:
        """Sum over the tokens of each unit: [rows, tokens] -> [rows, units], float64.

        Tokens of no unit are left out; a method that gives them weight is not complete.
        """
        owner = self.units.to(tokens.device)
        total = torch.zeros(len(self), int(self.counts.max()) + 1, dtype=torch.float64)
        place = torch.where(owner < 0, total.shape[1] - 1, owner).cpu()
        total.scatter_add_(1, place, tokens.double().cpu())
        return total[:, :-1]


class Attribution(NamedTuple):
    """Attribution per unit, with its completeness error."""

    units: Tensor
    """Attribution of every unit, [rows, units], float64, in the unit of the score (attention
    methods: shares); 0 beyond a row's own units. Signed unless the method says otherwise: above 0
    speaks for the target."""
    score: Tensor
    """Score of every row, [rows]."""
    baseline_score: Tensor
    """Score of every baseline, [rows]."""
    delta: Tensor
    """Completeness error: sum of attributions minus (score - baseline score), [rows]."""
    evaluations: Tensor
    """Forward passes of one text that were spent, [rows]; a gradient counts as one more."""


def attribution(inputs: Inputs, units: Tensor, evaluations: Tensor | int) -> Attribution:
    """Attribution of a method, with its completeness error.

    Args:
        inputs: what was attributed.
        units: attribution per unit, [rows, units].
        evaluations: forward passes per row, [rows] or one number for all.
    """
    score, baseline_score = inputs.ends()
    units = units.double().cpu()
    per_row = torch.as_tensor(evaluations, dtype=torch.long).expand(len(inputs)).clone()
    return Attribution(
        units, score, baseline_score, units.sum(dim=1) - (score - baseline_score), per_row
    )
