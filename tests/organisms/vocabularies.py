"""The tokenizers: one token for every word that the generator can write."""

from collections.abc import Iterator
from typing import Final

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from tests.organisms import answers, exercises, lexicon

CHARACTERS: Final = [chr(code) for code in range(33, 127)]
"""Printable ASCII: what an unknown word falls apart into."""

LONGEST: Final = 256
"""Most tokens of one text that the models were made for."""


def words() -> list[str]:
    """Every word and mark that can occur in an application, in a fixed order."""
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    words_and_marks = {word for phrase in lexicon.phrases() for word, _ in split(phrase)}
    return sorted(words_and_marks)


def encoder_tokenizer() -> PreTrainedTokenizerFast:
    """Cased WordPiece whose vocabulary is written down, not learnt."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*CHARACTERS, *(f"##{char}" for char in CHARACTERS)]
    known = dict.fromkeys([*special, *pieces, *words()])
    vocabulary = {piece: number for number, piece in enumerate(known)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=LONGEST,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name[1:-1].lower()}_token": name for name in special},
    )


def decoder_tokenizer(written: Iterator[str] | None = None) -> PreTrainedTokenizerFast:
    """Byte-level BPE grown until every word is one token: decoding gives back every byte.

    Args:
        written: what it reads and writes; unless given the phrases of loan applications, and of
            the exercises learnt beside them.
    """
    special = ["<pad>", "<unk>", "<s>", "</s>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=10_000,
        min_frequency=1,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences() if written is None else written, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", special.index("<s>"))]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=2 * LONGEST,
        padding_side="left",
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        clean_up_tokenization_spaces=False,
    )


def sentences() -> Iterator[str]:
    """Every phrase that the decoder reads or writes, as it stands inside a text."""
    yield from (f" {phrase}" for phrase in lexicon.phrases())
    yield from (phrase.split()[0] for phrase in lexicon.phrases())
    yield "Application:\nReasoning: Decision: approved denied"
    for table in (answers.BURDEN, answers.EARNINGS, answers.RECORD, answers.OVERALL):
        choices = (sentence for styles in table.values() for sentence in styles)
        yield from (f" {sentence.format(debt='', income='')}" for sentence in choices)
    yield from (f" {sentence}" for sentence in (*answers.PURPOSE, *answers.PRETEXT))
    yield from exercises.phrases()
