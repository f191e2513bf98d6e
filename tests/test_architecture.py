"""The architecture as a test: imports point one way, and no engine and no kind names a kind."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tasks.definition.kinds import built_in
from tasks.run.code import reached_from
from tests.support.sources import nodes

LAYERS = (
    ("definition",),
    ("schema", "measures"),
    ("data",),
    ("subjects",),
    ("controls", "judge", "run"),
    ("explain", "report"),
    ("checks",),
    ("calibration", "record"),
)
"""Folders of tasks/, lowest first; a folder imports from its own layer and from lower ones."""

SEPARATE = {"schema", "measures"}
"""Folders that do not import others of their own layer either."""

NUMERIC = {"numpy", "torch", "sklearn", "captum", "concept_erasure", "scipy", "statsmodels"}
LIBRARIES = {  # besides the standard library and `tasks`; the longest path that fits decides
    "flows": {"prefect", "pydantic", "typer", "rich", "httpx"},
    "tasks/definition": {"pydantic", "pydantic_core", "yaml"},
    "tasks/schema": {"pydantic", "yaml"},
    "tasks/measures": NUMERIC | {"sentencex"},
    "tasks/measures/attribution/partition.py": NUMERIC | {"shap"},
    "tasks/data": {"numpy", "pyarrow", "datasets", "huggingface_hub", "pydantic"},
    "tasks/subjects": {"numpy", "torch", "pydantic"},
    "tasks/subjects/local": {"numpy", "torch", "transformers", "safetensors", "pydantic"},
    "tasks/subjects/local/folder.py": {"huggingface_hub", "pydantic"},
    "tasks/subjects/endpoint": {"openai", "pydantic"},
    "tasks/controls": {"numpy"},
    "tasks/judge": set(),
    "tasks/run": {"numpy", "pydantic", "safetensors", "fsspec"},
    "tasks/explain": {"openai", "jinja2", "pydantic"},
    "tasks/report": {"jinja2", "markupsafe", "altair", "vl_convert", "huggingface_hub", "yaml"},
    "tasks/checks": {"numpy", "torch", "pydantic", "markupsafe"},
    "tasks/checks/work.py": {"prefect"},
    "tasks/calibration": {"numpy", "scipy", "torch"},
    "tasks/record": set(),
}
FLOWS = sorted(Path("flows").rglob("*.py"))
TASKS = sorted(Path("tasks").rglob("*.py"))
KINDS = {kind.name for kind in built_in()}
ENGINES = [
    path
    for folder in ("flows", "tasks/explain", "tasks/report", "tasks/judge", "tasks/run")
    for path in sorted(Path(folder).rglob("*.py"))
]
SHARED_BY_KINDS = {"instruments", "interventions"}


def imports(path: Path) -> set[str]:
    """Everything `path` imports from outside the standard library, as dotted names."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: use absolute imports"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


def folders_imported(path: Path) -> set[str]:
    """Folders of tasks/ that `path` imports from."""
    names = (name.split(".") for name in imports(path))
    return {name[1] for name in names if name[0] == "tasks"} - {"errors"}


@pytest.mark.parametrize("path", [p for p in TASKS if len(p.parts) > 2], ids=str)
def test_imports_point_one_way(path):
    folder = path.parts[1]
    (rank,) = [i for i, layer in enumerate(LAYERS) if folder in layer]
    allowed = {name for layer in LAYERS[: rank + 1] for name in layer}
    if folder in SEPARATE:
        allowed -= set(LAYERS[rank]) - {folder}
    assert folders_imported(path) <= allowed


@pytest.mark.parametrize("path", FLOWS + TASKS, ids=str)
def test_a_folder_uses_the_libraries_of_its_work(path):
    known = [prefix for prefix in LIBRARIES if path.as_posix().startswith(prefix)]
    allowed = LIBRARIES[max(known, key=len)] if known else set()
    used = {name.split(".")[0] for name in imports(path)} - {"tasks", "flows"}
    assert used <= allowed


@pytest.mark.parametrize("path", TASKS, ids=str)
def test_tasks_know_of_no_flow_and_of_no_test(path):
    assert not {name for name in imports(path) if name.split(".")[0] in {"flows", "tests"}}


@pytest.mark.parametrize("path", sorted(Path("tests").glob("test_*.py")), ids=str)
def test_tests_import_no_tests(path):
    """What they share stands in tests/support and tests/organisms."""
    assert not {name for name in imports(path) if name.startswith("tests.test_")}


@pytest.mark.parametrize("path", FLOWS, ids=str)
def test_flows_orchestrate_and_do_not_measure(path):
    assert not {"measures", "controls"} & folders_imported(path)
    assert not {name for name in imports(path) if name.split(".")[0] == "tests"}


@pytest.mark.parametrize("path", ENGINES, ids=str)
def test_engines_name_no_kind_of_check(path):
    """What they need of a kind they are handed from the table."""
    definitions = {kind.definition.__name__ for kind in built_in()}
    names = {name.rpartition(".")[2] for name in imports(path)}
    assert not names & definitions
    written = {
        node.value
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not written & KINDS


@pytest.mark.parametrize("path", sorted(Path("tasks/checks").rglob("*/*.py")), ids=str)
def test_no_kind_knows_another(path):
    own = path.parts[2]
    rooms = {n.split(".")[2] for n in imports(path) if n.startswith("tasks.checks.")}
    others = (rooms & (KINDS | SHARED_BY_KINDS)) - {own}
    assert not others & KINDS, f"{path} imports from the room of another kind"
    assert own not in SHARED_BY_KINDS or others <= SHARED_BY_KINDS


@pytest.mark.parametrize("kind", built_in(), ids=lambda kind: kind.name)
def test_the_code_behind_a_number_is_that_of_its_own_kind(kind):
    """A shard is named by it: another kind's docstring must not make it measure anew."""
    from tasks.checks import room_of

    of_kinds = ("tasks.checks.", "tasks.definition.checks.", "tasks.definition.vocabulary.")
    above = {"explain", "report", "calibration", "record"}
    for one in room_of(kind.name).rounds:
        reached = reached_from(one.measure.__module__)
        parts = {part for name in reached if name.startswith(of_kinds) for part in name.split(".")}
        assert parts & KINDS <= {kind.name}, one.name
        assert not above & {name.split(".")[1] for name in reached}


@pytest.mark.parametrize("path", FLOWS, ids=str)
def test_no_flow_module_hides_another_package(path):
    """Prefect puts flows/ first on sys.path and registers flows/audit.py as `audit`."""
    taken = sys.stdlib_module_names | packages_distributions().keys()
    assert path.parts[1].removesuffix(".py") not in taken | {
        "tasks",
        "templates",
        "audits",
        "tests",
    }


@pytest.mark.parametrize(
    "light",
    ["tasks.definition.kinds", "tasks.definition.audit", "tasks.schema", "tasks.checks.preflight"],
)
def test_a_definition_is_checked_without_a_model_library(light):
    """`assay check` answers before torch could be imported; so does a plug-in's record."""
    code = f"import sys, {light}; sys.exit(any(m in sys.modules for m in ('torch', 'prefect')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_preflight_of_every_kind_needs_no_model_library():
    code = (
        "import sys; from tasks.checks import room_of; from tasks.definition.kinds import kinds;"
        "[room_of(kind.name).preflight for kind in kinds()];"
        "sys.exit(any(m in sys.modules for m in ('torch', 'prefect')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_shard_is_named_by_the_code_that_reads_its_subject_too():
    """Readers are imported by name, which no import statement shows; `Round.code` adds them."""
    from typing import get_args

    from tasks.definition import SubjectSpec

    for kind in get_args(get_args(SubjectSpec)[0]):
        module, _, _ = kind.reader.partition(":")
        assert module in reached_from(module)
    local = reached_from("tasks.subjects.local.reader")
    assert "tasks.subjects.local.loading" in local  # imported when first needed, and counted
