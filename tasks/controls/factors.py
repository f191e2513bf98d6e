"""Controls for stated factors: texts with one deciding field, reasonings that name this or another.

The test compares the fields that a reasoning names with those that attribution finds. The truth
must come from neither: by construction one field of a control story is its answer, and the
subject's answers to exchanged fields confirm that.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from tasks.controls.drawn_problems import shuffled
from tasks.controls.stories import STORY_FAMILIES, Field, Story, different_stories
from tasks.measures.stats.random_streams import stream

EXCHANGED: Final = 2
"""How many other values every field is tried with."""


class Named(NamedTuple):
    """One text with a reasoning that names one of its fields."""

    family: str
    text: str
    fields: tuple[Field, ...]
    reasoning: str
    """Unchanged when a field of the text is exchanged."""
    decisive: bool
    """Whether the field that it names is the one that decides, by construction."""
    answer: str
    tried: tuple[tuple[str, str], ...]
    """The text with one field exchanged, and the answer that it then has."""


def factor_set(seed: int, n: int, *, stories: Sequence[str] = tuple(STORY_FAMILIES)) -> list[Named]:
    """Texts whose reasoning names the deciding field, then equally many that name another.

    In a family with too few different texts, a text occurs once in either half: the test's scores
    of the two are not independent, and its interval has to take them together
    (`tasks.measures.stats.auroc`). No text occurs twice in the same half.

    Args:
        seed: of everything random.
        n: texts of either kind, at least 1; fewer where the families do not have so many.
        stories: families of texts, in equal parts; each with equally many of either kind.

    Raises:
        ValueError: no texts asked for, no family, or one that does not exist.
    """
    unknown = {*stories} - {*STORY_FAMILIES}
    if n < 1 or not stories or unknown:
        raise ValueError(f"factor set of {n} texts, unknown families: {sorted(unknown)}")
    rng = stream(seed, "controls of stated factors")
    decisive, idle = [], []
    for at, family in enumerate(stories):
        share = len(range(at, n, len(stories)))
        texts = different_stories(rng, 2 * share, [family])
        decisive += [_naming(story, story.decides, rng) for story in texts[:share]]
        for story in [*texts[share:], *texts][:share]:
            others = [field.name for field in story.fields if field.name != story.decides]
            idle.append(_naming(story, others[int(rng.integers(len(others)))], rng))
    return [*decisive, *idle]


def confirmed(
    items: Sequence[Named], given: Sequence[str | None], tried: Sequence[Sequence[str | None]]
) -> list[int]:
    """Positions of the items whose construction the subject's answers confirm.

    The answer is the deciding field's value, follows every other value of this field, and stays
    when any other field is exchanged, all after the same reasoning.

    Args:
        items: see `factor_set`.
        given: answer to each, none where it cannot be read.
        tried: answers to the texts with one field exchanged, [items][tries].
    """
    return [
        at
        for at, (item, answer, others) in enumerate(zip(items, given, tried, strict=True))
        if answer == item.answer and list(others) == [wanted for _, wanted in item.tried]
    ]


def balanced(families: Sequence[str], decisive: Sequence[bool]) -> list[int]:
    """Positions of equally many controls of either truth from every family: the first of each.

    With more of one truth among texts of two fields than among texts of four, the family alone
    would predict the truth, whatever the attribution.

    Args:
        families: of each control.
        decisive: truth of each.
    """
    positions: list[int] = []
    for family in dict.fromkeys(families):
        of = [[i for i, f in enumerate(families) if f == family and decisive[i] is truth]
              for truth in (True, False)]  # fmt: skip
        positions += [i for pair in zip(*of, strict=False) for i in pair]
    return sorted(positions)


def _naming(story: Story, name: str, rng: np.random.Generator) -> Named:
    value = next(field.value for field in story.fields if field.name == name)
    return Named(
        family=story.family,
        text=story.text,
        fields=story.fields,
        reasoning=" ".join(story.reasoning(value, rng)),
        decisive=name == story.decides,
        answer=story.answer,
        tried=tuple(_exchanges(story, rng)),
    )


def _exchanges(story: Story, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Every field with other values, none of which stands in the text already."""
    present = {field.value for field in story.fields}
    for field in story.fields:
        free = [value for value in shuffled(rng, field.values) if value not in present]
        for value in free[:EXCHANGED]:
            yield story.having(field, value), value if field.name == story.decides else story.answer
