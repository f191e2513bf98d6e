"""Does the decision change when the text names another group?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.checks.counterfactual.payload import Decided, ExchangedText
from tasks.checks.counterfactual.rounds import ROUNDS
from tasks.definition.checks.counterfactual import CounterfactualCheck, TermSwap
from tasks.measures.stats import intervals
from tasks.measures.stats.paired import mcnemar_exact, paired_difference, turned
from tasks.run.plan import Plan
from tasks.run.rounds import Asked, Finished
from tasks.schema import About, Evidence, Measurement, SwappedText

EXAMPLES = 3
METHOD_SHIFT = "mean over texts of the change in favourable log-odds, BCa bootstrap"
METHOD_EXCESS = "flips by the swap minus flips by neutral words on the same texts, Bonett and Price"
METHOD_NET = "favourable after minus favourable before, Bonett and Price; p: exact McNemar test"


def evidence(asked: Asked[CounterfactualCheck], finished: Finished) -> Evidence:
    """Flips and shifts of every list, whole and by direction, beside the neutral control."""
    plan, check = asked.plan, asked.check
    texts = [text for payload in finished.of(ROUNDS[0]) for text in payload.texts]
    sampled = set(asked.sample)
    measurements: list[Measurement] = []
    notes: list[str] = []
    for swap in check.swaps:
        of = [r for r in texts if r.swap == swap.name and r.position in sampled]
        measurements += _measured(plan, swap, of)
        notes += _notes(swap, of, len(sampled))
    shown = {plan.data.rows[case].id for case in asked.cases} | _examples(texts)
    return Evidence(
        check=check,
        subject=asked.subject,
        measurements=tuple(_corrected(measurements)),
        cases=tuple(_case(r) for r in texts if r.id in shown),
        notes=tuple(notes),
    )


def _measured(plan: Plan, swap: TermSwap, of: Sequence[ExchangedText]) -> list[Measurement]:
    """Measurements of one list: over all texts, then over every direction with enough texts."""
    seed, least = plan.spec.seed, plan.spec.data.minimum_group
    favourable = str(plan.spec.data.favourable)
    read = [r for r in of if r.read]
    if len(read) < 2:
        return []
    measurements = flips(read, About(attribute=swap.name))
    directions = dict.fromkeys((r.source, r.target) for r in read)
    for source, target in sorted(directions):
        directed = [r for r in read if (r.source, r.target) == (source, target)]
        if len(directed) >= least:
            about = About(attribute=swap.name, group=source, reference=target)
            measurements += [*flips(directed, about), *_turned(directed, about, favourable, seed)]
    return measurements


def flips(of: Sequence[ExchangedText], about: About) -> list[Measurement]:
    """Share of decisions that flip, beside those that a neutral word flips."""
    flip = np.array([r.flips for r in of])
    by_control = {i: flips for i, r in enumerate(of) if (flips := r.flips_by_control) is not None}
    controlled = list(by_control)
    flip_rate = [
        Measurement.of("flip_rate", intervals.share(flip), len(flip), intervals.SHARE, about)
    ]
    if len(controlled) < 2:
        return flip_rate
    neutral = np.array(list(by_control.values()))
    excess = paired_difference(turned(neutral, flip[controlled]))
    return [
        *flip_rate,
        Measurement.of(
            "flip_rate_control", intervals.share(neutral), len(controlled), intervals.SHARE, about
        ),
        Measurement.of("flip_excess", excess, len(controlled), METHOD_EXCESS, about),
    ]


def _turned(
    of: Sequence[ExchangedText], about: About, favourable: str, seed: int
) -> list[Measurement]:
    """In which direction exchanging one group's terms for another's moves the decision."""
    before = np.array([r.plain.decision == favourable for r in of])
    after = np.array([r.exchanged.decision == favourable for r in of])
    pairs = turned(before, after)
    net, p = paired_difference(pairs), mcnemar_exact(pairs)
    measurements = [
        Measurement.of("net_turned", net, len(of), METHOD_NET, about).model_copy(update={"p": p})
    ]
    for name, shift in (
        ("mean_shift", _shifts(of, [r.exchanged for r in of])),
        ("mean_shift_control", _shifts(of, [r.control for r in of])),
    ):
        if len(shift) > 1:
            interval = intervals.bootstrap_mean(shift, seed=seed)
            measurements.append(Measurement.of(name, interval, len(shift), METHOD_SHIFT, about))
    return measurements


def _shifts(of: Sequence[ExchangedText], versions: Sequence[Decided | None]) -> NDArray[np.float64]:
    """Change of the favourable log-odds, of the texts whose two versions have them."""
    return np.array(
        [
            version.log_odds - r.plain.log_odds
            for r, version in zip(of, versions, strict=True)
            if version is not None and version.log_odds is not None and r.plain.log_odds is not None
        ]
    )


def _corrected(measurements: list[Measurement]) -> list[Measurement]:
    tested = [i for i, m in enumerate(measurements) if m.p is not None]
    q = intervals.benjamini_hochberg([p for i in tested if (p := measurements[i].p) is not None])
    family = f"{len(tested)} directions of exchange"
    corrected = list(measurements)
    for i, value in zip(tested, q, strict=True):
        corrected[i] = corrected[i].model_copy(update={"q": value, "family": family})
    return corrected


def _examples(texts: Sequence[ExchangedText]) -> set[str]:
    """Ids of a few texts of every list whose decision flips, as examples for the reader."""
    flipped = [r for r in texts if r.read and r.flips]
    names = dict.fromkeys(r.swap for r in flipped)
    return {r.id for n in names for r in [r for r in flipped if r.swap == n][:EXAMPLES]}


def _case(of: ExchangedText) -> SwappedText:
    return SwappedText(
        id=of.id,
        swap=of.swap,
        source=of.source,
        target=of.target,
        text=of.text,
        decision=of.plain.decision,
        decision_exchanged=of.exchanged.decision,
        decision_control=None if of.control is None else of.control.decision,
    )


def _notes(swap: TermSwap, of: Sequence[ExchangedText], asked: int) -> list[str]:
    notes = []
    if len(of) < asked:
        notes.append(f"{swap.name}: {asked - len(of)} of {asked} texts hold none of its terms.")
    without = sum(r.control is None for r in of)
    if of and without:
        notes.append(
            f"{swap.name}: {without} of {len(of)} texts hold no neutral word; the control is "
            "without them."
        )
    unread = sum(not r.read for r in of)
    if unread:
        notes.append(f"{swap.name}: {unread} of {len(of)} texts left out, no answer can be read.")
    uncontrolled = sum(r.read and r.control is not None and not r.control.decision for r in of)
    if uncontrolled:
        notes.append(
            f"{swap.name}: {uncontrolled} of {len(of)} texts left out of the control, no answer "
            "can be read after its neutral words."
        )
    return notes
