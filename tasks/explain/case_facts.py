"""Which facts belong to a case: one text, as every check that looked at it saw it."""

from typing import Final

from tasks.explain.facts import Fact, Sheet, WordShare, noted, shown
from tasks.schema import (
    AttributedText,
    Case,
    CuePair,
    Evidence,
    LayerReading,
    Report,
    TruncatedReasoning,
)

TOP_WORDS: Final = 3
"""Words of a case that are named."""

HALF: Final = 0.5
"""Where less of the attribution than this speaks for the decision, the text says how much."""

LEAST_SHARE: Final = 0.05
"""Words below this part of the attribution are not named beside the first."""


def case_sheet(report: Report, case: Case) -> Sheet:
    """What was decided, by which words, from which layer on, and what an exchange changed."""
    first = next(iter(report.spec.subjects))
    facts = [_case_decision(case)]
    for evidence in report.evidence:
        other = evidence.subject if evidence.subject != first else None
        reading = _reading(evidence, case)
        if reading is not None:
            facts += [_case_fact(evidence, reading, other, number=len(facts))]
    return Sheet(about=case.id, facts=noted(facts, report), favourable=report.spec.data.favourable)


def _case_decision(case: Case) -> Fact:
    names = {"decision": case.decision} | ({"label": case.label} if case.label else {})
    for number, (attribute, group) in enumerate(case.groups.items()):
        names |= {f"attribute{number}": attribute, f"group{number}": group}
    shares = {} if case.probability is None else {"probability": case.probability}
    return Fact("decision", "case", "case.decision", names=names, shares=shares)


Told = AttributedText | LayerReading | CuePair | TruncatedReasoning


def _reading(evidence: Evidence, case: Case) -> Told | None:
    """What a check has to tell of a case; of several attributions the one that may be cited."""
    found = [c for c in evidence.cases if c.id == case.id and isinstance(c, Told)]
    first = evidence.cited
    best = (c for c in found if isinstance(c, AttributedText) and c.method == first)
    return next(best, next(iter(found), None))


def _case_fact(evidence: Evidence, reading: Told, other: str | None, *, number: int) -> Fact:
    name = f"{reading.kind}{number}"
    match reading:
        case AttributedText():
            return _attributed(name, evidence, reading, other)
        case LayerReading():
            layers = {"formed": reading.formed_at, "last": len(reading.probabilities) - 1}
            names = {"target": reading.target}
            return Fact(
                name, "localisation", "case.layers", layers=layers, names=names, other_subject=other
            )
        case CuePair():
            return _cue_pair(name, evidence, reading, other)
        case TruncatedReasoning():
            return _truncated(name, evidence, reading, other)


def _attributed(name: str, evidence: Evidence, reading: AttributedText, other: str | None) -> Fact:
    total = sum(abs(word.value) for word in reading.words)
    ranked = sorted(reading.words, key=lambda word: -word.value)
    top = [
        WordShare(shown(word.text), word.field, word.value / total)
        for word in ranked
        if word.value > 0 and any(c.isalnum() for c in word.text)
    ]
    speaking = sum(max(word.value, 0.0) for word in reading.words) / total if total else 0.0
    if evidence.cited != reading.method:
        return Fact(name, "attribution", "case.words_not_earned", other_subject=other)
    unusable = {
        "case.words_not_converged": reading.converged is False,
        "case.words_foregone": reading.foregone,
        "case.words_none": not top,
    }
    for sentence, applies in unusable.items():
        if applies:
            return Fact(name, "attribution", sentence, other_subject=other)
    return Fact(
        name,
        "attribution",
        "case.words",
        names={"target": reading.target},
        shares={} if speaking >= HALF else {"total": speaking},
        words=(top[0], *(w for w in top[1:TOP_WORDS] if w.share >= LEAST_SHARE)),
        other_subject=other,
    )


def _cue_pair(name: str, evidence: Evidence, pair: CuePair, other: str | None) -> Fact:
    swap = getattr(evidence.check, "swap", None)
    beside = pair.cue is not None
    names = {} if swap is None or beside else {"swapped": swap.column}
    answers = {"answer": pair.answer, "answer_exchanged": pair.answer_exchanged}
    names |= {part: answer for part, answer in answers.items() if answer is not None}
    if pair.answer is None or pair.answer_exchanged is None:
        sentence = "case.cue_unread"
    elif pair.answer == pair.answer_exchanged:
        sentence = "case.cue_same"
    else:
        sentence = "case.cue_mentioned" if pair.mentions else "case.cue_unmentioned"
    return Fact(
        name,
        "cue",
        sentence,
        names=names,
        quotes={"cue": pair.cue}
        if pair.cue is not None
        else {"original": pair.original, "exchanged": pair.exchanged},
        other_subject=other,
    )


def _truncated(
    name: str, evidence: Evidence, reading: TruncatedReasoning, other: str | None
) -> Fact:
    shares = getattr(evidence.check, "shares", ())
    kept = [
        share
        for share, answer in zip(shares, reading.answers, strict=False)
        if answer is not None and reading.answer is not None and answer != reading.answer
    ]
    names = {} if reading.answer is None else {"answer": reading.answer}
    if reading.answer is None:
        sentence = "case.reasoning_unread"
    else:
        sentence = "case.reasoning_moves" if kept else "case.reasoning_same"
    return Fact(
        name,
        "reasoning",
        sentence,
        names=names,
        shares={"kept": max(kept)} if kept else {},
        other_subject=other,
    )
