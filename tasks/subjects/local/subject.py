"""A loaded model: texts in, scores and hidden states out, the same for every architecture."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, Self

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from tasks.data.dataset import Row
from tasks.data.text_units import Span
from tasks.definition import LocalModel
from tasks.errors import SubjectError
from tasks.measures.attribution.randomisation import randomised
from tasks.measures.model.hooks import find_blocks
from tasks.subjects.local.batches import Batch, batches
from tasks.subjects.local.token_strings import token_strings
from tasks.subjects.outputs import Decision
from tasks.subjects.reference import SubjectRef

OVERLAP: Final = 0.25
"""Share of the window that two windows on one text have in common."""

UNBOUNDED: Final = 1_000_000
"""Tokenizers write huge numbers for "no limit"."""

SHIFTED: Final = frozenset({"roberta", "xlm-roberta", "camembert"})
"""Architectures whose positions start at padding_idx + 1."""


@dataclass(frozen=True)
class LocalSubject(ABC):
    """A model with its tokenizer, checked when it was loaded."""

    ref: SubjectRef
    spec: LocalModel
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    left_padded: bool
    """Decoders are padded on the left, so that the last position is the last token."""
    labels: tuple[str, ...]
    """Names of the classes or choices; empty when the subject predicts the next token."""

    @property
    def name(self) -> str:
        """As the definition calls it."""
        return self.ref.name

    @property
    def batch_size(self) -> int:
        """Texts per forward pass."""
        return self.spec.batch

    @cached_property
    def blocks(self) -> nn.ModuleList:
        """The stack of transformer blocks."""
        return find_blocks(self.model)

    @property
    def layers(self) -> int:
        """Number of blocks; layer 0 is the embedding."""
        return len(self.blocks)

    @property
    def window(self) -> int | None:
        """Longest input in tokens, if the model has a limit."""
        config = self.model.config.get_text_config()
        limits = [
            getattr(config, "max_position_embeddings", None),
            getattr(self.tokenizer, "model_max_length", None),
        ]
        known = [n for n in limits if isinstance(n, int) and 0 < n < UNBOUNDED]
        if not known:
            return None
        shifted = config.model_type in SHIFTED
        return min(known) - 2 if shifted and min(known) == limits[0] else min(known)

    # --- what it is given -----------------------------------------------------------------------

    @abstractmethod
    def render(self, text: str) -> str:
        """The string that the model reads for a text."""

    @abstractmethod
    def with_answer(self, text: str, answer: str) -> str:
        """The string that the model reads for a text followed by an answer.

        Raises:
            SubjectError: it does not write.
        """

    @cached_property
    def text_start(self) -> int:
        """Position of a text in the string that the subject reads for it."""
        return self.render("\0").index("\0")

    def encode(self, rendered: Sequence[str]) -> Batch:
        """Tokenize rendered texts, padded and cut to the window as the definition says."""
        room = self.window
        split = self.spec.too_long == "window"
        encoded = self.tokenizer(
            list(rendered),
            padding=True,
            padding_side="left" if self.left_padded else "right",
            truncation=room is not None,
            max_length=room,
            stride=int(room * OVERLAP) if split and room is not None else 0,
            return_overflowing_tokens=split and room is not None,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_tensors="pt",
        )
        owner = encoded.get("overflow_to_sample_mapping", torch.arange(len(encoded["input_ids"])))
        return Batch(
            ids=encoded["input_ids"].to(self.device),
            mask=encoded["attention_mask"].to(self.device),
            special=encoded["special_tokens_mask"].bool(),
            offsets=[[(int(a), int(b)) for a, b in row] for row in encoded["offset_mapping"]],
            owner=owner,
            texts=len(rendered),
        )

    def too_long(self, rendered: Sequence[str]) -> list[int]:
        """Positions of texts beyond the window."""
        if self.window is None:
            return []
        lengths = [len(ids) for ids in self.tokenizer(list(rendered), verbose=False)["input_ids"]]
        return [i for i, n in enumerate(lengths) if n > self.window]

    def spans(self, text: str) -> list[Span]:
        """Characters of a text that every token stands for."""
        encoded = self.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        return [(int(a), int(b)) for a, b in encoded["offset_mapping"]]

    def token_strings(self, ids: Tensor) -> list[str]:
        """Tokens as a reader would write them; see `token_strings`."""
        return token_strings(self.tokenizer, ids)

    # --- what it answers ------------------------------------------------------------------------

    def decide(self, rows: Sequence[Row]) -> list[Decision]:
        """Its decisions on rows of the data."""
        return self.decide_on([row.text for row in rows])

    def decide_on(self, texts: Sequence[str], odds_of: str | None = None) -> list[Decision]:
        """The likeliest class of every text, or its likeliest next token.

        Args:
            texts: the texts.
            odds_of: class whose log-odds are asked for.
        """
        class_index = self.class_index(odds_of) if odds_of is not None else None
        decisions = [Decision(None)] * len(texts)
        with torch.inference_mode():
            for positions, batch in batches(self, [self.render(text) for text in texts]):
                logits = batch.merged(self.scores(batch).double())
                sure, best = logits.softmax(dim=-1).max(dim=-1)
                odds = None if class_index is None else _log_odds(logits, class_index)
                for i, position in enumerate(positions):
                    decisions[position] = Decision(
                        self.class_name(int(best[i])),
                        min(1.0, float(sure[i])),
                        None if odds is None else float(odds[i]),
                    )
        return decisions

    def scores(self, batch: Batch, embeddings: Tensor | None = None) -> Tensor:
        """Logits of the classes, choices or next tokens, [windows, classes], float32.

        Args:
            batch: the texts.
            embeddings: read these instead of the tokens' own, [windows, tokens, d].
        """
        return self._run(batch, embeddings)[0]

    def attended(
        self, batch: Batch, embeddings: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Scores as above, and the attention of every block, [windows, heads, tokens, tokens].

        Raises:
            SubjectError: the architecture does not show its attention.
        """
        usual = self.model.config._attn_implementation
        # other implementations silently return none
        self.model.set_attn_implementation("eager")
        try:
            scores, attention = self._run(batch, embeddings, output_attentions=True)
        finally:
            self.model.set_attn_implementation(usual)
        if not attention or any(a is None for a in attention):
            raise SubjectError(f"subject {self.name}: its architecture shows no attention")
        return scores, list(attention)

    @abstractmethod
    def log_probability(
        self, batch: Batch, answer: Tensor, embeddings: Tensor | None = None
    ) -> Tensor:
        """Log-probability of the tokens at `answer`, given all before, [windows].

        Args:
            batch: prompts with their answer, for a subject that writes.
            answer: True where a token of the answer stands, [windows, tokens].
            embeddings: read these instead of the tokens' own.

        Raises:
            SubjectError: it does not write.
        """

    @abstractmethod
    def _run(
        self, batch: Batch, embeddings: Tensor | None, **extra: bool
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        """Scores, and the other outputs that were requested."""

    def _inputs(self, batch: Batch, embeddings: Tensor | None) -> dict[str, Tensor]:
        inputs = {"attention_mask": batch.mask}
        if self.takes_positions:
            inputs["position_ids"] = (batch.mask.cumsum(-1) - 1).clamp(min=0)
        if embeddings is None:
            return {**inputs, "input_ids": batch.ids}
        return {**inputs, "inputs_embeds": embeddings}

    @cached_property
    def takes_positions(self) -> bool:
        """Whether the model takes positions of the tokens."""
        known = inspect.signature(self.model.forward).parameters
        return self.left_padded and "position_ids" in known

    def head_position(self, batch: Batch) -> Tensor:
        """Position that the head reads, [windows]: the last token, or the first."""
        if self.left_padded:
            return torch.full((len(batch.ids),), batch.ids.shape[1] - 1, device=self.device)
        return torch.zeros(len(batch.ids), dtype=torch.long, device=self.device)

    # --- its classes ----------------------------------------------------------------------------

    def class_index(self, name: str) -> int:
        """Index of a class or choice; for a subject without, the token that the name becomes.

        Raises:
            SubjectError: no such class, or the name is more than one token.
        """
        if self.labels:
            if name not in self.labels:
                raise SubjectError(
                    f"subject {self.name}: no class {name!r}; there are: {', '.join(self.labels)}"
                )
            return self.labels.index(name)
        ids = self.tokenizer(name, add_special_tokens=False)["input_ids"]
        if len(ids) != 1:
            raise SubjectError(
                f"subject {self.name}: {name!r} is {len(ids)} tokens, not one; "
                "a target of several tokens is an answer"
            )
        return int(ids[0])

    def class_name(self, index: int) -> str:
        """Name of a class or choice, or the token itself for a subject without choices."""
        if self.labels:
            return self.labels[index]
        return str(self.tokenizer.convert_ids_to_tokens(index))

    # --- its weights ----------------------------------------------------------------------------

    def embed(self, ids: Tensor) -> Tensor:
        """Input embeddings of token ids, [windows, tokens, d]."""
        embedded: Tensor = self.model.get_input_embeddings()(ids)
        return embedded.detach()

    @cached_property
    def neutral_id(self) -> int | None:
        """Token that stands for "nothing here": mask, else unknown, never padding."""
        tokenizer = self.tokenizer
        for candidate in (tokenizer.mask_token_id, tokenizer.unk_token_id):
            if candidate is not None and candidate != tokenizer.pad_token_id:
                return int(candidate)
        return None

    def neutral(self, batch: Batch) -> Tensor:
        """Baseline embeddings: special tokens stay, every other token becomes neutral.

        Without a mask or unknown token the mean embedding of the vocabulary stands in. Never
        zeros and never padding: norms are singular there.
        """
        own = self.embed(batch.ids)
        if self.neutral_id is None:
            words = self.model.get_input_embeddings().get_parameter("weight")
            blank = self.embed(torch.arange(len(words), device=self.device)).mean(dim=0)
        else:
            blank = self.embed(torch.tensor([self.neutral_id], device=self.device))[0]
        keep = (batch.special.to(self.device) | (batch.mask == 0)).unsqueeze(-1)
        return torch.where(keep, own, blank.to(own.dtype))

    def activation_bytes(self, length: int) -> int:
        """Bytes of the activations of one token in a text of `length`, kept for a gradient.

        Source: Korthikanti et al. 2022, arXiv:2205.05198: per token and layer 34 d + 5 heads x
        tokens numbers of two bytes.
        """
        config = self.model.config.get_text_config()
        heads = int(getattr(config, "num_attention_heads", 1) or 1)
        return int(2 * self.layers * (34 * config.hidden_size + 5 * heads * length))

    def randomised(self, how: Literal["top", "all"], *, seed: int) -> Self:
        """The same subject with the entries of its weights shuffled; see the measure."""
        return replace(self, model=randomised(self.model, how, self.blocks, seed=seed))


def _log_odds(logits: Tensor, of: int) -> Tensor:
    others = logits.clone()
    others[:, of] = -torch.inf
    return logits[:, of] - others.logsumexp(dim=-1)
