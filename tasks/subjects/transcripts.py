"""A subject on record: its prompts, reasonings and answers are looked up, not asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tasks.data.dataset import MISSING, Dataset, Row, read_table
from tasks.data.once import once
from tasks.definition import AnswerForm, SubjectSpec, TranscriptsSubject
from tasks.definition.problems import nearest
from tasks.errors import DataError, SubjectError
from tasks.measures.reasoning.answers import read_written, whole_answer
from tasks.measures.reasoning.reasoning_text import mentions
from tasks.schema import SubjectProvenance
from tasks.subjects.outputs import Decision, Transcript, Written
from tasks.subjects.protocols import OnRecord
from tasks.subjects.reader import Reader
from tasks.subjects.reference import SubjectRef, file_digest, spec_as

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""Values of a table for whether a reasoning discloses its cue."""


@dataclass(frozen=True)
class RecordedSubject:
    """Transcripts instead of a model."""

    ref: SubjectRef
    spec: TranscriptsSubject
    all_transcripts: tuple[Transcript, ...]

    @property
    def name(self) -> str:
        """As the definition calls it."""
        return self.ref.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The answers that exist, where they are known beforehand."""
        return self.spec.choices

    @property
    def form(self) -> AnswerForm:
        """How its answers are read."""
        return self.spec.answer

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every condition with a cue, in the order of the table."""
        conditions = dict.fromkeys(t.condition for t in self.all_transcripts)
        return tuple(c for c in conditions if c != self.spec.plain)

    @property
    def plain_condition(self) -> str:
        """The condition without a cue."""
        return self.spec.plain

    @cached_property
    def plain(self) -> dict[str, Transcript]:
        """Prompt without a cue -> its transcript."""
        return {t.prompt: t for t in self.all_transcripts if t.condition == self.spec.plain}

    def under(self, condition: str) -> dict[str, Transcript]:
        """Pair -> its transcript under a condition."""
        return {t.pair: t for t in self.all_transcripts if t.condition == condition}

    def transcripts(self, texts: Sequence[str]) -> list[Transcript]:
        """The transcripts of these prompts, without a cue.

        Raises:
            SubjectError: one of them was never asked.
        """
        absent = [text for text in texts if text not in self.plain]
        if absent:
            raise SubjectError(
                f"subject {self.name}: {len(absent)} of {len(texts)} texts are no prompt of "
                f"{self.spec.path} under condition {self.spec.plain!r}, first: {absent[0][:60]!r}"
            )
        return [self.plain[text] for text in texts]

    def write(self, texts: Sequence[str]) -> list[Written]:
        """Reasoning and answer for every text, as they are on record."""
        return [Written(t.reasoning, t.answer) for t in self.transcripts(texts)]

    def decide(self, rows: Sequence[Row]) -> list[Decision]:
        """The answer on record for every row."""
        return [Decision(t.answer) for t in self.transcripts([row.text for row in rows])]


class TranscriptsReader(Reader):
    """Tables of prompts, reasonings and answers."""

    def refer(self, name: str, spec: SubjectSpec, root: Path, data: str) -> SubjectRef:
        """The reference of a file."""
        table_spec = spec_as(spec, TranscriptsSubject)
        path = (root / table_spec.path).expanduser().resolve()
        if not path.is_file():
            near = sorted(p.name for p in path.parent.glob("*") if p.is_file())[:8]
            raise SubjectError(
                f"subject {name}: no file {table_spec.path!r} beside the definition; "
                f"that folder holds: {', '.join(near) or 'no files'}"
            )
        return SubjectRef(name=name, spec=spec, folder=str(path), sha256=file_digest(path))

    def check(self, ref: SubjectRef, data: Dataset) -> None:
        """Check that every text of the data is on record."""
        load_transcripts(ref).transcripts(data.texts)

    def provenance(self, ref: SubjectRef, data: Dataset) -> SubjectProvenance:
        """The file and its digest; the model behind it is not available."""
        spec = spec_as(ref.spec, TranscriptsSubject)
        return SubjectProvenance(
            name=ref.name,
            kind=spec.kind,
            path=Path(spec.path).name if Path(spec.path).is_absolute() else spec.path,
            sha256=ref.sha256,
            known_by="records",
            labels=spec.choices,
        )

    def decider(self, ref: SubjectRef) -> OnRecord:
        """The table."""
        return load_transcripts(ref)

    def writer(self, ref: SubjectRef) -> OnRecord:
        """The table."""
        return load_transcripts(ref)

    def on_record(self, ref: SubjectRef) -> OnRecord:
        """The table."""
        return load_transcripts(ref)


TRANSCRIPTS = TranscriptsReader()


def load_transcripts(ref: SubjectRef) -> RecordedSubject:
    """Read a table of transcripts, once per process.

    Raises:
        DataError: a column is missing, or the same question stands twice under one condition.
    """
    return _load(ref.model_dump_json())  # a definition with words by condition is not hashable


@once(maxsize=8)
def _load(reference: str) -> RecordedSubject:
    ref = SubjectRef.model_validate_json(reference)
    spec = spec_as(ref.spec, TranscriptsSubject)
    columns, table = spec.columns, read_table(Path(ref.folder), spec.path)
    for column in columns.model_dump().values():
        if column is not None and column not in table:
            raise DataError(f"{spec.path}: no column {column!r}; {nearest(column, table)}")
    rows = [{name: table[name][i] for name in table} for i in range(len(table[columns.prompt]))]
    transcripts = tuple(_transcript(spec, row) for row in rows)
    _check(spec, transcripts)
    return RecordedSubject(ref, spec, transcripts)


def _transcript(spec: TranscriptsSubject, row: dict[str, str]) -> Transcript:
    columns, form = spec.columns, spec.answer
    cell = row[columns.answer]
    read = read_written(cell, form.form, form.prefix, form.choices)
    whole = whole_answer(cell, form.form, form.choices)
    reasoning = row[columns.reasoning] if columns.reasoning is not None else read.reasoning
    condition = row[columns.condition] if columns.condition is not None else spec.plain
    return Transcript(
        prompt=row[columns.prompt],
        reasoning=reasoning,
        answer=whole if whole is not None else read.answer,
        condition=condition,
        pair=row[columns.pair] if columns.pair is not None else MISSING,
        discloses=_discloses(spec, condition, reasoning, row),
    )


def _discloses(
    spec: TranscriptsSubject, condition: str, reasoning: str, row: dict[str, str]
) -> bool | None:
    if condition == spec.plain:
        return None
    column = spec.columns.discloses
    if column is not None:
        verdict = row[column].strip().casefold()
        if verdict and verdict not in TRUTH:
            raise DataError(
                f"{spec.path}: column {column!r} holds {row[column][:40]!r}; it may hold: "
                f"{', '.join(TRUTH)}, or nothing"
            )
        return TRUTH.get(verdict)
    words = spec.words.get(condition)
    return mentions(reasoning, words) if words else None


def _check(spec: TranscriptsSubject, transcripts: Sequence[Transcript]) -> None:
    known = list(dict.fromkeys(t.condition for t in transcripts))
    if spec.plain not in known:
        raise DataError(
            f"{spec.path}: no record under condition {spec.plain!r} (plain); "
            f"{nearest(spec.plain, known)}"
        )
    for name in spec.words:
        if name not in known or name == spec.plain:
            cues = [c for c in known if c != spec.plain]
            raise DataError(f"{spec.path}: words of condition {name!r}; {nearest(name, cues)}")
    seen: set[tuple[str, str]] = set()
    for transcript in transcripts:
        key = (
            transcript.condition,
            transcript.prompt if transcript.condition == spec.plain else transcript.pair,
        )
        if key in seen:
            raise DataError(
                f"{spec.path}: the same question stands twice under condition "
                f"{transcript.condition!r}: {key[1][:60]!r}"
            )
        seen.add(key)
    plain = [t.pair for t in transcripts if t.condition == spec.plain and t.pair]
    if len(set(plain)) < len(plain):
        twice = next(p for p in plain if plain.count(p) > 1)
        raise DataError(f"{spec.path}: pair {twice!r} stands twice under {spec.plain!r}")
