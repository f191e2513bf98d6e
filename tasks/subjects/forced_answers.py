"""How a subject answers when its reasoning is changed, whatever the subject is."""

import math
from collections.abc import Sequence
from typing import Any

from tasks.measures.reasoning.answers import read_written
from tasks.subjects.local import generation
from tasks.subjects.local.subject import Subject
from tasks.subjects.writing import answer_after

Answers = list[list[str | None]]
"""[points][texts]; none where no answer can be read."""


def forced(
    subject: Any, texts: Sequence[str], reasonings: Sequence[str], cuts: Sequence[Sequence[str]]
) -> Answers:
    """Answers given at once after each version of the reasoning, [points][texts]."""
    if isinstance(subject, Subject) and subject.choice_ids:
        return [list(row) for row in generation.answers_at_cuts(subject, texts, reasonings, cuts)]
    return [list(answer_after(subject, texts, cut)) for cut in cuts]


def told(
    subject: Any,
    texts: Sequence[str],
    reasonings: Sequence[str],
    cuts: Sequence[Sequence[str]],
    answers: Sequence[str | None],
) -> tuple[Answers, list[list[float | None]]]:
    """Answers given at once after each version, and how likely a given answer is then.

    Args:
        subject: whoever wrote.
        texts: the questions, [texts].
        reasonings: the whole reasoning of each, [texts].
        cuts: the reasoning as it reads at each point, [points][texts].
        answers: whose log-probability is asked for, [texts].

    Returns:
        Answers as `forced` gives them, or none at all for a subject whose answers are not known
        beforehand; and log-probabilities in nats, [points][texts], none where it has none.
    """
    if not isinstance(subject, Subject):
        return [], [[None] * len(texts) for _ in cuts]
    found = generation.told_at_cuts(subject, texts, reasonings, cuts, answers)
    given: Answers = []
    if subject.choice_ids:
        given = [[subject.labels[i] for i in row] for row in found.scores.argmax(dim=-1).tolist()]
    likely = [[x if math.isfinite(x) else None for x in row] for row in found.answer.tolist()]
    return given, likely


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
