"""Tokens as a reader would write them."""

from typing import Final

from torch import Tensor
from transformers import PreTrainedTokenizerBase

BEGINS_A_WORD: Final = ("Ġ", "▁")
"""Marks of byte-level and sentencepiece tokenizers for a token after a blank."""


def token_strings(tokenizer: PreTrainedTokenizerBase, ids: Tensor) -> list[str]:
    """Tokens as a reader would write them, a blank before those that begin a word, [tokens].

    A token that holds only some of a character's bytes reads as the replacement character.
    """
    names = list(tokenizer.convert_ids_to_tokens(ids.tolist()))
    read = [str(tokenizer.convert_tokens_to_string([name])) for name in names]
    return [
        f" {text.lstrip()}" if name.startswith(BEGINS_A_WORD) else text
        for name, text in zip(names, read, strict=True)
    ]
