"""The one place where organisms meet the code of the audit: draws go in, its measurements come out.

Nothing is measured here. States and decisions of an organism take the place of a model's, and the
functions that a shard calls do the rest.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.checks.fairness import evidence as fairness
from tasks.checks.probing import erasure_evidence as erased_measurements
from tasks.checks.probing import payload as payloads
from tasks.checks.probing import probe_evidence, probes
from tasks.data.dataset import Dataset, Row
from tasks.definition import AuditSpec, DataSpec, Gate, PredictionsSubject
from tasks.definition.checks.fairness import FairnessCheck
from tasks.judge.gates import judge
from tasks.measures.probing import erasure, logistic
from tasks.measures.probing.erasure import Eraser
from tasks.measures.probing.logistic import Problems, design
from tasks.measures.probing.probes import linear_probes, three_folds
from tasks.run.decisions_table import Decided
from tasks.run.plan import Plan
from tasks.schema import Evidence, Measurement, Verdict

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
YES, NO = "yes", "no"
SUBJECT = "rule"
ATTRIBUTE = "group"


# --- gap ----------------------------------------------------------------------------------


def planned(
    cells: list[tuple[dict[str, str], str]],
    check: FairnessCheck,
    gates: tuple[Gate, ...],
    least: int,
) -> Plan:
    """An audit of recorded decisions whose data are one row per cell of groups and label.

    Rows are drawn from it with replacement: texts of a cell differ in nothing that is measured.
    """
    rows = tuple(
        Row(f"r{i}", "-", label, groups, {}, {"decision": (YES, NO)[i % 2]})
        for i, (groups, label) in enumerate(cells)
    )
    spec = AuditSpec(
        name="calibration",
        seed=0,
        subjects={SUBJECT: PredictionsSubject(prediction="decision")},
        data=DataSpec(
            path="-",
            label="label",
            favourable=YES,
            groups=tuple(cells[0][0]),
            minimum_group=least,
        ),
        checks=(check,),
        gates=gates,
    )
    return Plan(spec, Path(), "", Dataset(rows, "", len(rows)), {})


def gaps(
    plan: Plan, rows: Codes, selected: NDArray[np.bool_], probability: Floats, seed: int
) -> Evidence:
    """What the fairness check finds in these decisions.

    Args:
        plan: see `planned`.
        rows: the cell of every text, [texts].
        selected: decided favourably, [texts].
        probability: of the class decided for, NaN where the subject does not say, [texts].
        seed: of the audit.
    """
    seeded = replace(plan, spec=plan.spec.model_copy(update={"seed": seed}))
    decided = Decided(
        SUBJECT, tuple(rows.tolist()), np.where(selected, YES, NO).astype(np.str_), probability
    )
    (check,) = (c for c in plan.spec.checks if isinstance(c, FairnessCheck))
    return fairness.evidence(seeded, check, decided)


def verdicts(plan: Plan, evidence: Evidence) -> list[Verdict]:
    """Verdict of every gate of the plan."""
    return [finding.verdict for finding in judge(plan.spec, (evidence,))]


# --- readable -----------------------------------------------------------------------------


class Reader(NamedTuple):
    """The probes of one layer in the coordinates of the states, one per turn."""

    weight: Floats
    """[turns, columns, d]; one column for two groups, whose score is above 0 for the second."""
    bias: Floats
    """[turns, columns]."""


class Readings(NamedTuple):
    """What probes say of states, and the probes that said it."""

    measurements: list[Measurement]
    readers: list[Reader]
    """Per layer."""


def readings(states: Floats, concept: Codes, groups: int, seed: int) -> Readings:
    """Probes, their control and the online code, for every layer of states [layers, texts, d].

    Non-linear probes take half a second each and are left out; where their answers are expected
    stand those of the linear ones.
    """
    made = design(states)
    names = [str(g) for g in range(groups)]
    one = probes.Labelled(ATTRIBUTE, names, concept, three_folds(concept, seed=seed))
    linear = probes.linear_readings(made, [one], seed)
    payload = payloads.Readings(
        pooling="head",
        layers=tuple(range(len(states))),
        attributes=(ATTRIBUTE,),
        concept={ATTRIBUTE: concept},
        read=linear.read,
        nonlinear=linear.read,
        control=linear.control,
        bits={ATTRIBUTE: probes.code_lengths(made, one, seed)},
    )
    measurements = probe_evidence.read_measurements([payload], "head", seed=seed)
    return Readings(measurements, _readers(states, concept, one.trained, groups, seed))


def _readers(
    states: Floats, concept: Codes, trained: NDArray[np.bool_], groups: int, seed: int
) -> list[Reader]:
    """The probes that `linear_probes` reads with, fitted again since it keeps only answers."""
    made = design(states)
    labels = np.tile(concept, (len(trained), 1))
    strength = linear_probes(made, labels, trained, groups, seed=seed).strength
    fitted = logistic.fit(made, Problems(labels, trained, strength, groups, balanced=True))
    found = []
    for layer, x in enumerate(states):
        weight = fitted.weight[layer].double().numpy() / x.std(axis=0)
        found.append(Reader(weight, fitted.bias[layer].double().numpy() - weight @ x.mean(axis=0)))
    return found


# --- used, removed ------------------------------------------------------------------------


class Turn(NamedTuple):
    """One turn of the folds: what was fitted, and who was asked."""

    erasers: list[Eraser]
    """The attribute's, then the random ones."""
    reader: Reader
    """The fresh probe on erased states."""
    tested: NDArray[np.bool_]
    """[texts]."""


class Erased(NamedTuple):
    """What erasure did, and what did it."""

    measurements: list[Measurement]
    turns: list[Turn]


def erased(
    states: Floats,
    concept: Codes,
    decide: Callable[[Floats], NDArray[np.bool_]],
    *,
    groups: int,
    draws: int,
    seed: int,
) -> Erased:
    """Erase the concept and random subspaces from states, [texts, d], and decide again.

    Folds, erasers and seeds are those of a shard of erasure; `decide` takes the place of the rest
    of the model. The random forest is left out; in its place stand the linear probe's answers.
    """
    fold = three_folds(concept, seed=seed)
    decisions = np.empty((draws + 2, len(states)), dtype=np.int64)
    read_after = np.empty_like(concept)
    turns = []
    for turn in range(3):
        fits, trains, tests = (fold == (turn + k) % 3 for k in range(3))
        eraser = erasure.leace(states[fits], concept[fits].astype(np.str_))
        random = [_random(states, fits, eraser.rank, seed, turn, draw) for draw in range(draws)]
        decisions[0, tests] = decide(states[tests])
        for i, one in enumerate([eraser, *random]):
            decisions[i + 1, tests] = decide(one(torch.from_numpy(states[tests])).numpy())
        clean = eraser(torch.from_numpy(states)).numpy()
        fresh = linear_probes(design(clean[None]), concept[None], trains[None], groups, seed=seed)
        read_after[tests] = fresh.read[0, 0, tests]
        (reader,) = _readers(clean[None], concept, trains[None], groups, seed)
        turns.append(Turn([eraser, *random], reader, tests))
    site = payloads.Erasure(
        attribute=ATTRIBUTE,
        layers=(0,),
        instead=(),
        concept=concept,
        read=read_after,
        read_nonlinear=read_after,
        plain=decisions[0],
        after=decisions[1],
        random=decisions[2:],
        unrelated=np.empty((0, len(concept)), dtype=np.int64),
    )
    return Erased(_measured(site, groups, seed), turns)


def _random(
    states: Floats, fits: NDArray[np.bool_], rank: int, seed: int, turn: int, draw: int
) -> Eraser:
    """One random eraser of a turn, as a shard draws it: the same directions in every turn."""
    return erasure.random_eraser(states[fits], rank, seed=seed + draw, among=states)


def _measured(site: payloads.Erasure, groups: int, seed: int) -> list[Measurement]:
    """The measurements of one erased layer, as the probing check makes them."""
    n = len(site.concept)
    of = erased_measurements.Erased(
        groups=[str(g) for g in range(groups)],
        names=(NO, YES),
        hoped=1,
        rows=range(n),
        ids=[],
        right=np.full(n, -1),
        seed=seed,
    )
    return of.measurements([site])
