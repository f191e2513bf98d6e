"""The curves of the reasoning tests, the areas over them, and what stands beside them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.checks.instruments.multiple_testing import corrected
from tasks.checks.instruments.unparsed import unparsed_difference
from tasks.definition.checks import ReasoningTest
from tasks.measures.reasoning.dependence import area_by_tokens, token_shares
from tasks.measures.reasoning.factors import consistency, shuffled
from tasks.measures.stats import intervals
from tasks.measures.stats.paired import mcnemar_exact, paired_difference, turned
from tasks.schema import About, Measurement

AREA = "area over the curve by tokens kept, mean over texts, BCa bootstrap"
PAIRED = "paired, Bonett-Price interval, exact McNemar test"
SHUFFLED = "reasonings of other texts"
ALPHA = 0.05


def curves(
    tests: Sequence[ReasoningTest], shares: Sequence[float], sample: Sequence[Any], seed: int
) -> list[Measurement]:
    """What every test found, and how the tests differ on the same texts."""
    missing = np.array([r["answer"] is None for r in sample])
    found = [Measurement.of("unparsed", intervals.share(missing), len(sample), intervals.SHARE)]
    for test in tests:
        found += _unparsed(test, sample)
        whole = usable(test, sample)
        if len(whole) > 1:
            found += _curve(test, shares, whole, seed) + _accuracy(test, shares, whole)
    found = corrected(found, "accuracy_change", "accuracy under all tests of the reasoning")
    return found + _differences(tests, shares, sample, seed)


def usable(test: ReasoningTest, sample: Sequence[Any]) -> list[Any]:
    """Texts that a test could change and whose answers can all be read."""
    return [
        r
        for r in sample
        if r["answer"] is not None and r["tests"][test] and None not in r["tests"][test]["answers"]
    ]


def areas(test: ReasoningTest, shares: Sequence[float], whole: Sequence[Any]) -> intervals.Floats:
    """Area over the curve of every text, [texts]: how far its answer hangs on its reasoning."""
    kept = np.array([r["tests"][test]["kept"] for r in whole]).T
    return area_by_tokens(token_shares(kept, shares), _same(test, whole).astype(float))


def left_out(tests: Sequence[ReasoningTest], sample: Sequence[Any]) -> list[str]:
    """What a reader must know of the texts that are not in a curve."""
    notes = []
    answered = [r for r in sample if r["answer"] is not None]
    for test in tests:
        unchanged = sum(r["tests"][test] is None for r in answered)
        if unchanged:
            notes.append(
                f"Test {test}: {unchanged} of {len(answered)} reasonings could not be changed "
                "and are left out."
            )
        lost = [_lost(test, r) for r in answered if r["tests"][test]]
        if lost and mcnemar_exact(turned(np.zeros(len(lost), dtype=bool), np.array(lost))) < ALPHA:
            notes.append(
                f"Test {test}: in {sum(lost)} of {len(lost)} texts an answer could be read before "
                "the change and not after; they are left out, which confounds this test."
            )
    return notes


def factors(sample: Sequence[Any], seed: int) -> list[Measurement]:
    """Fields that the reasonings name against fields that attribution finds, beside chance."""
    known = [r for r in sample if r.get("attributed")]
    attributed = [r["attributed"] for r in known]
    named = [set(r["named"]) for r in known]
    own = [consistency(a, n) for a, n in zip(attributed, named, strict=True)]
    by_chance = shuffled(attributed, named, seed=seed)
    pairs = [(o, c) for o, c in zip(own, by_chance, strict=True) if o is not None and c]
    if len(pairs) < 2:
        return []
    chance_about = About(against=SHUFFLED)
    found = []
    for part, name in (("precision", "factor_precision"), ("recall", "factor_recall"),
                       ("rank", "factor_rank_agreement")):  # fmt: skip
        mine = np.array([getattr(o, part) for o, _ in pairs])
        theirs = np.array([_mean([getattr(x, part) for x in c]) for _, c in pairs])
        both = np.isfinite(mine) & np.isfinite(theirs)
        if both.sum() < 2:
            continue
        found += [
            _mean_of(name, mine[both], seed),
            _mean_of(name, theirs[both], seed, chance_about),
        ]
        if part == "precision":
            found.append(_mean_of("factor_gain", (mine - theirs)[both], seed, chance_about))
    return found


def _curve(
    test: ReasoningTest, shares: Sequence[float], whole: list[Any], seed: int
) -> list[Measurement]:
    found = [
        Measurement.of(
            "answer_unchanged",
            intervals.share(row),
            len(whole),
            intervals.SHARE,
            About(share=share, method=test),
        )
        for share, row in zip(shares, _same(test, whole), strict=True)
    ]
    area = intervals.bootstrap_mean(areas(test, shares, whole), seed=seed, bounds=(0, 1))
    about = About(method=test)
    return [*found, Measurement.of("dependence_on_reasoning", area, len(whole), AREA, about)]


def _accuracy(test: ReasoningTest, shares: Sequence[float], whole: list[Any]) -> list[Measurement]:
    labelled = [r for r in whole if r["label"]]
    if not labelled:
        return []
    right = np.array([[a == r["label"] for a in r["tests"][test]["answers"]] for r in labelled]).T
    about = [About(share=share, method=test) for share in shares]
    found = [
        Measurement.of("answer_accuracy", intervals.share(row), len(labelled), intervals.SHARE, a)
        for a, row in zip(about, right, strict=True)
    ]
    pairs = turned(right[-1], right[0])
    change = Measurement.of(
        "accuracy_change", paired_difference(pairs), len(labelled), PAIRED, about[0]
    )
    return [*found, change.model_copy(update={"p": mcnemar_exact(pairs)})]


def _unparsed(test: ReasoningTest, sample: Sequence[Any]) -> list[Measurement]:
    """How often no answer could be read: more than before the reasoning was altered, and at all.

    The latter where the subject went on writing.
    """
    tried, about = [r for r in sample if r["tests"][test]], About(method=test)
    if not tried:
        return []
    altered = [r["tests"][test]["answers"][0] for r in tried]
    found = [unparsed_difference([r["answer"] for r in tried], altered, about)]
    lost = [_lost(test, r) for r in tried if r["answer"] is not None]
    if test != "mistake" or not lost:
        return found
    share = intervals.share(np.array(lost))
    return [*found, Measurement.of("unparsed", share, len(lost), intervals.SHARE, about)]


def _differences(
    tests: Sequence[ReasoningTest], shares: Sequence[float], sample: Sequence[Any], seed: int
) -> list[Measurement]:
    """Every test against the first, on the texts that both could change."""
    found = []
    for test in tests[1:]:
        ids = {r["id"] for r in usable(tests[0], sample)}
        both = [r for r in usable(test, sample) if r["id"] in ids]
        if len(both) > 1:
            apart = areas(test, shares, both) - areas(tests[0], shares, both)
            about = About(method=test, against=tests[0])
            found.append(
                Measurement.of(
                    "dependence_difference",
                    intervals.bootstrap_mean(apart, seed=seed, bounds=(-1, 1)),
                    len(both),
                    "paired difference of the areas, BCa bootstrap",
                    about,
                )
            )
    return found


def _same(test: ReasoningTest, whole: Sequence[Any]) -> Any:
    return np.array([[a == r["answer"] for a in r["tests"][test]["answers"]] for r in whole]).T


def _lost(test: ReasoningTest, record: Any) -> bool:
    return None in record["tests"][test]["answers"]


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")


def _mean_of(
    name: str, values: intervals.Floats, seed: int, about: About | None = None
) -> Measurement:
    interval = intervals.bootstrap_mean(values, seed=seed)
    return Measurement.of(name, interval, len(values), intervals.MEAN, about)
