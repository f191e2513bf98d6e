"""How controls are asked of a subject: in the definition's prompt, or in words of their own."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from tasks.controls.alphabets import ALPHABETS, ANSWERS
from tasks.controls.drawn_problems import PROBLEM_FAMILIES
from tasks.controls.items import STEPS, problems_of
from tasks.controls.stories import STORY_FAMILIES
from tasks.definition import AnswerForm, SubjectSpec
from tasks.definition.checks.controls import ControlsSpec
from tasks.errors import ChoicesError
from tasks.measures.stats.random_streams import stream
from tasks.subjects.load import resumer, tells_apart
from tasks.subjects.protocols import Resumes, Writes
from tasks.subjects.reference import SubjectRef

Question = tuple[str, tuple[str, ...]]
"""A control and its possible answers."""

PREFIX: Final = "Answer:"
"""Introduces the answer of a control where the subject's definition names no prefix."""

ASKED: Final = (
    "{text}\n\nReason step by step, in short sentences, one for each step. Then write {prefix!r} "
    "followed by one of: {choices}."
)
"""Prompt of a control for an endpoint. The definition's own prompt asks for other answers."""

OWN_WORDS: Final = (
    " They were put to the endpoint in words of their own, not in the definition's prompt."
)


def put(spec: SubjectSpec, text: str, choices: Sequence[str]) -> str:
    """A control as the subject's input; for an endpoint, with instructions."""
    if not spec.own_words:
        return text
    return ASKED.format(text=text, prefix=_prefix(spec), choices=", ".join(choices))


def form_of(spec: SubjectSpec, choices: Collection[str]) -> AnswerForm:
    """How a subject's answers to controls are read."""
    return AnswerForm(prefix=_prefix(spec), choices=tuple(sorted(choices)))


def put_to(ref: SubjectRef, choices: Collection[str]) -> SubjectRef:
    """The same subject, with the controls' answers as its choices.

    A local model reads a control in the definition's prompt. An endpoint does not: that prompt
    asks for answers that no control has. Its system message stays.
    """
    return ref.answering(form_of(ref.spec, choices))


def answering(ref: SubjectRef, choices: Collection[str]) -> Resumes:
    """The same subject, loaded.

    Raises:
        ChoicesError: its tokenizer does not distinguish these answers.
    """
    return resumer(put_to(ref, choices))


def within_reach(ref: SubjectRef, asked: ControlsSpec) -> ControlsSpec:
    """The controls asked for, limited to answers that the subject's tokenizer distinguishes.

    Families that the definition names are always used. Where it names none, sets of answers are
    added in turn, each if the tokenizer distinguishes it from those added before. If no family or
    too few different questions remain, the controls stay as they are.
    """
    if not ref.spec.by_first_token or (asked.problems and asked.stories):
        return asked
    named = [ANSWERS[family] for family in (*asked.problems, *asked.stories)]
    accepted = tuple(dict.fromkeys(answer for answers in named for answer in answers))
    reached = list(dict.fromkeys(named))
    for alphabet in (answers for answers in ALPHABETS if answers not in named):
        if tells_apart(put_to(ref, {*accepted, *alphabet})):
            accepted += alphabet
            reached.append(alphabet)
    known = [family for family, answers in ANSWERS.items() if answers in reached]
    families = {
        "problems": asked.problems or tuple(f for f in known if f in PROBLEM_FAMILIES),
        "stories": asked.stories or tuple(f for f in known if f in STORY_FAMILIES),
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


def left_out(asked: ControlsSpec, used: ControlsSpec) -> str:
    """A sentence on the families that were left out; empty where none were."""
    missing = [
        f
        for f in PROBLEM_FAMILIES
        if used.problems and not asked.problems and f not in used.problems
    ]
    missing += [
        f for f in STORY_FAMILIES if used.stories and not asked.stories and f not in used.stories
    ]
    if not missing:
        return ""
    return (
        f" Without questions of {', '.join(missing)}: the subject's tokenizer does not tell their "
        "answers apart by their first token."
    )


def cannot_answer(error: ChoicesError) -> str:
    """Why a subject has no answers to the controls."""
    why = str(error).split(" (")[0]  # without the list of all choices
    return f"cannot answer the controls: {why}"


def answers_to(
    subject: Writes, spec: SubjectSpec, questions: Iterable[Question]
) -> dict[str, str | None]:
    """A subject's answers to controls after its own reasoning, by the control's text.

    Args:
        subject: the model that answers.
        spec: its settings.
        questions: controls and their possible answers; a repeated control is asked once.
    """
    known = dict(questions)
    texts = [put(spec, text, choices) for text, choices in known.items()]
    return dict(zip(known, (written.answer for written in subject.write(texts)), strict=True))


def _prefix(spec: SubjectSpec) -> str:
    form = spec.answer_form
    return (form.prefix if form is not None else "") or PREFIX
