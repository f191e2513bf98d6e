"""Answers that cannot be read, condition by condition, and whether a condition makes more of them.

An answer that cannot be read is left out of every comparison of answers. Where one condition has
more of them than the other, the texts that remain were chosen by the condition: a confound.
"""

from collections.abc import Sequence

import numpy as np

from tasks.measures.stats import intervals
from tasks.measures.stats.paired import mcnemar_exact, paired_difference, turned
from tasks.schema import About, Measurement

CLEAR = 0.05
"""A p value at or below this is reported in a note."""

METHOD = "second condition minus first on the same texts, Bonett and Price; p: exact McNemar test"


def unparsed_difference(
    first: Sequence[str | None], second: Sequence[str | None], about: About | None = None
) -> Measurement:
    """How much more often no answer can be read under the second condition than the first.

    Args:
        first: answers under the first condition, [texts]; none where none can be read.
        second: answers to the same texts under the second.
        about: what the measurement is about.

    Raises:
        EvidenceError: no texts.
    """
    a = np.array([answer is None for answer in first], dtype=np.bool_)
    b = np.array([answer is None for answer in second], dtype=np.bool_)
    pairs = turned(a, b)
    difference = paired_difference(pairs)
    measured = Measurement.of("unparsed_difference", difference, len(a), METHOD, about)
    return measured.model_copy(update={"p": mcnemar_exact(pairs)})


def unparsed_shares(
    first: Sequence[str | None], second: Sequence[str | None], about: Sequence[About]
) -> list[Measurement]:
    """Share of answers that cannot be read under each of two conditions."""
    return [
        Measurement.of(
            "unparsed",
            intervals.share(np.array([answer is None for answer in answers], dtype=np.bool_)),
            len(answers),
            intervals.SHARE,
            condition,
        )
        for answers, condition in zip((first, second), about, strict=True)
    ]


def confound(measured: Measurement, conditions: str) -> tuple[str, ...]:
    """A note where the difference is clear; nothing where it is not.

    Args:
        measured: see `unparsed_difference`.
        conditions: which two conditions, in words.
    """
    p = measured.p if measured.q is None else measured.q
    if p is None or p > CLEAR:
        return ()
    return (
        f"Confound: between {conditions} the share of answers that cannot be read differs by "
        f"{measured.value:+.3f} ({measured.low:+.3f} to {measured.high:+.3f}, exact McNemar "
        f"{'p' if measured.q is None else 'q'} {p:.2g}). What makes an answer unreadable is mixed "
        "into every comparison of the two.",
    )
