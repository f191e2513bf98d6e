"""Can a concept be read from hidden states? Probes, and the control that keeps them honest."""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tasks.errors import EvidenceError

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]

DEAD = 1e-6  # spread below this share of the largest value is round-off of float32 states


def three_folds(concept: Strings, *, seed: int) -> NDArray[np.int64]:
    """Fold 0, 1 or 2 of every text, with the groups of `concept` spread evenly.

    Three, because erasing and probing on the same texts proves nothing: one fold fits the
    eraser, one trains the probe, one tests it; in turn every fold is tested on.

    Raises:
        EvidenceError: a group has fewer than three texts.
    """
    rng = np.random.default_rng(seed)
    fold = np.empty(len(concept), dtype=np.int64)
    for group in np.unique(concept):
        members = np.flatnonzero(concept == group)
        if len(members) < 3:
            raise EvidenceError(
                f"probing: group {str(group)!r} has {len(members)} texts; three folds need three"
            )
        fold[rng.permutation(members)] = np.arange(len(members)) % 3
    return fold


def linear_probe(train: Floats, concept: Strings, test: Floats) -> Strings:
    """Concept of `test` read by a logistic regression trained on `train`.

    Args:
        train: hidden states, [texts, d].
        concept: group of every training text, [texts].
        test: hidden states, [other texts, d].

    Returns:
        Predicted group of every test text. Groups weigh the same, whatever their size.

    Source: Alain and Bengio 2016, arXiv:1610.01644.
    """
    alive = living(train)
    if not alive.any():  # the same state for every text, as a first token before any attention
        return np.full(len(test), concept[0])
    probe = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=0.1, class_weight="balanced", solver="newton-cholesky"),
    )
    probe.fit(train[:, alive], concept)
    predicted: Strings = probe.predict(test[:, alive])
    return predicted


def nonlinear_probe(train: Floats, concept: Strings, test: Floats, *, seed: int) -> Strings:
    """Concept of `test` read by a random forest; see `linear_probe` for the shapes.

    LEACE removes what linear readers can use and nothing else; this shows what is left.
    """
    alive = living(train)
    if not alive.any():
        return np.full(len(test), concept[0])
    probe = RandomForestClassifier(
        n_estimators=50, class_weight="balanced", random_state=seed, n_jobs=1
    )
    probe.fit(train[:, alive], concept)
    predicted: Strings = probe.predict(test[:, alive])
    return predicted


def control_labels(concept: Strings, *, seed: int) -> Strings:
    """The labels of `concept` dealt anew at random: same marginals, nothing to read.

    Source: Hewitt and Liang 2019, arXiv:1909.03368, in the form for whole texts.
    """
    return np.random.default_rng(seed).permutation(concept)


def balanced_accuracy(concept: Strings, predicted: Strings) -> float:
    """Mean over groups of the share read correctly; 1 / number of groups is chance.

    Args:
        concept: true group, [texts].
        predicted: group read, [texts].

    Returns:
        In [0, 1].
    """
    hits = predicted == concept
    return float(np.mean([hits[concept == g].mean() for g in np.unique(concept)]))


def living(states: Floats) -> NDArray[np.bool_]:
    """Columns whose spread is more than round-off, [d]; round-off can encode the label."""
    alive: NDArray[np.bool_] = states.std(axis=0) > DEAD * float(np.abs(states).max())
    return alive
