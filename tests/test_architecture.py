"""The architecture as a test: imports point one way, flows hide nothing."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tasks.run.shards import MEASURING

MEASURING_FILES = ()

NUMERIC = {"numpy", "torch", "sklearn", "captum", "concept_erasure", "scipy", "statsmodels"}
RENDERING = {"jinja2", "markupsafe", "altair", "vl_convert", "huggingface_hub", "yaml", "pydantic"}
MAY_IMPORT = {  # besides the standard library; the longest path that fits a module decides
    "flows": {"flows", "tasks", "prefect", "typer", "rich", "httpx"},
    "tasks": {"tasks", "numpy", "pydantic", "pyarrow", "datasets", "huggingface_hub"},
    "tasks/record.py": {"pydantic"},
    "tasks/vocabulary": {"tasks.vocabulary"},
    "tasks/address.py": {"tasks.record", "pydantic"},
    "tasks/checks": {"tasks.address", "tasks.checks", "tasks.record", "pydantic"},
    "tasks/spec": {
        "tasks.address",
        "tasks.checks",
        "tasks.complaint",
        "tasks.errors",
        "tasks.record",
        "tasks.spec",
        "tasks.vocabulary",
        "pydantic",
        "yaml",
    },
    "tasks/schema": {"tasks.checks", "tasks.record", "tasks.schema", "tasks.spec", "pydantic"},
    "tasks/complaint.py": {"pydantic", "pydantic_core"},
    "tasks/weights.py": {
        "tasks.errors",
        "tasks.record",
        "tasks.spec",
        "huggingface_hub",
        "pydantic",
    },
    "tasks/subject.py": {"tasks", "torch", "transformers"},
    "tasks/shards.py": {"tasks", "numpy", "safetensors"},
    "tasks/evidence.py": {"tasks", "prefect"},
    "tasks/serving.py": {
        "tasks.errors",
        "tasks.measures.hooks",
        "tasks.measures.levers",
        "tasks.weights",
        "torch",
        "safetensors",
    },
    "tasks/gather": {"tasks", "numpy", "torch", "pydantic.JsonValue"},
    "tasks/calibration": {"tasks", "numpy", "scipy", "torch"},
    "tasks/gather/generation.py": {"tasks", "torch", "transformers"},
    "tasks/measures": {"tasks.errors", "tasks.measures", "sentencex"} | NUMERIC,
    "tasks/measures/attribution/partition.py": {"tasks.measures", "shap"} | NUMERIC,
    "tasks/organisms": {
        "tasks",
        "numpy",
        "torch",
        "transformers",
        "tokenizers",
        "pydantic",
        "yaml",
    },
    "tasks/endpoint": {"tasks", "openai", "httpx", "pydantic"},
    "tasks/explain": {"tasks", "openai", "httpx"} | RENDERING,
    "tasks/report": {"tasks"} | RENDERING,
}
FLOWS = sorted(Path("flows").rglob("*.py"))
TOP = sorted({path.parts[1].removesuffix(".py") for path in FLOWS})
TASKS = sorted(Path("tasks").rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Everything `path` imports from outside the standard library, as dotted names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: use absolute imports"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("path", FLOWS + TASKS, ids=str)
def test_imports_point_one_way(path):
    rule = max((p for p in MAY_IMPORT if path.as_posix().startswith(p)), key=len)
    allowed = tuple(f"{name}." for name in MAY_IMPORT[rule])
    strays = [name for name in imports(path) if not f"{name}.".startswith(allowed)]
    assert not strays, f"{path} may not import {sorted(strays)}"


@pytest.mark.parametrize("path", FLOWS, ids=str)
def test_flows_orchestrate_and_do_not_measure(path):
    assert not [name for name in imports(path) if name.startswith("tasks.measures")]


@pytest.mark.parametrize("name", TOP)
def test_no_module_or_folder_of_flows_hides_another_package(name):
    """Prefect puts flows/ first on sys.path and registers flows/audit.py as `audit`."""
    taken = sys.stdlib_module_names | packages_distributions().keys()
    assert name not in taken | {"tasks", "templates", "audits", "tests"}


def test_a_definition_is_read_without_a_model_library():
    """`assay check` must answer before torch could be imported."""
    import subprocess

    code = "import sys, tasks.prepare; sys.exit('torch' in sys.modules or 'prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_module_that_measures_is_part_of_a_shards_name():
    """Else a kept payload would outlive the code that made it."""
    named = {Path("tasks") / name for name in MEASURING_FILES}
    named |= {path for folder in MEASURING for path in (Path("tasks") / folder).rglob("*.py")}
    reached, todo = set(), [Path("tasks/gather/__init__.py")]
    while todo:
        path = todo.pop()
        if path in reached or not path.is_file():
            continue
        reached.add(path)
        for name in imports(path):
            if name.startswith("tasks."):
                parts = name.split(".")
                deeper = [Path(*parts[:n]) for n in range(2, len(parts) + 1)]
                todo += [
                    found
                    for path in deeper
                    for found in (path.with_suffix(".py"), path / "__init__.py")
                ]
    exempt = {"plan", "schema", "complaint", "errors", "keys", "vocabulary"}
    exempt |= {"decided", "__init__"}  # what is checked, recorded or chosen, not measured
    assert {
        path for path in reached - named if path.with_suffix("").parts[1] not in exempt
    } == set()
