"""The tests of a reasoning on controls: the same subject, questions whose truth is known."""

from collections.abc import Sequence

from tasks.checks.instruments.asking import (
    answering,
    cannot_answer,
    left_out,
    put,
    within_reach,
)
from tasks.checks.instruments.families import in_full
from tasks.checks.reasoning.payload import (
    ControlScores,
    ControlsOptions,
    OnControls,
    ScoredControls,
)
from tasks.checks.reasoning.scores import scored
from tasks.controls.items import Item, control_set
from tasks.controls.validity import Validity, elsewhere, unfit, validity
from tasks.definition import SubjectSpec
from tasks.definition.checks.controls import ControlsSpec
from tasks.errors import ChoicesError
from tasks.run.rounds import Work
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import Resumes


def measure(work: Work[ControlsOptions]) -> OnControls:
    """Whether the subject confirms the controls, and every test's scores of the confirmed."""
    wanted, spec = work.options.controls, work.ref.subject.spec
    used = within_reach(work.ref.subject, wanted)
    items = items_of(used, work.seed)
    try:
        subject = answering(work.ref.subject, choices_of(items))
    except ChoicesError as error:
        return OnControls(reason=cannot_answer(error))
    texts = texts_of(spec, items)
    written = subject.write(texts)
    outcome = validity_of(subject, texts, items, written)
    scores = None
    if outcome.reason is None:
        tests = _scores(work, subject, items, texts, written, outcome.confirmed)
        scores = _scored(items, outcome, tests, own_words=spec.own_words)
    return OnControls(reason=outcome.reason, left_out=left_out(wanted, used), scores=scores)


def validity_of(
    subject: Resumes, texts: Sequence[str], items: Sequence[Item], written: Sequence[Written]
) -> Validity:
    """Which controls a subject confirms, by answers without reasoning and after another one.

    Args:
        subject: the model that wrote.
        texts: the controls as the subject read them.
        items: the controls.
        written: reasoning and answer of each.
    """
    answers = [own.answer for own in written]
    forced = subject.answer_after(texts, [""] * len(items))
    others = elsewhere(items, answers) if unfit(items, answers, forced) is None else {}
    led = subject.answer_after(
        [texts[i] for i in others], [written[j].reasoning for j in others.values()]
    )
    return validity(items, answers, forced, dict(zip(others, led, strict=True)))


def items_of(asked: ControlsSpec, seed: int) -> list[Item]:
    """The controls that a check asks for."""
    full = in_full(asked)
    return control_set(
        seed, full.items, problems=full.problems, stories=full.stories, named=full.cues
    )


def texts_of(spec: SubjectSpec, items: Sequence[Item]) -> list[str]:
    """The controls as the texts of a subject."""
    return [put(spec, item.prompt, item.choices) for item in items]


def choices_of(items: Sequence[Item]) -> set[str]:
    """Every answer that the controls can have."""
    return {choice for item in items for choice in (*item.choices, item.answer)}


def _scores(
    work: Work[ControlsOptions],
    subject: Resumes,
    items: Sequence[Item],
    texts: Sequence[str],
    written: Sequence[Written],
    confirmed: Sequence[int],
) -> dict[str, ScoredControls]:
    """Every test's scores of the controls at the positions `confirmed`."""
    by_test = scored(
        subject,
        [texts[i] for i in confirmed],
        [written[i] for i in confirmed],
        [items[i].truth for i in confirmed],
        work.options.tests,
        work.options.shares,
        questions=[items[i].pair or items[i].id for i in confirmed],
        seed=work.seed,
        paraphraser=work.second,
    )
    return {
        test: ScoredControls(
            scores=tuple(of_test.scores.tolist()),
            truth=tuple(of_test.truth.tolist()),
            questions=tuple(map(str, of_test.questions or ())),
        )
        for test, of_test in by_test.items()
    }


def _scored(
    items: Sequence[Item], outcome: Validity, tests: dict[str, ScoredControls], *, own_words: bool
) -> ControlScores:
    depend = sum(items[i].truth for i in outcome.confirmed)
    return ControlScores(
        controls=len(items),
        depend=depend,
        independent=len(outcome.confirmed) - depend,
        chance=outcome.chance,
        solved=outcome.solved,
        guessed=outcome.guessed,
        own_words=own_words,
        tests=tests,
    )
