"""Areas under the ROC curve, their resamples, and the test of chance that is built on them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from layerviz.separability import macro_auc, p_of_chance, p_of_chance_by_auc, resampling_weights
from layerviz.separability.resampling import macro_f1


def scored(
    true: np.ndarray, n_cells: int, n_classes: int, *, shift: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Return log-probabilities (K, n, C), float16, of cells that know `shift` of the labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n_cells, len(true), n_classes))
    logits[:, np.arange(len(true)), true] += shift
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    return log_p.astype(np.float16)


def theirs(true: np.ndarray, scores: np.ndarray, counts: np.ndarray | None = None) -> float:
    """Return scikit-learn's macro one-vs-rest area of one cell on examples drawn so often."""
    scores = np.maximum(scores.astype(float), -1e4)  # it takes no -inf
    rows = np.arange(len(true)) if counts is None else np.repeat(np.arange(len(true)), counts)
    drawn = np.unique(true[rows])
    areas = [roc_auc_score(true[rows] == c, scores[rows, c]) for c in drawn]
    return float(np.mean(areas))


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_the_area_is_scikit_learns_ties_included(n_classes):
    true = np.random.default_rng(1).integers(n_classes, size=150)
    scores = scored(true, 4, n_classes, shift=0.7).round(1)  # many ties
    assert macro_auc(true, scores) == pytest.approx([theirs(true, cell) for cell in scores])


def test_the_area_knows_perfection_its_opposite_and_nothing():
    true = np.repeat([0, 1, 2], 20)
    right = np.eye(3)[true][None]
    assert macro_auc(true, np.concatenate([right, -right, 0 * right])).tolist() == [1.0, 0.0, 0.5]
    weights = resampling_weights(60, 0)
    assert (macro_auc(true, right, weights) == 1.0).all()
    assert (macro_auc(true, 0 * right, weights) == 0.5).all()


def test_a_class_without_examples_is_left_out_and_one_class_alone_has_no_area():
    true = np.repeat([0, 2], 30)
    scores = scored(true, 2, 4, shift=1.0)
    scores[:, :, 3] = -np.inf  # as of a class that train does not hold
    assert macro_auc(true, scores) == pytest.approx([theirs(true, cell) for cell in scores])
    assert np.isnan(macro_auc(np.zeros(9, int), scores[:, :9])).all()
    assert p_of_chance_by_auc(np.zeros(9, int), scores[:, :9], 0) == 1.0
    unseen = np.repeat([0, 3], 30)  # nothing is known of a class of which all scores are equal
    assert macro_auc(unseen, scores)[0] == pytest.approx(theirs(unseen, scores[0]))
    weights = np.ones((2, 60), np.float32)
    weights[1, true == 2] = 0
    areas = macro_auc(true, scores, weights)
    assert areas[0] == pytest.approx(macro_auc(true, scores))
    assert np.isnan(areas[1]).all()


@pytest.mark.parametrize(
    ("counts", "tolerance"), [((60, 60), 0.02), ((114, 6), 0.03), ((300, 200, 100), 0.01)]
)
def test_resampled_areas_are_those_of_ranking_anew_to_a_part_of_their_error(counts, tolerance):
    true = np.repeat(np.arange(len(counts)), counts)
    scores = scored(true, 2, len(counts), shift=1.0)
    weights = resampling_weights(len(true), 0, 60)
    ours = macro_auc(true, scores, weights)
    anew = np.array([[theirs(true, cell, w.astype(int)) for cell in scores] for w in weights])
    assert ours.std(axis=0) == pytest.approx(anew.std(axis=0), rel=0.1)
    assert np.abs(ours - anew).max() < tolerance
    assert np.sqrt(((ours - anew) ** 2).mean()) < 0.2 * anew.std()


def test_noise_is_called_better_than_chance_in_five_percent():
    rng = np.random.default_rng(0)
    n_draws, p = 200, []
    for seed in range(n_draws):
        true = rng.permutation(np.repeat([0, 1, 2], [40, 15, 5]))
        common = scored(true, 1, 3, seed=2 * seed)
        own = scored(true, 12, 3, seed=2 * seed + 1)  # cells resemble each other
        p.append(p_of_chance_by_auc(true, common + own / 2, seed, n_permutations=199))
    rejected = np.mean(np.array(p) <= 0.05)
    assert rejected <= 0.05 + 1.645 * np.sqrt(0.05 * 0.95 / n_draws)
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)  # and no test that never rejects


def test_a_rare_class_that_is_never_predicted_is_found():
    """One in twenty, area 0.77: the usual answer is always the frequent class."""
    rng = np.random.default_rng(0)
    by_auc, by_f1 = [], []
    for seed in range(20):
        true = rng.permutation(np.repeat([0, 1], [285, 15]))
        evidence = rng.normal(size=(12, 300)) + 1.045 * (true == 1)  # Phi(1.045 / sqrt 2) = 0.77
        rare = 1 / (1 + np.exp(-(evidence - 3.5)))
        scores = np.log(np.stack([1 - rare, rare], axis=2)).astype(np.float16)
        predicted = scores.argmax(axis=2)
        by_auc.append(p_of_chance_by_auc(true, scores, seed, n_permutations=199))
        best = macro_f1(true, predicted).max()
        by_f1.append(p_of_chance(true, predicted, best, seed))
    assert np.mean(np.array(by_auc) <= 0.05) >= 0.95
    assert np.mean(np.array(by_f1) <= 0.05) <= 0.5


def test_constant_scores_are_chance():
    true = np.repeat([0, 1], 30)
    assert p_of_chance_by_auc(true, np.zeros((5, 60, 2), np.float16), 0) == 1.0


def test_areas_on_val_and_their_chance_are_cut_into_parts_with_the_same_result(monkeypatch):
    true = np.random.default_rng(1).integers(3, size=80)
    scores, weights = scored(true, 5, 3, shift=0.2), resampling_weights(80, 0, 20)
    whole = macro_auc(true, scores, weights), p_of_chance_by_auc(true, scores, 3)
    monkeypatch.setattr("layerviz.separability.ranking.CELLS_AT_ONCE", 2)
    monkeypatch.setattr("layerviz.separability.ranking.PERMUTATIONS_AT_ONCE", 7)
    assert np.allclose(macro_auc(true, scores, weights), whole[0])
    assert p_of_chance_by_auc(true, scores, 3) == whole[1]
