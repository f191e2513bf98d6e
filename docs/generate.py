"""The reference pages, made from the code: `uv run python docs/generate.py` writes them anew."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typer.main import get_command

from flows.cli import app
from flows.cli.run import EXIT
from flows.stopping import COULD_NOT_RUN
from tasks.checks.attribution import methods
from tasks.definition import AuditSpec
from tasks.definition.access import OFFERS
from tasks.definition.any_check import Check
from tasks.definition.checks.attribution import MethodName
from tasks.definition.kinds import Kind, built_in
from tasks.definition.subjects import SubjectSpec

FOLDER = Path(__file__).parent / "reference"
MADE = "<!-- Made from the code by `uv run python docs/generate.py`; changes here are lost. -->"
WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    NoneType: "null",
}
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
VERDICTS = {
    "pass": "every gate passed",
    "fail": "at least one gate failed",
    "inconclusive": "no gate failed, at least one is inconclusive; also where there are no gates",
}
STOPPED = (
    "the audit could not run; one line says why. Also after Ctrl-C or SIGTERM (finished work is "
    "kept, the same command goes on from there) and after a crash, which shows its traceback"
)


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """File name -> text of every page."""
    made = {
        "definition.md": definition_page(),
        "checks.md": checks_page(),
        "measures.md": measures_page(),
        "methods.md": methods_page(),
        "access.md": access_page(),
        "commands.md": commands_page(),
    }
    return {name: f"{MADE}\n\n{text.rstrip()}\n" for name, text in made.items()}


# definitions


def definition_page() -> str:
    """Every key of a definition outside its checks."""
    subjects = get_args(get_args(SubjectSpec)[0])
    shown = [AuditSpec, *(record for record in nested(AuditSpec) if record not in subjects)]
    return "\n".join(
        [
            "# Definitions: every key",
            "",
            "An audit is one YAML file. The tables hold every key, what it takes and its default; "
            "a key that does not exist is refused. `assay schema` prints the same for editors. "
            "Keys of checks: [checks](checks.md); what a gate may name as `measure`: "
            "[measures](measures.md).",
            "",
            *(line for record in shown for line in record_lines(record, 2)),
            "## Kinds of subject",
            "",
            *(line for record in subjects for line in subject_lines(record)),
        ]
    )


def subject_lines(record: type[BaseModel]) -> Iterator[str]:
    """A kind of subject under the name that definitions write."""
    yield from record_lines(record, 3, title=f"`{record.model_fields['kind'].default}`")


def checks_page() -> str:
    """Every kind of check with its keys."""
    kinds = built_in()
    shared = [r for r, count in uses(kinds).items() if count > 1]
    own = [line for kind in kinds for line in kind_lines(kind, shared)]
    return "\n".join(
        [
            "# Checks: every key",
            "",
            "Checks of other packages are described by those packages; `assay list --checks` "
            "names them too.",
            "",
            "| kind | question | needs |",
            "| --- | --- | --- |",
            *(
                f"| [`{kind.name}`](#{kind.name}) | {kind.question} | {needs(kind)} |"
                for kind in kinds
            ),
            "",
            *own,
            "## Records that several checks take",
            "",
            *(line for record in shared for line in record_lines(record, 3)),
        ]
    )


def uses(kinds: Sequence[Kind]) -> dict[type[BaseModel], int]:
    """How many kinds take a record, in the order of their first use."""
    counts: dict[type[BaseModel], int] = {}
    for kind in kinds:
        for record in nested(kind.definition):
            if record not in nested(AuditSpec):
                counts[record] = counts.get(record, 0) + 1
    return counts


def kind_lines(kind: Kind, shared: Sequence[type[BaseModel]]) -> Iterator[str]:
    """One kind: its question, its keys, the records that only it takes."""
    yield from (f"## {kind.name}", "", f"{kind.question} Needs: {needs(kind)}.", "")
    yield from table(kind.definition)
    for record in nested(kind.definition):
        if record not in shared and record not in nested(AuditSpec):
            yield from record_lines(record, 3)


def record_lines(record: type[BaseModel], level: int, title: str | None = None) -> Iterator[str]:
    """One record: heading, docstring, keys."""
    yield from (f"{'#' * level} {title or record.__name__}", "", first_line(record.__doc__), "")
    yield from table(record)


def table(record: type[BaseModel]) -> Iterator[str]:
    """The keys of a record."""
    yield from ("| key | takes | default | meaning |", "| --- | --- | --- | --- |")
    fields = sorted(record.model_fields.items(), key=lambda named: named[0] != "kind")
    for name, field in fields:
        meaning = " ".join((field.description or "").split())
        yield f"| `{name}` | {cell(takes(field))} | {cell(default(field))} | {cell(meaning)} |"
    yield ""


def takes(field: FieldInfo) -> str:
    """What a key may hold."""
    text = "the checks of this audit" if holds_checks(field) else written(field.annotation)
    return ", ".join([text, *bounds(field.metadata)])


def holds_checks(field: FieldInfo) -> bool:
    """Whether a field holds checks of any kind."""
    return Check in get_args(field.annotation)


def written(form: Any) -> str:
    """A type in the words of a definition."""
    arguments = get_args(form)
    origin = get_origin(form)
    if origin is Annotated:
        return ", ".join([written(arguments[0]), *bounds(arguments[1:])])
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in arguments)
    if origin is tuple:
        return listed(arguments)
    if origin in (dict, Mapping):
        return f"mapping of {written(arguments[0])} to {written(arguments[1])}"
    if arguments:  # a union of any spelling
        return " or ".join(dict.fromkeys(written(one) for one in arguments))
    if isinstance(form, type) and issubclass(form, BaseModel):
        return linked(form)
    return WORDS.get(form, "any JSON value")


def listed(arguments: tuple[Any, ...]) -> str:
    """A tuple: of any length, or of a fixed one."""
    if arguments[-1] is Ellipsis:
        inner = written(arguments[0])
        return f"list of ({inner})" if get_args(arguments[0]) else f"list of {inner}"
    return f"[{', '.join(written(one) for one in arguments)}]"


def linked(record: type[BaseModel]) -> str:
    """A record by its heading."""
    subjects = get_args(get_args(SubjectSpec)[0])
    if record in subjects:
        kind = record.model_fields["kind"].default
        return f"[{kind}](definition.md#{kind})"
    page = "definition.md" if record in nested(AuditSpec) else "checks.md"
    return f"[{record.__name__}]({page}#{record.__name__.lower()})"


def bounds(metadata: Iterable[Any]) -> Iterator[str]:
    """Limits of a number, a length or a form, as pydantic keeps them."""
    for one in metadata:
        for name, sign in BOUNDS.items():
            if isinstance(value := getattr(one, name, None), int | float):
                yield f"{sign} {value}"
        if isinstance(one, annotated_types.MinLen):
            yield f"at least {one.min_length}"
        if isinstance(pattern := getattr(one, "pattern", None), str):
            yield f"like `{pattern}`"
        if isinstance(inner := getattr(one, "metadata", None), list):
            yield from bounds(inner)


def default(field: FieldInfo) -> str:
    """The default of a key as YAML would have it, or that there is none."""
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return ""
    if isinstance(value, BaseModel):
        return "its defaults"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def nested(record: type[BaseModel]) -> list[type[BaseModel]]:
    """Records that the fields of a record hold, at any depth, in order."""
    found: dict[type[BaseModel], None] = {}
    for field in record.model_fields.values():
        for one in () if holds_checks(field) else records_in(field.annotation):
            found |= dict.fromkeys([one, *nested(one)])
    return list(found)


def records_in(form: Any) -> Iterator[type[BaseModel]]:
    """Records that a type names."""
    if isinstance(form, type) and issubclass(form, BaseModel):
        yield form
    for one in get_args(form):
        yield from records_in(one)


# what is measured


def measures_page() -> str:
    """The vocabulary of every kind."""
    lines = [
        "# Measures",
        "",
        "What each number means, by the kind of check that measures it. *Good*: which way is "
        "good; a gate may name any of them. How intervals are computed and what each instrument "
        "is compared with: [controls and intervals](../controls-and-intervals.md).",
        "",
    ]
    for kind in built_in():
        lines += [f"## {kind.name}", "", kind.question, ""]
        lines += ["| measure | title | what it means | good | unit |", f"|{' --- |' * 5}"]
        lines += [
            f"| `{name}` | {m.title} | {cell(m.meaning)} | {m.good} | {m.unit} |"
            for name, m in kind.vocabulary.items()
        ]
        lines.append("")
    return "\n".join(lines)


def methods_page() -> str:
    """The attribution methods."""
    lines = [
        "# Attribution methods",
        "",
        "*Adds up*: the attributions of a text sum to its score minus that of the baseline; the "
        "error is measured. *Signed*: they say for or against, not only how much. What each "
        "costs and when to use it: [attribution](../how-to/attribution.md).",
        "",
        "| method | adds up | signed | what it does |",
        "| --- | --- | --- | --- |",
    ]
    for name in get_args(MethodName):
        method = methods.METHODS[name]
        does = first_line(behind(method).__doc__)
        lines.append(f"| `{name}` | {yes(method.adds_up)} | {yes(method.signed)} | {does} |")
    return "\n".join(lines)


def behind(method: methods.Method) -> Any:
    """The function that a method's entry in the table calls."""
    return getattr(methods, method.run.__code__.co_names[0])


def access_page() -> str:
    """What kinds of subject offer, and which checks they can therefore answer."""
    kinds = built_in()
    accesses = sorted(set().union(*OFFERS.values()))
    lines = [
        "# Access: which subject can answer which check",
        "",
        "A check whose needs a subject does not offer stands in the report as *not run*, with what "
        "it would need; the audit goes on.",
        "",
        "## What each kind of subject offers",
        "",
        f"| subject | {' | '.join(accesses)} |",
        f"| --- {'| :-: ' * len(accesses)}|",
    ]
    lines += [
        f"| `{subject}` | {' | '.join('yes' if one in offered else '' for one in accesses)} |"
        for subject, offered in OFFERS.items()
    ]
    lines += [
        "",
        "A `causal-lm` whose `answer` declares neither choices nor another form predicts tokens: "
        "it offers neither answers nor decisions.",
        "",
        "## Which checks it can answer",
        "",
        f"| check | needs | {' | '.join(f'`{s}`' for s in OFFERS)} |",
        f"| --- | --- {'| --- ' * len(OFFERS)}|",
    ]
    for kind in kinds:
        can = " | ".join(answers(kind, offered) for offered in OFFERS.values())
        lines.append(f"| `{kind.name}` | {needs(kind)} | {can} |")
    return "\n".join(lines)


def needs(kind: Kind) -> str:
    """What a kind needs of a subject."""
    return ", ".join(sorted(kind.needs)) or "nothing"


def answers(kind: Kind, offered: frozenset[Any]) -> str:
    """Whether a subject can answer, or what it lacks."""
    lacking = sorted(kind.needs - offered)
    return f"no {', '.join(lacking)}" if lacking else "runs"


# the command line


def commands_page() -> str:
    """Every command with its help, and the exit codes."""
    codes = {code: VERDICTS[verdict] for verdict, code in EXIT.items()} | {COULD_NOT_RUN: STOPPED}
    lines = ["# Commands and exit codes", ""]
    lines += command_lines("assay", get_command(app))
    lines += ["## Exit codes of an audit", "", "| exit code | meaning |", "| --- | --- |"]
    lines += [f"| {code} | {meaning} |" for code, meaning in sorted(codes.items())]
    return "\n".join(lines)


def command_lines(name: str, command: Any) -> Iterator[str]:
    """One command, its arguments and options, then the commands below it."""
    yield from (f"## `{name}`", "", *paragraphs(command.help), "")
    shown = [
        p for p in command.params if "--help" not in p.opts and not getattr(p, "hidden", False)
    ]
    if shown:
        yield from ("| argument or option | default | meaning |", "| --- | --- | --- |")
        yield from map(parameter_line, shown)
        yield ""
    for below, inner in getattr(command, "commands", {}).items():
        yield from command_lines(f"{name} {below}", inner)


def parameter_line(parameter: Any) -> str:
    """One argument or option."""
    called = ", ".join(f"`{opt}`" for opt in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        called = f"`{parameter.name.upper()}`"
    value = parameter.default
    if parameter.required:
        said = "**required**"
    elif value is None or value is False or callable(value) or value == ():
        said = ""
    else:
        said = f"`{value}`"
    return f"| {called} | {said} | {cell(getattr(parameter, 'help', None) or '')} |"


def paragraphs(text: str | None) -> list[str]:
    """A docstring, each paragraph on a line of its own."""
    parts = re.split(r"\n\s*\n", (text or "").strip())
    return "\n\n".join(" ".join(part.split()) for part in parts).split("\n")


def first_line(text: str | None) -> str:
    """The summary of a docstring."""
    return " ".join(re.split(r"\n\s*\n", (text or "").strip())[0].split())


def yes(whether: bool) -> str:
    """Yes or no."""
    return "yes" if whether else "no"


def cell(text: str) -> str:
    """Text that cannot end a cell of a table or begin a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    main()
