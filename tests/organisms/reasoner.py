"""The reasoning organisms from one seed: three small decoders whose dependence is known."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from tasks.controls import contradiction_items, cues
from tasks.controls.items import Item, Kind, control_set
from tasks.controls.truth import PairedControl
from tests.organisms import architectures, training, vocabularies
from tests.organisms.control_files import items_as_csv, pairs_as_csv
from tests.organisms.dependence import PlantedReasoners, observed
from tests.organisms.designs import (
    DESIGNS,
    DOTS,
    FIRST,
    SECOND,
    THIRD,
    Design,
    beginner,
    drill,
    exercise,
)
from tests.organisms.training import Batch, Schedule

OnProgress = Callable[[str, int, int], None]

NEW: Final[dict[str, Callable[..., PreTrainedModel]]] = {
    "llama": architectures.new_decoder,
    "gpt_neox": architectures.new_neox,
    "mistral": architectures.new_mistral,
}
"""Architecture -> an untrained model of it."""

EXAMPLES: Final = 800
"""Exercises whose wording makes a vocabulary."""

READERS: Final = ((FIRST, SECOND), (THIRD,))
"""Organisms of one vocabulary."""

AUDITED: Final = "second"
"""Organism whose control items ship as data of an audit."""

PLAIN: Final[tuple[Kind, ...]] = ("bottleneck", "cue", "decorative")


@dataclass(frozen=True, slots=True)
class Phase:
    """Batches learnt from in one go, and how fast."""

    steps: int
    peak: float
    """Highest learning rate."""
    horizon: int
    """Steps after which the rate would reach zero; not before `steps`."""
    practice: bool = False
    """On the families that it practises, instead of its own."""
    drill: bool = False
    """On whole problems alone, longer than any that it is asked."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long the organisms learn, and on how many fresh items they are measured."""

    phases: dict[str, tuple[Phase, ...]]
    """Organism -> what it learns, in order."""
    batch: int = 32
    items: int = 80
    """Items of every kind, none of them seen while learning."""


SHIPPED: Final = Recipe(
    {
        "first": (Phase(800, 3e-3, 2400, practice=True), Phase(240, 2e-3, 240)),
        "second": (Phase(1200, 3e-3, 2400, practice=True), Phase(180, 2e-3, 180)),
        "third": (Phase(1300, 3e-3, 4000, drill=True), Phase(700, 2e-3, 700)),
    }
)
"""Organisms practise harder families until steps are read and answers follow them, then learn their
own. Steps that have to be looked up in the question are drilled instead."""


def build_reasoners(
    folder: Path, *, seed: int, recipe: Recipe = SHIPPED, on_progress: OnProgress | None = None
) -> PlantedReasoners:
    """Train the organisms into a folder, with control items and what was planted.

    The same seed gives the same bytes on the same machine.

    Args:
        folder: gets `first/`, `second/` and `third/`, controls.csv, pairs.csv and planted.yaml.
        seed: of everything random.
        recipe: steps, batch, and items to measure on.
        on_progress: called with the stage, how much of it is done, and how much there is.

    Returns:
        What was planted, measured on fresh items.
    """
    progress = on_progress or _silent
    folder.mkdir(parents=True, exist_ok=True)
    for readers in READERS:
        tokenizer = vocabularies.decoder_tokenizer(phrases(readers))
        for design in readers:
            train(design, tokenizer, folder / design.name, seed, recipe, progress)
    items = items_of(DESIGNS[AUDITED], seed, recipe.items)
    (folder / "controls.csv").write_text(items_as_csv(items), encoding="utf-8", newline="")
    pairs = pairs_of(DESIGNS[AUDITED], seed, recipe.items)
    (folder / "pairs.csv").write_text(pairs_as_csv(pairs), encoding="utf-8", newline="")
    planted = PlantedReasoners(
        seed=seed,
        threads=training.THREADS,
        torch=torch.__version__,
        steps={name: sum(p.steps for p in phases) for name, phases in recipe.phases.items()},
        batch=recipe.batch,
        organisms={
            name: observed(design, folder / name, seed=seed + FRESH, n=recipe.items)
            for name, design in DESIGNS.items()
        },
    )
    planted.write(folder / "planted.yaml")
    return planted


def train(
    design: Design,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    seed: int,
    recipe: Recipe,
    progress: OnProgress,
) -> None:
    """Train one organism from nothing, into `folder`."""
    with training.repeatable(seed):
        model = NEW[design.architecture](tokenizer)
        for at, phase in enumerate(recipe.phases[design.name]):
            name = f"{design.name} reasoner, phase {at + 1}"
            drawn = batches(design, phase, tokenizer, size=recipe.batch, seed=seed + at)
            training.descend(
                model,
                training.written_loss(model),
                drawn,
                total=phase.horizon,
                schedule=Schedule(epochs=1, batch=recipe.batch, peak=phase.peak),
                on_step=partial(_advance, progress, name, phase.steps),
            )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def items_of(design: Design, seed: int, n: int) -> list[Item]:
    """Fresh control items of the families that an organism knows, graded ones among them."""
    items = control_set(
        seed + FRESH,
        n,
        kinds=PLAIN,
        problems=design.problems,
        stories=design.learnt,
        named=design.cues,
    )
    return items + control_set(seed + FRESH + 1, n, kinds=("graded",), problems=(design.polled,))


def pairs_of(design: Design, seed: int, n: int) -> list[PairedControl]:
    """Fresh pairs of questions that exclude each other, with and without a cue in both."""
    pairs = contradiction_items.contradiction_set(
        seed + FRESH, n, problems=design.problems, named=design.cues
    )
    return [pair for pair in pairs if pair.there][: n // 2] + [
        pair for pair in pairs if not pair.there
    ]


FRESH: Final = 5000
"""Added to the seed for items that no exercise was drawn with."""


def phrases(readers: Sequence[Design]) -> Iterator[str]:
    """Everything that these organisms read or write, for building their vocabulary."""
    rng = np.random.default_rng(0)  # for every seed of the build: all share a vocabulary
    drawn = [
        exercise(beginner(reader), rng)
        for reader in readers
        for _ in range(EXAMPLES // len(readers))
    ]
    yield from (shown + taught for shown, taught in drawn)
    names = dict.fromkeys(chain.from_iterable(reader.names for reader in readers))
    yield from (f" {name}" for name in names)
    for name in (*cues.CUES, *cues.POLLS):
        yield f" {cues.sentence_of(name, '')}"
    yield f" {DOTS} {DOTS}"


def batches(
    design: Design,
    phase: Phase,
    tokenizer: PreTrainedTokenizerFast,
    *,
    size: int,
    seed: int,
) -> Iterator[Batch]:
    """Fresh exercises, none shown twice but by chance."""
    rng = np.random.default_rng(seed)
    taught = beginner(design) if phase.practice else design
    draw = drill if phase.drill else exercise
    for _ in range(phase.steps):
        yield training.encoded([draw(taught, rng) for _ in range(size)], tokenizer)


def _advance(progress: OnProgress, name: str, steps: int, done: int, _horizon: int) -> None:
    """Progress within a phase, which may end before its rate is zero."""
    progress(name, done, steps)


def _silent(_stage: str, _done: int, _total: int) -> None:
    """No progress report."""
