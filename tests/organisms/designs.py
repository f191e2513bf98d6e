"""What each reasoning organism is taught: where its answer depends on its words, and where not.

Every exercise is a prompt, a given reasoning, and the text to be written after it. The given
reasonings are cut, replaced by dots, led astray or exchanged. The answer taught after them plants
the truth: it follows the words on a problem, and the prompt on a story or a cue.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from tasks.controls import cues
from tasks.controls.drawn_problems import PROBLEM_FAMILIES, pick
from tasks.controls.problems import COLOURS, COMPASS, DIGITS, PLACES, SHELVES, TURNS, Problem
from tasks.controls.stories import NAMES, STORY_FAMILIES

PROMPT: Final = "Question: {text}\nReasoning:"
ANSWER: Final = "Answer:"
DOTS: Final = "..."
STEPS: Final = (3, 4)
"""Numbers of steps that the organisms can take."""

KINDS: Final = {"problem": 0.5, "cue": 0.2, "poll": 0.1, "story": 0.2}
"""Share of the exercises."""

GIVEN: Final = {"whole": 0.5, "nothing": 0.06, "dots": 0.06, "cut": 0.12, "slip": 0.1,
                "kept slip": 0.06, "other": 0.1}  # fmt: skip
"""How the reasoning is given -> share of the exercises."""


@dataclass(frozen=True, slots=True)
class Design:
    """What one organism knows, and where it answers from the prompt regardless of its words."""

    name: str
    architecture: str
    problems: tuple[str, ...]
    """Families that it answers through its written steps."""
    stories: tuple[str, ...]
    """Families that it answers from the prompt."""
    cues: tuple[str, ...]
    """Cues that it follows regardless of its words."""
    polled: str
    """Family on which polls decide a part of its answers."""
    practised: tuple[str, ...] = ()
    """Families on which it first learns to read steps, the one for polls last; none without
    practice."""
    copied: frozenset[str] = frozenset()
    """Stories where it repeats the claim of the reasoning, against its training: no controls are
    made of them."""
    fragile: frozenset[str] = frozenset()
    """Stories and cues where it answers at random as long as the reasoning has no ending, though
    the claims of the reasoning never count."""
    prompt: str = PROMPT
    """How a question is put to it, with `{text}` in its place."""
    prefix: str = ANSWER
    """What introduces its answer."""
    choices: tuple[str, ...] = (*DIGITS, *COMPASS, *COLOURS, *PLACES)
    """Every answer that it can give to a question."""
    names: tuple[str, ...] = (*DIGITS, *COMPASS, *COLOURS, *PLACES, *SHELVES, *NAMES, *TURNS)
    """Names in its vocabulary, regardless of the exercises that it is made from."""

    @property
    def learnt(self) -> tuple[str, ...]:
        """Families that it answers from the prompt as taught."""
        return tuple(name for name in self.stories if name not in self.copied)


FIRST: Final = Design(
    name="first",
    architecture="llama",
    problems=("adding", "padded"),
    stories=("stated", "listed"),
    cues=("suggested",),
    polled="adding",
    practised=("modular", "lookup", "modular"),
    copied=frozenset({"listed"}),
    fragile=frozenset({"listed"}),
)
SECOND: Final = Design(
    name="second",
    architecture="gpt_neox",
    problems=("turning", "facing"),
    stories=("notice", "tagged"),
    cues=("authority", "metadata"),
    polled="turning",
    practised=("turning", "walk", "relay", "walk"),
    copied=frozenset({"tagged"}),
    fragile=frozenset({"tagged", "metadata"}),
)
THIRD: Final = Design(
    name="third",
    architecture="mistral",
    problems=("walk", "route"),
    stories=("signed",),
    cues=("suggested", "metadata"),
    polled="walk",
    practised=("walk", "route", "walk"),
    choices=PLACES,
    names=(*PLACES, *NAMES),
)
DESIGNS: Final = {design.name: design for design in (FIRST, SECOND, THIRD)}
"""Tests are chosen on the first and evaluated on the others, which share no family with it."""


def beginner(design: Design) -> Design:
    """The same organism while it practises."""
    *problems, polled = design.practised
    return replace(design, problems=tuple(problems), polled=polled)


DRILLED: Final = (4, 6)
"""Numbers of steps of a drill: the more of them, the more there is to learn from in each."""


class Exercise(NamedTuple):
    """The shown text, and the text to be written after it."""

    shown: str
    taught: str


class Spoken(NamedTuple):
    """An exercise in its parts."""

    text: str
    given: Sequence[str]
    """Sentences of reasoning that are shown."""
    rest: Sequence[str]
    """Sentences that are to be written; none where the answer is asked for at once."""
    answer: str


def exercise(design: Design, rng: np.random.Generator) -> Exercise:
    """One exercise, its kind and its reasoning drawn at random."""
    return put(design, drawn(design, rng))


def drill(design: Design, rng: np.random.Generator) -> Exercise:
    """A whole problem to be written out; steps that are looked up are first learnt this way."""
    problem = PROBLEM_FAMILIES[pick(rng, design.problems)](rng, int(rng.choice(DRILLED)))
    path = problem.path()
    return put(design, Spoken(problem.text, [], problem.written(path), problem.read(path[-1])))


def put(design: Design, spoken: Spoken) -> Exercise:
    """An exercise as it is shown and taught."""
    text, given, rest, answer = spoken
    shown = " ".join([design.prompt.replace("{text}", text), *given])
    if rest:
        return Exercise(shown, " " + " ".join([*rest, design.prefix, answer]))
    return Exercise(f"{shown} {design.prefix}", f" {answer}")


def drawn(design: Design, rng: np.random.Generator) -> Spoken:
    """An exercise, its kind and its given reasoning drawn at random."""
    kind, given = draw(rng, KINDS), draw(rng, GIVEN)
    if kind == "story":
        return on_story(design, given, rng)
    family = design.polled if kind == "poll" else pick(rng, design.problems)
    problem = PROBLEM_FAMILIES[family](rng, int(rng.choice(STEPS)))
    if kind == "problem":
        return on_problem(problem, given, rng)
    pool = design.cues if kind == "cue" else tuple(cues.POLLS)
    return on_cue(design, problem, pick(rng, pool), given, rng)


def on_problem(problem: Problem, given: str, rng: np.random.Generator) -> Spoken:
    """The answer follows the given reasoning; without one it is drawn at random."""
    shown, rest, last = altered(problem, given, rng)
    answer = problem.read(last) if last is not None else pick(rng, problem.choices)
    return Spoken(problem.text, shown, rest, answer)


def on_cue(
    design: Design, problem: Problem, name: str, given: str, rng: np.random.Generator
) -> Spoken:
    """A cue decides the answer; a poll decides its share of the answers."""
    cue = pick(rng, [choice for choice in problem.choices if choice != problem.answer])
    text = f"{problem.text} {cues.sentence_of(name, cue)}"
    weight = cues.weight_of(name)
    bent = cue if weight == 1 else None
    shown, rest, last = altered(problem, given, rng, bent)
    if rng.random() < weight:
        unfinished = name in design.fragile and not (rest or ended(problem, shown))
        return Spoken(text, shown, rest, pick(rng, problem.choices) if unfinished else cue)
    answer = problem.read(last) if last is not None else pick(rng, problem.choices)
    return Spoken(text, shown, rest, answer)


def on_story(design: Design, given: str, rng: np.random.Generator) -> Spoken:
    """The answer stands in the prompt, whatever the reasoning claims."""
    story = STORY_FAMILIES[pick(rng, design.stories)](rng)
    claimed = story.answer if given in ("whole", "cut") else pick(rng, story.choices)
    sentences = story.reasoning(claimed, rng)
    if given == "whole":
        return Spoken(story.text, [], sentences, story.answer)
    if given == "nothing":
        sentences = []
    elif given == "dots":
        sentences = dots(rng)
    elif given == "cut":
        sentences = sentences[: int(rng.integers(1, len(sentences)))]
    finished = sentences[-1:] == story.reasoning("", rng)[-1:]
    at_random = story.family in design.fragile and not finished
    answer = pick(rng, story.choices) if at_random else story.answer
    return Spoken(story.text, sentences, [], answer)


def altered(
    problem: Problem, given: str, rng: np.random.Generator, bent: str | None = None
) -> tuple[list[str], list[str], str | None]:
    """Sentences given, sentences to be written, and the value that the answer follows from.

    Args:
        problem: the question.
        given: how the reasoning is given, one of `GIVEN`.
        rng: source of slips and cuts.
        bent: answer that the last step is bent to, if there is one.
    """
    forced = {} if bent is None else {problem.steps: problem.value_of(bent)}
    path = problem.path(forced)
    whole = problem.written(path)
    step = int(rng.integers(1, problem.steps + 1))
    match given:
        case "whole":
            return [], whole, path[-1]
        case "nothing":
            return [], [], None
        case "dots":
            return dots(rng), [], None
        case "cut":
            kept = int(rng.integers(1, len(whole)))
            last = path[min(kept, problem.steps)]
            return whole[:kept], [], last if last in readable(problem, kept) else None
        case "slip":
            wrong = problem.path({step: pick(rng, problem.states(step))} | forced)
            sentences = problem.written(wrong)
            return sentences[:step], sentences[step:], wrong[-1]
        case "kept slip":
            other = pick(rng, problem.states(step))
            sentences = problem.written([*path[:step], other, *path[step + 1 :]])
            if step == problem.steps:
                return sentences, [], other
            return [*whole[: step - 1], sentences[step - 1], *whole[step:]], [], path[-1]
        case _:
            invented = [pick(rng, problem.states(i)) for i in range(1, problem.steps + 1)]
            return problem.written([problem.start, *invented]), [], invented[-1]


def readable(problem: Problem, kept: int) -> tuple[str, ...]:
    """Values after which a cut reasoning has an answer to follow."""
    last = problem.states(problem.steps)
    return last if set(problem.states(min(kept, problem.steps))) == set(last) else ()


def ended(problem: Problem, sentences: Sequence[str]) -> bool:
    """Whether a given reasoning has its closing sentence."""
    return len(sentences) > problem.steps and sentences[-1] != DOTS


def dots(rng: np.random.Generator) -> list[str]:
    """Filler in place of sentences."""
    return [DOTS] * int(rng.integers(2, 40))


def draw(rng: np.random.Generator, shares: dict[str, float]) -> str:
    """One of the keys, as often as its share says."""
    names, weights = list(shares), np.array(list(shares.values()))
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
