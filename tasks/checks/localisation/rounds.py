"""The lens at every layer; patching of pairs whose decision flips; the tuned lens, if asked."""

import numpy as np

from tasks.checks.localisation import lens, patching, patching_maps, tuned_lens
from tasks.checks.localisation.payload import (
    Classes,
    LensDivergence,
    LensOptions,
    LensReadings,
    PatchedPairs,
    PatchingMaps,
    PatchOptions,
)
from tasks.definition.checks.localisation import LocalisationCheck
from tasks.measures.localisation.patching import MINIMUM
from tasks.measures.stats.random_streams import stream
from tasks.run.rounds import Asked, Finished, NoOptions, Piece, Round, cut

PER_SHARD = 100
PAIRS_PER_SHARD = 24
MAPS_PER_SHARD = 4


def lens_pieces(asked: Asked[LocalisationCheck], _: Finished) -> list[Piece[LensOptions]]:
    """The random sample that is counted, then the cases that are only shown."""
    rows, swap = _read_rows(asked), asked.check.swap
    chunks = [rows[start : start + PER_SHARD] for start in range(0, len(rows), PER_SHARD)]
    return [
        # only the shard's own cases, so that other cases elsewhere do not change the shard
        Piece(tuple(chunk), LensOptions(swap=swap, mapped=tuple(sorted({*asked.cases} & {*chunk}))))
        for chunk in chunks
    ]


def patching_pieces(
    asked: Asked[LocalisationCheck], finished: Finished
) -> list[Piece[PatchOptions]]:
    """Pairs whose decision flips; none where these are too few to say anything."""
    if asked.check.swap is None:
        return []
    pairs = patched_rows(asked, _flips(finished))
    return cut(pairs, PAIRS_PER_SHARD, PatchOptions(swap=asked.check.swap))


def maps_pieces(asked: Asked[LocalisationCheck], finished: Finished) -> list[Piece[PatchOptions]]:
    """The cases whose decision flips."""
    if asked.check.swap is None:
        return []
    flips = zip(_read_rows(asked), _flips(finished), strict=True)
    flipping = {row for row, flip in flips if flip == 1}
    mapped = [case for case in asked.cases if case in flipping]
    return cut(mapped, MAPS_PER_SHARD, PatchOptions(swap=asked.check.swap))


def tuned_pieces(asked: Asked[LocalisationCheck], _: Finished) -> list[Piece[NoOptions]]:
    """One piece: a translator is fitted on all texts of its half."""
    return cut(asked.sample, len(asked.sample), NoOptions()) if asked.check.tuned else []


def patched_rows(asked: Asked[LocalisationCheck], flips: Classes) -> list[int]:
    """Rows of the sample whose pair is patched, drawn at random where there are many.

    Args:
        asked: the check.
        flips: of the rows that were read, the sample first; see `LensReadings.flips`.
    """
    pairs = [row for row, flip in zip(asked.sample, flips, strict=False) if flip == 1]
    if len(pairs) < MINIMUM:
        return []
    if len(pairs) > asked.check.pairs:
        rng = stream(asked.seed, "pairs to patch")
        pairs = sorted(rng.choice(pairs, size=asked.check.pairs, replace=False).tolist())
    return pairs


def _read_rows(asked: Asked[LocalisationCheck]) -> list[int]:
    return asked.sample + asked.beside


def _flips(finished: Finished) -> Classes:
    """Whether the exchange flips the decision, for every row that was read."""
    flips = [finished.store.array(stored, "flips") for stored in finished.stored(LENS)]
    return np.concatenate(flips).astype(np.int64)


LENS: Round[LocalisationCheck, LensOptions, LensReadings] = Round(
    name="localisation",
    title="localisation of {subject}",
    options=LensOptions,
    payload=LensReadings,
    pieces=lens_pieces,
    measure=lens.read,
)
PATCHING: Round[LocalisationCheck, PatchOptions, PatchedPairs] = Round(
    name="patching",
    title="patching of {subject}",
    options=PatchOptions,
    payload=PatchedPairs,
    pieces=patching_pieces,
    measure=patching.measure,
)
MAPS: Round[LocalisationCheck, PatchOptions, PatchingMaps] = Round(
    name="patching-maps",
    title="patching maps of {subject}",
    options=PatchOptions,
    payload=PatchingMaps,
    pieces=maps_pieces,
    measure=patching_maps.measure,
)
TUNED: Round[LocalisationCheck, NoOptions, LensDivergence] = Round(
    name="tuned-lens",
    title="tuned lens of {subject}",
    options=NoOptions,
    payload=LensDivergence,
    pieces=tuned_pieces,
    measure=tuned_lens.measure,
)
ROUNDS = (LENS, PATCHING, MAPS, TUNED)
