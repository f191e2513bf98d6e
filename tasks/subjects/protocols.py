"""What checks may ask of a subject, by its capabilities, not by its kind.

The terms of `tasks.definition.access` as types: decisions are `Decides`, writing is `Writes`,
asking again is `DecidesAnew` and `Resumes`, gradients and hidden states are `Opens`.
"""

from __future__ import annotations  # torch is only for types: `assay check` does not load it

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, Self

from tasks.data.dataset import Row
from tasks.data.text_units import Span
from tasks.definition import AnswerForm
from tasks.subjects.outputs import Answers, Decision, EarlyAnswers, Transcript, Written

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from tasks.subjects.local.batches import Batch
    from tasks.subjects.local.generation import AtCuts


class Decides(Protocol):
    """A subject whose decision on every row of the data is known."""

    @property
    def name(self) -> str:
        """As the definition calls it."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its classes or answers; empty where they are not known beforehand."""

    def decide(self, rows: Sequence[Row]) -> list[Decision]:
        """Its decisions on rows of the data."""


class DecidesAnew(Decides, Protocol):
    """A subject that also decides on texts that are not in the data."""

    def decide_on(self, texts: Sequence[str], odds_of: str | None = None) -> list[Decision]:
        """Its decisions on texts.

        Args:
            texts: the texts.
            odds_of: class whose log-odds are asked for, where the subject has them.
        """


class Writes(Decides, Protocol):
    """A subject that reasons before it answers, or whose reasoning is on record."""

    @property
    def form(self) -> AnswerForm:
        """How its answers are read."""

    def write(self, texts: Sequence[str]) -> list[Written]:
        """Reasoning and answer for every text."""


class Resumes(Writes, DecidesAnew, Protocol):
    """A subject that answers after a reasoning that is given to it."""

    def answer_after(self, texts: Sequence[str], reasonings: Sequence[str]) -> list[str | None]:
        """The answer when it must answer right after the given reasoning, [texts]."""

    def early_answers(
        self, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
    ) -> Answers:
        """Answers given at once after each version of the reasoning, [points][texts].

        Args:
            texts: the questions, [texts].
            reasonings: the whole reasoning of each, [texts].
            cuts: the reasoning as it reads at each point, [points][texts].
        """

    def early_likelihoods(
        self,
        texts: Sequence[str],
        reasonings: Sequence[str],
        cuts: Sequence[Sequence[str]],
        answers: Sequence[str | None],
    ) -> EarlyAnswers:
        """The same, with the log-probability of a given answer at each point.

        Args:
            texts: the questions, [texts].
            reasonings: the whole reasoning of each, [texts].
            cuts: the reasoning as it reads at each point, [points][texts].
            answers: the answers whose log-probability is asked for, [texts].
        """

    def resumed_answers(
        self, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
    ) -> Answers:
        """Answers after it went on reasoning from each version, [points][texts].

        A subject that cannot go on from the middle of a reasoning answers at once.
        """

    def spans(self, text: str) -> list[Span]:
        """Characters of a text that every token stands for; words where it knows no tokens."""


class OnRecord(Writes, Protocol):
    """A subject whose answers under several conditions are on record."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every condition with a cue, in the order of the record."""

    @property
    def plain_condition(self) -> str:
        """The condition without a cue."""

    def transcripts(self, texts: Sequence[str]) -> list[Transcript]:
        """The transcripts of these prompts, without a cue."""

    def under(self, condition: str) -> dict[str, Transcript]:
        """Pair -> its transcript under a condition."""


class Opens(DecidesAnew, Protocol):
    """A subject with available weights: scores, gradients and hidden states."""

    @property
    def model(self) -> nn.Module:
        """The model itself, for hooks."""

    @property
    def blocks(self) -> nn.ModuleList:
        """The stack of transformer blocks."""

    @property
    def layers(self) -> int:
        """Number of blocks; layer 0 is the embedding."""

    @property
    def device(self) -> torch.device:
        """Its device."""

    @property
    def left_padded(self) -> bool:
        """Whether its last position is the last token of every text."""

    @property
    def window(self) -> int | None:
        """Longest input in tokens, if the model has a limit."""

    @property
    def batch_size(self) -> int:
        """Texts per forward pass."""

    @property
    def text_start(self) -> int:
        """Position of a text in the string that the subject reads for it."""

    def render(self, text: str) -> str:
        """The string that the model reads for a text."""

    def with_answer(self, text: str, answer: str) -> str:
        """The string that the model reads for a text followed by an answer."""

    def encode(self, rendered: Sequence[str]) -> Batch:
        """Tokenize rendered texts, padded and cut to the window as the definition says."""

    def too_long(self, rendered: Sequence[str]) -> list[int]:
        """Positions of texts beyond the window."""

    def token_strings(self, ids: Tensor) -> list[str]:
        """Tokens as a reader would write them, [tokens]."""

    def scores(self, batch: Batch, embeddings: Tensor | None = None) -> Tensor:
        """Logits of the classes, choices or next tokens, [windows, classes], float32."""

    def attended(
        self, batch: Batch, embeddings: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Scores, and the attention of every block, [windows, heads, tokens, tokens]."""

    def log_probability(
        self, batch: Batch, answer: Tensor, embeddings: Tensor | None = None
    ) -> Tensor:
        """Log-probability of the tokens at `answer`, given all before, [windows]."""

    def embed(self, ids: Tensor) -> Tensor:
        """Input embeddings of token ids, [windows, tokens, d]."""

    def neutral(self, batch: Batch) -> Tensor:
        """Baseline embeddings, [windows, tokens, d]."""

    def head_position(self, batch: Batch) -> Tensor:
        """Position that the head reads, [windows]."""

    def activation_bytes(self, length: int) -> int:
        """Bytes of the activations of one token in a text of `length`, kept for a gradient."""

    def class_index(self, name: str) -> int:
        """Index of a class or choice; for a subject without, the token that the name becomes."""

    def class_name(self, index: int) -> str:
        """Name of a class or choice, or the token itself for a subject without choices."""

    def randomised(self, how: Literal["top", "all"], *, seed: int) -> Self:
        """The same subject with the entries of its weights shuffled."""


class OpenWriter(Opens, Resumes, Protocol):
    """A subject that writes and whose weights are available."""

    def before_answer(self, texts: Sequence[str], reasonings: Sequence[str]) -> list[str]:
        """Prompt, reasoning and the answer's prefix, [texts]."""

    def at_cuts(
        self,
        texts: Sequence[str],
        reasonings: Sequence[str],
        cuts: Sequence[Sequence[str]],
        answers: Sequence[str | None],
    ) -> AtCuts:
        """Scores of the choices, and log-probability of an answer, after every version."""

    def complete(
        self, rendered: Sequence[str], longest: int | None = None, *, drawn: bool = False
    ) -> list[str]:
        """Its continuation, [texts]: the likeliest tokens, or drawn at temperature 1."""
