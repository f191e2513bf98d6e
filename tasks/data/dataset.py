"""Labelled texts by exact reference: rows with their groups and named fields."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from tasks.data.once import once
from tasks.data.text_units import Span, occurrences
from tasks.definition import CROSS, DataSpec
from tasks.definition.problems import nearest
from tasks.errors import DataError
from tasks.measures.reasoning.answers import read_written, whole_answer
from tasks.measures.stats.random_streams import stream

MISSING = ""  # how an absent value reads; it belongs to no group


@dataclass(frozen=True, slots=True)
class Row:
    """One text with everything the definition names."""

    id: str
    text: str
    label: str | None
    groups: dict[str, str]
    fields: dict[str, str]
    """Named field -> its value; absent where the text does not have the form that names it."""
    columns: dict[str, str]
    """Further columns asked for, such as recorded predictions."""
    formed: dict[str, Span] = field(default_factory=dict)
    """Spans of the fields that the form of the text names."""
    rationale: tuple[Span, ...] | None = None
    """Spans that people marked as the reason; none where nobody was asked."""

    @property
    def places(self) -> dict[str, list[Span]]:
        """Where every named field stands in the text."""
        return {
            name: [self.formed[name]] if name in self.formed else occurrences(self.text, value)
            for name, value in self.fields.items()
        }


@dataclass(frozen=True)
class Dataset:
    """The rows that are audited."""

    rows: tuple[Row, ...]
    sha256: str
    """Digest of the file, or of the rows of a hub dataset."""
    rows_in_file: int

    @property
    def texts(self) -> list[str]:
        """The text of every row."""
        return [row.text for row in self.rows]

    def group(self, attribute: str) -> NDArray[np.str_]:
        """Group of every row, [rows]; `MISSING` where there is none."""
        return np.array([row.groups[attribute] for row in self.rows], dtype=np.str_)

    def grouping(self, name: str) -> NDArray[np.str_]:
        """Group of every row by an attribute or by two crossed ones (`origin x age_group`), [rows].

        `MISSING` where there is none, or where one of the two is missing.
        """
        attributes = [name] if name in self.rows[0].groups else name.split(CROSS)
        columns = [self.group(attribute) for attribute in attributes]
        joined = [
            CROSS.join(parts) if all(parts) else MISSING for parts in zip(*columns, strict=True)
        ]
        return np.array(joined, dtype=np.str_)

    def labels(self) -> NDArray[np.str_]:
        """Label of every row, [rows]; `MISSING` where there is none."""
        return np.array([row.label or MISSING for row in self.rows], dtype=np.str_)


def load_dataset(spec_json: str, root: Path, seed: int, extra: tuple[str, ...] = ()) -> Dataset:
    """Read the rows a definition names.

    Args:
        spec_json: a `DataSpec` as JSON.
        root: folder that relative paths start from.
        seed: for drawing `rows`.
        extra: further columns to keep.

    Raises:
        DataError: file, column or rows are missing; the message says what exists.
    """
    spec = DataSpec.model_validate_json(spec_json)
    table, digest = _read(spec, root)
    columns = dict.fromkeys(
        [*_text_columns(spec), *spec.groups, *spec.fields, *spec.only, *extra]
        + [c for c in (spec.label, spec.id, spec.rationale) if c is not None]
    )
    for column in columns:
        if column not in table:
            raise DataError(f"{spec.path}: no column {column!r}; {nearest(column, table)}")
    length = len(next(iter(table.values()))) if table else 0
    if length == 0:
        raise DataError(f"{spec.path}: no rows below the header; columns: {', '.join(table)}")
    rows = [_row(spec, table, i, extra) for i in _wanted(spec, table, length)]
    _check_rows(spec, rows)
    return Dataset(tuple(_drawn(rows, spec.rows, seed)), digest, length)


def verified_dataset(spec: DataSpec, root: Path, seed: int, sha256: str) -> Dataset:
    """The rows a definition names, read once per process; the file must have the given digest.

    Raises:
        DataError: the data changed since the audit began.
    """
    return _verified(spec.model_dump_json(), root, seed, sha256)


@once(maxsize=4)
def _verified(spec_json: str, root: Path, seed: int, sha256: str) -> Dataset:
    spec = DataSpec.model_validate_json(spec_json)
    dataset = load_dataset(spec_json, root, seed)
    if dataset.sha256 != sha256:
        raise DataError(
            f"{spec.path}: the data changed since the audit began; its digest is "
            f"{dataset.sha256[:12]}, not {sha256[:12]}"
        )
    return dataset


def _text_columns(spec: DataSpec) -> list[str]:
    """Columns that the text is made of."""
    return [spec.text] if spec.compose is None else re.findall(r"\{(\w+)\}", spec.compose)


def _composed(spec: DataSpec, table: dict[str, list[str]], i: int) -> str:
    if spec.compose is None:
        return table[spec.text][i]
    return re.sub(r"\{(\w+)\}", lambda match: table[match[1]][i], spec.compose)


def _wanted(spec: DataSpec, table: dict[str, list[str]], length: int) -> list[int]:
    """Positions of the rows that `only` keeps."""
    rows = [i for i in range(length) if all(table[c][i] == v for c, v in spec.only.items())]
    if not rows:
        problems = "; ".join(
            f"{column} = {value!r}: {nearest(value, sorted(set(table[column]))[:8])}"
            for column, value in spec.only.items()
        )
        raise DataError(f"{spec.path}: no row has data.only: {problems}")
    return rows


def _row(spec: DataSpec, table: dict[str, list[str]], i: int, extra: tuple[str, ...]) -> Row:
    label = table[spec.label][i] if spec.label is not None else None
    name = table[spec.id][i] if spec.id is not None else f"row-{i + 1}"
    text = _composed(spec, table, i)
    if label is not None and label != MISSING and spec.label_answer is not None:
        label = _label_in(spec, name, label)
    formed = _formed(spec, text)
    return Row(
        id=name,
        text=text,
        label=spec.label_names.get(label, label) if label is not None else None,
        groups={a: table[a][i] for a in spec.groups},
        fields={f: table[f][i] for f in spec.fields}
        | {f: text[start:end] for f, (start, end) in formed.items()},
        formed=formed,
        rationale=_rationale(spec, name, text, table[spec.rationale][i])
        if spec.rationale is not None
        else None,
        columns={c: table[c][i] for c in extra},
    )


def _label_in(spec: DataSpec, row: str, cell: str) -> str:
    """The label that is read from a longer text, in the canonical writing of answers."""
    form = spec.label_answer
    if form is None:
        return cell
    whole = None if form.prefix else whole_answer(cell, form.form, form.choices)
    label = whole or read_written(cell, form.form, form.prefix, form.choices).answer
    if label is None:
        raise DataError(
            f"{spec.path}: column {spec.label!r} (row {row}) ends in {cell[-40:]!r}, from which "
            f"no answer of form {form.form} can be read"
        )
    return label


def _formed(spec: DataSpec, text: str) -> dict[str, Span]:
    """Spans of the fields that a definition's template or pattern names in a text."""
    form = spec.form
    match = form.search(text) if form is not None else None
    if form is None or match is None:
        return {}
    return {name: match.span(name) for name in form.groupindex if match.group(name)}


def _rationale(spec: DataSpec, name: str, text: str, cell: str) -> tuple[Span, ...] | None:
    if cell == MISSING:
        return None
    try:
        spans = TypeAdapter(tuple[Span, ...]).validate_json(cell)
    except ValidationError:
        raise DataError(
            f"{spec.path}: column {spec.rationale!r} (row {name}) holds {cell[:40]!r}, not a JSON "
            "list of [first, one past last] character positions"
        ) from None
    beyond = [s for s in spans if not 0 <= s[0] < s[1] <= len(text)]
    if beyond:
        raise DataError(
            f"{spec.path}: rationale {list(beyond[0])} of row {name} lies outside its text of "
            f"{len(text)} characters"
        )
    return spans


def _check_rows(spec: DataSpec, rows: list[Row]) -> None:
    empty = [row.id for row in rows if not row.text.strip()]
    if empty:
        raise DataError(
            f"{spec.path}: {len(empty)} empty texts in column {spec.text!r}, first: {empty[0]!r}"
        )
    ids = [row.id for row in rows]
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise DataError(f"{spec.path}: id {twice!r} stands more than once in column {spec.id!r}")
    for attribute in spec.groups:
        sizes: dict[str, int] = {}
        for row in rows:
            group = row.groups[attribute]
            sizes[group] = sizes.get(group, 0) + (group != MISSING)
        for group, n in sizes.items():
            if n == 1:
                raise DataError(
                    f"{spec.path}: group {group!r} of {attribute!r} has one member; groups: "
                    + ", ".join(f"{g} ({k})" for g, k in sorted(sizes.items()) if g)
                )
        if sum(n > 0 for n in sizes.values()) < 2:
            raise DataError(
                f"{spec.path}: column {attribute!r} has no two groups to compare; it holds: "
                + (", ".join(f"{g} ({k})" for g, k in sizes.items() if g) or "nothing")
            )


def _drawn(rows: list[Row], size: int | None, seed: int) -> list[Row]:
    if size is None or size >= len(rows):
        return rows
    keep = stream(seed, "rows that are audited").choice(len(rows), size=size, replace=False)
    return [rows[i] for i in sorted(keep)]


def _read(spec: DataSpec, root: Path) -> tuple[dict[str, list[str]], str]:
    path = root / spec.path
    if path.is_file():
        return read_table(path, spec.path), hashlib.sha256(path.read_bytes()).hexdigest()
    if spec.revision is None:
        near = sorted(p.name for p in path.parent.glob("*") if p.is_file())[:8]
        raise DataError(
            f"data: no file {spec.path!r} beside the definition; that folder holds: "
            f"{', '.join(near) or 'no files'} (a dataset id needs a revision)"
        )
    return _read_hub(spec)


def read_table(path: Path, shown: str) -> dict[str, list[str]]:
    """Columns of a CSV, TSV, JSONL or Parquet file, every cell as text.

    Raises:
        DataError: another kind of file, an empty one, or one that does not parse as its kind.
    """
    import pyarrow

    suffix = path.suffix.lower()
    try:
        match suffix:
            case ".csv" | ".tsv":
                table = _read_delimited(path, "," if suffix == ".csv" else "\t")
            case ".jsonl" | ".ndjson":
                from pyarrow import json as arrow_json

                table = arrow_json.read_json(path)
            case ".parquet":
                from pyarrow import parquet

                table = parquet.read_table(path)
            case _:
                raise DataError(
                    f"data: {shown!r} ends in {suffix!r}; readable: .csv, .tsv, .jsonl, .parquet"
                )
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        problem = str(error).splitlines()[0]
        raise DataError(f"data: {shown} is not readable as {suffix[1:]}: {problem}") from None
    return {name: [_text(v) for v in table[name].to_pylist()] for name in table.column_names}


def _read_delimited(path: Path, delimiter: str) -> Any:
    """Every cell as text: `007` keeps its zeros, `NA` stays a word."""
    import pyarrow
    from pyarrow import csv

    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: the file is empty, not even a header")
    parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    with csv.open_csv(path, parse_options=parse) as reader:
        names = reader.schema.names
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False
    )
    return csv.read_csv(path, parse_options=parse, convert_options=convert)


def _read_hub(spec: DataSpec) -> tuple[dict[str, list[str]], str]:
    from datasets import load_dataset as load_hub_dataset
    from huggingface_hub.utils import logging as hub_logging

    # its log of retries would break the promise of one line
    hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]

    try:
        table = load_hub_dataset(spec.path, revision=spec.revision, split=spec.split or "test")
    except Exception as error:  # the library has no error class of its own for all of these
        problem = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"data: dataset {spec.path!r} at {spec.revision} cannot be loaded: {problem}; "
            "local files (.csv, .tsv, .jsonl, .parquet) need no network"
        ) from None
    columns = {name: [_text(v) for v in table[name]] for name in table.column_names}
    digest = hashlib.sha256(repr(sorted(columns.items())).encode()).hexdigest()
    return columns, digest


def _text(value: object) -> str:
    return MISSING if value is None else str(value)
