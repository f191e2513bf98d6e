"""Does the decision change when the text names another group?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data.term_swap import swapped
from tasks.definition.checks import CounterfactualCheck, TermSwap
from tasks.measures.stats import intervals
from tasks.measures.stats.paired import mcnemar_exact, paired_difference, turned
from tasks.run.inputs import cut, read_all, records, rows_of
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef, StoredShard
from tasks.schema import About, Evidence, Measurement, SwappedText
from tasks.subjects.load import fresh_decider
from tasks.subjects.protocols import DecidesAnew

PER_SHARD = 200
EXAMPLES = 3
METHOD_SHIFT = "mean over texts of the change in favourable log-odds, BCa bootstrap"
METHOD_EXCESS = "flips by the swap minus flips by neutral words on the same texts, Bonett and Price"
METHOD_NET = "favourable after minus favourable before, Bonett and Price; p: exact McNemar test"


def shards(plan: Plan, check: CounterfactualCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Shards over a random sample of rows, then the cases only shown; one list at a time."""
    sample = plan.rows_of(check)
    shown = [case for case in cases if case not in set(sample)]
    return [
        ref
        for swap in check.swaps
        for ref in cut(
            plan,
            check,
            "counterfactual",
            sample + shown,
            PER_SHARD,
            swap=swap.model_dump(),
            favourable=plan.spec.data.favourable,
        )
    ]


def measure(ref: ShardRef, _: Path) -> Payload:
    """Decisions, and log-odds of the favourable one, with identity and neutral words exchanged."""
    subject, rows = fresh_decider(ref.subject), rows_of(ref)
    swap = TermSwap.model_validate(ref.option("swap"))
    found = swapped([row.text for row in rows], swap, seed=ref.data.seed)
    versions = [
        *[rows[one.position].text for one in found],
        *[one.text for one in found],
        *[one.control for one in found if one.control is not None],
    ]
    decided = iter(_decide(subject, versions, str(ref.option("favourable"))))
    plain, exchanged = ([next(decided) for _ in found] for _ in range(2))
    control = [next(decided) if one.control is not None else None for one in found]
    return Payload(
        {},
        [
            {
                "position": ref.rows[one.position],
                "id": rows[one.position].id,
                "swap": swap.name,
                "source": one.source,
                "target": one.target,
                "text": one.text,
                "plain": before,
                "exchanged": after,
                "control": neutral,
            }
            for one, before, after, neutral in zip(found, plain, exchanged, control, strict=True)
        ],
    )


def _decide(subject: DecidesAnew, texts: Sequence[str], favourable: str) -> list[dict[str, Any]]:
    """Decision of every text, and the log-odds of the favourable one where the subject has them."""
    found = subject.decide_on(texts, odds_of=favourable)
    return [{"decision": one.label, "log_odds": one.log_odds} for one in found]


def evidence(
    plan: Plan,
    check: CounterfactualCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """Flips and shifts of every list, whole and by direction, beside the neutral control."""
    found: list[Any] = records(read_all(store, stored))
    sampled = set(plan.rows_of(check))
    measurements: list[Measurement] = []
    notes: list[str] = []
    for swap in check.swaps:
        of = [r for r in found if r["swap"] == swap.name and r["position"] in sampled]
        measurements += _measured(plan, swap, of)
        notes += _notes(swap, of, len(sampled))
    shown = {plan.data.rows[case].id for case in cases} | _examples(found)
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=tuple(_corrected(measurements)),
        cases=tuple(_case(r) for r in found if r["id"] in shown),
        notes=tuple(notes),
    )


def _measured(plan: Plan, swap: TermSwap, of: list[Any]) -> list[Measurement]:
    """One list: all texts, then every direction that has enough of them."""
    seed, least = plan.spec.seed, plan.spec.data.minimum_group
    favourable = str(plan.spec.data.favourable)
    read = [r for r in of if r["plain"]["decision"] and r["exchanged"]["decision"]]
    if len(read) < 2:
        return []
    found = _flips(read, About(attribute=swap.name))
    directions = dict.fromkeys((r["source"], r["target"]) for r in read)
    for source, target in sorted(directions):
        way = [r for r in read if (r["source"], r["target"]) == (source, target)]
        if len(way) >= least:
            about = About(attribute=swap.name, group=source, reference=target)
            found += [*_flips(way, about), *_turned(way, about, favourable, seed)]
    return found


def _flips(of: list[Any], about: About) -> list[Measurement]:
    """Share of decisions that flip, beside those that a neutral word flips."""
    flip = np.array([r["plain"]["decision"] != r["exchanged"]["decision"] for r in of])
    held = [i for i, r in enumerate(of) if r["control"] is not None]
    found = [Measurement.of("flip_rate", intervals.share(flip), len(flip), intervals.SHARE, about)]
    if len(held) < 2:
        return found
    neutral = np.array([of[i]["plain"]["decision"] != of[i]["control"]["decision"] for i in held])
    excess = paired_difference(turned(neutral, flip[held]))
    return [
        *found,
        Measurement.of(
            "flip_rate_control", intervals.share(neutral), len(held), intervals.SHARE, about
        ),
        Measurement.of("flip_excess", excess, len(held), METHOD_EXCESS, about),
    ]


def _turned(of: list[Any], about: About, favourable: str, seed: int) -> list[Measurement]:
    """In which direction one group's terms move the decision of texts of another."""
    before, after = (
        np.array([r[name]["decision"] == favourable for r in of]) for name in ("plain", "exchanged")
    )
    pairs = turned(before, after)
    net, p = paired_difference(pairs), mcnemar_exact(pairs)
    found = [
        Measurement.of("net_turned", net, len(of), METHOD_NET, about).model_copy(update={"p": p})
    ]
    for name, version in (("mean_shift", "exchanged"), ("mean_shift_control", "control")):
        shift = _shifts(of, version)
        if len(shift) > 1:
            interval = intervals.bootstrap_mean(shift, seed=seed)
            found.append(Measurement.of(name, interval, len(shift), METHOD_SHIFT, about))
    return found


def _shifts(of: list[Any], version: str) -> NDArray[np.float64]:
    return np.array(
        [
            r[version]["log_odds"] - r["plain"]["log_odds"]
            for r in of
            if r[version] is not None and r[version]["log_odds"] is not None
        ]
    )


def _corrected(measurements: list[Measurement]) -> list[Measurement]:
    tested = [i for i, m in enumerate(measurements) if m.p is not None]
    q = intervals.benjamini_hochberg([p for i in tested if (p := measurements[i].p) is not None])
    family = f"{len(tested)} directions of exchange"
    found = list(measurements)
    for i, value in zip(tested, q, strict=True):
        found[i] = found[i].model_copy(update={"q": value, "family": family})
    return found


def _examples(found: list[Any]) -> set[str]:
    """A few texts of every list whose decision flips, so that a reader sees what it looks like."""
    flipped = [r for r in found if r["plain"]["decision"] != r["exchanged"]["decision"]]
    names = dict.fromkeys(r["swap"] for r in flipped)
    return {r["id"] for n in names for r in [r for r in flipped if r["swap"] == n][:EXAMPLES]}


def _case(record: Any) -> SwappedText:
    control = record["control"]
    return SwappedText(
        id=record["id"],
        swap=record["swap"],
        source=record["source"],
        target=record["target"],
        text=record["text"],
        decision=record["plain"]["decision"],
        decision_exchanged=record["exchanged"]["decision"],
        decision_control=control["decision"] if control is not None else None,
    )


def _notes(swap: TermSwap, of: list[Any], asked: int) -> list[str]:
    found = []
    if len(of) < asked:
        found.append(f"{swap.name}: {asked - len(of)} of {asked} texts hold none of its terms.")
    without = sum(r["control"] is None for r in of)
    if of and without:
        found.append(
            f"{swap.name}: {without} of {len(of)} texts hold no neutral word; the control is "
            "without them."
        )
    unread = sum(not (r["plain"]["decision"] and r["exchanged"]["decision"]) for r in of)
    if unread:
        found.append(f"{swap.name}: {unread} of {len(of)} texts left out, no answer can be read.")
    return found
