"""The tuned lens finds a decision that lies in another basis, and learns nothing by heart."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from tasks.errors import EvidenceError
from tasks.measures.localisation.tuned_lens import Translator, divergence, fit


def head(width, classes=2, seed=0):
    weight = torch.randn(width, classes, generator=torch.Generator().manual_seed(seed))
    return lambda hidden: hidden @ weight


def drawn(texts, width, seed=1):
    return torch.randn(texts, width, generator=torch.Generator().manual_seed(seed))


def rotation(width):
    turned, _ = torch.linalg.qr(drawn(width, width, seed=2))
    return turned


def mean(stage, hidden, final):
    return float(divergence(stage, hidden, final).mean())


def test_the_divergence_is_that_of_the_textbook():
    stage, hidden, last = head(6, 3), drawn(5, 6), drawn(5, 6, seed=3)
    found = divergence(stage, hidden, stage(last))
    p, q = (stage(h).double().softmax(-1).numpy() for h in (last, hidden))
    np.testing.assert_allclose(found.numpy(), entropy(p, q, axis=1), rtol=1e-5)
    assert divergence(stage, last, stage(last)).max() < 1e-9


@pytest.mark.parametrize("width", [8, 64])
def test_a_decision_in_another_basis_is_found(width):
    stage, last = head(width), drawn(400, width)
    hidden, final = last @ rotation(width) * 5 + 3, stage(last)
    translator = fit(stage, hidden[:200], final[:200], seed=0)
    plain = mean(stage, hidden[200:], final[200:])
    tuned = mean(stage, translator(hidden[200:]), final[200:])
    assert tuned < 0.35 * plain


def test_what_reads_right_already_is_left_nearly_as_it_is():
    stage, last = head(32), drawn(300, 32)
    translator = fit(stage, last[:150], stage(last)[:150], seed=0)
    assert mean(stage, translator(last[150:]), stage(last)[150:]) < 1e-6


def test_noise_is_not_learnt_by_heart():
    """Hidden states that know nothing: over eight draws on average hardly worse than it was.

    A single draw of the texts held back, twelve of them, may by luck read noise as better: then
    what is kept is worse on other texts.
    """
    stage, noise = head(64), drawn(120, 64, seed=9)
    final = 3 * drawn(120, 2, seed=10)
    plain = mean(stage, noise[60:], final[60:])
    fits = [fit(stage, noise[:60], final[:60], seed=seed) for seed in range(8)]
    tuned = [mean(stage, one(noise[60:]), final[60:]) for one in fits]
    assert sum(tuned) / len(tuned) < 1.2 * plain


def test_where_all_texts_are_alike_the_mean_decision_is_learnt():
    stage, final = (
        head(16),
        torch.tensor([[0.0, 2.0]]).repeat(100, 1),
    )  # the head alone says otherwise
    hidden = torch.ones(100, 16)
    translator = fit(stage, hidden, final, seed=0)
    assert mean(stage, translator(hidden), final) < 0.05 * mean(stage, hidden, final)


def test_the_same_seed_gives_the_same_translator():
    stage, last = head(8), drawn(60, 8)
    one, other = (fit(stage, last * 2 + 1, stage(last), seed=3) for _ in range(2))
    for ours, theirs in zip(one, other, strict=True):
        torch.testing.assert_close(ours, theirs, atol=0, rtol=0)


def test_without_weights_it_is_the_plain_lens():
    hidden = drawn(4, 3)
    plain = Translator(torch.ones(3), torch.tensor(2.0), torch.zeros(3, 3), torch.zeros(3))
    torch.testing.assert_close(plain(hidden), hidden)


def test_nine_texts_are_too_few():
    with pytest.raises(EvidenceError, match="tuned lens of 9 texts: at least 10"):
        fit(head(4), drawn(9, 4), drawn(9, 2), seed=0)
