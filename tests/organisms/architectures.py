"""The two shapes of model, small enough to train in minutes on a processor, and their folders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
)

from tasks.errors import SubjectError
from tests.organisms.vocabularies import LONGEST

LABELS: Final = {0: "denied", 1: "approved"}
"""Classes of the encoder."""

SPREAD: Final = 0.08
"""Standard deviation of a decoder's first weights: wide ones learn to copy sooner."""

BASE: Final = 1e4
"""Base of the rotary positions: fast enough to find the word before."""

KINDS: Final = ("encoder", "decoder")
"""The models of a pair, and their folders."""


def new_encoder(tokenizer: PreTrainedTokenizerFast) -> BertForSequenceClassification:
    """A BERT of three layers, untrained, that classifies an application."""
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            num_hidden_layers=3,
            num_attention_heads=4,
            intermediate_size=128,
            max_position_embeddings=LONGEST,
            hidden_dropout_prob=0.0,  # each epoch retells every application: noise enough
            attention_probs_dropout_prob=0.0,
            pad_token_id=tokenizer.pad_token_id,
            id2label=LABELS,
            label2id={name: number for number, name in LABELS.items()},
        )
    )


def new_decoder(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama of four layers, untrained, that reasons and decides."""
    return LlamaForCausalLM(LlamaConfig(**_of_four_layers(tokenizer)))


def new_mistral(tokenizer: PreTrainedTokenizerFast) -> MistralForCausalLM:
    """A Mistral of four layers, untrained."""
    return MistralForCausalLM(MistralConfig(**_of_four_layers(tokenizer)))


def _of_four_layers(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Settings that a Llama and a Mistral share."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "rope_parameters": {"rope_type": "default", "rope_theta": BASE},
        "intermediate_size": 192,
        "max_position_embeddings": 2 * LONGEST,
        "tie_word_embeddings": True,
        "initializer_range": SPREAD,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def new_neox(tokenizer: PreTrainedTokenizerFast) -> GPTNeoXForCausalLM:
    """A GPT-NeoX of four layers, untrained: other norms, biases and positions than the Llama."""
    return GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=192,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": BASE,
                "partial_rotary_factor": 1.0,
            },
            use_parallel_residual=False,
            hidden_dropout=0.0,
            attention_dropout=0.0,
            max_position_embeddings=2 * LONGEST,
            tie_word_embeddings=True,
            initializer_range=SPREAD,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """The two models of a version, each with its tokenizer."""

    encoder: BertForSequenceClassification
    words: PreTrainedTokenizerFast
    decoder: LlamaForCausalLM
    tokens: PreTrainedTokenizerFast

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The pair in `encoder/` and `decoder/` of a folder, in evaluation mode.

        Raises:
            SubjectError: one of them is not there.
        """
        if not has_pair(folder):
            raise SubjectError(f"no pair of models in {folder}; expected {' and '.join(KINDS)}")
        at, to = (folder / kind for kind in KINDS)
        return cls(
            encoder=BertForSequenceClassification.from_pretrained(at),
            words=PreTrainedTokenizerFast.from_pretrained(at),
            decoder=LlamaForCausalLM.from_pretrained(to),
            tokens=PreTrainedTokenizerFast.from_pretrained(to),
        )

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), config and tokenizer of both into `folder`."""
        models = ((self.encoder, self.words), (self.decoder, self.tokens))
        for kind, (model, tokenizer) in zip(KINDS, models, strict=True):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            model.save_pretrained(folder / kind)
            tokenizer.save_pretrained(folder / kind)


def has_pair(folder: Path) -> bool:
    """Whether the weights of both models lie there."""
    return all((folder / kind / "model.safetensors").is_file() for kind in KINDS)
