"""A loaded decoder as it reads: prompts in, scores of the next token out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tasks.definition import AnswerForm, CausalSubject
from tasks.subjects.local.batches import Batch
from tasks.subjects.local.subject import LocalSubject


@dataclass(frozen=True)
class Decoder(LocalSubject):
    """A model that predicts the next token; its choices are scored by their first token."""

    spec: CausalSubject
    choice_ids: tuple[int, ...] = ()
    """First token of every choice."""

    @property
    def form(self) -> AnswerForm:
        """How its answers are read."""
        return self.spec.answer

    def render(self, text: str) -> str:
        """The text in the definition's prompt."""
        return self.spec.prompt.replace("{text}", text)

    def with_answer(self, text: str, answer: str) -> str:
        """The text in the definition's prompt, and an answer after it."""
        rendered = self.render(text)
        return rendered + ("" if rendered[-1:].isspace() else " ") + answer

    def before_answer(self, texts: Sequence[str], reasonings: Sequence[str]) -> list[str]:
        """Prompt, reasoning and the answer's prefix, [texts]."""
        return [
            joined(self.render(text), reasoning, self.form.prefix)
            for text, reasoning in zip(texts, reasonings, strict=True)
        ]

    def generate(self, ids: Tensor, mask: Tensor, longest: int, *, drawn: bool = False) -> Tensor:
        """Tokens that the library's own loop generates after these, [rows, new tokens].

        Args:
            ids: tokens, padded on the left, [rows, tokens].
            mask: 1 for tokens, [rows, tokens].
            longest: tokens written at most.
            drawn: each at temperature 1 among all; else the likeliest.
        """
        generate: Any = self.model.generate  # declared on a mixin that hides it behind a tensor
        written: Tensor = generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=longest,
            pad_token_id=self.tokenizer.pad_token_id,
            **({"do_sample": True, "top_k": 0} if drawn else {"do_sample": False}),
        )
        return written[:, ids.shape[1] :]

    def log_probability(
        self, batch: Batch, answer: Tensor, embeddings: Tensor | None = None
    ) -> Tensor:
        """Log-probability of the tokens at `answer`, given all before, [windows]."""
        length = int(answer.shape[1] - answer.int().argmax(dim=1).min())
        inputs = self._inputs(batch, embeddings)
        logits = self.model(**inputs, logits_to_keep=length + 1, use_cache=False).logits
        likely = logits[:, :-1].float().log_softmax(dim=-1)
        targets = batch.ids[:, -length:].unsqueeze(-1)
        per_token: Tensor = likely.gather(-1, targets).squeeze(-1)
        return (per_token * answer[:, -length:].to(per_token)).sum(dim=1)

    def _run(
        self, batch: Batch, embeddings: Tensor | None, **extra: bool
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        inputs = self._inputs(batch, embeddings)
        output = self.model(**inputs, **extra, logits_to_keep=1, use_cache=False)
        logits = output.logits[:, -1]
        if self.choice_ids:
            logits = logits[:, list(self.choice_ids)]
        return logits.float(), getattr(output, "attentions", None)


def joined(*parts: str) -> str:
    """Join the parts that are not empty by one space."""
    return " ".join(part for part in parts if part)
