"""Calibration measures by the rounds of an audit: the same numbers, altered by the same code."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from tasks.calibration import bench, gap, used
from tasks.calibration.bench import Bench
from tasks.checks import room_of
from tasks.checks.gather import measured
from tasks.checks.preflight import prepare
from tasks.checks.probing import erasure
from tasks.checks.probing.payload import state_name
from tasks.checks.probing.rounds import ERASURE, READING, STATES
from tasks.measures.probing.erasure import nothing
from tasks.measures.probing.probes import linear_probes, three_folds
from tasks.run.rounds import Finished
from tasks.run.store import Store
from tests.support.gathering import asked, finished, gathered
from tests.support.planted import plant
from tests.support.small import write_small_audit

LAST = 3
PROBING = [{"kind": "probing", "texts": 120, "random_subspaces": 3}]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A tiny encoder that decides by the place, and its audit by probes and erasure."""
    folder = tmp_path_factory.mktemp("planted")
    path = write_small_audit(
        folder,
        rows=120,
        subjects={"decider": {"kind": "sequence-classification", "path": "model"}},
        data={"path": "data.csv", "id": "id", "label": "label", "favourable": "yes",
              "groups": ["place", "side"]},
        checks=PROBING, gates=[], cases=0,
    )  # fmt: skip
    plant(folder, 2)
    return prepare(path)


def head_of(plan):
    """What the encoder decides from the state that its head reads, in closed form."""
    model = AutoModelForSequenceClassification.from_pretrained(plan.root / "model").eval()

    def rule(states):
        with torch.no_grad():
            read = model.bert.pooler(torch.from_numpy(states).float()[:, None])
            return (model.classifier(read).argmax(dim=-1) == 1).numpy()

    return rule


@pytest.fixture(scope="module")
def both(planted, tmp_path_factory):
    """What an audit leaves of the encoder, and what calibration leaves of its states and head."""
    one = asked(planted)
    real = finished(one, tmp_path_factory.mktemp("audit"))
    parts = real.of(STATES)
    states = np.stack(
        [
            np.concatenate([part.states[state_name("head", layer)] for part in parts])
            for layer in range(LAST + 1)
        ]
    )
    store = Store(tmp_path_factory.mktemp("bench"))
    known = Bench(store, states, head_of(planted), [READING, ERASURE])
    return one, real, measured(one, Finished(store), known), known


def test_probes_of_known_states_leave_what_those_of_a_model_leave(both):
    _, real, known, _ = both
    for audited, calibrated in zip(real.of(READING), known.of(READING), strict=True):
        arrays, rest = audited.parts()
        again, same = calibrated.parts()
        assert (rest, arrays.keys()) == (same, again.keys())
        assert all(np.array_equal(arrays[name], again[name]) for name in arrays)


def test_erasing_before_a_known_head_leaves_what_erasing_in_the_model_leaves(both):
    _, real, known, _ = both
    pairs = [
        (audited.parts()[0], calibrated.parts()[0])
        for audited, calibrated in zip(real.of(ERASURE), known.of(ERASURE), strict=True)
        if audited.layers == calibrated.layers == (LAST,)
    ]
    assert len(pairs) == 2  # two attributes
    for arrays, again in pairs:
        assert all(np.array_equal(arrays[name], again[name]) for name in arrays)


def test_the_evidence_is_that_of_an_audit(both):
    one, real, known, _ = both
    audited, evidence = (room_of("probing").evidence(one, of) for of in (real, known))

    def at_the_head(of):
        """All that is read, and erasure at the last layer; its p is of all layers together."""
        return [
            m.model_copy(update={"p": None, "q": None})
            for m in of.measurements
            if m.about.layers is None and m.about.layer in {None, LAST}
        ]

    assert len(at_the_head(evidence)) > 40
    assert at_the_head(evidence) == at_the_head(audited)


def test_the_fitted_probes_are_those_that_read(both, planted):
    """The truths of calibration are computed from them, for states as they are."""
    _, _, known, on_bench = both
    (payload,) = known.of(READING)
    place = on_bench.readers["place"]
    states = torch.from_numpy(np.stack(
        [np.concatenate([p.states[f"head/{layer}"] for p in known.of(STATES)])
         for layer in range(LAST + 1)])).double()  # fmt: skip
    read = place.read(states)  # [layers, turns, texts]
    turn = (three_folds(payload.concept["place"], seed=planted.spec.seed) + 1) % 3
    of_its_turn = np.take_along_axis(read, turn[None, None], axis=1)[:, 0]
    assert (of_its_turn == payload.read["place"])[1:].all()


# --- what alters a round alters calibration -----------------------------------------------


def test_an_eraser_of_the_round_that_takes_nothing_away_is_noticed(monkeypatch):
    organism = used.Decider("used", (75, 75), 1.0)

    def power():
        return [right for claim, right in organism.once(1) if claim.asked == "power"]

    assert power() == [True]
    monkeypatch.setattr(erasure.erasure, "leace", lambda states, _: nothing(states))
    assert power() == [False]


def test_a_probe_of_the_round_that_reads_the_wrong_group_is_noticed(monkeypatch):
    states = np.random.default_rng(0).normal(size=(1, 120, 16))
    concept = np.arange(120) % 2
    states[0, :, 0] += 3 * concept

    def accuracy():
        found = bench.probed(states, concept, used.ORGANISMS[0].decide, [READING], seed=3)
        (m,) = found.evidence.named("probe_accuracy")
        return m.value

    def turned(*args, **kwargs):
        found = linear_probes(*args, **kwargs)
        return found._replace(read=1 - found.read)

    right = accuracy()
    assert right > 0.85
    monkeypatch.setattr("tasks.measures.probing.probes.linear_probes", turned)
    assert accuracy() == pytest.approx(1 - right)


def test_gaps_are_those_that_an_audit_of_the_same_table_finds(tmp_path, monkeypatch):
    seen = []
    gather = gap.chain.gather

    def watched(one, store, run):
        seen.append(one)
        return gather(one, store, run)

    monkeypatch.setattr(gap.chain, "gather", watched)
    audited = gap.POPULATIONS[0].audited(3)
    assert [one.check for one in seen] == list(audited.plan.spec.checks)
    assert gathered(audited.plan, tmp_path) == audited.evidence


def test_only_the_rounds_that_are_asked_for_leave_anything():
    states = np.random.default_rng(1).normal(size=(1, 96, 4))
    found = bench.probed(states, np.arange(96) % 2, lambda x: x[:, 0] > 0, [ERASURE], seed=1)
    names = {m.name for m in found.evidence.measurements}
    assert "erasure_effect" in names
    assert "probe_accuracy" not in names
    assert found.readers is None
    assert len(found.turns) == 3
