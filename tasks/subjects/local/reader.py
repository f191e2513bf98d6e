"""Local models before a run: their location, their files, and the class that loads them."""

from pathlib import Path

from tasks.data.dataset import Dataset
from tasks.definition import CausalSubject, ClassifierSubject, LocalModel, SubjectSpec
from tasks.errors import SubjectError
from tasks.schema import SubjectProvenance
from tasks.subjects.local.folder import (
    architectures,
    check_code,
    check_weights,
    digest,
    labels_of,
    last_layer,
    locate,
    read_config,
)
from tasks.subjects.protocols import Decides, DecidesAnew, Opens, OpenWriter, Resumes, Writes
from tasks.subjects.reader import Reader
from tasks.subjects.reference import SubjectRef, spec_as

HEADS = {
    "sequence-classification": ("ForSequenceClassification",),
    "causal-lm": ("CausalLM", "LMHeadModel"),
}
"""Kind of subject -> how the name of an architecture with its head ends."""


class LocalReader(Reader):
    """Models with weights in a folder or from the hub."""

    def refer(self, name: str, spec: SubjectSpec, root: Path, data: str) -> SubjectRef:
        """The reference of a folder with safe weights and the head that the definition names."""
        folder = locate(name, spec_as(spec, LocalModel), root)
        config = read_config(name, folder)
        check_weights(name, folder)
        check_code(name, folder, config)
        _check_head(name, spec.kind, folder, architectures(config))
        return SubjectRef(name=name, spec=spec, folder=str(folder), sha256=digest(folder))

    def last_layer(self, ref: SubjectRef) -> int | None:
        """As its configuration says."""
        return last_layer(read_config(ref.name, Path(ref.folder)))

    def provenance(self, ref: SubjectRef, data: Dataset) -> SubjectProvenance:
        """Digest, size and window of the loaded weights."""
        from tasks.subjects.local.loading import load_subject

        subject, spec = load_subject(ref), spec_as(ref.spec, LocalModel)
        long = subject.too_long([subject.render(text) for text in data.texts])
        if long and spec.too_long == "reject":
            raise SubjectError(
                f"subject {ref.name}: {len(long)} texts are longer than its window of "
                f"{subject.window} tokens, first: row {data.rows[long[0]].id}; "
                "set too_long to truncate or window, or leave them out"
            )
        # weights given at the start of a run are named after their folder
        own = Path(spec.path).name if Path(spec.path).is_absolute() else spec.path
        return SubjectProvenance(
            name=ref.name,
            kind=ref.spec.kind,
            path=own,
            revision=spec.revision,
            sha256=ref.sha256,
            architecture=type(subject.model).__name__,
            parameters=sum(p.numel() for p in subject.model.parameters()),
            layers=subject.layers,
            labels=subject.labels,
            window=subject.window,
            too_long=len(long),
        )

    def decider(self, ref: SubjectRef) -> Decides:
        """The loaded model."""
        return self.opened(ref)

    def fresh_decider(self, ref: SubjectRef) -> DecidesAnew:
        """The loaded model."""
        return self.opened(ref)

    def opened(self, ref: SubjectRef) -> Opens:
        """The loaded model."""
        from tasks.subjects.local.loading import load_subject

        return load_subject(ref)


class ClassifierReader(LocalReader):
    """Models with a sequence-classification head."""

    def labels(self, ref: SubjectRef, data: Dataset) -> tuple[str, ...]:
        """As its configuration names them."""
        spec_as(ref.spec, ClassifierSubject)
        return labels_of(read_config(ref.name, Path(ref.folder)))


class DecoderReader(LocalReader):
    """Models that write."""

    def tells_apart(self, ref: SubjectRef) -> bool:
        """Whether its answers differ in their first token."""
        from tasks.subjects.local.loading import tells_apart

        return tells_apart(ref)

    def writer(self, ref: SubjectRef) -> Writes:
        """The loaded model."""
        return self.open_writer(ref)

    def resumer(self, ref: SubjectRef) -> Resumes:
        """The loaded model."""
        return self.open_writer(ref)

    def open_writer(self, ref: SubjectRef) -> OpenWriter:
        """The loaded model."""
        from tasks.subjects.local.loading import load_writer

        spec_as(ref.spec, CausalSubject)
        return load_writer(ref)


CLASSIFIER = ClassifierReader()
DECODER = DecoderReader()


def _check_head(name: str, kind: str, folder: Path, architectures: list[str]) -> None:
    if any(a.endswith(HEADS[kind]) for a in architectures):
        return
    fits = [k for k, ends in HEADS.items() if any(a.endswith(ends) for a in architectures)]
    hint = f"; declare it as kind: {fits[0]}" if fits else ""
    raise SubjectError(
        f"subject {name}: declared as {kind}, but {folder} holds "
        f"{', '.join(architectures) or 'no named architecture'}{hint}"
    )
