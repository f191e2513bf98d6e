"""How controls are put to a subject: in the definition's prompt, or in words of their own."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypeVar

import numpy as np

from tasks.controls.alphabets import ALPHABETS, ANSWERS
from tasks.controls.items import STEPS, problems_of
from tasks.controls.problems import DRAWN
from tasks.controls.stories import TOLD
from tasks.definition import AnswerForm, CausalSubject, OpenAISubject, Prompting, SubjectSpec
from tasks.definition.checks import ControlsSpec
from tasks.errors import ChoicesError
from tasks.run.inputs import subject_of
from tasks.run.shards import ShardRef
from tasks.subjects.local.subject import tells_apart
from tasks.subjects.writing import Writer, write

Writes = TypeVar("Writes", bound=Prompting)
Question = tuple[str, tuple[str, ...]]
"""A control and the answers that are possible to it."""

PREFIX: Final = "Answer:"
"""Introduces the answer of a control where the subject has no words of its own for that."""

ASKED: Final = (
    "{text}\n\nReason step by step, in short sentences, one for each step. Then write {prefix!r} "
    "followed by one of: {choices}."
)
"""How a control is put to an endpoint. The definition's own prompt asks for other answers."""

OWN_WORDS: Final = (
    " They were put to the endpoint in words of their own, not in the definition's prompt."
)


def put(spec: CausalSubject | OpenAISubject, text: str, choices: Sequence[str]) -> str:
    """A control as the text of a subject; an endpoint is given the form of the answer too."""
    if isinstance(spec, CausalSubject):
        return text
    prefix = spec.answer.prefix or PREFIX
    return ASKED.format(text=text, prefix=prefix, choices=", ".join(choices))


def put_to(spec: Writes, choices: Collection[str]) -> Writes:
    """A subject's settings with the controls' answers for its own.

    A local model reads a control in the definition's prompt. An endpoint does not: that prompt
    asks for answers that no control has. Its system message stays.
    """
    answer = AnswerForm(prefix=spec.answer.prefix or PREFIX, choices=tuple(sorted(choices)))
    bare = {"prompt": "{text}"} if isinstance(spec, OpenAISubject) else {}
    return spec.model_copy(update={"answer": answer, **bare})


def answering(ref: ShardRef, choices: Collection[str]) -> Writer:
    """The same subject with the controls' answers for its own.

    Raises:
        ChoicesError: its tokenizer does not tell these answers apart.
    """
    spec = put_to(writes(ref.subject.spec), choices)
    reference = ref.subject.model_copy(update={"spec": spec})
    subject: Writer = subject_of(ref.model_copy(update={"subject": reference}))
    return subject


def within_reach(ref: ShardRef, asked: ControlsSpec) -> ControlsSpec:
    """The controls asked for, of families whose answers the subject's tokenizer tells apart.

    A definition that names families gets these, whatever comes of it. Where it names none, sets of
    answers are taken in turn, each if it is told apart together with those before; with none, or
    with too few different questions left, nothing is narrowed.
    """
    spec = ref.subject.spec
    if not isinstance(spec, CausalSubject) or (asked.problems and asked.stories):
        return asked
    named = [ANSWERS[family] for family in (*asked.problems, *asked.stories)]
    kept = tuple(dict.fromkeys(answer for answers in named for answer in answers))
    reached = list(dict.fromkeys(named))
    for alphabet in (one for one in ALPHABETS if one not in named):
        own = ref.subject.model_copy(update={"spec": put_to(spec, {*kept, *alphabet})})
        if tells_apart(own):
            kept += alphabet
            reached.append(alphabet)
    known = [family for family, answers in ANSWERS.items() if answers in reached]
    families = {
        "problems": asked.problems or tuple(f for f in known if f in DRAWN),
        "stories": asked.stories or tuple(f for f in known if f in TOLD),
    }
    if not all(families.values()):
        return asked
    try:
        problems_of(np.random.default_rng(0), asked.items, families["problems"], STEPS)
    except ValueError:
        return asked
    return asked.model_copy(update=families)


def left_out(asked: ControlsSpec, made: ControlsSpec) -> str:
    """What a reader must know of families that were left out; empty where none were."""
    lost = [f for f in DRAWN if made.problems and not asked.problems and f not in made.problems]
    lost += [f for f in TOLD if made.stories and not asked.stories and f not in made.stories]
    if not lost:
        return ""
    return (
        f" Without questions of {', '.join(lost)}: the subject's tokenizer does not tell their "
        "answers apart by their first token."
    )


def cannot_answer(error: ChoicesError) -> str:
    """Why a subject has no answers to the controls."""
    why = str(error).split(" (")[0]  # without the list of all choices
    return f"cannot answer the controls: {why}"


def writes(spec: SubjectSpec) -> CausalSubject | OpenAISubject:
    """Settings of a subject that can be asked something new.

    Raises:
        TypeError: it cannot.
    """
    if not isinstance(spec, CausalSubject | OpenAISubject):
        raise TypeError(f"a subject of kind {spec.kind} cannot be asked anything new")
    return spec


def answers_to(
    subject: Writer, spec: SubjectSpec, questions: Iterable[Question]
) -> dict[str, str | None]:
    """What a subject answers to controls after its own reasoning, by the control's text.

    Args:
        subject: whoever answers.
        spec: its settings.
        questions: controls and their possible answers; one that comes twice is asked once.
    """
    known = dict(questions)
    texts = [put(writes(spec), text, choices) for text, choices in known.items()]
    return dict(zip(known, (one.answer for one in write(subject, texts)), strict=True))
