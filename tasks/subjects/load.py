"""Loads the subject of a reference, for every kind of subject.

The caller names the access that it needs and gets a subject of that type. Loading is cached per
process and safe under threads; see `tasks.data.once`.
"""

from importlib import import_module
from pathlib import Path

from tasks.definition import SubjectSpec
from tasks.subjects.protocols import (
    Decides,
    DecidesAnew,
    OnRecord,
    Opens,
    OpenWriter,
    Resumes,
    Writes,
)
from tasks.subjects.reader import Reader
from tasks.subjects.reference import SubjectRef


def reader_of(spec: SubjectSpec) -> Reader:
    """The reader of this kind of subject, imported when first needed."""
    module, _, name = spec.reader.partition(":")
    reader: Reader = getattr(import_module(module), name)
    return reader


def refer(name: str, spec: SubjectSpec, root: Path, data: str = "") -> SubjectRef:
    """The exact reference of a subject; see `Reader.refer`."""
    return reader_of(spec).refer(name, spec, root, data)


def tells_apart(ref: SubjectRef) -> bool:
    """Whether a subject's known answers differ in their first token; its weights are not loaded."""
    return reader_of(ref.spec).tells_apart(ref)


def decider(ref: SubjectRef) -> Decides:
    """A subject that decides on the rows of the data."""
    return reader_of(ref.spec).decider(ref)


def fresh_decider(ref: SubjectRef) -> DecidesAnew:
    """A subject that decides on any text."""
    return reader_of(ref.spec).fresh_decider(ref)


def writer(ref: SubjectRef) -> Writes:
    """A subject that reasons before it answers."""
    return reader_of(ref.spec).writer(ref)


def resumer(ref: SubjectRef) -> Resumes:
    """A subject that answers after a given reasoning."""
    return reader_of(ref.spec).resumer(ref)


def on_record(ref: SubjectRef) -> OnRecord:
    """A subject that was asked under several conditions."""
    return reader_of(ref.spec).on_record(ref)


def opened(ref: SubjectRef) -> Opens:
    """A subject with its weights."""
    return reader_of(ref.spec).opened(ref)


def open_writer(ref: SubjectRef) -> OpenWriter:
    """A subject that writes, with its weights."""
    return reader_of(ref.spec).open_writer(ref)
