"""Files of a report for a serving process: arrays with their provenance."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from tasks.definition.checks.lever import LeverCheck
from tasks.run.rounds import Asked
from tasks.run.store import Store
from tasks.schema import Export
from tasks.subjects.local.folder import architectures, read_config


def exported(
    asked: Asked[LeverCheck],
    store: Store,
    arrays: Mapping[str, NDArray[np.float64]],
    about: Mapping[str, JsonValue],
    *,
    layers: int,
    width: int,
    says: str,
) -> Export:
    """Store arrays for the report's folder, with their provenance.

    Args:
        asked: the check whose question they answer.
        store: where they are stored.
        arrays: what is exported.
        about: what a serving process must know of them.
        layers: of the subject, the embedding not counted.
        width: of the subject's states.
        says: what they do, in words.
    """
    plan, name = asked.plan, asked.subject
    subject = plan.subjects[name]
    known = architectures(read_config(name, Path(subject.folder)))
    metadata: dict[str, JsonValue] = {
        "format": 1,
        **about,
        "subject": {
            "name": name,
            "sha256": subject.sha256,
            "architecture": known[0] if known else None,
            "layers": layers,
            "width": width,
        },
        "audit": {
            "name": plan.spec.name,
            "definition_sha256": plan.definition_sha256,
            "data_sha256": plan.data.sha256,
            "seed": plan.spec.seed,
        },
        "says": says,
    }
    return Export(
        file=f"levers/{asked.check.kind}-{name}.safetensors",
        sha256=store.keep_export(arrays, metadata),
        says=says,
    )
