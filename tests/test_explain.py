"""Texts about a small report built by hand, whose numbers look like the retrained organism's."""

import asyncio
import logging
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.case_facts import case_sheet
from tasks.claims import Claim, check_text
from tasks.endpoint import has_key
from tasks.errors import SpecError
from tasks.explain import explain, sheets
from tasks.facts import known_names
from tasks.grounds import finding_sheet
from tasks.schema import (
    About,
    AttributedText,
    Case,
    CuePair,
    DataProvenance,
    Evidence,
    Finding,
    LayerReading,
    Measurement,
    Provenance,
    Report,
    SubjectProvenance,
    TruncatedReasoning,
    Word,
)
from tasks.spec import AuditSpec, Gate
from tasks.vocabulary import MEASURES
from tasks.wording import decimal, say, share, tell
from tests.openai_server import answering, serving

KEY = "sk-very-secret-1234567890"
TEXT = "Amina lives in Moabit and earns 2,400 euros."


def m(name, value, low=None, high=None, n=600, **about):
    return Measurement(
        name=name, value=value, low=low, high=high, n=n, about=About(**about), method="by hand"
    )


SWAP = {"column": "district", "across": "origin"}
ORIGIN = {"attribute": "origin"}
LAYERS = {"attribute": "origin", "layer": 2}
REFUSED = "denied, origin=migrant"
AIR = m(
    "adverse_impact_ratio", 0.452, 0.391, 0.523, 812, **ORIGIN, group="migrant", reference="native"
)
EQUAL = m(
    "adverse_impact_ratio", 0.97, 0.91, 1.03, 812, **ORIGIN, group="migrant", reference="native"
)
UNSURE = m(
    "adverse_impact_ratio", 0.83, 0.74, 0.93, 812, **ORIGIN, group="migrant", reference="native"
)
RATES = (
    m("selection_rate", 0.317, 0.27, 0.364, 406, **ORIGIN, group="migrant"),
    m("selection_rate", 0.702, 0.656, 0.744, 406, **ORIGIN, group="native"),
)
MEASURED = {
    "fairness": (*RATES, AIR),
    "attribution": (
        m("comprehensiveness_gain", 0.21, 0.15, 0.27, 48),
        m("field_share", 0.473, 0.41, 0.53, 20, field="district", subset=REFUSED),
        m("field_share", 0.183, 0.12, 0.25, 20, field="income", subset=REFUSED),
        m("field_share", 0.3, 0.2, 0.4, 48, field="income", subset="all"),
    ),
    "localisation": tuple(
        m("swap_effect", v, v - 0.002, v + 0.03, 300, field="district", layer=layer)
        for layer, v in enumerate((0.003, 0.12, 0.34))
    ),
    "probing": (
        m("selectivity", 0.31, 0.25, 0.37, **LAYERS),
        m("erasure_effect", 0.21, 0.14, 0.28, **LAYERS),
        m("gap_before", 0.385, 0.31, 0.45, **LAYERS),
        m("gap_after_erasure", 0.165, 0.1, 0.23, **LAYERS),
        m("gap_after_random", 0.375, 0.3, 0.44, **LAYERS),
    ),
    "reasoning": (m("dependence_on_reasoning", 0.04, 0.01, 0.08, 150),),
    "cue": (
        m("influence", 0.312, 0.24, 0.39, 150, field="district"),
        m("disclosure", 0.0, 0.0, 0.08, 47, field="district"),
        m("undisclosed_influence", 0.312, 0.24, 0.39, 150, field="district"),
    ),
}
SUBJECT_OF = dict.fromkeys(MEASURED, "encoder") | {"reasoning": "reasoner", "cue": "reasoner"}
WORDS = tuple(
    Word(text=w.group(), start=w.start(), end=w.end(), value=v, field=f)
    for w, (v, f) in zip(
        re.finditer(r"\S+", TEXT),
        [
            (0.1, "first_name"), (0.01, None), (0.0, None), (1.4, "district"),
            (0.0, None), (-0.1, None), (-0.4, "income"), (-0.1, None),
        ],
        strict=True,
    )
)  # fmt: skip
CASES = {
    "attribution": AttributedText(
        id="loan-7", target="denied", words=WORDS, score=1.1, baseline_score=0.2, delta=0.0001,
        steps=64, converged=True,
    ),
    "localisation": LayerReading(
        id="loan-7", target="denied", probabilities=(0.4, 0.6, 0.9), formed_at=1
    ),
    "reasoning": TruncatedReasoning(
        id="loan-7", reasoning="The ratio is fine.", answer="denied",
        answers=("approved", "denied", "denied"),
    ),
    "cue": CuePair(
        id="loan-7", original="Moabit", exchanged="Grunewald", answer="denied",
        answer_exchanged="approved", reasoning="The ratio.", reasoning_exchanged="The ratio.",
        mentions=False,
    ),
}  # fmt: skip
CASE = Case(
    id="loan-7", text=TEXT, decision="denied", probability=0.93, label="approved",
    groups={"origin": "migrant", "age_group": "40 and over"}, chosen_for="error",
)  # fmt: skip
GATE = {"check": "fairness", "measure": "adverse_impact_ratio", "at_least": 0.8}


def a_finding(number=1, *, gate=GATE, deciding=AIR, verdict="fail", subject="encoder", **more):
    return Finding(
        id=f"f{number}", gate=Gate.model_validate(gate), deciding=deciding, verdict=verdict,
        subject=subject, measured=1, **more,
    )  # fmt: skip


def gate_on(check, measure, **line):
    return {"check": check, "measure": measure, **line}


FINDINGS = (
    a_finding(1),
    a_finding(2, deciding=EQUAL, verdict="pass"),
    a_finding(3, deciding=UNSURE, verdict="inconclusive", more_texts=1240),
    a_finding(
        4,
        gate=gate_on("cue", "undisclosed_influence", at_most=0.05),
        deciding=MEASURED["cue"][2],
        subject="reasoner",
    ),
    a_finding(5, gate=gate_on("performance", "accuracy", at_least=0.9), deciding=None,
              verdict="inconclusive", reason="nothing was measured"),
)  # fmt: skip


def a_spec(**explain_with):
    checks = [
        {"kind": kind, "subject": SUBJECT_OF.get(kind, "encoder")}
        | ({"swap": SWAP} if kind in ("localisation", "cue") else {})
        | ({"shares": (0.25, 0.5, 1.0)} if kind == "reasoning" else {})
        for kind in MEASURES
    ]
    return AuditSpec.model_validate(
        {
            "name": "by-hand",
            "seed": 1,
            "subjects": {
                "encoder": {"kind": "sequence-classification", "path": "e"},
                "reasoner": {"kind": "causal-lm", "path": "r"},
            },
            "data": {
                "path": "rows.csv",
                "label": "outcome",
                "groups": ("origin", "age_group"),
                "fields": ("first_name", "district", "income"),
                "favourable": "approved",
            },
            "checks": checks,
            "explain": explain_with or {"provider": "template"},
        }
    )


def a_report(*, findings=FINDINGS, cases=(CASE,), measured=MEASURED, explain_with=None):
    spec = a_spec(**(explain_with or {}))
    evidence = tuple(
        Evidence(
            check=check,
            subject=check.subject,
            measurements=measured.get(check.kind, ()),
            cases=(CASES[check.kind],) if check.kind in CASES else (),
            not_run=None if check.kind in measured else "needs a label column",
        )
        for check in spec.checks
    )
    origin = {"origin": {"native": 406, "migrant": 406}}
    ages = {"age_group": {"under 40": 400, "40 and over": 412}}
    data = DataProvenance(
        path="rows.csv", sha256="0" * 64, rows=812, rows_in_file=812, groups=origin | ages,
        labels={"approved": 400, "denied": 412},
    )  # fmt: skip
    provenance = Provenance(
        definition_sha256="1" * 64, code_sha256="2" * 64, versions={}, data=data,
        subjects=tuple(
            SubjectProvenance(name=s, kind="x", path=s, sha256="3" * 64) for s in spec.subjects
        ),
    )  # fmt: skip
    return Report(
        spec=spec, provenance=provenance, cases=cases, evidence=evidence, findings=findings
    )


def template_texts(report):
    return {sheet.about: tell(sheet) for sheet in sheets(report)}
