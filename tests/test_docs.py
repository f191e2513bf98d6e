"""The README is the truth: its commands exist, its names are the vocabulary's, its pictures too."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from flows.cli import app
from tasks.definition.kinds import built_in
from tests.organisms.__main__ import Organism
from tests.organisms.__main__ import app as organisms

README = Path("README.md").read_text(encoding="utf-8")
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


def shell_lines() -> list[str]:
    """Every command in the README's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and line[0] not in "#"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_and_has_help(name):
    assert f"assay {name}" in README
    outcome = CliRunner().invoke(app, [name, "--help"])
    assert outcome.exit_code == 0
    assert COMMANDS[name].help


@pytest.mark.parametrize("line", [x for x in shell_lines() if " assay " in f" {x}"])
def test_every_assay_command_of_the_readme_parses(line):
    words = shlex.split(re.split(r"[#>]", line)[0])
    words = words[words.index("assay") + 1 :]
    command = COMMANDS[words[0]]
    command.make_parser(command.make_context("x", [], resilient_parsing=True)).parse_args(words[1:])
    for word in words[1:]:
        if word.startswith("audits/"):
            assert Path(word).is_file()


@pytest.mark.parametrize("line", [x for x in shell_lines() if " -m tests.organisms " in x])
def test_every_command_of_the_readme_that_makes_organisms_parses(line):
    words = shlex.split(line.split("#")[0])
    name, *words = words[words.index("tests.organisms") + 1 :]
    command = get_command(organisms).commands[name]
    given = command.make_context(name, words)
    assert given.params["name"] in list(Organism)


@pytest.mark.parametrize("name", ["check audits/loan-approval.yaml", "schema", "list"])
def test_the_commands_that_need_no_model_run(name):
    assert f"uv run assay {name}" in README
    outcome = CliRunner().invoke(app, name.split())
    assert outcome.exit_code == 0
    assert outcome.output


def test_the_two_first_commands_are_the_ones_promised():
    assert shell_lines()[:2] == ["uv run assay run audits/loan-approval.yaml", "uv run pytest"]


def test_every_picture_and_file_the_readme_links_to_exists():
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert links
    assert not [link for link in links if not Path(link).exists()]


@pytest.mark.parametrize("check", built_in(), ids=lambda kind: kind.name)
def test_every_check_and_its_measures_are_in_the_readme(check):
    assert f"`{check.name}`" in README
    missing = [m for m in check.vocabulary if f"`{m}`" not in README]
    assert not missing
