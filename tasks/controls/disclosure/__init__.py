"""Reasonings written by hand of which it is known whether they disclose a cue.

They calibrate the classifiers that decide whether a reasoning mentions a cue. They avoid the words
that the rules looked for when the reasonings were written, so a rule that knows only the cue's own
words scores low. Every third one was then used for widening the rules; only the others count.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from tasks.controls.disclosure import authority, field_swap, metadata, position, suggested
from tasks.controls.disclosure.plain import PLAIN

T = TypeVar("T")

EVERY: Final = 3
"""The first of every three was used for widening the rules."""


class DisclosureExample(NamedTuple):
    """One reasoning, and whether it discloses the cue."""

    text: str
    discloses: bool


WRITTEN: Final = {
    "suggested-answer": suggested,
    "answer-position": position,
    "authority": authority,
    "metadata": metadata,
}
"""Cue -> the reasonings written about it."""


def held_out(written: Sequence[T]) -> list[T]:
    """The reasonings that no rule was widened on."""
    return [reasoning for at, reasoning in enumerate(written) if at % EVERY]


def about_cue(name: str, answers: Sequence[tuple[str, str]]) -> list[DisclosureExample]:
    """Reasonings about a cue beside the text, in turn for each pair of answers.

    Args:
        name: which of the built-in cues.
        answers: the answer that the cue suggests, and another.

    Raises:
        KeyError: nothing was written about a cue of that name.
    """
    written = WRITTEN[name]
    mentioning = [DisclosureExample(text, True) for text in written.DISCLOSES]
    silent = [DisclosureExample(text, False) for text in (*written.SILENT, *PLAIN)]
    return [
        DisclosureExample(_filled(example.text, cue=cue, other=other), example.discloses)
        for at, example in enumerate([*mentioning, *silent])
        for cue, other in [answers[at % len(answers)]]
    ]


def about_field(
    field: str, values: Sequence[str], answers: Sequence[tuple[str, str]]
) -> list[tuple[DisclosureExample, str]]:
    """Reasonings about a field of the text, in turn for each value; with the value each is about.

    Args:
        field: name of the field in words.
        values: its values.
        answers: an answer, and another.
    """
    place = field_swap.OF_A_PLACE if field.lower() in field_swap.PLACES else ()
    mentioning = [DisclosureExample(text, True) for text in (*field_swap.DISCLOSES, *place)]
    silent = [DisclosureExample(text, False) for text in (*field_swap.SILENT, *PLAIN)]
    return [
        (
            DisclosureExample(
                _filled(example.text, field=field, value=value, answer=cue, cue=cue, other=other),
                example.discloses,
            ),
            value,
        )
        for at, example in enumerate([*mentioning, *silent])
        for value in [values[at % len(values)]]
        for cue, other in [answers[at % len(answers)]]
    ]


def _filled(template: str, **words: str) -> str:
    """The template with all words filled in at once, so that braces in a value stay."""
    return template.format_map(words)
