"""Kinds of subject: each has a reader and a line of access, and nobody else asks for the kind."""

import ast
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import get_args

import pytest

from tasks.data.once import once
from tasks.definition import SubjectSpec
from tasks.definition.access import OFFERS
from tasks.definition.kinds import built_in
from tasks.errors import SubjectError
from tasks.subjects import load
from tasks.subjects.load import reader_of, refer
from tasks.subjects.local import loading
from tasks.subjects.reader import Reader
from tests.support.small import write_small_audit
from tests.support.sources import nodes

KINDS = get_args(get_args(SubjectSpec)[0])
CLASSES = {kind.__name__ for kind in KINDS} | {
    "Answering", "Classifier", "Decoder", "Declared", "EndpointSubject", "LocalModel",
    "LocalSubject", "Prompting", "RecordedDecisions", "RecordedSubject", "Writer",
}  # fmt: skip
"""Kinds of subject by their definition, by what several have in common, and as they are loaded."""

OUTSIDE = [
    path
    for folder in ("flows", "tasks")
    for path in sorted(Path(folder).rglob("*.py"))
    if path.parts[:2] not in {("tasks", "subjects"), ("tasks", "definition")}
]
LOADERS = {
    "decider": {"decisions"},
    "fresh_decider": {"decisions", "asking again"},
    "writer": {"writing"},
    "resumer": {"writing", "asking again"},
    "opened": {"gradients", "hidden states"},
    "open_writer": {"writing", "gradients", "hidden states"},
}
"""Loader of a reader -> the access that it gives."""


def name_of(kind):
    return kind.model_fields["kind"].default


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_kind_has_a_reader_and_a_line_of_access(kind):
    assert isinstance(reader_of(kind), Reader)
    assert OFFERS[name_of(kind)]


def test_no_line_of_access_is_left_over():
    assert set(OFFERS) == {name_of(kind) for kind in KINDS}
    assert {access for kind in built_in() for access in kind.needs} <= set.union(
        *map(set, OFFERS.values())
    )


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_reader_loads_what_the_line_of_access_offers_and_nothing_else(kind):
    own = type(reader_of(kind))
    offered = OFFERS[name_of(kind)]
    for loader, needed in LOADERS.items():
        overridden = getattr(own, loader) is not getattr(Reader, loader)
        assert overridden is (needed <= offered), loader


def named_in(node):
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }


def kinds_asked_for(within):
    """Names of kinds of subject in `isinstance`, `issubclass`, `type(..) is` and `case`."""
    for node in within:
        if isinstance(node, ast.Call) and named_in(node.func) & {"isinstance", "issubclass"}:
            yield from named_in(node.args[1]) & CLASSES
        elif isinstance(node, ast.MatchClass):
            yield from named_in(node.cls) & CLASSES
        elif isinstance(node, ast.Compare):
            yield from named_in(node) & CLASSES


@pytest.mark.parametrize("path", OUTSIDE, ids=str)
def test_nobody_asks_which_kind_a_subject_is(path):
    assert not set(kinds_asked_for(nodes(path))), (
        "say what is needed of a subject: tasks.subjects.load"
    )
    kinds = {name_of(kind) for kind in KINDS}
    named = {
        n.value
        for node in nodes(path)
        if isinstance(node, ast.Compare) and named_in(node) & {"kind"}
        for n in ast.walk(node)
        if isinstance(n, ast.Constant)
    }
    assert not named & kinds


def test_the_test_sees_a_kind_that_is_asked_for():
    asked = (
        "isinstance(s, A | OpenAISubject)",
        "match s:\n case Writer(): pass",
        "type(s) is Decoder",
    )
    for source in asked:
        assert list(kinds_asked_for(ast.walk(ast.parse(source))))
    assert not list(kinds_asked_for(ast.walk(ast.parse("isinstance(s, Check)"))))


@pytest.mark.parametrize("path", OUTSIDE, ids=str)
def test_no_private_attribute_of_a_subject_is_used(path):
    strays = [
        ast.unparse(node)
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.endswith("__")
        and "subject" in ast.unparse(node.value)
    ]
    assert not strays


def test_no_subject_is_untyped():
    for path in Path("tasks").rglob("*.py"):
        for node in nodes(path):
            if isinstance(node, ast.arg) and node.arg == "subject":
                assert node.annotation is not None, path
                assert ast.unparse(node.annotation) not in {"Any", "object"}, path


def test_subjects_are_referred_to_without_a_model_library():
    """`assay check` must answer before torch could be imported."""
    code = (
        "import sys\n"
        "from typing import get_args\n"
        "from tasks.definition import SubjectSpec\n"
        "from tasks.subjects.load import reader_of\n"
        "[reader_of(kind) for kind in get_args(get_args(SubjectSpec)[0])]\n"
        "sys.exit('torch' in sys.modules or 'openai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- loading under threads -----------------------------------------------------------------


def together(*calls):
    """Results of calls that begin at once, each in a thread of its own."""
    begin, found = threading.Barrier(len(calls)), [None] * len(calls)

    def run(at):
        begin.wait()
        found[at] = calls[at]()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_what_two_threads_ask_for_is_made_once():
    made = []

    @once(maxsize=2)
    def slow(name):
        time.sleep(0.05)
        made.append(name)
        return [name]

    first, second, other = together(lambda: slow("a"), lambda: slow("a"), lambda: slow("b"))
    assert first is second
    assert other == ["b"]
    assert sorted(made) == ["a", "b"]


def test_the_answer_unused_for_longest_is_dropped():
    made = []
    kept = once(maxsize=2)(lambda name: made.append(name))
    for name in ("a", "b", "a", "c", "a"):  # c takes the place of b
        kept(name)
    assert made == ["a", "b", "c"]
    kept("b")
    assert made == ["a", "b", "c", "b"]
    kept.forget()
    kept("b")
    assert made[-2:] == ["b", "b"]


def test_two_subjects_asked_for_at_once_are_each_loaded_once(tmp_path, monkeypatch):
    loaded, real = [], loading._load_model

    def counted(ref, folder):
        loaded.append(ref.name)
        return real(ref, folder)

    write_small_audit(tmp_path)
    spec = KINDS[0](path="classifier")
    one, two = (refer(name, spec, tmp_path) for name in ("one", "two"))
    monkeypatch.setattr(loading, "_load_model", counted)
    a, b, c, d = together(*[lambda ref=ref: load.opened(ref) for ref in (one, two, one, two)])
    assert a is c
    assert b is d
    assert (a.name, b.name) == ("one", "two")
    assert sorted(loaded) == ["one", "two"]


def test_what_a_subject_does_not_offer_is_one_line(tmp_path):
    write_small_audit(tmp_path)
    ref = refer("decider", KINDS[0](path="classifier"), tmp_path)
    with pytest.raises(SubjectError, match=r"decider \(sequence-classification\) does not offer"):
        load.writer(ref)
