"""Levers on a subject: fitted on some texts, and what the subject decides with them on others."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tasks.checks.interventions.forward import scores_with
from tasks.checks.interventions.group_vector import FitTexts, group_vector
from tasks.checks.interventions.levers import erasers_alone, erasers_in_order
from tasks.checks.interventions.states import where_of
from tasks.checks.remediation.payload import (
    DecideOptions,
    FitOptions,
    FittedLevers,
    LeverDecisions,
    part_name,
)
from tasks.measures.probing.erasure import Eraser
from tasks.run.rounds import Work
from tasks.subjects.load import opened
from tasks.subjects.local.batches import batches


def measure_fit(work: Work[FitOptions]) -> FittedLevers:
    """Erasers for each layer alone and for all in order, and steering vectors."""
    options = work.options
    subject = opened(work.ref.subject)
    texts = FitTexts.of(subject, work.rows, options.pooling)
    vector = group_vector(
        texts,
        options.attribute,
        options.groups,
        favourable=options.favourable,
        swap=options.swap,
        draws=1,
        seed=work.seed,
    )
    every = range(len(texts.plain.states))
    layers, named = options.layers or tuple(every), texts.groups(options.attribute)
    return FittedLevers(
        layers=layers,
        last=every[-1],
        where=tuple(where_of(subject, options.pooling, layer) for layer in every),
        n=len(work.rows),
        ends=vector.ends,
        vectors=vector.vectors,
        alone=_parts(erasers_alone(texts, named, layers)),
        together=_parts(erasers_in_order(texts, named, layers)),
    )


def _parts(erasers: Mapping[int, Eraser]) -> dict[str, NDArray[np.float64]]:
    return {
        part_name(layer, part): array.numpy()
        for layer, eraser in erasers.items()
        for part, array in zip(Eraser._fields, eraser, strict=True)
    }


def measure_decisions(work: Work[DecideOptions]) -> LeverDecisions:
    """Class that is decided for every text with every lever."""
    subject = opened(work.ref.subject)
    fitted = work.store.read(work.options.fitted, FittedLevers)
    steps = [fitted.steps(lever) for lever in work.options.levers]
    decided = np.empty((len(steps), len(work.rows)), dtype=np.int64)
    for positions, batch in batches(subject, [subject.render(row.text) for row in work.rows]):
        scores = scores_with(subject, batch, steps)
        decided[:, positions] = scores.argmax(dim=-1).cpu().numpy()
    return LeverDecisions(decided=decided)
