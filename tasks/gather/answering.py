"""How a subject answers when its reasoning is changed, whatever the subject is."""

from collections.abc import Sequence
from typing import Any

from tasks.gather import generation
from tasks.gather.writing import answer_after
from tasks.measures.answers import read_written
from tasks.subject import Subject

Answers = list[list[str | None]]
"""[points][texts]; none where no answer can be read."""


def forced(
    subject: Any, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
) -> Answers:
    """Answers given at once after each version of the reasoning, [points][texts]."""
    if isinstance(subject, Subject) and subject.choice_ids:
        return [list(row) for row in generation.answers_at_cuts(subject, texts, reasonings, cuts)]
    return [list(answer_after(subject, texts, cut)) for cut in cuts]


def going_on(
    subject: Any, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
) -> Answers:
    """Answers after the subject went on reasoning from each version, [points][texts].

    A subject that cannot be made to go on from the middle answers at once.
    """
    if not isinstance(subject, Subject):
        return forced(subject, texts, reasonings, cuts)
    form = generation.writes(subject).answer
    told = generation.continued(subject, texts, reasonings, cuts)
    return [
        [
            read_written(completion, form.form, form.prefix, form.choices).answer
            for completion in row
        ]
        for row in told
    ]
