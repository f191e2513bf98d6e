"""Load a lever that an audit exported and apply it in a serving process.

    from tasks.serving import load_lever
    lever = load_lever("levers/remediation-decider.safetensors")
    with lever.applied(model):
        model(**inputs)

`model` is a plain transformers model, `inputs` what its tokenizer gives, the attention mask among
it. Importing this module costs torch and safetensors and nothing more.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Required, TypedDict

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from tasks.errors import SubjectError
from tasks.measures.interventions.levers import Step, Where, adding, applied
from tasks.measures.model.hooks import find_blocks

FORMAT = 1


class StepAbout(TypedDict):
    """Place of one step of a lever."""

    layer: int
    where: Where


class FittedTo(TypedDict):
    """The model that a lever was fitted to."""

    sha256: str
    layers: int
    width: int


class About(TypedDict, total=False):
    """Metadata of a lever file, as far as they are read here."""

    format: int
    kind: str
    subject: Required[FittedTo]
    steps: list[StepAbout]
    where: list[Where]


@dataclass(frozen=True)
class Lever:
    """Changes of hidden states, with their provenance."""

    steps: tuple[Step, ...]
    about: About
    """Metadata of the file: attribute, subject, audit."""

    @contextmanager
    def applied(self, model: nn.Module, folder: str | Path | None = None) -> Iterator[None]:
        """Run the model with the lever; afterwards it is unchanged.

        Args:
            model: a transformers model with the audited weights, on any device.
            folder: folder the weights were loaded from; its digest must be the audited one.

        Raises:
            SubjectError: the model is not the one that the lever was fitted to; or it is called
                with padded texts and no attention mask [texts, tokens].
        """
        self._check_shape(model)
        if folder is not None:
            self._check_digest(Path(folder))
        with applied(model, self.steps):
            yield

    def _check_shape(self, model: nn.Module) -> None:
        fitted = self.about["subject"]
        layers = len(find_blocks(model))
        config = getattr(model, "config", None)
        width = getattr(config, "hidden_size", fitted["width"])
        if (layers, width) != (fitted["layers"], fitted["width"]):
            raise SubjectError(
                f"the lever was fitted to {fitted['layers']} layers of width {fitted['width']}; "
                f"{type(model).__name__} has {layers} of width {width}"
            )

    def _check_digest(self, folder: Path) -> None:
        from tasks.subjects.local.folder import digest

        sha256, fitted = digest(folder), self.about["subject"]["sha256"]
        if sha256 != fitted:
            raise SubjectError(
                f"the lever was fitted to a subject with digest {fitted[:12]}; {folder} has "
                f"{sha256[:12]}: measure again before serving it"
            )


def load_lever(path: str | Path, *, layer: int | None = None, alpha: float | None = None) -> Lever:
    """A lever from a file of a finished audit.

    Args:
        path: a file below `levers/` of a report.
        layer: for a file of steering vectors, where to add one.
        alpha: for a file of steering vectors, how often to add it.

    Raises:
        SubjectError: no such file, not a lever, or a layer that it does not have.
    """
    arrays, about = _read(Path(path))
    if about.get("kind") == "lever":
        if layer is not None or alpha is not None:
            raise SubjectError(f"{path} is a whole lever: it takes no layer and no alpha")
        steps = tuple(
            Step(step["layer"], step["where"], *(arrays[f"step/{i}/{p}"] for p in Step._fields[2:]))
            for i, step in enumerate(about["steps"])
        )
        return Lever(steps, about)
    if layer is None or alpha is None:
        raise SubjectError(f"{path} holds steering vectors: name a layer and an alpha")
    if f"vector/{layer}" not in arrays:
        raise SubjectError(f"{path} has no layer {layer}; its last is {len(arrays) - 1}")
    where = about["where"][layer]
    return Lever((adding(layer, where, alpha * arrays[f"vector/{layer}"]),), about)


def _read(path: Path) -> tuple[dict[str, Tensor], About]:
    if not path.is_file():
        raise SubjectError(f"no lever at {path}")
    try:
        with safe_open(path, framework="pt") as stored:
            header = (stored.metadata() or {}).get("assay")
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise SubjectError(f"{path} is no safetensors file: {error}") from None
    about: About = json.loads(header or "{}")
    if about.get("format") != FORMAT or about.get("kind") not in ("lever", "vectors"):
        raise SubjectError(f"{path} is not a lever of format {FORMAT}")
    return arrays, about
