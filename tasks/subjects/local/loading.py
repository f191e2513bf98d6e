"""Load local models once per process, and check that they can be read as checks need."""

from pathlib import Path
from typing import Any, Final

import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from tasks.data.once import once
from tasks.definition import CausalSubject, ClassifierSubject
from tasks.errors import ChoicesError, SubjectError
from tasks.subjects.local.classifier import Classifier
from tasks.subjects.local.folder import digest
from tasks.subjects.local.subject import LocalSubject
from tasks.subjects.local.writer import Writer
from tasks.subjects.reference import SubjectRef, spec_as

CLOSE: Final = 1e-3
"""Largest difference of scores, relative to the largest, between two ways of reading a text."""


def load_subject(ref: SubjectRef) -> Classifier | Writer:
    """Load a subject once per process and check that it can be read as checks need.

    Raises:
        SubjectError: weights missing, not finite, changed since the reference was made, or
            the embedding route gives other scores than the token route.
    """
    return _load(ref)


def load_writer(ref: SubjectRef) -> Writer:
    """The same for a subject that writes.

    Raises:
        TypeError: it does not.
    """
    subject = load_subject(ref)
    if not isinstance(subject, Writer):
        raise TypeError(f"subject {ref.name} ({ref.spec.kind}) does not write")
    return subject


def tells_apart(ref: SubjectRef) -> bool:
    """Whether a subject's choices differ in their first token; its weights are not loaded."""
    try:
        _choice_ids(ref.name, spec_as(ref.spec, CausalSubject), _tokenizer(Path(ref.folder)))
    except ChoicesError:
        return False
    return True


@once(maxsize=2)
def _load(ref: SubjectRef) -> Classifier | Writer:
    folder = Path(ref.folder)
    if digest(folder) != ref.sha256:
        raise SubjectError(f"subject {ref.name}: {folder} changed since the audit began")
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    subject = _loaded(ref, folder)
    _check_routes(subject)
    return subject


def _loaded(ref: SubjectRef, folder: Path) -> Classifier | Writer:
    model, tokenizer = _load_model(ref, folder), _tokenizer(folder)
    if not tokenizer.is_fast:
        raise SubjectError(f"subject {ref.name}: {folder} has no fast tokenizer (tokenizer.json)")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
        model.config.pad_token_id = tokenizer.pad_token_id
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)  # type: ignore[arg-type]
    left = _is_decoder(model.config.model_type)
    if isinstance(ref.spec, CausalSubject):
        ids = _choice_ids(ref.name, ref.spec, tokenizer)
        return Writer(ref, ref.spec, model, tokenizer, device, left, ref.spec.choices, ids)
    names = (model.config.id2label or {}).items()
    labels = tuple(str(name) for _, name in sorted(names, key=lambda item: int(item[0])))
    spec = spec_as(ref.spec, ClassifierSubject)
    return Classifier(ref, spec, model, tokenizer, device, left, labels)


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _load_model(ref: SubjectRef, folder: Path) -> PreTrainedModel:
    kind = (
        AutoModelForCausalLM
        if isinstance(ref.spec, CausalSubject)
        else AutoModelForSequenceClassification
    )
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        load: Any = kind.from_pretrained  # with output_loading_info it returns a pair
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
    whole: PreTrainedModel = model.eval().requires_grad_(False)
    return whole


def _is_decoder(model_type: str) -> bool:
    causal, masked = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return model_type in causal and model_type not in masked


def _choice_ids(
    name: str, spec: CausalSubject, tokenizer: PreTrainedTokenizerBase
) -> tuple[int, ...]:
    """First token of every choice as it follows the answer's prefix."""
    if not spec.choices:
        return ()
    stem = spec.answer_prefix or spec.prompt.replace("{text}", "").strip() or "Answer:"
    plain = tokenizer(stem, add_special_tokens=False)["input_ids"]
    first_ids = []
    for choice in spec.choices:
        whole = tokenizer(f"{stem} {choice}", add_special_tokens=False)["input_ids"]
        first_ids.append(whole[len(plain)] if len(whole) > len(plain) else tokenizer.unk_token_id)
    if len(set(first_ids)) < len(first_ids) or tokenizer.unk_token_id in first_ids:
        pieces = tokenizer.convert_ids_to_tokens(first_ids)
        shown = ", ".join(f"{c}={p}" for c, p in zip(spec.choices, pieces, strict=True))
        raise ChoicesError(
            f"subject {name}: its tokenizer does not tell the choices apart by their first "
            f"token ({shown})"
        )
    return tuple(int(i) for i in first_ids)


def _check_routes(subject: LocalSubject) -> None:
    """Check that scores from embeddings equal scores from tokens."""
    batch = subject.encode([subject.render("One short text."), subject.render("Another.")])
    with torch.no_grad():
        by_ids = subject.scores(batch)
        by_embeddings = subject.scores(batch, subject.embed(batch.ids))
    if not torch.isfinite(by_ids).all():
        raise SubjectError(f"subject {subject.name}: its scores are not finite")
    difference = (by_ids - by_embeddings).abs().max().item()
    if difference > CLOSE * max(1.0, by_ids.abs().max().item()):
        raise SubjectError(
            f"subject {subject.name}: scores differ by {difference:.2g} between tokens and "
            "embeddings; gradients would be those of another function"
        )
