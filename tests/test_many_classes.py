"""With hundreds of classes, work that does not grow with them gives the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import rankdata
from sklearn.metrics import davies_bouldin_score, f1_score

from layerviz import separability
from layerviz.separability import geometry, lbfgs, probe, ranking, resampling

N, CLASSES, CELLS = 300, 60, 3

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """Classes of one to many examples; some numbers name none."""
    shares = np.linspace(1, 8, CLASSES)
    drawn = np.random.default_rng(0).choice(CLASSES, size=N, p=shares / shares.sum())
    return 2 * np.concatenate([np.arange(CLASSES), drawn[CLASSES:]])


@pytest.fixture(scope="module")
def predicted(labels: np.ndarray) -> np.ndarray:
    """Half of them right, some of them a class that no example is of."""
    rng = np.random.default_rng(1)
    wrong = rng.integers(2 * CLASSES + 3, size=(CELLS, N))
    return np.where(rng.random((CELLS, N)) < 0.5, labels, wrong)


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    return separability.resampling_weights(N, 0, n_resamples=20)


def test_macro_f1_is_that_of_scikit_learn_and_of_class_after_class(
    labels, predicted, weights, monkeypatch
) -> None:
    value, draws = (separability.macro_f1(labels, predicted, w) for w in (None, weights))
    expected = [
        f1_score(labels, one, average="macro", labels=np.unique(labels), zero_division=0)
        for one in predicted
    ]
    assert np.allclose(value, expected)
    monkeypatch.setattr(resampling, "MANY_CLASSES", 1000)
    assert np.allclose(value, separability.macro_f1(labels, predicted), rtol=1e-12)
    assert np.allclose(draws, separability.macro_f1(labels, predicted, weights), rtol=1e-12)


def test_chance_is_what_class_after_class_says(labels, predicted, monkeypatch) -> None:
    best = float(separability.macro_f1(labels, predicted).max()) / 12
    p = separability.p_of_chance(labels, predicted, best, seed=0)
    monkeypatch.setattr(resampling, "MANY_CLASSES", 1000)
    assert p == separability.p_of_chance(labels, predicted, best, seed=0)
    assert 0.001 < p < 1


def test_areas_are_those_of_ranks(labels, weights, monkeypatch) -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(CELLS, N, 2 * CLASSES)).round(1).astype(np.float16)  # with ties
    scores[:, :, 5] = -np.inf
    value, draws = (separability.macro_auc(labels, scores, w) for w in (None, weights))
    areas = []
    for label in np.unique(labels):
        ranks, own = rankdata(scores[0, :, label].astype(float)), labels == label
        n = own.sum()
        areas.append((ranks[own].sum() - n * (n + 1) / 2) / (n * (N - n)))
    assert value[0] == pytest.approx(np.mean(areas))
    monkeypatch.setattr(ranking, "FEW_TO_COUNT", 0)
    assert np.allclose(value, separability.macro_auc(labels, scores), rtol=1e-12)
    assert np.allclose(draws, separability.macro_auc(labels, scores, weights), atol=1e-6)
    p = separability.p_of_chance_by_auc(labels, scores, seed=0, n_permutations=200)
    monkeypatch.setattr(ranking, "MANY_CLASSES", 1000)
    assert p == separability.p_of_chance_by_auc(labels, scores, seed=0, n_permutations=200)


def test_distances_of_classes_are_those_of_pairs(labels) -> None:
    states = np.random.default_rng(3).normal(size=(N, 5)) + labels[:, None] / 40
    assert geometry.davies_bouldin(states, labels) == pytest.approx(
        davies_bouldin_score(states, labels)
    )
    assert geometry.davies_bouldin(np.repeat(states[:2], 3, axis=0), np.arange(6) // 3) == 0
    classes = np.unique(labels)
    means = {one: states[labels == one].mean(axis=0) for one in classes}
    spread = {
        one: np.square(states[labels == one] - means[one]).sum(axis=1).mean() for one in classes
    }
    pairs = [
        (spread[one] + spread[other]) / 2 / np.square(means[one] - means[other]).sum()
        for index, one in enumerate(classes)
        for other in classes[index + 1 :]
    ]
    assert geometry.class_distance_variance(states, labels, states, labels) == pytest.approx(
        np.mean(pairs)
    )


def test_probes_are_the_same_whether_converged_ones_are_left_out_or_not(
    labels, monkeypatch
) -> None:
    states = np.random.default_rng(4).normal(size=(N, 16)) + np.sqrt(labels[:, None])
    train = np.arange(N) % 3 > 0
    monkeypatch.setattr(lbfgs, "WORTH", 0)
    left_out = separability.fit_probe(states, labels, train, seed=0)
    monkeypatch.setattr(lbfgs, "WORTH", 10**12)
    kept = separability.fit_probe(states, labels, train, seed=0)
    assert np.array_equal(left_out.predicted, kept.predicted)
    assert np.allclose(left_out.scores, kept.scores, atol=2e-2)
    assert (left_out.strength, left_out.converged) == (kept.strength, kept.converged)


def test_the_loss_is_that_of_torch() -> None:
    rng = np.random.default_rng(5)
    for n_classes in (2, 3, 40):
        scores = torch.from_numpy(rng.normal(size=(2, 7, n_classes))).requires_grad_()
        targets = torch.from_numpy(rng.integers(n_classes, size=(2, 7)))
        expected = torch.nn.functional.cross_entropy(
            scores.flatten(0, 1), targets.flatten(), reduction="none"
        ).view(2, 7)
        expected.sum().backward()
        problem = probe._Problem(torch.zeros(7, 1), torch.ones(1), n_classes)
        given = scores.detach()
        given = given[..., 1:] - given[..., :1] if n_classes == 2 else given.clone()
        loss, slope = problem._loss_and_slope(given, targets)
        assert torch.allclose(loss, expected)
        assert scores.grad is not None
        assert torch.allclose(slope, scores.grad[..., -slope.shape[2] :])
