"""README and docs are the truth: commands exist, reference pages are the code's, links resolve."""

import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from flows.cli import app
from tasks.definition.audit import AuditSpec
from tasks.definition.checks.attribution import MethodName
from tasks.definition.kinds import built_in
from tasks.definition.subjects import CausalSubject
from tests.organisms.__main__ import Organism
from tests.organisms.__main__ import app as organisms

README = Path("README.md").read_text(encoding="utf-8")
REFERENCE = Path("docs/reference")
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
PAGES = [Path("README.md"), *sorted(Path("docs").rglob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
MADE = runpy.run_path("docs/generate.py")["pages"]()


def shell_lines(text: str) -> list[str]:
    """Every command in the shell blocks of a page."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and line[0] not in "#"]


EVERYWHERE = [(page, line) for page, text in TEXTS.items() for line in shell_lines(text)]
"""Every page with each of its commands."""


def anchors(text: str) -> set[str]:
    """What links to a page may name behind `#`."""
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_and_has_help(name):
    assert f"assay {name}" in README
    outcome = CliRunner().invoke(app, [name, "--help"])
    assert outcome.exit_code == 0
    assert COMMANDS[name].help


@pytest.mark.parametrize(
    ("page", "line"), [(p, x) for p, x in EVERYWHERE if re.search(r"(^|run |uvx )assay ", x)]
)
def test_every_assay_command_of_a_page_parses(page, line):
    words = shlex.split(re.split(r"[#>]", line)[0])
    words = words[words.index("assay") + 1 :]
    if words[0].startswith("--"):
        return
    command = COMMANDS[words[0]]
    command.make_parser(command.make_context("x", [], resilient_parsing=True)).parse_args(words[1:])
    for word in words[1:]:
        if word.startswith("audits/"):
            assert Path(word).is_file()


@pytest.mark.parametrize(
    ("page", "line"), [(p, x) for p, x in EVERYWHERE if " -m tests.organisms " in x]
)
def test_every_command_of_a_page_that_makes_organisms_parses(page, line):
    words = shlex.split(line.split("#")[0])
    name, *words = words[words.index("tests.organisms") + 1 :]
    command = get_command(organisms).commands[name]
    given = command.make_context(name, words)
    assert given.params["name"] in list(Organism)


@pytest.mark.parametrize(
    ("page", "line"), [(p, x) for p, x in EVERYWHERE if re.search(r"\b(benchmarks|docs)[./]", x)]
)
def test_every_script_that_a_page_runs_exists(page, line):
    for module in re.findall(r"-m (benchmarks[\w.]*)", line):
        assert Path(module.replace(".", "/") + ".py").is_file()
    for script in re.findall(r"(?:benchmarks|docs)/\S+\.py", line):
        assert Path(script).is_file()


@pytest.mark.parametrize("name", ["check audits/loan-approval.yaml", "schema", "list"])
def test_the_commands_that_need_no_model_run(name):
    assert f"uv run assay {name}" in README
    outcome = CliRunner().invoke(app, name.split())
    assert outcome.exit_code == 0
    assert outcome.output


def test_the_two_first_commands_are_the_ones_promised():
    promised = ["uv run assay run audits/loan-approval.yaml", "uv run pytest"]
    assert shell_lines(README)[:2] == promised


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 200


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_picture_file_and_heading_a_page_links_to_exists(page):
    for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", TEXTS[page]):
        linked = page.parent / target if target else page
        assert linked.exists(), f"{page} links to {target}"
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(linked.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_every_page_is_linked_from_the_readme_or_a_page_that_is():
    seen, left = set(), [Path("README.md")]
    while left:
        page = left.pop()
        if page not in seen:
            seen.add(page)
            links = re.findall(r"\]\((?!https?://)([^)#]+\.md)", TEXTS[page])
            left += [(page.parent / link).resolve().relative_to(Path.cwd()) for link in links]
    assert set(PAGES) <= seen


@pytest.mark.parametrize("name", MADE)
def test_reference_pages_are_what_the_code_says(name):
    stands = REFERENCE / name
    fresh = stands.is_file() and stands.read_text(encoding="utf-8") == MADE[name]
    assert fresh, f"{stands} is out of date: run `uv run python docs/generate.py`"


def test_no_reference_page_is_left_over():
    assert {path.name for path in REFERENCE.glob("*")} == set(MADE)


@pytest.mark.parametrize("kind", built_in(), ids=lambda kind: kind.name)
def test_every_check_its_keys_and_its_measures_are_in_the_reference(kind):
    assert f"\n## {kind.name}\n" in MADE["checks.md"]
    assert not [key for key in kind.definition.model_fields if f"`{key}`" not in MADE["checks.md"]]
    assert not [name for name in kind.vocabulary if f"`{name}`" not in MADE["measures.md"]]


def test_every_attribution_method_is_in_the_how_to():
    page = TEXTS[Path("docs/how-to/attribution.md")]
    assert not [name for name in MethodName.__args__ if f"`{name}`" not in page]


def test_a_subject_that_predicts_tokens_offers_what_the_page_of_access_says():
    assert CausalSubject(path="x").lacks == {"decisions", "answers"}


def definitions(text: str) -> list[str]:
    """Every whole definition in a page."""
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return [block for block in blocks if block.startswith("name:")]


def test_the_definition_of_the_readme_is_one():
    (definition,) = definitions(README)
    assert AuditSpec.model_validate(yaml.safe_load(definition)).name == "hiring"


def test_the_tutorial_works_as_it_stands(tmp_path):
    text = TEXTS[Path("docs/tutorial.md")]
    for source, target in re.findall(r"^cp (?:-r )?(\S+) mine/(\S+)$", text, re.MULTILINE):
        copy = shutil.copytree if Path(source).is_dir() else shutil.copyfile
        copy(source, tmp_path / target)
    (definition,) = definitions(text)
    (tmp_path / "loans.yaml").write_text(definition)
    outcome = CliRunner().invoke(app, ["check", str(tmp_path / "loans.yaml")])
    assert outcome.exit_code == 0
    assert outcome.output.strip() in text
