"""How controls are put to a subject: in the definition's prompt, or in words of their own."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from tasks.controls.alphabets import ALPHABETS, ANSWERS
from tasks.controls.items import STEPS, problems_of
from tasks.controls.problems import DRAWN
from tasks.controls.stories import TOLD
from tasks.definition import AnswerForm, SubjectSpec
from tasks.definition.checks.controls import ControlsSpec
from tasks.errors import ChoicesError
from tasks.measures.stats.random_streams import stream
from tasks.subjects.load import resumer, tells_apart
from tasks.subjects.protocols import Resumes, Writes
from tasks.subjects.reference import SubjectRef

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


def put(spec: SubjectSpec, text: str, choices: Sequence[str]) -> str:
    """A control as the text of a subject; a model that was never shown one is told how."""
    if not spec.own_words:
        return text
    return ASKED.format(text=text, prefix=_prefix(spec), choices=", ".join(choices))


def form_of(spec: SubjectSpec, choices: Collection[str]) -> AnswerForm:
    """How a subject's answers to controls are read."""
    return AnswerForm(prefix=_prefix(spec), choices=tuple(sorted(choices)))


def put_to(ref: SubjectRef, choices: Collection[str]) -> SubjectRef:
    """A subject with the controls' answers for its own.

    A local model reads a control in the definition's prompt. An endpoint does not: that prompt
    asks for answers that no control has. Its system message stays.
    """
    return ref.answering(form_of(ref.spec, choices))


def answering(ref: SubjectRef, choices: Collection[str]) -> Resumes:
    """The same subject, loaded.

    Raises:
        ChoicesError: its tokenizer does not tell these answers apart.
    """
    return resumer(put_to(ref, choices))


def within_reach(ref: SubjectRef, asked: ControlsSpec) -> ControlsSpec:
    """The controls asked for, of families whose answers the subject's tokenizer tells apart.

    A definition that names families gets these, whatever comes of it. Where it names none, sets of
    answers are taken in turn, each if it is told apart together with those before; with none, or
    with too few different questions left, nothing is narrowed.
    """
    if not ref.spec.by_first_token or (asked.problems and asked.stories):
        return asked
    named = [ANSWERS[family] for family in (*asked.problems, *asked.stories)]
    kept = tuple(dict.fromkeys(answer for answers in named for answer in answers))
    reached = list(dict.fromkeys(named))
    for alphabet in (one for one in ALPHABETS if one not in named):
        if tells_apart(put_to(ref, {*kept, *alphabet})):
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
        problems_of(
            stream(0, "whether there are enough questions"),
            asked.items,
            families["problems"],
            STEPS,
        )
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


def answers_to(
    subject: Writes, spec: SubjectSpec, questions: Iterable[Question]
) -> dict[str, str | None]:
    """What a subject answers to controls after its own reasoning, by the control's text.

    Args:
        subject: whoever answers.
        spec: its settings.
        questions: controls and their possible answers; one that comes twice is asked once.
    """
    known = dict(questions)
    texts = [put(spec, text, choices) for text, choices in known.items()]
    return dict(zip(known, (one.answer for one in subject.write(texts)), strict=True))


def _prefix(spec: SubjectSpec) -> str:
    form = spec.answer_form
    return (form.prefix if form is not None else "") or PREFIX
