"""The store of finished work, payloads of rounds, and shards that refuse what changed meanwhile."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.checks.gather import in_process, round_of
from tasks.checks.preflight import prepare
from tasks.definition.record import Record
from tasks.errors import AuditError, DataError
from tasks.run.decisions import DECISIONS, pieces
from tasks.run.payload import Payload
from tasks.run.rounds import Finished
from tasks.run.store import Store
from tests.support.gathering import asked
from tests.support.small import write_small_audit


class Row(Record):
    name: str
    share: float | None


class Sample(Payload):
    values: NDArray[np.float32]
    by_layer: dict[str, NDArray[np.int64]]
    rows: tuple[Row, ...]
    reason: str | None = None


SAMPLE = Sample(
    values=np.array([[0.1, -2.5]], dtype=np.float32),
    by_layer={"mean/0": np.arange(3), "head": np.array([7])},
    rows=(Row(name="a", share=1 / 3), Row(name="b", share=None)),
)


@pytest.fixture
def plan(tmp_path):
    return prepare(write_small_audit(tmp_path / "audit"))


@pytest.fixture(params=["folder", "address"])
def store(request, tmp_path):
    return Store(tmp_path / "store" if request.param == "folder" else f"memory://{tmp_path}")


def shard(plan):
    return DECISIONS.shard(plan, None, plan.main, pieces(plan, plan.main, range(4))[0])


def test_a_payload_reads_back_to_the_bit(plan, store):
    back = store.read(store.write(shard(plan), SAMPLE), Sample)
    assert back.rows == SAMPLE.rows
    assert back.reason is None
    np.testing.assert_array_equal(back.values, SAMPLE.values)
    assert back.values.dtype == np.float32
    assert list(back.by_layer) == ["mean/0", "head"]
    for name, array in SAMPLE.by_layer.items():
        np.testing.assert_array_equal(back.by_layer[name], array)


def test_one_array_is_read_without_the_others(plan, store):
    stored = store.write(shard(plan), SAMPLE)
    np.testing.assert_array_equal(store.array(stored, "by_layer/mean/0"), [0, 1, 2])


def test_an_empty_mapping_of_arrays_stays_one(plan, store):
    empty = SAMPLE.model_copy(update={"by_layer": {}})
    assert store.read(store.write(shard(plan), empty), Sample).by_layer == {}


def test_the_payload_of_another_round_is_refused_in_one_line(plan, store):
    stored = store.write(shard(plan), SAMPLE)
    with pytest.raises(AuditError, match=r"a stored Decisions does not read back"):
        store.read(stored, DECISIONS.payload)


def test_finished_work_is_known_again_until_a_bit_of_it_changes(plan, tmp_path):
    store, ref = Store(tmp_path / "store"), shard(plan)
    assert store.find(ref) is None
    stored = store.write(ref, SAMPLE)
    assert store.find(ref) == stored
    path = tmp_path / "store" / stored.path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert store.find(ref) is None
    with pytest.raises(AuditError, match="finished work that was changed"):
        store.read(stored, Sample)
    path.unlink()
    with pytest.raises(AuditError, match="finished work that is gone"):
        store.read(stored, Sample)


def test_nobody_else_may_write_into_a_new_store(tmp_path):
    Store(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_an_export_is_what_its_digest_says_or_gone(store):
    digest = store.keep_export({"vector": np.ones(3)}, {"format": 1})
    assert len(store.export(digest)) > 24
    with pytest.raises(AuditError, match=r"the export with digest 0{12} is gone"):
        store.export("0" * 64)


def test_other_data_than_the_audit_began_with_ends_the_shard_in_one_line(plan, tmp_path):
    """A worker verifies the data by digest, as it verifies weights."""
    store, ref = Store(tmp_path / "store"), shard(plan)
    path = plan.root / plan.spec.data.path
    path.write_text(path.read_text().replace("yes", "no", 1))
    with pytest.raises(DataError, match=r"the data changed since the audit began") as refused:
        DECISIONS.run(ref, store)
    assert "\n" not in str(refused.value)


def test_a_worker_with_other_code_refuses(plan, tmp_path):
    ref = shard(plan).model_copy(update={"code": "0" * 64})
    with pytest.raises(AuditError, match=r"round decisions: this worker runs other code"):
        DECISIONS.run(ref, Store(tmp_path / "store"))


def test_what_is_finished_is_not_measured_again(plan, tmp_path, monkeypatch):
    store, ref = Store(tmp_path / "store"), shard(plan)
    (first,) = in_process(store)("decisions", [ref])
    monkeypatch.setattr(type(DECISIONS), "run", lambda *_: pytest.fail("measured again"))
    assert in_process(store)("decisions", [ref]) == [first]


def test_a_shard_belongs_to_the_round_that_planned_it(plan):
    one = asked(plan, next(c for c in plan.spec.checks if c.kind == "localisation"))
    from tasks.checks import room_of

    first = room_of("localisation").rounds[0]
    refs = first.shards(one, Finished(Store("memory://rounds")))
    assert round_of(refs[0]) is first
    assert round_of(shard(plan)) is DECISIONS
