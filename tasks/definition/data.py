"""The data of an audit: its location, and the role of every column."""

import re
from typing import Self

from pydantic import Field, model_validator

from tasks.definition.record import Record
from tasks.definition.subjects import AnswerForm

CROSS = " x "
"""Stands between two attributes, and between their groups, where they are crossed."""


class DataSpec(Record):
    """Labelled texts: a file, or a Hugging Face dataset at one commit."""

    path: str
    """CSV, TSV, JSONL or Parquet file (relative to the definition), or a dataset id."""
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    """Commit hash, required for a dataset id."""
    split: str | None = None
    """Split of a dataset id."""
    text: str = "text"
    """Column with the text the subject reads."""
    compose: str | None = None
    """Instead of `text`: a text composed of columns, as in `{context} {question}`."""
    only: dict[str, str] = Field(default_factory=dict)
    """Column -> value: rows with other values are left out before anything is drawn."""
    label: str | None = None
    """Column with the true label, if there is one."""
    label_answer: AnswerForm | None = None
    """How the label is read from a longer value of that column, such as `... #### 18`; without it
    the label is the whole value."""
    id: str | None = None
    """Column that names a row; without it rows are named by their position."""
    groups: tuple[str, ...] = ()
    """Columns with protected attributes; they are never shown to the subject."""
    fields: tuple[str, ...] = ()
    """Columns whose value occurs verbatim in the text, so that words can be named by field."""
    template: str | None = None
    """Also: fields named by the form of the text itself, as in `Lives in {district}. Earns {income}
    a month.`; a text of another form has none of them."""
    pattern: str | None = None
    """The same as a regular expression with named groups, searched for in every text."""
    rationale: str | None = None
    """Column with what people marked as the reason: a JSON list of [first, one past last] character
    positions in the text."""
    favourable: str | None = None
    """The label or decision that people hope for."""
    label_names: dict[str, str] = Field(default_factory=dict)
    """Value in the label column -> name of the subject's class, where the two differ."""
    minimum_group: int = Field(default=30, ge=2)
    """Groups below this many texts are shown as too small."""
    rows: int | None = Field(default=None, ge=1)
    """Audit only this many rows, drawn with the definition's seed."""

    @model_validator(mode="after")
    def fields_are_named_once(self) -> Self:
        """A field that is named twice would be ambiguous."""
        if self.compose is not None and not re.search(r"\{\w+\}", self.compose):
            raise ValueError("compose names no column, as in {context} {question}")
        if self.compose is not None and self.text != "text":
            raise ValueError("give text or compose, not both")
        if self.label_answer is not None and not self.label_answer.declared:
            raise ValueError("label_answer: declare choices, or form number, yes-no or label")
        if self.template is not None and self.pattern is not None:
            raise ValueError("give template or pattern, not both")
        twice = sorted({name for name in self.field_names if self.field_names.count(name) > 1})
        if twice:
            raise ValueError(f"field {twice[0]!r} is named more than once")
        return self

    @property
    def form(self) -> re.Pattern[str] | None:
        """What finds the fields that are named by the form of the text, if any are.

        Raises:
            ValueError: not a regular expression, or one without a named group.
        """
        if self.template is None and self.pattern is None:
            return None
        named = re.split(r"\{(\w+)\}", self.template) if self.template is not None else []
        parts = [
            f"(?P<{part}>.+?)" if i % 2 else r"\s+".join(map(re.escape, re.split(r"\s+", part)))
            for i, part in enumerate(named)
        ]
        try:
            form = re.compile("".join(parts) + r"\Z" if parts else self.pattern or "", re.DOTALL)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if not form.groupindex:
            raise ValueError(
                "template or pattern names no field, as in {district} or (?P<district>..)"
            )
        return form

    @property
    def field_names(self) -> tuple[str, ...]:
        """All named fields: columns first, then those named by the form of the text."""
        return (*self.fields, *(self.form.groupindex if self.form is not None else ()))
