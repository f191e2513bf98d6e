"""Digest of the code that a number depends on: a module and its imports within the project.

It is part of a shard's name, so that a change of one kind of check leaves other kinds' shards
valid.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("captum", "concept-erasure", "numpy", "scikit-learn", "scipy", "torch", "transformers")
OPTIONAL_LIBRARIES = ("shap",)


@cache
def code_behind(module: str) -> str:
    """Digest over the sources of `module` and of everything it imports, however far.

    That is everything within its own package and `tasks`, also imports inside functions.

    Args:
        module: dotted name, such as `tasks.checks.attribution.measure`.

    Of a package count the modules that are imported from it; its `__init__` counts only if names
    are imported from it.

    Returns:
        sha256; comments and docstrings of these files count, as they are part of the file.
    """
    whole = hashlib.sha256()
    for name, path in sorted(reached_from(module).items()):
        whole.update(name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


@cache
def reached_from(module: str) -> dict[str, Path]:
    """Modules that `module` imports, itself among them, and their files."""
    own = {"tasks", module.partition(".")[0]}
    reached: dict[str, Path] = {}
    todo = [module]
    while todo:
        name = todo.pop()
        path = _source(name)
        if name in reached or path is None:
            continue
        reached[name] = path
        todo += [imported for imported in _imported(path) if imported.partition(".")[0] in own]
    return reached


def _imported(path: Path) -> Iterator[str]:
    """Every imported name that might be a module; names of no module have no source."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _source(module: str) -> Path | None:
    top = module.partition(".")[0]
    spec = find_spec(top) if top not in sys.builtin_module_names else None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        base = Path(folder).joinpath(*module.split(".")[1:])
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None


@cache
def library_versions() -> dict[str, str]:
    """Versions of the libraries that numbers depend on."""
    known = {name: version(name) for name in LIBRARIES}
    for name in OPTIONAL_LIBRARIES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known
