"""Tiny random models of every architecture, built from configuration; nothing is downloaded."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
)

WORDS = [
    "the",
    "applicant",
    "lives",
    "in",
    "north",
    "south",
    "and",
    "earns",
    "a",
    "lot",
    "little",
    "one",
    "short",
    "text",
    "another",
    "yes",
    "no",
    "good",
    "bad",
    "film",
    "very",
    "dull",
    "bright",
    "long",
    "story",
    "of",
    "debt",
    "income",
    ".",
    ",",
    "!",
    "?",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
DECODERS = ("gpt2", "llama", "qwen3", "gemma3_text", "gpt_neox", "mistral", "phi")
ENCODERS = ("bert", "distilbert", "roberta", "deberta-v2", "electra", "modernbert")

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "head_dim": 16,
}
RENAMED = {
    "gpt2": {"n_embd": 32, "n_layer": 3, "n_head": 2, "n_positions": 64},
    "distilbert": {
        "dim": 32,
        "n_layers": 3,
        "n_heads": 2,
        "hidden_dim": 48,
        "max_position_embeddings": 64,
    },
    "electra": {**SIZES, "embedding_size": 32},
    "roberta": {**SIZES, "type_vocab_size": 1},
}


def tokenizer(*, encoder: bool) -> PreTrainedTokenizerFast:
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys([*SPECIAL, *WORDS]))}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if encoder:
        inner.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]"}
    names |= (
        {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
        if encoder
        else {"bos_token": "[CLS]", "eos_token": "[SEP]"}
    )
    return PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=60, **names)


def build(folder: Path, family: str, *, causal: bool = False, seed: int = 0) -> Path:
    """Write a tiny random model with its tokenizer."""
    words = tokenizer(encoder=family in ENCODERS)
    config = AutoConfig.for_model(
        family,
        **RENAMED.get(family, SIZES),
        vocab_size=len(words),
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    if not causal:
        config.id2label = {0: "no", 1: "yes"}
        config.label2id = {"no": 0, "yes": 1}
    kind = AutoModelForCausalLM if causal else AutoModelForSequenceClassification
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = kind.from_config(config)
        for weight in model.parameters():  # larger than fresh weights, so that layers differ
            if weight.ndim > 1:
                weight.data.mul_(4.0)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
