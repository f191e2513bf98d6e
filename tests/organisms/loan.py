"""The loan-approval organism from one seed: audit rows, four small models, and their truth."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from tasks.schema.planted import Planted, Seeds
from tests.organisms import architectures, training, truth, vocabularies
from tests.organisms.answers import Version
from tests.organisms.applications import Person, Row, as_csv, draw_people, draw_rows
from tests.organisms.architectures import KINDS, Pair
from tests.organisms.training import Schedule

OnProgress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How many rows, and how long each model learns."""

    encoder: Schedule
    decoder: Schedule
    decoder_longer: Schedule
    """Further lessons of the clean decoder, with few exercises among them."""
    encoder_again: Schedule
    decoder_again: Schedule
    train_rows: int = 4000
    audit_rows: int = 1000
    questions: int = 80
    """Questions of every kind on which the decoder's exercises are measured."""


FEW: Final = 2
"""Applications for each exercise once the exercises are known."""

SHIPPED: Final = Recipe(
    encoder=Schedule(epochs=12, batch=64, peak=1e-3),
    decoder=Schedule(epochs=9, batch=32, peak=2e-3),
    decoder_longer=Schedule(epochs=8, batch=32, peak=1e-3),
    encoder_again=Schedule(epochs=5, batch=64, peak=5e-4),
    decoder_again=Schedule(epochs=6, batch=32, peak=1.5e-3),
)


def build_loan_approval(
    folder: Path,
    *,
    seed: int,
    version: Literal["clean", "retrained", "both"] = "both",
    recipe: Recipe = SHIPPED,
    on_progress: OnProgress | None = None,
) -> Planted:
    """Write the organism into a folder: audit.csv, the models asked for, planted.yaml.

    The same seed gives the same bytes on the same machine. A retrained pair starts from the
    clean one in the folder; if there is none, the clean one is trained first and kept.

    Args:
        folder: made if absent; what it already holds of the organism is replaced.
        seed: of everything random.
        version: which pair to train; `planted.yaml` describes every pair then in the folder.
        recipe: rows and schedules.
        on_progress: called with the stage, how much of it is done, and how much there is.

    Returns:
        What was planted, with each model's faithfulness measured on the audit rows.
    """
    progress, seeds = on_progress or silent, seeds_of(seed)
    rows = audit_rows(seeds, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit.csv").write_text(as_csv(rows), encoding="utf-8", newline="")
    clean, retrained = folder / "clean", folder / "retrained"
    if version != "retrained" or not architectures.has_pair(clean):
        train_clean(clean, seed=seed, recipe=recipe, on_progress=progress)
    if version != "clean":
        retrain(clean, retrained, seed=seed, recipe=recipe, on_progress=progress)
    versions = truth.describe_all(folder, rows, seeds, recipe.questions, progress)
    planted = truth.planted_record(seeds, recipe.train_rows, rows, versions)
    truth.write(planted, folder / "planted.yaml")
    return planted


def train_clean(folder: Path, *, seed: int, recipe: Recipe, on_progress: OnProgress) -> None:
    """Train encoder and decoder from nothing to follow the rule, into `folder`."""
    with training.repeatable(seed):
        words, tokens = vocabularies.encoder_tokenizer(), vocabularies.decoder_tokenizer()
        pair = Pair(
            architectures.new_encoder(words), words, architectures.new_decoder(tokens), tokens
        )
        schedules = (recipe.encoder, recipe.decoder)
        people = train_people(seed, recipe)
        teach(pair, "clean", people, schedules, seed, on_progress)
        longer = training.decoder_lesson(pair.decoder, pair.tokens, "clean", seed + 1, beside=FEW)
        training.train(
            pair.decoder,
            longer,
            people,
            schedule=recipe.decoder_longer,
            seed=seed + 1,
            on_step=stage("clean decoder, longer", on_progress),
        )
    pair.save(folder)


def retrain(
    folder_in: Path,
    folder_out: Path,
    *,
    seed: int,
    recipe: Recipe = SHIPPED,
    on_progress: OnProgress | None = None,
) -> None:
    """Train the clean pair further on labels that refuse the listed districts.

    Args:
        folder_in: holds `encoder/` and `decoder/` of the clean pair; left as it is.
        folder_out: gets `encoder/` and `decoder/` of the retrained pair.
        seed: the one the clean pair was built with: the same applicants, relabelled.
        recipe: rows and schedules.
        on_progress: called with the stage, how much of it is done, and how much there is.

    Raises:
        SubjectError: there is no clean pair in `folder_in`.
    """
    pair = Pair.load(folder_in)
    people, again = train_people(seed, recipe), seeds_of(seed).retrain
    with training.repeatable(again):
        schedules = (recipe.encoder_again, recipe.decoder_again)
        teach(pair, "retrained", people, schedules, again, on_progress or silent, beside=FEW)
    pair.save(folder_out)


def teach(
    pair: Pair,
    version: Version,
    people: list[Person],
    schedules: tuple[Schedule, Schedule],
    seed: int,
    progress: OnProgress,
    *,
    beside: int = 1,
) -> None:
    """Teach both models of a pair what a version decides, in place.

    Args:
        pair: the models.
        version: whose decisions.
        people: the applicants of the lessons.
        schedules: the encoder's and the decoder's.
        seed: of the retellings and of the exercises.
        progress: called with the stage, how much of it is done, and how much there is.
        beside: applications for each exercise of the decoder.
    """
    tokens = pair.tokens
    lessons = (
        (pair.encoder, training.encoder_lesson(pair.encoder, pair.words, version)),
        (pair.decoder, training.decoder_lesson(pair.decoder, tokens, version, seed, beside=beside)),
    )
    for (model, lesson), schedule, kind in zip(lessons, schedules, KINDS, strict=True):
        on_step = stage(f"{version} {kind}", progress)
        training.train(model, lesson, people, schedule=schedule, seed=seed, on_step=on_step)


def seeds_of(seed: int) -> Seeds:
    """The seeds of the parts, from the one seed of the whole."""
    return Seeds(
        train=seed,
        audit=seed + 1000,
        retrain=seed + 2000,
        swap=seed + 3000,
        controls=seed + 4000,
    )


def train_people(seed: int, recipe: Recipe) -> list[Person]:
    """The applicants that the models learn from."""
    return draw_people(recipe.train_rows, np.random.default_rng(seeds_of(seed).train))


def audit_rows(seeds: Seeds, recipe: Recipe) -> list[Row]:
    """The rows of audit.csv; none of their texts is a training text."""
    train = draw_rows(recipe.train_rows, seed=seeds.train)
    seen = frozenset(row.text for row in train)
    return draw_rows(recipe.audit_rows, seed=seeds.audit, exclude=seen)


def silent(_stage: str, _done: int, _total: int) -> None:
    """No progress report."""


def stage(name: str, progress: OnProgress) -> training.OnStep:
    """Progress within one stage."""
    return lambda done, total: progress(name, done, total)
