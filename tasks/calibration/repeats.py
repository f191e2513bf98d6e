"""Draw every organism again and again, on several processors, and count."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import NamedTuple
from zlib import crc32

from tasks.calibration import gap, pair, readable, used
from tasks.calibration.claims import Claim, Organism, Tally
from tasks.calibration.worker import settle
from tasks.measures.stats.random_streams import subseed

AT_ONCE = 10  # repeats of one piece of work

SETS: Mapping[str, tuple[Organism, ...]] = {
    "gap": gap.ORGANISMS,
    "families": gap.FAMILIES,
    "readable": readable.ORGANISMS,
    "used": used.ORGANISMS,
    "pair": pair.ORGANISMS,
}
QUICK: Mapping[str, tuple[Organism, ...]] = {
    "gap": gap.QUICK,
    "readable": readable.QUICK,
    "used": used.QUICK,
}
REPEATS, QUICK_REPEATS = 200, 12
OFTEN = {"gap": 4.0, "pair": 0.1}
"""Factor on the repeats of a set whose organisms are cheap, or costly."""


class Piece(NamedTuple):
    """Some repeats of one organism."""

    organism: Organism
    first: int
    last: int
    seed: int


def pieces(*, quick: bool, repeats: int | None, seed: int) -> list[Piece]:
    """The work of a calibration, slowest first.

    Args:
        quick: a few organisms and repeats, for a minute on one processor.
        repeats: how often every organism is drawn, those of the first link four times as often.
        seed: of everything random.
    """
    work = []
    sets = QUICK if quick else SETS
    for name in reversed(list(sets)):
        times = max(1, int(OFTEN.get(name, 1) * (repeats or (QUICK_REPEATS if quick else REPEATS))))
        for organism in sets[name]:
            work += [
                Piece(organism, first, min(first + AT_ONCE, times), seed)
                for first in range(0, times, AT_ONCE)
            ]
    return work


def count(piece: Piece) -> dict[Claim, Tally]:
    """How often every claim about an organism came true."""
    tallies: dict[Claim, Tally] = {}
    for repeat in range(piece.first, piece.last):
        for claim, right in piece.organism.once(_seed(piece, repeat)):
            tallies[claim] = tallies.get(claim, Tally(0, 0)) + Tally(int(right), 1)
    return tallies


def _seed(piece: Piece, repeat: int) -> int:
    """A seed that depends on the organism and the repeat, and on no other organism."""
    name = crc32(f"{type(piece.organism).__name__} {piece.organism.words}".encode())
    return subseed(piece.seed, "repeat of an organism", name, repeat)


def counted(
    work: list[Piece], *, workers: int, on_piece: Callable[[], None] = lambda: None
) -> dict[Claim, Tally]:
    """All tallies; they do not depend on the number of workers.

    Args:
        work: see `pieces`.
        workers: processes, each with one thread; with 1 the work is done in this one.
        on_piece: called after every piece.
    """
    tallies: dict[Claim, Tally] = {}
    for part in _done(work, workers):
        for claim, tally in part.items():
            tallies[claim] = tallies.get(claim, Tally(0, 0)) + tally
        on_piece()
    return tallies


def _done(work: list[Piece], workers: int) -> Iterator[dict[Claim, Tally]]:
    if workers == 1:
        yield from map(count, work)
        return
    # a process that has loaded torch must not be forked
    method = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=method, initializer=settle) as pool:
        for future in as_completed([pool.submit(count, piece) for piece in work]):
            yield future.result()
