"""The test of stated factors on controls: the same subject, texts whose deciding field is known."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tasks.checks.instruments.asking import cannot_answer, left_out, put_to, within_reach
from tasks.checks.instruments.families import in_full
from tasks.checks.instruments.names import RANKED, STATED
from tasks.checks.reasoning.factors import attributed_fields, named_fields
from tasks.checks.reasoning.payload import (
    FactorControlsOptions,
    FactorScores,
    FactorsOnControls,
    ScoredControls,
)
from tasks.controls.factors import Named, balanced, confirmed, factor_set
from tasks.controls.validity import FEWEST
from tasks.data.dataset import Row
from tasks.errors import ChoicesError
from tasks.measures.reasoning.factors import Consistency, consistency
from tasks.run.rounds import Work
from tasks.subjects.load import open_writer
from tasks.subjects.protocols import OpenWriter


def measure(work: Work[FactorControlsOptions]) -> FactorsOnControls:
    """The controls that the subject confirms, and the test's scores of them."""
    wanted = work.options.controls
    used = within_reach(work.ref.subject, wanted)
    items = factor_set(work.seed, used.items, stories=in_full(used).stories)
    try:
        subject = open_writer(put_to(work.ref.subject, _choices(items)))
    except ChoicesError as error:
        return FactorsOnControls(reason=cannot_answer(error))
    return compared(subject, items).model_copy(update={"left_out": left_out(wanted, used)})


def compared(subject: OpenWriter, items: Sequence[Named]) -> FactorsOnControls:
    """Scores and truth of the controls that a subject confirms.

    Args:
        subject: loaded with the controls' answers as its choices.
        items: see `factor_set`.
    """
    counted = [items[at] for at in _confirmed(subject, items)]
    known = [
        (item, agreement)
        for item, agreement in zip(counted, _consistencies(subject, counted), strict=True)
        if agreement is not None
    ]
    stated = _balanced([(item, agreement.precision) for item, agreement in known])
    ranked = _balanced(
        [(item, agreement.rank) for item, agreement in known if np.isfinite(agreement.rank)]
    )
    used = [item for item, _ in stated]
    decisive = sum(item.decisive for item in counted)
    reason = _reason(decisive, len(counted) - decisive, _least(stated))
    if reason is not None:
        return FactorsOnControls(reason=reason)
    scores = FactorScores(
        controls=len(items),
        decisive=decisive,
        idle=len(counted) - decisive,
        unread=len(counted) - len(known),
        flat=sum(not np.isfinite(agreement.rank) for _, agreement in known),
        families=tuple(dict.fromkeys(item.family for item in used)),
        alike=_alike(used),
        tests={
            test: _scored(of_test)
            for test, of_test in ((STATED, stated), (RANKED, ranked))
            if _least(of_test) >= FEWEST
        },
    )
    return FactorsOnControls(scores=scores)


def _confirmed(subject: OpenWriter, items: Sequence[Named]) -> list[int]:
    """Positions of the controls whose construction the subject's answers confirm."""
    tries = [0, *np.cumsum([len(item.tried) for item in items]).tolist()]
    answers = subject.answer_after(
        [item.text for item in items] + [text for item in items for text, _ in item.tried],
        [item.reasoning for item in items] + [i.reasoning for i in items for _ in i.tried],
    )
    given, others = answers[: len(items)], answers[len(items) :]
    return confirmed(items, given, [others[a:b] for a, b in pairwise(tries)])


def _consistencies(subject: OpenWriter, items: Sequence[Named]) -> list[Consistency | None]:
    """The audit's own comparison of named and attributed fields, for given reasonings."""
    rows = [
        Row(str(at), item.text, None, {}, {f.name: f.value for f in item.fields}, {})
        for at, item in enumerate(items)
    ]
    reasonings = [item.reasoning for item in items]
    attributions = attributed_fields(subject, rows, reasonings, [item.answer for item in items])
    return [
        None if values is None else consistency(values, set(named_fields(row, reasoning)))
        for row, reasoning, values in zip(rows, reasonings, attributions, strict=True)
    ]


def _balanced(of_test: Sequence[tuple[Named, float]]) -> list[tuple[Named, float]]:
    """Equally many controls of either truth from every family."""
    families = [item.family for item, _ in of_test]
    return [of_test[at] for at in balanced(families, [item.decisive for item, _ in of_test])]


def _least(of_test: Sequence[tuple[Named, float]]) -> int:
    """How many controls have the rarer truth."""
    decisive = sum(item.decisive for item, _ in of_test)
    return min(decisive, len(of_test) - decisive)


def _scored(of_test: Sequence[tuple[Named, float]]) -> ScoredControls:
    return ScoredControls(
        scores=tuple(score for _, score in of_test),
        truth=tuple(item.decisive for item, _ in of_test),
        questions=tuple(item.text for item, _ in of_test),
    )


def _alike(items: Sequence[Named]) -> tuple[str, ...]:
    """Families in which the field that decides has the same name in all texts."""
    names: dict[str, set[str]] = {}
    for item in items:
        decides = {field.name for field in item.fields if field.value == item.answer}
        names[item.family] = names.get(item.family, set()) | decides
    return tuple(family for family, known in names.items() if len(known) == 1)


def _choices(items: Sequence[Named]) -> set[str]:
    return {answer for item in items for answer in (item.answer, *(a for _, a in item.tried))}


def _reason(decisive: int, idle: int, used: int) -> str | None:
    if used >= FEWEST:
        return None
    return (
        f"confirms too few controls: {decisive} whose reasoning names the field that decides and "
        f"{idle} whose reasoning names another, {used} of each when families are balanced, "
        f"{FEWEST} of each are needed"
    )
