"""Definitions: what ships is valid, what is wrong is said in one line."""

from pathlib import Path

import pytest
import yaml

from tasks.checks.preflight import prepare
from tasks.definition import AuditSpec, read_spec
from tasks.errors import AuditError
from tests.support.small import write_small_audit

SHIPPED = sorted(Path("audits").glob("*.yaml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    write_small_audit(folder)
    return folder


@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_a_shipped_definition_is_valid_and_survives_json(path):
    spec = read_spec(path)
    assert AuditSpec.model_validate_json(spec.model_dump_json()) == spec
    prepare(path)


def edited(folder, change):
    path = folder / "edited.yaml"
    content = yaml.safe_load((folder / "audit.yaml").read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))
    return path


WRONG = {
    "unknown key": (
        lambda c: c.update(gatse=[]),
        "gatse: unknown key; did you mean 'gates'?",
    ),
    "unknown key inside a check": (
        lambda c: c["checks"][2].update(txts=3),
        r"checks.2.attribution.txts: unknown key; did you mean 'texts'\?",
    ),
    "misspelt check": (
        lambda c: c["checks"][0].update(kind="perfomance"),
        "unknown kind 'perfomance'; did you mean 'performance'?",
    ),
    "no such column": (
        lambda c: c["data"].update(label="lable"),
        "no column 'lable'; did you mean 'label'?",
    ),
    "no such group column": (
        lambda c: c["data"].update(groups=["side", "sid"]),
        "no column 'sid'; did you mean 'side'?",
    ),
    "label outside the classes": (
        lambda c: c["data"].update(label_names={"yes": "approved"}),
        "label 'approved' (row r1) is no class of subject decider; there are: no, yes",
    ),
    "favourable outside the classes": (
        lambda c: c["data"].update(favourable="yess"),
        "data.favourable 'yess' is no class of subject decider; did you mean 'yes'?",
    ),
    "field that stands in no text": (
        lambda c: c["data"].update(fields=["id", "place"]),
        "field 'id' stands verbatim in no text; its first value is 'r0'",
    ),
    "no such file": (
        lambda c: c["data"].update(path="dta.csv"),
        "no file 'dta.csv' beside the definition; that folder holds:",
    ),
    "no such model folder": (
        lambda c: c["subjects"]["decider"].update(path="clasifier"),
        "no folder 'clasifier' beside the definition; model folders near it: classifier, writer",
    ),
    "decoder declared as classifier": (
        lambda c: c["subjects"]["decider"].update(path="writer"),
        "declared as sequence-classification, but",
    ),
    "gate on nothing asked": (
        lambda c: c["gates"][0].update(check="cue", measure="influence"),
        "no check 'cue' in this definition; there are: attribution, fairness",
    ),
    "gate on a measure the check does not give": (
        lambda c: c["gates"][0].update(measure="acuracy"),
        "check performance does not measure 'acuracy'; it measures: accuracy, recall",
    ),
    "gate without a line": (
        lambda c: c["gates"][0].pop("at_least"),
        "a gate needs at_least or at_most",
    ),
    "hub id without a network": (
        lambda c: c["subjects"]["decider"].update(path="org/model", revision="0" * 40),
        "'org/model' at 000000000000 is neither a local folder nor reachable on the hub",
    ),
    "endpoint without its key": (
        lambda c: c.update(explain={"provider": "openai", "model": "m", "key_env": "NO_SUCH_KEY"}),
        "environment variable NO_SUCH_KEY holds no key; set it, or use provider template",
    ),
    "endpoint without a model": (
        lambda c: c.update(explain={"provider": "openai"}),
        "explain: provider openai needs model",
    ),
    "branch as revision": (
        lambda c: c["subjects"]["decider"].update(path="org/model", revision="main"),
        "subjects.decider.sequence-classification.revision: string should match pattern",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_definition_is_refused_in_one_line(folder, change, message):
    path = edited(folder, change)
    with pytest.raises(AuditError) as caught:
        prepare(path)
    said = str(caught.value)
    assert message.replace("\\", "") in said
    assert "\n" not in said


def rows(folder, text):
    (folder / "rows.csv").write_text(text)
    return edited(folder, lambda c: c["data"].update(path="rows.csv"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "the file is empty, not even a header", id="empty file"),
        pytest.param("id,text,label,side,place\n", "no rows below the header", id="no rows"),
        pytest.param(
            "id,text,label,side,place\n1,in north,yes,a,north\n2,in south,no,a,south\n"
            "3,in north,no,b,north\n",
            "group 'b' of 'side' has one member; groups: a (2), b (1)",
            id="a group of one",
        ),
        pytest.param(
            "id,text,label,side,place\n1,in north,yes,a,north\n2,in south,no,a,south\n",
            "column 'side' has no two groups to compare; it holds: a (2)",
            id="one group",
        ),
        pytest.param(
            "id,text,label,side,place\n1,,yes,a,north\n2,in south,no,b,south\n",
            "1 empty texts in column 'text', first: '1'",
            id="empty text",
        ),
        pytest.param(
            "id,text,label,side,place\n1,in north,yes,a,north\n1,in south,no,b,south\n",
            "id '1' stands more than once",
            id="an id twice",
        ),
    ],
)
def test_unusable_data_is_refused_in_one_line(folder, text, message):
    path = rows(folder, text)
    with pytest.raises(AuditError) as caught:
        prepare(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_the_same_rows_are_read_from_every_format(folder, suffix):
    from pyarrow import csv, parquet

    table = csv.read_csv(folder / "data.csv")
    target = folder / f"same{suffix}"
    match suffix:
        case ".parquet":
            parquet.write_table(table, target)
        case ".jsonl":
            import json

            target.write_text("\n".join(json.dumps(row) for row in table.to_pylist()))
        case ".tsv":
            target.write_text((folder / "data.csv").read_text().replace(",", "\t"))
        case _:
            target.write_text((folder / "data.csv").read_text())
    found = prepare(edited(folder, lambda c: c["data"].update(path=target.name))).data.rows
    assert found == prepare(folder / "audit.yaml").data.rows


def test_cells_are_text_and_keep_their_noughts(folder):
    lines = ("007,in NA,yes,a,NA", "008,in NA,no,b,NA", "009,x NA,no,b,NA", "010,x NA,no,a,NA")
    path = rows(folder, "\n".join(("id,text,label,side,place", *lines, "")))
    first = prepare(path).data.rows[0]
    assert (first.id, first.fields["place"]) == ("007", "NA")


def test_the_digest_of_a_definition_is_of_what_it_asks_not_of_its_order(tmp_path):
    path = write_small_audit(tmp_path)
    first = prepare(path).definition_sha256
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(dict(reversed(content.items())), sort_keys=False))
    assert prepare(path).definition_sha256 == first
    path.write_text(yaml.safe_dump(content | {"seed": content["seed"] + 1}))
    assert prepare(path).definition_sha256 != first
