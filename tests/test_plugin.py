"""A kind of check from another package is checked, run, judged, explained and reported."""

import csv
import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path("docs/examples/assay-readability").resolve()

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def assay(tmp_path_factory):
    """A scratch environment with this Assay and the built package; runs its command."""
    scratch = tmp_path_factory.mktemp("scratch")
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv builds the package, and is not installed")
    source = shutil.copytree(EXAMPLE, scratch / "source")
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", scratch, source], check=True)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, scratch / "env"], check=True)
    python = scratch / "env" / "bin" / "python"
    (wheel,) = scratch.glob("*.whl")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel], check=True
    )
    (site,) = (scratch / "env" / "lib").glob("python*/site-packages")
    # everything else is that of the environment the tests run in, this checkout among it
    (site / "assay.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    )

    def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
        command = [python, "-m", "flows", *map(str, words)]
        return subprocess.run(command, cwd=scratch, capture_output=True, text=True, **options)

    return run


@pytest.fixture(scope="module")
def definition(tmp_path_factory):
    """Recorded decisions about short texts of one group and long ones of the other."""
    folder = tmp_path_factory.mktemp("audit")
    with (folder / "data.csv").open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["text", "decision", "side"])
        for i in range(120):
            words = 4 + i % 3 if i % 2 else 12 + i % 3
            out.writerow([" ".join(["word"] * words) + ".", "yes", "ab"[i % 2]])
    spec = {
        "name": "read",
        "seed": 3,
        "subjects": {"recorded": {"kind": "predictions", "prediction": "decision"}},
        "data": {"path": "data.csv", "groups": ["side"]},
        "checks": [{"kind": "readability", "attribute": "side"}],
        "gates": [
            {
                "check": "readability",
                "measure": "words_per_sentence_difference",
                "attribute": "side",
                "at_least": -2,
                "at_most": 2,
            }
        ],
    }
    path = folder / "read.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def test_it_is_listed_and_stands_in_the_schema(assay):
    listed = assay("list", "--checks")
    assert "readability" in listed.stdout, listed.stderr
    assert "assay-readability" in listed.stdout
    assert "ReadabilityCheck" in json.loads(assay("schema").stdout)["$defs"]


def test_it_is_checked_before_a_run(assay, definition, tmp_path):
    assert "readability    recorded       ready" in assay("check", definition).stdout
    content = yaml.safe_load(definition.read_text())
    content["checks"][0]["attribute"] = "sides"
    wrong = definition.with_name("wrong.yaml")
    wrong.write_text(yaml.safe_dump(content))
    refused = assay("check", wrong)
    assert refused.returncode == 2
    assert "attribute 'sides' is not in data.groups: side" in refused.stderr


def test_an_audit_with_it_is_run_judged_explained_reported_and_carded(assay, definition, tmp_path):
    ran = assay("run", definition, "--out", tmp_path, timeout=300)
    assert ran.returncode == 1, ran.stderr  # 13 words against 5: the gate fails
    (folder,) = (tmp_path / "read").glob("*Z")
    evidence = json.loads((folder / "evidence.json").read_text())
    (check,) = evidence["evidence"]
    apart = [m for m in check["measurements"] if m["name"] == "words_per_sentence_difference"]
    # group a has 12, 13 or 14 words and b has 4, 5 or 6, in equal parts: 8 words apart
    assert abs(apart[0]["value"]) == pytest.approx(8.0)
    assert evidence["findings"][0]["verdict"] == "fail"
    explained = json.loads((folder / "explanations.json").read_text())["texts"][0]["text"]
    assert "words per sentence in texts of group" in explained.lower()
    page = (folder / "report.html").read_text()
    assert "Readability" in page
    assert "Difference in words per sentence" in page
    assert (
        "| Difference in words per sentence | side: b against a |"
        in (folder / "model_card.md").read_text()
    )
