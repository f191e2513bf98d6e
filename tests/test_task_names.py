"""Names of tasks: which check, which subject, which texts; no two steps of an audit share one."""

import pytest

from flows.shards import parts
from tasks.checks import room_of
from tasks.definition.kinds import kinds
from tasks.run.decisions import DECISIONS
from tasks.run.shards import ShardRef


def shards(*rows):
    return [ShardRef.model_construct(rows=tuple(of)) for of in rows]


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        pytest.param([range(100), range(100, 130)], ["texts 1-100", "texts 101-130"], id="texts"),
        pytest.param([[7, 3], [5]], ["texts 1-2", "text 3"], id="one text left over"),
        pytest.param([range(40)], ["texts 1-40"], id="one shard"),
        pytest.param([[4, 9], [4, 9]], ["part 1 of 2", "part 2 of 2"], id="layers of one sample"),
        pytest.param([[], []], ["part 1 of 2", "part 2 of 2"], id="no texts"),
    ],
)
def test_shards_of_a_step_are_told_apart(rows, names):
    assert parts(shards(*rows)) == [f", {name}" for name in names]


@pytest.mark.parametrize("rows", [[], [0]], ids=["no row", "a row that stands for all"])
def test_a_shard_of_controls_counts_no_texts(rows):
    assert parts(shards(rows)) == [""]


def test_no_two_rounds_have_the_same_title():
    rounds = {one.name: one for kind in kinds() for one in room_of(kind.name).rounds}
    titles = [one.title for one in {**rounds, DECISIONS.name: DECISIONS}.values()]
    assert sorted(titles) == sorted({*titles})
    assert all("{subject}" in title for title in titles)
