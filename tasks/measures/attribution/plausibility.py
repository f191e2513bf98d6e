"""Does an attribution agree with the words that people marked?

Plausible is not faithful: a subject may decide for other reasons than people do, and a faithful
attribution then disagrees with them.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score

from tasks.measures.attribution.faithfulness import by_attribution


def token_f1(values: Sequence[float], rationale: Sequence[bool]) -> float:
    """F1 of the highest ranked units against those that people marked.

    As many units are chosen as people marked, so that precision, recall and F1 are one number.
    High is close to people; the share of units marked is chance. ERASER takes the mean length of
    a data set's rationales instead; here the number marked in each text is given, and only the
    order is tested.

    Args:
        values: attribution of every unit, [units]; the highest for the decision come first,
            equal ones by position.
        rationale: which units people marked, [units].

    Returns:
        F1 in [0, 1]; nan where nothing or everything is marked, since no order could fail.

    Raises:
        ValueError: the two disagree on the number of units.

    Source: DeYoung et al. 2020, ERASER, arXiv:1911.03429.
    """
    if not _can_fail(values, rationale):
        return float("nan")
    marked = sum(map(bool, rationale))
    return sum(bool(rationale[i]) for i in by_attribution(values)[:marked]) / marked


def auprc(values: Sequence[float], rationale: Sequence[bool]) -> float:
    """Area under the precision-recall curve of a ranking against what people marked.

    High is close to people: 1 ranks all marked units first; the share of units marked is chance.

    Args:
        values: attribution of every unit, [units]; the highest for the decision come first.
        rationale: which units people marked, [units].

    Returns:
        Average precision (no interpolation) in (0, 1]; nan where nothing or everything is marked.

    Raises:
        ValueError: the two disagree on the number of units.

    Source: DeYoung et al. 2020, ERASER, arXiv:1911.03429.
    """
    if not _can_fail(values, rationale):
        return float("nan")
    return float(average_precision_score(np.asarray(rationale, dtype=bool), values))


def _can_fail(values: Sequence[float], rationale: Sequence[bool]) -> bool:
    if len(values) != len(rationale):
        raise ValueError(f"plausibility: {len(values)} units against {len(rationale)} marks")
    return any(rationale) and not all(rationale)
