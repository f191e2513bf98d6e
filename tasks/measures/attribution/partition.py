"""Owen values over a tree of neighbouring units, by the package shap."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.measures.attribution.game import between, blank
from tasks.measures.attribution.inputs import Attribution, Inputs


def partition_values(inputs: Inputs, *, max_evaluations: int = 500) -> Attribution:
    """Owen values of the units, by shap's PartitionExplainer.

    Neighbouring units are halved recursively, and the two halves share the value of their whole as
    two players of a Shapley game would. Above 0 speaks for the target, in the unit of
    the score, any size; values add up to score - baseline score. They are not Shapley values,
    but Owen values of a hierarchy of neighbours: a second method.

    Args:
        inputs: rows to attribute the score of; no gradients are needed. Rows are played one by
            one, no coalition of a row twice.
        max_evaluations: evaluations per row, >= 2; when they are used up, the units of a group
            that is not yet split get equal shares.

    Returns:
        Attribution per unit, [rows, units].

    Raises:
        ImportError: shap is not installed.
        ValueError: fewer than 2 evaluations.
        MemoryError, RuntimeError: memory runs out even for a single text.

    Source: Owen 1977; shap `PartitionExplainer`, Lundberg and Lee 2017, arXiv:1705.07874.
    """
    try:
        from shap import PartitionExplainer
    except ImportError as error:
        raise ImportError(
            "partition values need the package shap: pip install assay-audit[shap]"
        ) from error
    if max_evaluations < 2:
        raise ValueError(f"partition: {max_evaluations} evaluations do not reach both ends")
    ends = inputs.ends()
    units, evaluations = blank(inputs)
    for row, n in enumerate(inputs.counts.clamp(min=1).tolist()):
        game = _Game(inputs, row, float(ends[0][row]), float(ends[1][row]), n)
        if n == 1:
            units[row, 0] = ends[0][row] - ends[1][row]
        else:
            explainer = PartitionExplainer(game, _Units(n))
            with _ties_broken_alike():
                explanation = explainer(
                    np.ones((1, n)),
                    max_evals=max_evaluations,
                    batch_size=inputs.rows_per_pass,
                    silent=True,
                )
            units[row, :n] = torch.from_numpy(explanation.values[0])
        evaluations[row] = len(game.known)
    return between(ends, units, evaluations)


class _Game:
    """Score of coalitions of one row, each evaluated once."""

    def __init__(self, inputs: Inputs, row: int, whole: float, nothing: float, n: int) -> None:
        self._inputs, self._row = inputs, row
        self.known = {bytes([1] * n): whole, bytes(n): nothing}

    def __call__(self, present: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scores, [k], of coalitions [k, units]."""
        keys = [bytes(coalition.astype(np.uint8)) for coalition in present]
        new = list(dict.fromkeys(key for key in keys if key not in self.known))
        if new:
            played = torch.tensor([list(key) for key in new], dtype=torch.bool)
            scores = self._inputs.values(torch.full((len(new),), self._row), played)
            self.known.update(zip(new, scores.tolist(), strict=True))
        return np.array([self.known[key] for key in keys])


class _Units:
    """A masker for shap: the coalition itself is the input of the game."""

    def __init__(self, n: int) -> None:
        self.shape = (1, n)
        self.clustering = _halves(n)

    def __call__(
        self, present: NDArray[np.bool_], _: NDArray[np.generic]
    ) -> tuple[NDArray[np.bool_]]:
        """One masked input: the coalition."""
        return (present[None],)


def _halves(n: int) -> NDArray[np.float64]:
    """Tree that halves neighbouring units, as scipy's `linkage` writes it, [n - 1, 4]."""
    merges: list[tuple[int, int, float, int]] = []

    def build(start: int, stop: int) -> int:
        if stop - start == 1:
            return start
        middle = (start + stop + 1) // 2
        left, right = build(start, middle), build(middle, stop)
        merges.append((left, right, float(stop - start), stop - start))
        return n + len(merges) - 1

    build(0, n)
    return np.array(merges, dtype=np.float64)


@contextmanager
def _ties_broken_alike() -> Iterator[None]:
    """The explainer breaks ties with numpy's global generator; leave that as it was."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
