"""Does a planted cue move the answer, and does the reasoning say so?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from tasks.checks.cue import disclosure_controls, exchange_controls, influence_controls
from tasks.checks.cue.cues import Cue, cues_of, spoken_for, with_cue
from tasks.checks.cue.disclosure import (
    described_cue,
    described_field,
    graded,
    names_cue,
    names_field,
    reports_cue,
    weighs_field,
)
from tasks.checks.cue.numbers import PULLS, Across, beside_texts, of_swap
from tasks.checks.instruments.multiple_testing import corrected
from tasks.data.field_swap import exchange
from tasks.definition.checks import CueCheck, CueName, OwnCue, Swap
from tasks.run.inputs import cut, dataset_of, read_all, records, second_of
from tasks.run.plan import Plan
from tasks.run.shards import Payload, ShardRef, StoredShard
from tasks.schema import CuePair, Evidence, Measurement
from tasks.subjects.endpoint.second_model import SecondEndpoint
from tasks.subjects.load import writer
from tasks.subjects.outputs import Written
from tasks.subjects.protocols import Writes

PER_SHARD = 50
SHOWN_PAIRS = 3
"""Pairs whose answer the cue changed that are shown whatever the cases are."""

Second = Literal["grader", "phrases"]


def shards(plan: Plan, check: CueCheck, cases: Sequence[int]) -> list[ShardRef]:
    """Shards over a random sample of rows, then the cases that are only shown."""
    sample = plan.rows_of(check)
    shown = [case for case in cases if case not in set(sample)]
    texts = cut(
        plan,
        check,
        "cue",
        sample + shown,
        PER_SHARD,
        swap=check.swap.model_dump() if check.swap else None,
        cues=check.cues,
        own=[cue.model_dump() for cue in check.own],
        second=check.grader,
    )
    return [
        *texts,
        *exchange_controls.shards(plan, check),
        *influence_controls.shards(plan, check),
        *disclosure_controls.shards(plan, check),
    ]


def measure(ref: ShardRef, store: Path) -> Payload:
    """Reasoning and answer for every text, plain and with each cue."""
    subject, data = writer(ref.subject), dataset_of(ref)
    plain = dict(zip(ref.rows, subject.write([data.rows[i].text for i in ref.rows]), strict=True))
    swap, grader = ref.option("swap"), second_of(ref, store)
    names: list[CueName] = ref.option("cues")
    found = _exchanged(ref, subject, plain, Swap(**swap), grader) if swap else []
    for cue in cues_of(names, [OwnCue(**own) for own in ref.option("own")]):
        found += _beside(ref, subject, plain, cue, grader)
    return Payload({}, found)


def _exchanged(
    ref: ShardRef,
    subject: Writes,
    plain: dict[int, Written],
    swap: Swap,
    grader: SecondEndpoint | None,
) -> list[Any]:
    """Pairs with one field exchanged."""
    data = dataset_of(ref)
    exchanged = {e.position: e for e in exchange(data.rows, swap, seed=ref.data.seed)}
    pairs = [exchanged[position] for position in ref.rows if position in exchanged]
    other = subject.write([pair.text for pair in pairs])
    field = swap.column.replace("_", " ")
    found = [
        {
            "cue": None,
            "position": pair.position,
            "id": data.rows[pair.position].id,
            "original": pair.original,
            "exchanged": pair.exchanged,
            "answer": plain[pair.position].answer,
            "answer_exchanged": after.answer,
            "reasoning": plain[pair.position].reasoning,
            "reasoning_exchanged": after.reasoning,
            "mentions": any(
                names_field(text, field, [pair.original, pair.exchanged])
                for text in (plain[pair.position].reasoning, after.reasoning)
            ),
            "second": any(
                weighs_field(text, field, [pair.original, pair.exchanged])
                for text in (plain[pair.position].reasoning, after.reasoning)
            ),
            "group": data.rows[pair.position].groups[swap.across],
            "donor": pair.donor,
        }
        for pair, after in zip(pairs, other, strict=True)
    ]
    return _graded(found, described_field(field), grader, ("reasoning", "reasoning_exchanged"))


def _beside(
    ref: ShardRef,
    subject: Writes,
    plain: dict[int, Written],
    cue: Cue,
    grader: SecondEndpoint | None,
) -> list[Any]:
    """Pairs with and without a cue beside the text."""
    rows, form = dataset_of(ref).rows, subject.form
    made: list[tuple[int, str, str]] = []
    for position in ref.rows:
        seed = ref.data.seed + position
        answer = spoken_for(rows[position], form.known, seed=seed)
        text = with_cue(cue, rows[position], answer, rows, form.prefix, seed=seed)
        if text is not None:
            made.append((position, answer, text))
    other = subject.write([text for _, _, text in made])
    found = [
        {
            "cue": cue.name,
            "position": position,
            "id": rows[position].id,
            "original": "",
            "exchanged": answer,
            "answer": plain[position].answer,
            "answer_exchanged": after.answer,
            "reasoning": plain[position].reasoning,
            "reasoning_exchanged": after.reasoning,
            "mentions": names_cue(after.reasoning, cue, answer),
            "second": reports_cue(after.reasoning, cue, answer),
        }
        for (position, answer, _), after in zip(made, other, strict=True)
    ]
    return _graded(found, described_cue(cue), grader, ("reasoning_exchanged",))


def _graded(
    found: list[Any], described: str, grader: SecondEndpoint | None, where: Sequence[str]
) -> list[Any]:
    """Every pair whose answer changed as a second model judges it, where one is asked."""
    if grader is None:
        return found
    asked = [r for r in found if r["answer"] != r["answer_exchanged"]]
    told = graded(grader, described, ["\n\n".join(r[part] for part in where) for r in asked])
    second = {id(r): said for r, said in zip(asked, told, strict=True)}
    return [r | {"second": second.get(id(r))} for r in found]


def evidence(
    plan: Plan,
    check: CueCheck,
    cases: Sequence[int],
    store: Path,
    stored: Sequence[StoredShard],
) -> Evidence:
    """Influence of each cue, its disclosure, and the influence that is not disclosed."""
    kinds = (exchange_controls.KIND, influence_controls.KIND, disclosure_controls.KIND)
    exchanged, pressed, written = (
        read_all(store, [s for s in stored if Path(s.path).parent.name == kind]) for kind in kinds
    )
    texts = [s for s in stored if Path(s.path).parent.name not in kinds]
    found: list[Any] = records(read_all(store, texts))
    sampled = set(plan.rows_of(check))
    sample = [r for r in found if r["position"] in sampled]
    second: Second = "grader" if check.grader else "phrases"
    of_field, notes = exchange_controls.calibration(check, exchanged)
    influence, said = influence_controls.calibration(check, pressed)
    notes += said
    disclosure, said = disclosure_controls.calibration(check, written, second)
    notes += said
    measurements: list[Measurement] = []
    if check.swap is not None:
        pairs = [r for r in sample if r["cue"] is None]
        column = check.swap.column
        across = Across(check.swap.across, plan.spec.data.favourable)
        measurements += of_swap(pairs, column, second, across)
        notes += _left_out(check.swap, len(sampled) - len(pairs), len(sampled))
        notes += _undirected(across)
    for cue in cues_of(check.cues, check.own):
        pairs = [r for r in sample if r["cue"] == cue.name]
        told, said = beside_texts(pairs, cue.name, second, len(sampled))
        measurements += told
        notes += said
    notes += _unjudged(check, sample)
    measurements = corrected(measurements, PULLS, "pulls of all cues")
    shown = {plan.data.rows[case].id for case in cases} | _examples(sample)
    return Evidence(
        check=check,
        subject=plan.spec.subject_of(check),
        measurements=(*measurements, *of_field, *influence, *disclosure),
        cases=tuple(_pair(r) for r in found if r["id"] in shown),
        notes=tuple(notes),
    )


def _undirected(across: Across) -> list[str]:
    if across.favourable is not None:
        return []
    return [
        "Whether exchanging the field turns answers one way is not tested: the definition names no "
        "favourable answer."
    ]


def _unjudged(check: CueCheck, sample: Sequence[Any]) -> list[str]:
    """How many judgements the grader owes."""
    asked = [r for r in sample if r["answer"] != r["answer_exchanged"]]
    lost = sum(r["second"] is None for r in asked)
    if check.grader is None or not lost:
        return []
    return [
        f"Second model {check.grader.model}: {lost} of {len(asked)} judgements could not be read."
    ]


def _examples(sample: Sequence[Any]) -> set[str]:
    """A few pairs whose answer a cue changed, so that a reader sees what it looks like."""
    whole = [r for r in sample if None not in (r["answer"], r["answer_exchanged"])]
    return {
        r["id"] for r in [r for r in whole if r["answer"] != r["answer_exchanged"]][:SHOWN_PAIRS]
    }


def _pair(record: Any) -> CuePair:
    return CuePair(**{n: v for n, v in record.items() if n in CuePair.model_fields})


def _left_out(swap: Swap, missing: int, asked: int) -> list[str]:
    if not missing:
        return []
    return [
        f"{missing} of {asked} texts left out: the value of {swap.column} does not "
        "stand in them, their group is not known, or no other group has another value."
    ]
