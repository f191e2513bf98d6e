"""Control items: questions whose dependence on the written reasoning is known by construction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from tasks.controls import cues
from tasks.controls.drawn_problems import PROBLEM_FAMILIES, pick
from tasks.controls.problems import Problem
from tasks.controls.stories import STORY_FAMILIES
from tasks.measures.stats.random_streams import stream

Kind = Literal["bottleneck", "cue", "decorative", "graded"]
KINDS: Final[tuple[Kind, ...]] = ("bottleneck", "cue", "decorative")
STEPS: Final = 4
TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Item:
    """One question with its reference reasoning, its answer, and the truth about both."""

    id: str
    kind: Kind
    family: str
    """What the question is made of; tests are chosen on some families, evaluated on others."""
    prompt: str
    """The question as a subject reads it, the cue included."""
    reasoning: str
    """A reasoning that leads to the answer: the steps, or a story's filler sentences."""
    answer: str
    """The answer that the reasoning leads to; the cue's where the cue decides."""
    choices: tuple[str, ...]
    """Possible answers without the reasoning; guessing is right once in so many."""
    truth: bool
    """Whether the answer depends on the written reasoning."""
    dependence: float
    """Share of the answers that follow the reasoning rather than the prompt, in [0, 1]."""
    cue: str | None
    """Name of the cue in the prompt; none where there is no cue."""
    pair: str | None
    """Id of the bottleneck item that is this one without its cue."""

    @property
    def chance(self) -> float:
        """Accuracy of guessing."""
        return 1 / len(self.choices)


def control_set(
    seed: int,
    n: int,
    *,
    kinds: Sequence[Kind] = KINDS,
    problems: Sequence[str] = tuple(PROBLEM_FAMILIES),
    stories: Sequence[str] = tuple(STORY_FAMILIES),
    named: Sequence[str] = tuple(cues.CUES),
    polls: Sequence[str] = tuple(cues.POLLS),
    steps: int = STEPS,
) -> list[Item]:
    """Control items, equally many of each kind, families in turn; no question twice.

    A *bottleneck* item has its answer only at the end of its steps. A *cue* item is a bottleneck
    item of the same set with a sentence that suggests another answer. The answer of a
    *decorative* item stands in its text. *Graded* items, on request, suggest an answer that is
    to decide a quarter, a half or three quarters of the answers. For an unknown
    model, `truth` is what the item was made for: whether the model needs the steps of a bottleneck
    item, and whether it follows a cue, has to be measured (`tasks.controls.validity`).

    Args:
        seed: of everything random; the same seed gives the same items.
        n: items of every kind, at least 1.
        kinds: which kinds, without repetition.
        problems: families of bottleneck, cue and graded items.
        stories: families of decorative items.
        named: cues of the cue items.
        polls: cues of the graded items.
        steps: moves per problem; more of them for a model that makes a few in its head.

    Returns:
        Items in the order of `kinds`. A set without bottleneck items still pairs its cue items.

    Raises:
        ValueError: no items asked for, or a family that does not exist.
    """
    unknown = {*problems} - {*PROBLEM_FAMILIES} | {*stories} - {*STORY_FAMILIES}
    if n < 1 or unknown:
        raise ValueError(f"control set of {n} items, unknown families: {sorted(unknown)}")
    rng = stream(seed, "controls of the reasoning")
    bases = problems_of(rng, n, problems, steps)
    items: list[Item] = []
    for kind in kinds:
        match kind:
            case "bottleneck":
                items += [_bottleneck(problem, at) for at, problem in enumerate(bases)]
            case "cue":
                items += [_cued(p, at, named[at % len(named)], rng) for at, p in enumerate(bases)]
            case "graded":
                items += [_cued(p, at, polls[at % len(polls)], rng) for at, p in enumerate(bases)]
            case "decorative":
                items += _decorative(rng, n, stories)
    return items


def problems_of(
    rng: np.random.Generator, n: int, families: Sequence[str], steps: int
) -> list[Problem]:
    """Different problems, families in turn.

    Raises:
        ValueError: too few exist, none are asked for, or a family does not exist.
    """
    unknown = {*families} - {*PROBLEM_FAMILIES}
    if n < 1 or unknown:
        raise ValueError(f"{n} problems, unknown families: {sorted(unknown)}")
    problems: dict[str, Problem] = {}
    for _ in range(TRIES * n + 1):
        if len(problems) == n:
            return list(problems.values())
        problem = PROBLEM_FAMILIES[families[len(problems) % len(families)]](rng, steps)
        problems.setdefault(problem.text, problem)
    raise ValueError(f"{n} different problems of {', '.join(families)} with {steps} steps")


def _bottleneck(problem: Problem, at: int) -> Item:
    return Item(
        id=f"{problem.family}-{at}",
        kind="bottleneck",
        family=problem.family,
        prompt=problem.text,
        reasoning=" ".join(problem.written(problem.path())),
        answer=problem.answer,
        choices=problem.choices,
        truth=True,
        dependence=1.0,
        cue=None,
        pair=None,
    )


def _cued(problem: Problem, at: int, name: str, rng: np.random.Generator) -> Item:
    """The same question with a suggested answer; a decisive cue bends the last step to itself."""
    plain, weight = _bottleneck(problem, at), cues.weight_of(name)
    cue = pick(rng, [choice for choice in problem.choices if choice != problem.answer])
    decides = weight == 1
    bent = {problem.steps: problem.value_of(cue)} if decides else {}
    return replace(
        plain,
        id=f"{plain.id}-{name.replace(' ', '-')}",
        kind="cue" if decides else "graded",
        prompt=f"{problem.text} {cues.sentence_of(name, cue)}",
        reasoning=" ".join(problem.written(problem.path(bent))),
        answer=cue if decides else plain.answer,
        truth=weight < 0.5,  # two in four decides half of the answers: neither truth fits
        dependence=1 - weight,
        cue=name,
        pair=plain.id,
    )


def _decorative(rng: np.random.Generator, n: int, families: Sequence[str]) -> list[Item]:
    """Questions whose answer stands in the text; short texts may come twice."""
    items = []
    for at in range(n):
        story = STORY_FAMILIES[families[at % len(families)]](rng)
        items.append(
            Item(
                id=f"{story.family}-{at}",
                kind="decorative",
                family=story.family,
                prompt=story.text,
                reasoning=" ".join(story.reasoning(story.answer, rng)),
                answer=story.answer,
                choices=story.choices,
                truth=False,
                dependence=0.0,
                cue=None,
                pair=None,
            )
        )
    return items
