"""Files of a report that go on into a serving process: arrays with where they come from."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.definition.checks import LeverCheck
from tasks.run.plan import Plan
from tasks.run.shards import write_export
from tasks.schema import Export
from tasks.subjects.local.folder import architectures, read_config


def exported(
    plan: Plan,
    check: LeverCheck,
    store: Path,
    arrays: dict[str, NDArray[np.float64]],
    about: dict[str, Any],
    shape: tuple[int, ...],
    says: str,
) -> Export:
    """Keep arrays for the report's folder, with their provenance.

    Args:
        plan: the audit.
        check: the question that they answer.
        store: folder of the payloads.
        arrays: what is exported.
        about: what a serving process must know of them.
        shape: layers + 1 and width of the subject's states.
        says: what they do, in words.
    """
    name = plan.spec.subject_of(check)
    subject = plan.subjects[name]
    known = architectures(read_config(name, Path(subject.folder)))
    metadata = {
        "format": 1,
        **about,
        "subject": {
            "name": name,
            "sha256": subject.sha256,
            "architecture": known[0] if known else None,
            "layers": shape[0] - 1,
            "width": shape[1],
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
        file=f"levers/{check.kind}-{name}.safetensors",
        sha256=write_export(store, arrays, metadata),
        says=says,
    )
