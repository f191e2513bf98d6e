"""The score that is attributed: of the decision, a class, a contrast, or a whole answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.definition.target import Target
from tasks.measures.attribution.inputs import Attended
from tasks.subjects.local.batches import Batch
from tasks.subjects.protocols import Opens


@dataclass(frozen=True)
class Scoring:
    """The target of every text of a batch, and its score."""

    subject: Opens
    batch: Batch
    classes: Tensor
    """Class whose log-odds are the score, [texts]; unused for an answer."""
    against: int | None
    """Class it is contrasted with, if any."""
    answer: Tensor | None
    """True at tokens of the answer, [rows, tokens], if the target is one."""

    def score(
        self,
        embeddings: Tensor,
        rows: Tensor,
        mask: Tensor | None = None,
        order: Tensor | None = None,
    ) -> Tensor:
        """Score of variants of rows: log-odds, or the log-probability of the answer, [k].

        Args:
            embeddings: of the variants, [k, tokens, d]; with fewer tokens than the batch, padding
                has been left out.
            rows: row of the batch that each is a variant of, [k].
            mask: 1 for tokens, [k, tokens]; the row's own unless given.
            order: the row's tokens that remain, [k, tokens], if some are removed.
        """
        indices = rows.to(self.subject.device)
        width = embeddings.shape[1]

        def remaining(of_batch: Tensor) -> Tensor:
            if order is not None:
                return of_batch[indices].gather(1, order)
            return (
                of_batch[indices][:, -width:]
                if self.subject.left_padded
                else of_batch[indices, :width]
            )

        variant = self.batch.of(
            remaining(self.batch.ids), remaining(self.batch.mask) if mask is None else mask
        )
        if self.answer is not None:
            return self.subject.log_probability(variant, remaining(self.answer), embeddings)
        return self._odds(self.subject.scores(variant, embeddings), rows)

    def attended(self, embeddings: Tensor, rows: Tensor) -> Attended:
        """Score of a class, with the attention."""
        indices = rows.to(self.subject.device)
        variant = self.batch.of(self.batch.ids[indices], self.batch.mask[indices])
        logits, attention = self.subject.attended(variant, embeddings)
        return Attended(self._odds(logits, rows), attention)

    def probability(self, score: Tensor) -> Tensor:
        """Probability of the target that a score stands for, in [0, 1]."""
        return score.exp() if self.answer is not None else score.sigmoid()

    def name(self, text: int) -> str:
        """The target of a text, as the report names it."""
        if self.answer is not None:
            return "the answer"
        name = self.subject.class_name(int(self.classes[text]))
        if self.against is None:
            return name
        return f"{name} rather than {self.subject.class_name(self.against)}"

    def _odds(self, logits: Tensor, rows: Tensor) -> Tensor:
        classes = self.classes[self.batch.owner[rows]].to(logits.device)
        if self.against is None:
            return log_odds(logits, classes)
        return logits.gather(1, classes.unsqueeze(1)).squeeze(1) - logits[:, self.against]


def scoring(
    subject: Opens,
    batch: Batch,
    texts: Sequence[str],
    target: Target,
    classes: Tensor | None = None,
) -> Scoring:
    """The targets of a batch of texts under a definition's target.

    Args:
        subject: the subject that scores them.
        batch: the texts, encoded, with the answer if the target is one.
        texts: as they stand in the data.
        target: what is explained.
        classes: class explained for every text, [texts]; else what the target names, else the
            subject's decision.

    Raises:
        SubjectError: the target names no class.
    """
    against = subject.class_index(target.against) if target.against is not None else None
    if target.answer is not None:
        nothing = torch.zeros(batch.texts, dtype=torch.long)
        return Scoring(subject, batch, nothing, None, _answer_mask(subject, batch, texts))
    if target.label is not None:
        classes = torch.full((batch.texts,), subject.class_index(target.label))
    if classes is None:
        with torch.no_grad():
            classes = batch.merged(subject.scores(batch)).argmax(dim=1).cpu()
    return Scoring(subject, batch, classes, against, None)


def with_answer(subject: Opens, text: str, target: Target) -> str:
    """The string that the subject reads: the rendered text, and the answer if that is the target.

    Raises:
        SubjectError: the target is an answer, and the subject does not write.
    """
    if target.answer is None:
        return subject.render(text)
    return subject.with_answer(text, target.answer)


def log_odds(logits: Tensor, classes: Tensor) -> Tensor:
    """log(p / (1 - p)) of one class per row: [rows, classes], [rows] -> [rows]."""
    own = logits.gather(1, classes.unsqueeze(1)).squeeze(1)
    others = logits.scatter(1, classes.unsqueeze(1), -torch.inf)
    return own - others.logsumexp(dim=1)


def _answer_mask(subject: Opens, batch: Batch, texts: Sequence[str]) -> Tensor:
    ends = [len(subject.render(texts[int(owner)]).rstrip()) for owner in batch.owner]
    mask = [
        [end > ends[row] and end > start for start, end in offsets]
        for row, offsets in enumerate(batch.offsets)
    ]
    return (torch.tensor(mask) & ~batch.special).to(batch.ids.device)
