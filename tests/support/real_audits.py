"""Audits of real subjects through the command line, and what their models say without it."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import yaml

from tasks.definition.kinds import kind_of
from tasks.record.bundle import read_finished
from tasks.schema import Evidence, Measurement, Report
from tests.support.real_subjects import BASE, base_model, data_folder

needs_data = pytest.mark.skipif(
    not data_folder().is_dir(), reason=f"no data folder at {data_folder()}; set ASSAY_TEST_DATA"
)
needs_base = pytest.mark.skipif(base_model() is None, reason=f"package {BASE} is not installed")


class Audited(NamedTuple):
    """A finished audit and how its command ended."""

    exit_code: int
    folder: Path
    report: Report

    @property
    def page(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")

    def evidence(self, kind: str) -> Evidence:
        return next(e for e in self.report.evidence if e.check.kind == kind)

    def one(self, kind: str, name: str, **about: object) -> Measurement:
        found = [
            m
            for m in self.evidence(kind).measurements
            if m.name == name and all(getattr(m.about, k) == v for k, v in about.items())
        ]
        assert len(found) == 1, f"{len(found)} measurements {name} about {about}"
        return found[0]


def assay_run(folder: Path, definition: dict[str, object]) -> Audited:
    path = folder / "audit.yaml"
    path.write_text(yaml.safe_dump(definition, sort_keys=False))
    command = [sys.executable, "-c", "from flows.cli import app; app()"]
    done = subprocess.run(
        [*command, "run", str(path), "--out", str(folder / "reports")],
        capture_output=True,
        text=True,
    )
    folders = sorted((folder / "reports").glob("*/*/evidence.json"))
    assert len(folders) == 1, done.stdout + done.stderr
    report, _ = read_finished(folders[0].parent)
    return Audited(done.returncode, folders[0].parent, report)


def probabilities(model: Path, texts: list[str]) -> tuple[np.ndarray, list[str]]:
    """What the model says of texts, one by one and without Assay: [texts, classes], and names."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    net = AutoModelForSequenceClassification.from_pretrained(model).eval()
    with torch.inference_mode():
        found = [net(**tokenizer(t, return_tensors="pt")).logits[0].softmax(-1) for t in texts]
    names = [net.config.id2label[i] for i in range(net.config.num_labels)]
    return torch.stack(found).numpy(), names


def every_check_has_its_section(audited: Audited) -> None:
    page = (audited.folder / "report.html").read_text(encoding="utf-8")
    for one in audited.report.evidence:
        assert f"{kind_of(one.check.kind).title}</h2>" in page
