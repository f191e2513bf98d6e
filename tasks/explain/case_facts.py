"""The facts of a case: one text, as every check measured it."""

from dataclasses import replace
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

CASE: Final = "case"
"""Topic of a fact about one text, until it takes the topic of its check."""

TOP_WORDS: Final = 3
"""Words of a case that are named."""

HALF: Final = 0.5
"""If a smaller share of the attribution speaks for the decision, the text states that share."""

LEAST_SHARE: Final = 0.05
"""Words below this part of the attribution are not named beside the first."""


def case_sheet(report: Report, case: Case) -> Sheet:
    """The facts of a case: decision, words, layer at which it forms, effect of an exchange."""
    first = next(iter(report.spec.subjects))
    facts = [_case_decision(case)]
    for evidence in report.evidence:
        other = evidence.subject if evidence.subject != first else None
        reading = _reading(evidence, case)
        if reading is not None:
            fact = _case_fact(f"{reading.kind}{len(facts)}", reading, evidence.cited)
            facts.append(replace(fact, topic=evidence.check.kind, other_subject=other))
    return Sheet(about=case.id, facts=noted(facts, report), favourable=report.spec.data.favourable)


def _case_decision(case: Case) -> Fact:
    names = {"decision": case.decision} | ({"label": case.label} if case.label else {})
    for number, (attribute, group) in enumerate(case.groups.items()):
        names |= {f"attribute{number}": attribute, f"group{number}": group}
    shares = {} if case.probability is None else {"probability": case.probability}
    return Fact("decision", CASE, "case.decision", names=names, shares=shares)


CaseReading = AttributedText | LayerReading | CuePair | TruncatedReasoning


def _reading(evidence: Evidence, case: Case) -> CaseReading | None:
    """A check's reading of a case; of several attributions the one that may be cited."""
    readings = [c for c in evidence.cases if c.id == case.id and isinstance(c, CaseReading)]
    cited = evidence.cited
    cited_readings = (c for c in readings if isinstance(c, AttributedText) and c.method == cited)
    return next(cited_readings, next(iter(readings), None))


def _case_fact(name: str, reading: CaseReading, cited: str | None) -> Fact:
    match reading:
        case AttributedText():
            return _attributed(name, reading, cited)
        case LayerReading():
            layers = {"formed": reading.formed_at, "last": len(reading.probabilities) - 1}
            names = {"target": reading.target}
            return Fact(name, CASE, "case.layers", layers=layers, names=names)
        case CuePair():
            return _cue_pair(name, reading)
        case TruncatedReasoning():
            return _truncated(name, reading)


def _attributed(name: str, reading: AttributedText, cited: str | None) -> Fact:
    total = sum(abs(word.value) for word in reading.words)
    ranked = sorted(reading.words, key=lambda word: -word.value)
    top = [
        WordShare(shown(word.text), word.field, word.value / total)
        for word in ranked
        if word.value > 0 and any(c.isalnum() for c in word.text)
    ]
    speaking = sum(max(word.value, 0.0) for word in reading.words) / total if total else 0.0
    if cited != reading.method:
        return Fact(name, CASE, "case.words_not_earned")
    unusable = {
        "case.words_not_converged": reading.converged is False,
        "case.words_foregone": reading.foregone,
        "case.words_none": not top,
    }
    for sentence, applies in unusable.items():
        if applies:
            return Fact(name, CASE, sentence)
    return Fact(
        name,
        CASE,
        "case.words",
        names={"target": reading.target},
        shares={} if speaking >= HALF else {"total": speaking},
        words=(top[0], *(w for w in top[1:TOP_WORDS] if w.share >= LEAST_SHARE)),
    )


def _cue_pair(name: str, pair: CuePair) -> Fact:
    names = {} if pair.field is None else {"swapped": pair.field}
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
        CASE,
        sentence,
        names=names,
        quotes={"added": pair.cue}
        if pair.cue is not None
        else {"original": pair.original, "exchanged": pair.exchanged},
    )


def _truncated(name: str, reading: TruncatedReasoning) -> Fact:
    changing_shares = [
        share
        for share, answer in reading.cuts
        if answer is not None and reading.answer is not None and answer != reading.answer
    ]
    names = {} if reading.answer is None else {"answer": reading.answer}
    if reading.answer is None:
        sentence = "case.reasoning_unread"
    else:
        sentence = "case.reasoning_moves" if changing_shares else "case.reasoning_same"
    return Fact(
        name,
        CASE,
        sentence,
        names=names,
        shares={"kept": max(changing_shares)} if changing_shares else {},
    )
