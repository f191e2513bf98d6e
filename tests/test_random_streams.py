"""Random numbers by name: independent, repeatable, and nothing drawn beside the rule."""

import ast
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from tasks.measures.stats.random_streams import stream, subseed, torch_stream
from tests.support.sources import nodes

RULE = Path("tasks/measures/stats/random_streams.py")
CODE = sorted([*Path("tasks").rglob("*.py"), *Path("flows").rglob("*.py")])
NAMED = {"stream", "subseed", "torch_stream"}
BARE = {"default_rng", "manual_seed", "RandomState", "SeedSequence", "PCG64"}
FOREIGN = {Path("tasks/measures/attribution/partition.py")}
"""Sets and restores numpy's global state for a library that draws from it."""


def calls(path):
    return [node for node in nodes(path) if isinstance(node, ast.Call)]


def called(node):
    of = node.func
    return of.attr if isinstance(of, ast.Attribute) else getattr(of, "id", "")


def test_the_same_name_draws_the_same_and_another_name_or_place_something_else():
    draws = {
        at: tuple(stream(*at).random(4))
        for at in [(7, "a"), (7, "b"), (8, "a"), (7, "a", 0), (7, "a", 1), (7, "a", 0, 1)]
    }
    assert len(set(draws.values())) == len(draws)
    assert tuple(stream(7, "a").random(4)) == draws[7, "a"]


def test_streams_of_two_names_are_not_correlated():
    """Of 20,000 pairs a correlation beyond 4 / sqrt(20,000) = 0.028 happens once in 16,000."""
    a, b = (stream(1, name).standard_normal(20_000) for name in ("a", "b"))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.028


def test_subseeds_of_neighbours_are_uniform():
    drawn = [subseed(3, "text", at) / 2**32 for at in range(4000)]
    assert kstest(drawn, "uniform").pvalue > 1e-3
    assert len(set(drawn)) == len(drawn)


def test_torch_draws_from_a_stream_of_its_own():
    first, again = (torch.rand(3, generator=torch_stream(5, "a")) for _ in range(2))
    torch.testing.assert_close(first, again)
    assert not torch.equal(first, torch.rand(3, generator=torch_stream(5, "b")))


@pytest.mark.parametrize("path", CODE, ids=str)
def test_nothing_draws_beside_the_rule(path):
    if path in FOREIGN | {RULE}:
        return
    assert not {called(node) for node in calls(path)} & BARE


def test_no_two_places_share_a_name():
    names = Counter()
    for path in CODE:
        for node in calls(path):
            if called(node) in NAMED and path != RULE:
                name = node.args[1]
                assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: name it literally"
                names[name.value] += 1
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) > 40
