"""Tests import no tests but what they share, and the product imports nothing of either."""

import ast
from pathlib import Path

import pytest

from tests.support.sources import nodes

TESTS = sorted(Path("tests").rglob("*.py"))
PRODUCT = sorted(path for part in ("flows", "tasks") for path in Path(part).rglob("*.py"))
SHARED = ("tests.support", "tests.organisms", "benchmarks.instruments")


def imported(path: Path) -> set[str]:
    """Every module and name of `tests` and `benchmarks` that is imported, wherever that stands."""
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in ("tests", "benchmarks")}


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_tests_import_no_tests(path):
    assert not [name for name in imported(path) if not name.startswith(SHARED)]
    assert "from tests.test" + "_" not in path.read_text(), "nor do the scripts they run"


@pytest.mark.parametrize("path", PRODUCT, ids=str)
def test_the_product_imports_nothing_of_tests_and_benchmarks(path):
    assert not imported(path)
