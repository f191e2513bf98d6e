"""A loaded subject: texts in, scores and hidden states out, the same for every architecture."""

import inspect
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from tasks.definition import CausalSubject
from tasks.errors import ChoicesError, SubjectError
from tasks.measures.model.hooks import find_blocks
from tasks.subjects.reference import LocalRef, SubjectRef, digest

OVERLAP = 0.25  # of the window, when a text is read in several
UNBOUNDED = 1_000_000  # tokenizers write huge numbers for "no limit"


@dataclass(frozen=True)
class Batch:
    """Texts as the model reads them; a text can stand in several windows."""

    ids: Tensor
    """Token ids, [windows, tokens]."""
    mask: Tensor
    """1 for tokens, 0 for padding, [windows, tokens]."""
    special: Tensor
    """True for tokens that belong to no text, [windows, tokens]."""
    offsets: list[list[tuple[int, int]]]
    """Characters that every token stands for, in the rendered text."""
    owner: Tensor
    """Which text a window belongs to, [windows]."""
    texts: int

    def of(self, ids: Tensor, mask: Tensor) -> "Batch":
        """Other rows in this one's place, for scores alone: nothing is known of their text."""
        return Batch(ids, mask, mask == 0, [], torch.arange(len(ids)), len(ids))

    def merged(self, values: Tensor) -> Tensor:
        """Mean over the windows of each text: [windows, ...] -> [texts, ...]."""
        owner = self.owner.to(values.device)
        total = torch.zeros(self.texts, *values.shape[1:], dtype=values.dtype, device=values.device)
        count = torch.zeros(self.texts, dtype=values.dtype, device=values.device)
        total.index_add_(0, owner, values)
        count.index_add_(0, owner, torch.ones_like(owner, dtype=values.dtype))
        return total / count.view(-1, *[1] * (values.ndim - 1))


@dataclass(frozen=True)
class Subject:
    """A model with its tokenizer, checked when it was loaded."""

    ref: LocalRef
    model: Any
    tokenizer: Any
    device: torch.device
    left_padded: bool
    """Decoders are padded on the left, so that the last position is the last token."""
    labels: tuple[str, ...]
    """Names of the classes or choices; empty when the subject predicts the next token."""
    choice_ids: tuple[int, ...] = field(default=())
    """First token of every choice, for a causal subject."""

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
        # RoBERTa counts positions from padding_idx + 1
        shifted = config.model_type in {"roberta", "xlm-roberta", "camembert"}
        return min(known) - 2 if shifted and min(known) == limits[0] else min(known)

    def render(self, text: str) -> str:
        """What the model is given for a text."""
        spec = self.ref.spec
        return spec.prompt.replace("{text}", text) if isinstance(spec, CausalSubject) else text

    def encode(self, rendered: Sequence[str]) -> Batch:
        """Tokenize rendered texts, padded and cut to the window as the definition says."""
        room = self.window
        split = self.ref.spec.too_long == "window"
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

    def scores(self, batch: Batch, embeddings: Tensor | None = None) -> Tensor:
        """Logits of the classes, choices or next tokens, [windows, classes], float32.

        Args:
            batch: the texts.
            embeddings: read these instead of the tokens' own, [windows, tokens, d].
        """
        return self._run(batch, embeddings)[0]

    def attended(self, batch: Batch, embeddings: Tensor | None = None) -> tuple[Tensor, Any]:
        """Scores as above, and the attention of every block, [windows, heads, tokens, tokens].

        Raises:
            SubjectError: the architecture does not show its attention.
        """
        usual = self.model.config._attn_implementation
        # other implementations answer with nothing, silently
        self.model.set_attn_implementation("eager")
        try:
            scores, attention = self._run(batch, embeddings, output_attentions=True)
        finally:
            self.model.set_attn_implementation(usual)
        if not attention or any(a is None for a in attention):
            raise SubjectError(f"subject {self.ref.name}: its architecture shows no attention")
        return scores, list(attention)

    def log_probability(
        self, batch: Batch, answer: Tensor, embeddings: Tensor | None = None
    ) -> Tensor:
        """Log-probability of the tokens that stand at `answer`, given all before, [windows].

        Args:
            batch: prompts with their answer, for a subject that writes.
            answer: True where a token of the answer stands, [windows, tokens].
            embeddings: read these instead of the tokens' own.
        """
        length = int(answer.shape[1] - answer.int().argmax(dim=1).min())
        inputs = self._inputs(batch, embeddings)
        logits = self.model(**inputs, logits_to_keep=length + 1, use_cache=False).logits
        told = logits[:, :-1].float().log_softmax(dim=-1)
        wanted = batch.ids[:, -length:].unsqueeze(-1)
        per_token = told.gather(-1, wanted).squeeze(-1)
        told_of: Tensor = (per_token * answer[:, -length:].to(per_token)).sum(dim=1)
        return told_of

    def _run(
        self, batch: Batch, embeddings: Tensor | None, **extra: bool
    ) -> tuple[Tensor, tuple[Tensor, ...] | None]:
        inputs = self._inputs(batch, embeddings)
        if isinstance(self.ref.spec, CausalSubject):
            output = self.model(**inputs, **extra, logits_to_keep=1, use_cache=False)
            logits = output.logits[:, -1]
            if self.choice_ids:
                logits = logits[:, list(self.choice_ids)]
        else:
            output = self.model(**inputs, **extra)
            logits = output.logits
        return logits.float(), getattr(output, "attentions", None)

    def _inputs(self, batch: Batch, embeddings: Tensor | None) -> dict[str, Tensor]:
        inputs = {"attention_mask": batch.mask}
        if self._takes_positions:
            inputs["position_ids"] = (batch.mask.cumsum(-1) - 1).clamp(min=0)
        if embeddings is None:
            return {**inputs, "input_ids": batch.ids}
        return {**inputs, "inputs_embeds": embeddings}

    def embed(self, ids: Tensor) -> Tensor:
        """Input embeddings of token ids, [windows, tokens, d]."""
        return self.model.get_input_embeddings()(ids).detach()  # type: ignore[no-any-return]

    def class_index(self, name: str) -> int:
        """Index of a class or choice; for a subject without, the token that the name becomes.

        Raises:
            SubjectError: no such class, or the name is more than one token.
        """
        if self.labels:
            if name not in self.labels:
                raise SubjectError(
                    f"subject {self.ref.name}: no class {name!r}; there are: "
                    f"{', '.join(self.labels)}"
                )
            return self.labels.index(name)
        ids = self.tokenizer(name, add_special_tokens=False)["input_ids"]
        if len(ids) != 1:
            raise SubjectError(
                f"subject {self.ref.name}: {name!r} is {len(ids)} tokens, not one; "
                "a target of several tokens is an answer"
            )
        return int(ids[0])

    def class_name(self, index: int) -> str:
        """Name of a class or choice, or the token itself for a subject without choices."""
        if self.labels:
            return self.labels[index]
        return str(self.tokenizer.convert_ids_to_tokens(index))

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
            weight = self.model.get_input_embeddings().weight
            blank = self.embed(torch.arange(len(weight), device=self.device)).mean(dim=0)
        else:
            blank = self.embed(torch.tensor([self.neutral_id], device=self.device))[0]
        keep = (batch.special.to(self.device) | (batch.mask == 0)).unsqueeze(-1)
        return torch.where(keep, own, blank.to(own.dtype))

    def head_position(self, batch: Batch) -> Tensor:
        """Position that the head reads, [windows]: the last token, or the first."""
        if self.left_padded:
            return torch.full((len(batch.ids),), batch.ids.shape[1] - 1, device=self.device)
        return torch.zeros(len(batch.ids), dtype=torch.long, device=self.device)

    @cached_property
    def _takes_positions(self) -> bool:
        known = inspect.signature(self.model.forward).parameters
        return self.left_padded and "position_ids" in known


_LOADING = threading.Lock()


def load_subject(ref: SubjectRef) -> Subject:
    """Load a subject once per process and check that it can be read the way checks need.

    Raises:
        SubjectError: weights missing, not finite, changed since the reference was made, or
            the embedding route gives other scores than the token route.
    """
    with _LOADING:
        return _load(ref)


@lru_cache(maxsize=2)
def _load(ref: SubjectRef) -> Subject:
    folder = Path(ref.folder)
    if digest(folder) != ref.sha256:
        raise SubjectError(f"subject {ref.name}: {folder} changed since the audit began")
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = _load_model(ref, folder)
    tokenizer = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    if not tokenizer.is_fast:
        raise SubjectError(f"subject {ref.name}: {folder} has no fast tokenizer (tokenizer.json)")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
        model.config.pad_token_id = tokenizer.pad_token_id
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    subject = Subject(
        ref=LocalRef.model_validate(ref.model_dump()),
        model=model.to(device),
        tokenizer=tokenizer,
        device=device,
        left_padded=_is_decoder(model.config.model_type),
        labels=_labels(ref, model),
        choice_ids=_choice_ids(ref, tokenizer),
    )
    _check_routes(subject)
    return subject


def _load_model(ref: SubjectRef, folder: Path) -> Any:
    kind = (
        AutoModelForCausalLM
        if isinstance(ref.spec, CausalSubject)
        else AutoModelForSequenceClassification
    )
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        load: Any = kind.from_pretrained  # with output_loading_info it answers with a pair
        model, loading = load(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        problem = (str(error).splitlines() or [type(error).__name__])[0]
        raise SubjectError(f"subject {ref.name}: {folder} does not load: {problem}") from None
    if loading["missing_keys"]:
        missing = ", ".join(sorted(loading["missing_keys"])[:3])
        raise SubjectError(
            f"subject {ref.name}: {folder} lacks weights the architecture needs ({missing}); "
            "they would be random"
        )
    for name, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            raise SubjectError(
                f"subject {ref.name}: weight {name} in {folder} holds NaN or infinity"
            )
    return model.eval().requires_grad_(False)


def _is_decoder(model_type: str) -> bool:
    causal, masked = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return model_type in causal and model_type not in masked


def _labels(ref: SubjectRef, model: Any) -> tuple[str, ...]:
    if isinstance(ref.spec, CausalSubject):
        return ref.spec.choices
    names = model.config.id2label
    return tuple(str(names[i]) for i in sorted(names))


def tells_apart(ref: SubjectRef) -> bool:
    """Whether a subject's tokenizer tells its choices apart; its weights are not loaded."""
    tokenizer = AutoTokenizer.from_pretrained(
        ref.folder, local_files_only=True, trust_remote_code=False
    )
    try:
        _choice_ids(ref, tokenizer)
    except ChoicesError:
        return False
    return True


def _choice_ids(ref: SubjectRef, tokenizer: Any) -> tuple[int, ...]:
    """First token of every choice as it follows the answer's prefix."""
    if not isinstance(ref.spec, CausalSubject) or not ref.spec.choices:
        return ()
    stem = ref.spec.answer_prefix or ref.spec.prompt.replace("{text}", "").strip() or "Answer:"
    plain = tokenizer(stem, add_special_tokens=False)["input_ids"]
    found = []
    for choice in ref.spec.choices:
        whole = tokenizer(f"{stem} {choice}", add_special_tokens=False)["input_ids"]
        found.append(whole[len(plain)] if len(whole) > len(plain) else tokenizer.unk_token_id)
    if len(set(found)) < len(found) or tokenizer.unk_token_id in found:
        pieces = tokenizer.convert_ids_to_tokens(found)
        shown = ", ".join(f"{c}={p}" for c, p in zip(ref.spec.choices, pieces, strict=True))
        raise ChoicesError(
            f"subject {ref.name}: its tokenizer does not tell the choices apart by their first "
            f"token ({shown})"
        )
    return tuple(int(i) for i in found)


def _check_routes(subject: Subject) -> None:
    """Scores read through embeddings must be those read through tokens."""
    batch = subject.encode([subject.render("One short text."), subject.render("Another.")])
    with torch.no_grad():
        by_ids = subject.scores(batch)
        by_embeddings = subject.scores(batch, subject.embed(batch.ids))
    if not torch.isfinite(by_ids).all():
        raise SubjectError(f"subject {subject.ref.name}: its scores are not finite")
    apart = (by_ids - by_embeddings).abs().max().item()
    if apart > 1e-3 * max(1.0, by_ids.abs().max().item()):
        raise SubjectError(
            f"subject {subject.ref.name}: scores differ by {apart:.2g} between tokens and "
            "embeddings; gradients would be those of another function"
        )
