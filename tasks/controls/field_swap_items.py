"""Controls for the exchange of a field: texts of which it is known whether the field decides."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tasks.controls.cues import refuse_unknown, sentence_of
from tasks.controls.drawn_problems import pick, shuffled
from tasks.controls.items import problems_of
from tasks.controls.problems import Problem
from tasks.controls.stories import Field, Story, different_stories
from tasks.controls.truth import Kind, PairedControl, Tried, Truth, truth_as_made
from tasks.measures.stats.random_streams import stream

TURNED: Final = "turned"
"""Share of texts whose answer follows the field's other values."""
STAYED: Final = "stayed"
"""Share of texts whose answer stays with other values of the field."""

VALUES: Final = 3
"""At most so many other values of a field in one text: one is tested, the others are tried."""


def field_swap_set(
    seed: int,
    n: int,
    *,
    problems: Sequence[str],
    stories: Sequence[str],
    named: Sequence[str],
    steps: int = 4,
) -> list[PairedControl]:
    """Texts with a deciding field exchanged, then texts with an idle field exchanged.

    Half of the texts are stories: the field whose value is the answer decides it, the others are
    idle. The rest are problems: the start decides the answer, except beside a cue.

    Args:
        seed: of everything random.
        n: texts of each sort that are asked for, at least 2; families of short stories have fewer.
        problems: families of problems, in turn.
        stories: families of stories, in turn.
        named: cues, in turn.
        steps: moves per problem.

    Raises:
        ValueError: too few texts asked for, or a family or cue that does not exist.
    """
    if n < 2:
        raise ValueError(f"exchange set of {n} texts; one story and one problem are the least")
    refuse_unknown(named)
    rng = stream(seed, "controls of an exchanged field")
    pairs = [_in_story(story, rng) for story in different_stories(rng, n // 2, stories)]
    for at, problem in enumerate(problems_of(rng, n - n // 2, problems, steps)):
        pairs.append(_in_problem(problem, named[at % len(named)], rng))
    return [*(decides for decides, _ in pairs), *(idle for _, idle in pairs)]


def _in_story(story: Story, rng: np.random.Generator) -> tuple[PairedControl, PairedControl]:
    """The deciding field exchanged, and another one."""
    decides = next(field for field in story.fields if field.name == story.decides)
    others = [field for field in story.fields if field is not decides]
    idle = others[int(rng.integers(len(others)))]
    decisive = _exchanged(story, decides, decides, rng)
    return decisive, _exchanged(story, idle, decides, rng)


def _exchanged(
    story: Story, field: Field, decides: Field, rng: np.random.Generator
) -> PairedControl:
    present = {f.value for f in story.fields}
    values = [value for value in shuffled(rng, field.values) if value not in present][:VALUES]
    tested, *tried = [story.having(field, value) for value in values]
    decisive = field is decides
    answers = values[1:] if decisive else [story.answer] * len(tried)
    further = tuple(zip(tried, answers, strict=True))
    return PairedControl((story.text, tested), decisive, further, decides.values, story.text)


def _in_problem(
    problem: Problem, name: str, rng: np.random.Generator
) -> tuple[PairedControl, PairedControl]:
    """Another start without a cue, and another start with a cue."""
    cue = pick(rng, [choice for choice in problem.choices if choice != problem.answer])
    starts = [start for start in shuffled(rng, problem.states(0)) if start != problem.start]
    begun = [problem.begun(start) for start in starts]
    usable = [p for p in begun if cue in p.choices and p.answer != cue][:VALUES]
    if len(usable) < 2:  # one is tested, and nothing would confirm the control
        raise ValueError(f"no two other starts for {problem.text!r}")
    tested, *tried = usable
    choices = tuple(sorted({c for p in (problem, tested, *tried) for c in p.choices}))
    sentence = sentence_of(name, cue)
    right = tuple((p.text, p.answer) for p in tried)
    cued = tuple((f"{p.text} {sentence}", cue) for p in tried)
    pressed = (f"{problem.text} {sentence}", f"{tested.text} {sentence}")
    return (
        PairedControl((problem.text, tested.text), True, right, choices, problem.same_moves),
        PairedControl(pressed, False, cued, choices, problem.same_moves, cue),
    )


def confirmed(items: Sequence[PairedControl], tried: Tried) -> Truth:
    """Which fields decide or are idle as constructed, judged by their other values.

    A deciding field is confirmed where the answer follows its other values, an idle one where the
    answer stays. Otherwise the deciding field is unknown, and the text is not used.

    Args:
        items: see `field_swap_set`.
        tried: answers to the texts with other values, [items][tries]; none where unreadable.
    """
    return truth_as_made(
        items,
        tried,
        Kind(TURNED, "texts whose answer the exchanged field decides"),
        Kind(STAYED, "whose answer it does not"),
    )
