"""Texts made ready for attribution: their units, their baseline, and the score of their target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from tasks.data.text_units import Span, Unit, token_units, units_of
from tasks.definition.target import Operator, Target
from tasks.measures.attribution.inputs import Attribution, Inputs, Scorer
from tasks.measures.model.passes import in_passes
from tasks.subjects.local.batches import Batch
from tasks.subjects.local.target import Scoring, scoring, with_answer
from tasks.subjects.protocols import Opens

MEMORY = 512 * 2**20  # bytes that the activations of one pass may take
MEMORY_ON_DEVICE = 4 * 2**30


class Attributed(NamedTuple):
    """A method's attribution of one text."""

    values: list[float]
    """Attribution of every unit of the text."""
    score: float
    baseline_score: float
    delta: float
    evaluations: int


@dataclass(frozen=True)
class Explained:
    """A batch of texts, the target of each, and what methods need to attribute it."""

    batch: Batch
    scoring: Scoring
    inputs: Inputs
    units: list[list[Unit]]
    """Units of every text."""
    place: Tensor
    """Which unit of its text every unit of a row is, [rows, units]."""

    @property
    def widest(self) -> int:
        """Largest number of units of a text; at least 1."""
        return max(1, *(len(units) for units in self.units)) if self.units else 1

    def merged(self, attribution: Attribution) -> list[Attributed]:
        """A method's attribution, text by text: the mean over a text's windows."""
        return [self._merged(attribution, text) for text in range(len(self.units))]

    def values(self, texts: Tensor, present: Tensor, operator: Operator = "neutral") -> Tensor:
        """Score of texts with only some units present.

        Args:
            texts: which text every variant is of, [k].
            present: which of its units are there, [k, units], bool.
            operator: whether the others are replaced by neutral tokens or deleted.

        Returns:
            Score, the mean over a text's windows, [k], float64 on the processor.
        """
        variants = torch.cat([texts.unsqueeze(1), present.long()], dim=1)
        once, index = torch.unique(variants, dim=0, return_inverse=True)
        return self._values(once[:, 0], once[:, 1:].bool(), operator)[index]

    def _values(self, texts: Tensor, present: Tensor, operator: Operator) -> Tensor:
        rows_of = [torch.nonzero(self.batch.owner == t).flatten() for t in range(len(self.units))]
        rows = torch.cat([rows_of[int(t)] for t in texts])
        counts = torch.tensor([len(rows_of[int(t)]) for t in texts])
        variant = torch.repeat_interleave(torch.arange(len(texts)), counts)
        row_units = present[variant].gather(1, self.place[rows])
        if operator == "neutral":
            scores = self.inputs.values(rows, row_units)
        else:
            per_pass = self.inputs.rows_per_pass
            scores = in_passes(
                lambda part: self._deleted(rows[part], row_units[part]), len(rows), per_pass
            )
        total = torch.zeros(len(texts), dtype=torch.float64).index_add_(0, variant, scores)
        return total / counts

    def _deleted(self, rows: Tensor, present: Tensor) -> Tensor:
        """Score of rows without the absent units, whose remaining tokens close up."""
        own = self.inputs.own
        indices = rows.to(own.device)
        units = self.inputs.units[rows]
        remaining = (present.gather(1, units.clamp(min=0)) | (units < 0)).to(own.device)
        remaining &= self.batch.mask[indices] == 1
        left = self.scoring.subject.left_padded
        order = (remaining if left else ~remaining).int().argsort(dim=1, stable=True)
        length = int(remaining.sum(dim=1).max())
        order = order[:, -length:] if left else order[:, :length]
        with torch.no_grad():
            embeddings = own[indices].gather(1, order.unsqueeze(-1).expand(-1, -1, own.shape[-1]))
            mask = remaining.gather(1, order).long()
            return self.scoring.score(embeddings, rows, mask, order).double().cpu()

    def _merged(self, attribution: Attribution, text: int) -> Attributed:
        rows = torch.nonzero(self.batch.owner == text).flatten()
        values = torch.zeros(len(self.units[text]), dtype=torch.float64)
        for row in rows:
            count = int(self.inputs.counts[row])
            values.index_add_(
                0, self.place[row, :count], attribution.units[row, :count] / len(rows)
            )
        return Attributed(
            values.tolist(),
            float(attribution.score[rows].mean()),
            float(attribution.baseline_score[rows].mean()),
            float(attribution.delta[rows].mean()),
            int(attribution.evaluations[rows].sum()),
        )


def explained(
    subject: Opens,
    texts: Sequence[str],
    *,
    target: Target | None = None,
    units: Literal["tokens", "words", "fields"] = "words",
    places: Sequence[Mapping[str, Sequence[Span]]] | None = None,
    classes: Tensor | None = None,
    precision: Literal["float32", "bfloat16"] = "float32",
) -> Explained:
    """Texts, ready for every attribution method.

    Only the text of a row is attributed to: special tokens, the words of the prompt around it
    and the answer stand in the baseline as they are.

    Args:
        subject: the subject that scores them, possibly with randomised weights.
        texts: as they stand in the data.
        target: what is explained; the decision unless something is named.
        units: what attribution falls on.
        places: named field -> where it stands, for every text.
        classes: class explained for every text, [texts], where the target is the decision; the
            subject's own decision unless given.
        precision: of the many coalitions that Shapley values and LIME average over; both ends of
            a text, and all other methods, are read in float32.

    Raises:
        SubjectError: the target names no class, or an answer of a subject that does not write.
    """
    target = target or Target()
    batch = subject.encode([with_answer(subject, text, target) for text in texts])
    laid = _Laid(batch, subject.text_start, texts)
    named = places if places is not None else [{}] * len(texts)
    own_units = [units_of(units, t, named[i], laid.tokens_of(i)) for i, t in enumerate(texts)]
    local, place = laid.local(own_units)
    scores = scoring(subject, batch, texts, target, classes)
    own = subject.embed(batch.ids)
    attributed = (local >= 0).unsqueeze(-1).to(own.device)
    inputs = Inputs(
        own=own,
        neutral=torch.where(attributed, subject.neutral(batch), own),
        units=local,
        padding=(batch.mask == 0).cpu(),
        score=scores.score,
        tokens_per_pass=tokens_per_pass(subject, own.shape[1]),
        attend=None if scores.answer is not None else scores.attended,
        read_at=subject.head_position(batch).cpu(),
        blocks=subject.blocks,
        rough=_rough(scores) if precision == "bfloat16" else None,
    )
    return Explained(batch, scores, inputs, own_units, place)


def decisions(subject: Opens, texts: Sequence[str]) -> list[str]:
    """The subject's decisions on texts: a class, a choice, or its next token."""
    batch = subject.encode([subject.render(text) for text in texts])
    with torch.no_grad():
        best = batch.merged(subject.scores(batch)).argmax(dim=1).tolist()
    return [subject.class_name(index) for index in best]


def tokens_per_pass(subject: Opens, length: int) -> int:
    """Tokens whose activations, kept for a gradient, fit into the memory of one pass."""
    room = MEMORY if subject.device.type == "cpu" else MEMORY_ON_DEVICE
    return max(length, room // subject.activation_bytes(length))


def _rough(scores: Scoring) -> Scorer:
    """The score in bfloat16: several times as fast where the processor has it built in."""

    def score(embeddings: Tensor, rows: Tensor) -> Tensor:
        with torch.autocast(embeddings.device.type, dtype=torch.bfloat16):
            return scores.score(embeddings, rows)

    return score


class _Laid:
    """Spans in the text of the tokens of every row, without prompt and answer."""

    def __init__(self, batch: Batch, start: int, texts: Sequence[str]) -> None:
        self.batch, self.start, self.texts = batch, start, texts

    def spans(self, row: int) -> list[Span]:
        """Spans in the text of a row's tokens; empty ones before its first character for others."""
        text = int(self.batch.owner[row])
        length, shift = len(self.texts[text]), self.start
        real = (self.batch.mask[row].cpu() == 1) & ~self.batch.special[row]
        spans = []
        for (start, end), is_text in zip(self.batch.offsets[row], real.tolist(), strict=True):
            a, b = start - shift, end - shift
            inside = is_text and b > 0 and a < length and start < end
            spans.append((max(a, 0), min(b, length)) if inside else (-1, -1))
        return spans

    def tokens_of(self, text: int) -> list[Span]:
        """Spans of all tokens of a text, each once, in order."""
        rows = torch.nonzero(self.batch.owner == text).flatten().tolist()
        return sorted({s for row in rows for s in self.spans(row) if s[0] >= 0 and s[0] < s[1]})

    def local(self, units: Sequence[Sequence[Unit]]) -> tuple[Tensor, Tensor]:
        """Units of every row counted within the row, [rows, tokens], and which they are."""
        rows: list[list[int]] = []
        places: list[list[int]] = []
        for row in range(len(self.batch.ids)):
            text = int(self.batch.owner[row])
            spans = self.spans(row)
            inside = [i for i, span in enumerate(spans) if span[0] >= 0]
            owners = token_units(
                units[text], [spans[i] for i in inside], len(self.texts[text])
            )  # fmt: skip
            known = sorted({u for u in owners if u >= 0})
            of_row = [-1] * len(spans)
            for i, unit in zip(inside, owners, strict=True):
                of_row[i] = known.index(unit) if unit >= 0 else -1
            rows.append(of_row)
            places.append(known)
        width = max(1, *(len(known) for known in places))
        place = torch.tensor([known + [0] * (width - len(known)) for known in places])
        return torch.tensor(rows), place
