"""Contradictory questions: yes to both is found, and how far the comparison is right."""

import numpy as np
import pytest

from tasks.checks.contradiction import controls as contradiction_controls
from tasks.checks.contradiction import rounds as contradiction
from tasks.checks.contradiction.evidence import rests_on
from tasks.checks.contradiction.rounds import CONTROLS
from tasks.checks.cost import calls
from tasks.checks.instruments import asking, paired_controls
from tasks.checks.instruments.names import SAME, resting
from tasks.checks.instruments.paired_controls import PairedControls
from tasks.checks.preflight import prepare
from tasks.controls.contradiction_items import confirmed, contradiction_set
from tasks.controls.cues import CUES
from tasks.controls.drawn_problems import PROBLEM_FAMILIES
from tasks.controls.truth import Kind, PairedControl, together, truth_as_made
from tasks.definition import CausalSubject
from tasks.definition.checks.contradiction import ContradictionCheck
from tasks.definition.checks.controls import ControlsSpec
from tasks.errors import AuditError, ChoicesError
from tasks.judge.gates import judge
from tasks.measures.reasoning.contradiction import by_chance
from tasks.measures.stats.clusters import clusters
from tasks.run.rounds import Finished
from tasks.run.store import Store
from tasks.schema import About, Evidence, Measurement
from tasks.subjects.outputs import Written
from tests.organisms.control_files import pairs_as_csv
from tests.organisms.dependence import PlantedReasoners
from tests.organisms.designs import DESIGNS
from tests.organisms.reasoner import AUDITED, SHIPPED, pairs_of
from tests.support.asked import by_place, turned, write_asked_audit
from tests.support.gathering import alone, gathered
from tests.support.gathering import asked as asked_of
from tests.support.openai_server import completion, serving
from tests.support.reasoners import AUDITS, reasoner
from tests.support.scripted import Scripted
from tests.support.small import write_small_audit

WRITER = {
    "kind": "causal-lm", "path": "writer", "prompt": "{text}", "answer_prefix": "very",
    "choices": ["yes", "no"],
}  # fmt: skip

# --- the test ------------------------------------------------------------------------------


def paired_plan(tmp_path, rows, **more):
    path = write_small_audit(
        tmp_path, subjects={"writer": WRITER},
        checks=[{"kind": "contradiction", "pair": "pair"} | more], gates=[],
        data={"path": "pairs.csv", "id": "id"},
    )  # fmt: skip
    lines = ["id,text,pair", *(f"q{i},{text},{name}" for i, (text, name) in enumerate(rows))]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    return prepare(path)


def test_saying_yes_to_both_is_found(tmp_path, monkeypatch):
    rows = [(t, f"p{i}") for i in range(10) for t in (f"a over b {i}", f"b over a {i}")]
    rows += [("alone", "p99"), ("nameless", "")]
    plan = paired_plan(tmp_path, rows)

    def writes(t):  # yes to both for the first 4 pairs, then to the first question only
        return Written("So.", "yes" if t.startswith("a") or int(t.split()[-1]) < 4 else "no")

    monkeypatch.setattr(contradiction, "writer", lambda _: Scripted(writes))
    found = gathered(plan, tmp_path)
    by = {m.name: m for m in found.measurements}
    assert by["contradiction"].value == 0.4
    assert by["contradiction"].n == 10
    assert by["both_denied"].value == 0
    # 14 of 20 are yes: 14 * 14 pairs less those within a pair, 4 * 4 and 6 * 1, of 20 * 18
    assert by["contradiction_chance"].value == pytest.approx((196 - 22) / 360)
    assert by["contradiction_chance"].low < 0.4833 < by["contradiction_chance"].high
    assert [c.id for c in found.cases] == ["q0", "q2", "q4", "q6"]
    assert "2 of 22 questions left out" in found.notes[0]


def test_any_shared_answer_is_a_contradiction_where_none_may_be_shared(tmp_path, monkeypatch):
    """Of 10 pairs 3 answer a twice and 2 b twice; every other one a, then b."""
    rows = [(t, f"p{i}") for i in range(10) for t in (f"one {i}", f"two {i}")]
    plan = paired_plan(tmp_path, rows, answer=None)

    def writes(t):
        yes = int(t[4:]) < 3 or (int(t[4:]) > 4 and t < "two")
        return Written("So.", "yes" if yes else "no")

    monkeypatch.setattr(contradiction, "writer", lambda _: Scripted(writes))
    found = gathered(plan, tmp_path)
    by = {m.name: m for m in found.measurements}
    assert by["contradiction"].value == 0.5
    assert "both_denied" not in by
    # 11 yes and 9 no: 121 + 81 pairs less those within a pair, 5 * 4 and 5 * 2, of 20 * 18
    assert by["contradiction_chance"].value == pytest.approx((202 - 30) / 360)
    assert [c.answer for c in found.cases] == ["yes"] * 3 + ["no"] * 2


def test_chance_by_hand():
    """Every answer against every one of another pair."""
    answers = [("a", "a"), ("a", "b"), ("b", "c")]
    flat = [(at, answer) for at, pair in enumerate(answers) for answer in pair]
    twos = [(x, y) for i, x in flat for j, y in flat if i != j]
    same = [x == y for x, y in twos]
    assert len(twos) == 24
    assert by_chance(answers, None).value == pytest.approx(np.mean(same))
    both = [x == y == "a" for x, y in twos]
    assert by_chance(answers, "a").value == pytest.approx(np.mean(both))


def test_answers_that_never_repeat_have_no_chance_of_a_contradiction():
    answers = [(f"a{i}", f"b{i}") for i in range(30)]
    found = by_chance(answers, None)
    assert found.value == found.low == 0
    assert 0.05 < found.high < 0.2  # 30 pairs do not exclude a little


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_the_interval_of_chance_holds_what_is_true(share):
    """Independent answers: two of different pairs are both yes with the square of the share."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        said = np.where(rng.random((40, 2)) < share, "yes", "no")
        found = by_chance([tuple(pair) for pair in said.tolist()], "yes")
        hits += found.low <= share**2 <= found.high
    assert hits >= 0.88 * 300


@pytest.mark.parametrize(
    ("form", "answer", "message"),
    [
        ("number", {}, "not known beforehand; name the answer"),
        ("label", {}, "not known beforehand; name the answer"),
        ("number", {"answer": "5.0"}, "'5.0' is not written as the answers"),
        ("number", {"answer": "yes"}, "'yes' is not written as the answers"),
        ("label", {"answer": ""}, "'' is not written as the answers"),
        ("number", {"answer": "5"}, None),
        ("number", {"answer": None}, None),
    ],
)
def test_an_answer_that_no_reading_gives_is_refused(tmp_path, form, answer, message):
    check = {"kind": "contradiction", "pair": "side", **answer}
    path = write_asked_audit(
        tmp_path, "http://h/v1", rows=4, checks=[check], subject_key_env=None,
        data={"path": "data.csv", "id": "id"}, subject_answer={"form": form, "prefix": "Answer:"},
    )  # fmt: skip
    if message is None:
        assert prepare(path).spec.checks[0].answer == answer["answer"]
        return
    with pytest.raises(AuditError, match=message):
        prepare(path)


# --- controls ------------------------------------------------------------------------------


@pytest.mark.parametrize("family", PROBLEM_FAMILIES)
def test_the_two_questions_of_a_pair_cannot_have_the_same_answer(family):
    """All of it worked out again from the moves, whatever the start."""
    problem = PROBLEM_FAMILIES[family](np.random.default_rng(4), 4)
    starts = problem.states(0)
    begun = [problem.begun(start) for start in starts]
    assert problem.begun(problem.start) == problem
    assert len({one.answer for one in begun}) == len(starts)
    assert len({one.text for one in begun}) == len(starts)
    assert all(one.answer in one.choices for one in begun)
    assert all(one.start in one.text for one in begun)


def test_pairs_by_hand():
    """Start with 8: 8 + 1 + 1 = 0, and so on from every start."""
    (cued, plain) = contradiction_set(1, 1, problems=("adding",), named=("suggested",), steps=2)
    right = {}
    for text in (*plain.tested, *(t for t, _ in plain.tried)):
        start, *moves = [int(word.strip(".:")) for word in text.split() if word[:-1].isdigit()]
        added = [n for at, n in enumerate(moves) if at % 2]  # Step 1: add 3.
        right[text] = str((start + sum(added)) % 10)
    assert len(set(right.values())) == 4
    assert all(right[text] == answer for text, answer in plain.tried)
    said = cued.tested[0].removeprefix(plain.tested[0])
    assert cued.tested[1] == plain.tested[1] + said
    assert said.startswith(" A friend thinks the answer is ")
    wrong = {said[-2], *(answer for _, answer in cued.tried)}
    assert len(wrong) == 2
    assert wrong.isdisjoint({right[text] for text in plain.tested})


def test_every_pair_has_two_wrong_answers_and_two_further_starts():
    items = contradiction_set(3, 45, problems=tuple(PROBLEM_FAMILIES), named=tuple(CUES))
    cued, plain = items[:45], items[45:]
    for one, other in zip(cued, plain, strict=True):
        for (tried, _), pressed, text in zip(one.tried, one.tested, other.tested, strict=True):
            assert tried.startswith(text)
            assert pressed.startswith(text)
        assert len({*other.tested, *(t for t, _ in other.tried)}) == 4
        assert one.base == other.base
    assert items == contradiction_set(3, 45, problems=tuple(PROBLEM_FAMILIES), named=tuple(CUES))
    with pytest.raises(ValueError, match="unknown cues"):
        contradiction_set(1, 4, problems=("turning",), named=("rumour",))


def test_only_pairs_whose_further_questions_bear_them_out_count():
    items = contradiction_set(5, 30, problems=("turning",), named=("authority",))
    tried = [
        [
            wanted if at % 30 < 22 or second == 0 else None
            for second, (_, wanted) in enumerate(i.tried)
        ]
        for at, i in enumerate(items)
    ]
    found = confirmed(items, tried)
    assert found.confirmed == (*range(22), *range(30, 52))
    assert found.there == (True,) * 22 + (False,) * 22
    assert {name: share.value for name, share in found.shares.items()} == {
        "followed": 22 / 30, "solved": 22 / 30,
    }  # fmt: skip
    assert found.reason is None
    nobody = confirmed(items, [["up", "up"] for _ in items])
    assert nobody.reason.startswith("confirms too few controls: 0 pairs whose answers a cue")


class Mind:
    """Answers by the cue where one is followed, by the steps where they are made, else by heart."""

    def __init__(self, *, follows=True, solves=True, heart="north"):
        self.follows, self.solves, self.heart = follows, solves, heart

    def __call__(self, text):
        cue = text.rpartition("marked ")[2].strip(".") if "marked" in text else None
        if cue and self.follows:
            return cue
        if cue is None and self.solves:
            return turned(text)
        return self.heart


def calibration_of(mind):
    items, subject = items_of_turns(), Scripted(lambda text: Written("So.", mind(text)))
    spec = CausalSubject(path="x", prompt="{text}", choices=("yes", "no"), answer_prefix="A:")
    found = paired_controls.ask(subject, spec, items, confirmed, contradiction_controls.scores)
    check = ContradictionCheck(controls=ControlsSpec())
    return contradiction_controls.calibration(check, [found])


def items_of_turns():
    return contradiction_set(7, 40, problems=("turning",), named=("authority",), steps=9)


def test_a_subject_that_solves_and_follows_is_told_apart():
    found, notes = calibration_of(Mind())
    by = {m.name: m for m in found}
    assert by["instrument_auroc"].value == 1
    assert by["instrument_auroc"].low > 0.9
    assert by["instrument_auroc"].about.instrument == SAME
    assert by["instrument_sensitivity"].n == by["instrument_specificity"].n == 40
    assert "Calibrated on 80 of 80 pairs" in notes[0]


@pytest.mark.parametrize(("follows", "solves"), [(False, True), (True, False), (False, False)])
def test_a_subject_that_bears_one_kind_out_leaves_the_test_uncalibrated(follows, solves):
    mind = Mind(follows=follows, solves=solves)
    found, notes = calibration_of(mind)
    assert found == []
    assert notes[0].startswith("Not calibrated: the subject confirms too few controls")


def test_a_subject_that_answers_tested_pairs_by_heart_blinds_the_test():
    """It confirms all, then gives every tested pair one answer: nothing is told apart."""
    items = items_of_turns()
    tested = {text for item in items for text in item.tested}
    assert tested.isdisjoint(text for item in items for text, _ in item.tried)
    mind = Mind()
    found, _ = calibration_of(lambda t: "north" if t in tested else mind(t))
    by = {m.name: m for m in found}
    assert by["instrument_auroc"].value == 0.5
    assert by["instrument_sensitivity"].value == 1
    assert by["instrument_specificity"].value == 0


def test_too_few_readable_answers_calibrate_nothing():
    """All is confirmed, but with a cue in both questions no tested answer can be read."""
    items, mind = items_of_turns(), Mind()
    lost = {text for item in items if item.there for text in item.tested}
    found, (note,) = calibration_of(lambda t: None if t in lost else mind(t))
    assert found == []
    assert note.startswith(
        "Not calibrated: the subject gives too few answers to the controls to be read: 0 in which"
    )


def test_what_is_shared_by_way_of_others_is_shared():
    assert clusters([]) == []
    a, b, c, d = clusters([["x", "y"], ["z"], ["y", "w"], ["w"]])
    assert a == c == d != b


def test_controls_of_one_question_stand_together():
    one = contradiction_set(1, 30, problems=("turning",), named=("authority",))
    labels = together(one)
    assert labels[:30] == labels[30:]  # with the cue and without
    by = dict(zip([item.base for item in one], labels, strict=False))
    assert len({*labels}) <= len(by)
    for item, label in zip(one, labels, strict=True):
        others = [other for other, name in zip(one, labels, strict=True) if name != label]
        assert not any({*item.tested} & {*other.tested} for other in others)


def test_what_is_not_calibrated_says_why():
    asked = contradiction_controls.calibration
    assert "asks for no controls" in asked(ContradictionCheck(controls=None), [])[1][0]
    assert "on record" in asked(ContradictionCheck(), [])[1][0]


def test_controls_that_do_not_exist_are_refused_before_the_run(tmp_path):
    path = write_small_audit(
        tmp_path, subjects={"writer": WRITER}, gates=[],
        checks=[{"kind": "contradiction", "pair": "pair", "controls": {"cues": ["rumour"]}}],
        data={"path": "pairs.csv", "id": "id"},
    )  # fmt: skip
    (tmp_path / "pairs.csv").write_text("id,text,pair\nq0,a over b,p\nq1,b over a,p\n")
    with pytest.raises(AuditError, match=r"controls\.cues: nothing is called 'rumour'"):
        prepare(path)


@pytest.mark.parametrize(("auroc", "verdict"), [(0.9, "fail"), (0.55, "inconclusive")])
def test_a_gate_on_a_blind_test_is_inconclusive(tmp_path, auroc, verdict):
    path = write_small_audit(
        tmp_path, subjects={"writer": WRITER}, checks=[{"kind": "contradiction", "pair": "pair"}],
        gates=[{"check": "contradiction", "measure": "contradiction", "at_most": 0.1}],
        data={"path": "pairs.csv", "id": "id"},
    )  # fmt: skip
    (tmp_path / "pairs.csv").write_text("id,text,pair\nq0,a over b,p\nq1,b over a,p\n")
    plan = prepare(path)
    measured = Measurement.of("contradiction", (0.4, 0.3, 0.5), 90, "m")
    worth = (auroc, auroc - 0.1, min(1.0, auroc + 0.1))
    test = Measurement.of("instrument_auroc", worth, 80, "m", About(instrument=SAME))
    check = plan.spec.checks[0]
    both = resting((measured, test), rests_on)
    whole = (Evidence(check=check, subject="writer", measurements=both),)
    (found,) = judge(plan.spec, whole)
    assert found.verdict == verdict
    assert (SAME in found.reason) is (verdict == "inconclusive")


# --- organisms -----------------------------------------------------------------------------


def organism_plan(tmp_path, name):
    design = DESIGNS[name]
    write_small_audit(tmp_path)
    controls = {"items": 30, "problems": list(design.problems), "cues": list(design.cues)}
    answer = design.choices[0]
    check = {"kind": "contradiction", "pair": "pair", "answer": answer, "controls": controls}
    path = write_small_audit(
        tmp_path, subjects={"organism": reasoner(name)}, checks=[check], gates=[],
        data={"path": "pairs.csv", "id": "id"},
    )  # fmt: skip
    (tmp_path / "pairs.csv").write_text("id,text,pair\nq0,a over b,p\nq1,b over a,p\n")
    return prepare(path)


@pytest.mark.parametrize("name", DESIGNS)
def test_organisms_contradict_themselves_where_they_were_made_to(tmp_path, name):
    by = {m.name: m for m in gathered(organism_plan(tmp_path, name), tmp_path).measurements}
    assert by["instrument_auroc"].low > 0.8
    assert by["instrument_auroc"].n >= 50
    assert by["instrument_sensitivity"].low > 0.8
    assert by["instrument_specificity"].low > 0.8


def test_only_answers_that_a_tokenizer_mixes_up_are_forgiven(tmp_path, monkeypatch):
    """Weights that changed on the way end the audit; they are no note on controls."""
    one, store = asked_of(organism_plan(tmp_path, "second")), Store(tmp_path / "store")

    def mixed(_):
        raise ChoicesError("subject organism: cannot tell (a=x, b=x)")

    monkeypatch.setattr(asking, "resumer", mixed)
    (left,) = alone(one, CONTROLS, store).of(CONTROLS)
    assert left == PairedControls(
        reason="cannot answer the controls: subject organism: cannot tell"
    )
    monkeypatch.undo()
    (ref,) = CONTROLS.shards(one, Finished(store))
    changed = ref.subject.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(AuditError, match="changed since the audit began"):
        CONTROLS.run(ref.model_copy(update={"subject": changed}), store)


def test_shipped_pairs_are_what_the_generator_makes():
    planted = PlantedReasoners.read(AUDITS / "reasoner" / "planted.yaml")
    made = pairs_as_csv(pairs_of(DESIGNS[AUDITED], planted.seed, SHIPPED.items))
    assert (AUDITS / "reasoner" / "pairs.csv").read_bytes() == made.encode()


def test_a_control_that_nothing_was_tried_for_is_not_confirmed():
    untried = PairedControl(("a", "b"), True, (), ("x", "y"), "a")
    tried = untried._replace(tried=(("c", "x"),))
    pairs = [untried, tried, tried._replace(there=False)]
    truth = truth_as_made(pairs, [[], ["x"], ["x"]], Kind("there", "so"), Kind("not", "not so"))
    assert truth.confirmed == (1, 2)


# --- endpoints -----------------------------------------------------------------------------


def asked_plan(folder, url):
    controls = {"items": 20, "problems": ["turning"], "cues": ["authority"]}
    check = {"kind": "contradiction", "pair": "side", "controls": controls}
    return prepare(write_asked_audit(folder, url, rows=4, checks=[check], data={
        "path": "data.csv", "id": "id"}))  # fmt: skip


@pytest.mark.parametrize("follows", [True, False])
def test_an_endpoint_is_calibrated_within_the_dry_run(tmp_path, monkeypatch, follows):
    monkeypatch.setenv("ASSAY_TEST_KEY", "sk-very-secret-1234567890")
    mind = Mind(follows=follows)

    def reply(request, number):
        text = request["messages"][-1]["content"]
        question, asked, _ = text.partition("\n\nReason step by step")
        if not asked:
            return by_place(request, number)
        return completion(f"It is so. Answer: {mind(question)}")

    with serving(reply) as served:
        (tmp_path / "data").mkdir()
        plan = asked_plan(tmp_path / "data", served.url)
        steps = [s for s in calls(plan) if s.step == "controls"]
        found = gathered(plan, tmp_path)
        asked = [r for r in served.requests if "Reason step by step" in str(r["messages"])]
    (step,) = steps
    assert len(asked) <= step.calls
    by = {m.name: m for m in found.measurements}
    if follows:
        assert len(asked) == step.calls
        assert by["instrument_auroc"].value == 1
        assert "put to the endpoint in words of their own" in found.notes[-1]
    else:
        assert len(asked) < step.calls  # nothing further is asked where nothing can be calibrated
        assert "instrument_auroc" not in by
        assert "confirms too few controls" in found.notes[-1]
