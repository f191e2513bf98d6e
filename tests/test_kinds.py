"""Kinds of check: what ships is whole; what a package offers is one of them or refused."""

import subprocess
import sys
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.definition.access import Access
from tasks.definition.checks.base import BaseCheck
from tasks.definition.checks.fairness import FairnessCheck
from tasks.definition.kind import Kind
from tasks.definition.kinds import BUILT_IN, built_in, kind_of, kinds, measure_named
from tasks.definition.vocabulary import Measure
from tasks.errors import SpecError
from tasks.explain.plain_words import is_plain, plain_words


def each_kind(test):
    return pytest.mark.parametrize("kind", built_in(), ids=lambda kind: kind.name)(test)


@each_kind
def test_a_record_is_whole(kind):
    assert kind.title
    assert kind.question.endswith("?")
    assert kind.vocabulary
    assert kind.needs <= set(get_args(Access))
    assert kind.headlines
    assert set(kind.all_headlines) <= set(kind.vocabulary)
    assert set(kind.headlines).isdisjoint(kind.headlines_by_subset)
    assert (kind.templates / f"{kind.name}.j2").is_file()


@each_kind
def test_a_room_and_a_definition_bear_the_name_of_their_kind(kind):
    assert import_module(kind.room).__name__ == f"tasks.checks.{kind.name}"
    assert f"tasks.definition.checks.{kind.name}:KIND" in BUILT_IN
    assert kind_of(kind.name) is kind
    assert issubclass(kind.definition, BaseCheck)


def test_what_ships_comes_first_and_in_one_order():
    assert kinds()[: len(BUILT_IN)] == built_in()
    assert len({kind.name for kind in kinds()}) == len(kinds())


def test_a_measure_is_called_the_same_by_every_kind():
    for one, other in combinations(built_in(), 2):
        for name in one.vocabulary.keys() & other.vocabulary.keys():
            a, b = one.vocabulary[name], other.vocabulary[name]
            assert (a.title, a.unit) == (b.title, b.unit), name


def test_a_measure_has_a_meaning_by_its_name_alone():
    assert measure_named("selection_rate") is kind_of("fairness").vocabulary["selection_rate"]
    assert measure_named("selektion_rate") is None


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(SpecError, match=r"called 'fairnes'; there are: performance, fairness, "):
        kind_of("fairnes")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"headlines": ("gap",)}, "headline 'gap' is not in its vocabulary", id="card"),
        pytest.param({"templates": Path("audits")}, "no fairness.j2 in audits", id="template"),
    ],
)
def test_a_record_that_names_what_it_lacks_is_refused(change, message):
    whole = {
        "definition": FairnessCheck,
        "title": "Gap",
        "vocabulary": {"rate": Measure("Rate", "A rate.", "high")},
        "needs": frozenset({"decisions"}),
        "room": "somewhere",
        "headlines": ("rate",),
    }
    assert Kind(**whole).name == "fairness"
    with pytest.raises(ValueError, match=message):
        Kind(**whole | change)


LIGHT = """
import sys
from tasks.definition import AuditSpec
from tasks.definition.kinds import kinds
AuditSpec.model_json_schema()
assert kinds()
heavy = {"torch", "prefect", "numpy", "jinja2"} & sys.modules.keys()
ours = {name for name in sys.modules if name.partition(".")[0] in {"tasks", "flows"}}
above = [name for name in ours if not f"{name}.".startswith(("tasks.definition.", "tasks.errors."))]
assert not heavy and set(above) == {"tasks"}, (heavy, above)
"""


def test_definitions_and_kinds_load_nothing_above_them():
    outcome = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr


RECORD = """
from typing import Literal
from tasks.definition.checks.base import BaseCheck
from tasks.definition.kinds import Kind
from tasks.definition.vocabulary import Measure

class ReadabilityCheck(BaseCheck):
    '''How long are the sentences?'''

    kind: Literal["readability"] = "readability"
    longest: int = 20

    def gate_attributes(self, spec):
        return ["wing"]

    def problems(self, spec):
        return [] if self.longest else ["check readability: longest: 0 words are no sentence"]

WORDS = Measure("Words per sentence", "Mean number of words.", "low", "count")

def record(definition=ReadabilityCheck, **vocabulary):
    return Kind(definition=definition, title="Readability",
                vocabulary={"words_per_sentence": WORDS} | vocabulary,
                needs=frozenset({"decisions"}), room="readability.room",
                headlines=("words_per_sentence",), templates=TEMPLATES)
"""


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Puts a package with an entry point where Python looks for installed ones."""

    def offered(module, source, entry="KIND"):
        (tmp_path / "readability.j2").touch()
        (tmp_path / "fairness.j2").touch()
        begin = f"from pathlib import Path\nTEMPLATES = Path({str(tmp_path)!r})\n"
        (tmp_path / f"{module}.py").write_text(begin + RECORD + source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[assay.checks]\nreadability = {module}:{entry}\n")
        monkeypatch.syspath_prepend(tmp_path)
        kinds.cache_clear()
        return tmp_path

    yield offered
    kinds.cache_clear()


def test_a_kind_of_another_package_comes_after_those_that_ship(offer):
    offer("toy_whole", "KIND = record()")
    assert [kind.name for kind in kinds()] == [*(k.name for k in built_in()), "readability"]
    assert kind_of("readability").question == "How long are the sentences?"
    assert measure_named("words_per_sentence").unit == "count"


@pytest.fixture
def fresh_words():
    """Ordinary words are read once; these tests change which kinds there are."""

    def forget():
        plain_words.cache_clear()
        is_plain.cache_clear()

    forget()
    yield
    forget()


def test_a_kind_brings_the_words_of_its_trade(offer, fresh_words):
    assert not is_plain("medians")
    offer(
        "toy_words",
        "import dataclasses\nKIND = dataclasses.replace(record(), plain_words=('median',))",
    )
    plain_words.cache_clear()
    is_plain.cache_clear()
    assert is_plain("medians")
    assert not is_plain("fairest")


@pytest.mark.parametrize("word", ["Median", "per sentence", "half-life", ""])
def test_a_word_that_no_sentence_could_hold_is_refused(offer, word):
    offer(
        "toy_odd",
        f"import dataclasses\nKIND = dataclasses.replace(record(), plain_words=({word!r},))",
    )
    with pytest.raises(SpecError, match="is not one word in small letters"):
        kinds()


def test_the_list_of_checks_says_which_package_a_kind_comes_from(offer):
    offer("toy_listed", "KIND = record()")
    outcome = CliRunner().invoke(app, ["list", "--checks"])
    *ours, theirs = outcome.output.splitlines()[1:]
    assert all(line.split()[-1] == "assay" for line in ours)
    assert theirs.split()[:2] == ["readability", "Readability"]
    assert theirs.split()[-2:] == ["decisions", "toy_listed"]


def test_a_broken_package_leaves_no_list_but_one_line(offer):
    offer("toy_broken", "raise OSError('no luck')")
    outcome = CliRunner().invoke(app, ["list", "--checks"])
    assert outcome.exit_code == 2
    assert outcome.output.startswith("error: package toy_broken offers the check 'readability'")


BROKEN = {
    "no such module": (
        "toy_gone",
        "import gone",
        "KIND",
        "ModuleNotFoundError: No module named 'gone'",
    ),
    "no such name": ("toy_nameless", "", "KIND", "has no attribute 'KIND'"),
    "no kind": ("toy_none", "KIND = 3", "KIND", "TypeError: expected a Kind, got int"),
    "it raises": ("toy_raises", "raise OSError('no\\nluck')", "KIND", "OSError: no luck"),
    "no check": ("toy_checkless", "KIND = record(Kind)", "KIND", "cannot be used: "),
    "a name that is taken": (
        "toy_taken",
        "from tasks.definition.checks.fairness import FairnessCheck\nKIND = record(FairnessCheck)",
        "KIND",
        "ValueError: the name 'fairness' is taken",
    ),
    "a measure of another title": (
        "toy_clash",
        "KIND = record(accuracy=WORDS)",
        "KIND",
        "measure 'accuracy' has another title or unit than in check performance: 'Accuracy', share",
    ),
}


@pytest.mark.parametrize(("module", "source", "entry", "message"), BROKEN.values(), ids=BROKEN)
def test_a_package_with_a_broken_kind_is_named_in_one_line(offer, module, source, entry, message):
    offer(module, source, entry)
    with pytest.raises(SpecError) as caught:
        kinds()
    said = str(caught.value)
    assert said.startswith(f"package {module} offers the check 'readability' ({module}:{entry})")
    assert message in said
    assert said.endswith("mend or uninstall the package")
    assert "\n" not in said


READING = """
import toy_read  # first of all, as the package's own tests would
import json, sys
from pathlib import Path
from pydantic import ValidationError
from tasks.definition import AuditSpec, read_spec
from tasks.errors import SpecError
from tasks.schema import Evidence

def definition(**options):
    return {"name": "toy", "seed": 1, "data": {"path": "d.csv"},
            "subjects": {"s": {"kind": "predictions", "prediction": "p"}},
            "checks": [{"kind": "readability"} | options],
            "gates": [{"check": "readability", "measure": "words_per_sentence", "at_most": 9,
                       "attribute": "wing"}]}

def refused(**options):
    Path(sys.argv[1]).write_text(json.dumps(definition(**options)))
    try:
        read_spec(Path(sys.argv[1]))
    except SpecError as error:
        return str(error)

spec = AuditSpec.model_validate(definition(longest=12))
assert type(spec.checks[0]).__name__ == "ReadabilityCheck" and spec.checks[0].longest == 12
assert AuditSpec.model_validate_json(spec.model_dump_json()) == spec
evidence = Evidence(check=spec.checks[0], subject="s")
assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence
assert "ReadabilityCheck" in AuditSpec.model_json_schema()["$defs"]
assert refused() is None
assert "longst: unknown key; did you mean 'longest'?" in refused(longst=2)
assert "0 words are no sentence" in refused(longest=0)
assert "unknown kind 'readabilty'; did you mean 'readability'?" in refused(kind="readabilty")
"""


def test_a_definition_reads_a_check_of_another_package_like_one_that_ships(offer):
    folder = offer("toy_read", "KIND = record()")
    outcome = subprocess.run(
        [sys.executable, "-c", READING, str(folder / "audit.yaml")],
        env={"PYTHONPATH": f"{folder}:{Path.cwd()}"},
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stderr
