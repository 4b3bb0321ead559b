"""What layers can do is said right: against scikit-learn, and on states whose answer is known."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import davies_bouldin_score, f1_score, silhouette_score
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import StandardScaler

from layerviz import separability
from layerviz.errors import Cancelled, ConfigError
from layerviz.separability import Cell, geometry
from layerviz.separability.discriminants import fisher_ratio, shrunken_covariance
from layerviz.separability.resampling import stratified_folds

N_LAYERS = 12


def blobs(
    n: int, n_classes: int, width: int, *, distance: float = 2.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return states (n, width) of normal classes `distance` apart, and labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    centres = rng.normal(size=(n_classes, width))
    centres *= distance / np.linalg.norm(centres, axis=1, keepdims=True)
    return (centres[labels] + rng.normal(size=(n, width))).astype(np.float32), labels


def splits_of(n: int, **shares: float) -> np.ndarray:
    """Return names of splits, in blocks."""
    return np.repeat(list(shares), [round(n * share) for share in shares.values()])


def stacked(
    labels: np.ndarray,
    good: dict[int, float],
    *,
    n_layers: int = N_LAYERS,
    width: int = 12,
    seed: int = 0,
) -> np.ndarray:
    """Return (L + 1, N, width): noise, but where `good` gives a layer its classes' distance."""
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(n_layers + 1, len(labels), width)).astype(np.float32)
    for layer, distance in good.items():
        states[layer, np.arange(len(labels)), labels % width] += distance
    return states


def stored(table: pd.DataFrame, *key: object) -> dict[Hashable, Any]:
    """Return the row of a table of measures with this pooling, layer, measure and split."""
    columns = ["pooling", "layer", "measure", "split"]
    (row,) = table[table[columns].eq(list(key)).all(axis=1)].to_dict("records")
    return row


def answered(
    snapshots: list[np.ndarray], labels: np.ndarray, splits: np.ndarray, seed: int = 0
) -> separability.Answer:
    """Probe all layers of all snapshots and answer."""
    cells, predicted = [], []
    for index, states in enumerate(snapshots):
        for layer in range(1, len(states)):
            cells.append(Cell(index, float(index), "mean", layer))
            found = separability.fit_probe(states[layer], labels, splits == "train", seed=seed)
            predicted.append(found.predicted)
    names = [f"class {label}" for label in range(labels.max() + 1)]
    return separability.find_answer(
        cells, np.stack(predicted), labels, splits, label_names=names, seed=seed
    )


# --- against scikit-learn -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "n_classes", "width"), [(400, 2, 20), (400, 4, 20), (90, 3, 200)], ids=str
)
def test_the_probe_is_scikit_learns_logistic_regression(n, n_classes, width):
    states, labels = blobs(n, n_classes, width)
    train = np.arange(n) < n * 2 // 3
    found = separability.fit_probe(states, labels, train, seed=0)
    scaled = StandardScaler().fit(states[train]).transform(states)
    theirs = LogisticRegression(C=found.strength, max_iter=10_000, tol=1e-8)
    theirs.fit(scaled[train], labels[train])
    assert found.converged
    assert (found.predicted == theirs.predict(scaled)).mean() > 0.99
    assert np.allclose(np.exp(found.scores), theirs.predict_proba(scaled), atol=0.02)


@pytest.mark.parametrize("missing", [None, 0, 2])
def test_scores_cover_all_classes_and_agree_with_the_predictions(missing):
    states, labels = blobs(200, 4, 10)
    train = np.arange(200) < 120
    train &= labels != missing
    found = separability.fit_probe(states, labels, train, seed=0, n_classes=6)
    assert found.scores.shape == (200, 6)
    assert found.scores.dtype == np.float16
    assert np.allclose(np.exp(found.scores.astype(np.float64)).sum(axis=1), 1, atol=0.01)
    chosen = np.take_along_axis(found.scores, found.predicted[:, None].astype(int), axis=1)[:, 0]
    assert (chosen == found.scores.max(axis=1)).all()
    unseen = np.setdiff1d(np.arange(6), labels[train])
    assert set(unseen) == {4, 5} | ({missing} - {None})
    assert np.isneginf(found.scores[:, unseen]).all()
    assert np.isfinite(np.delete(found.scores, unseen, axis=1)).all()


def test_a_probe_with_one_class_is_sure_of_it():
    states, labels = blobs(60, 3, 4)
    found = separability.fit_probe(states, labels, labels == 1, seed=0)
    assert (found.predicted == 1).all()
    assert np.exp(found.scores).tolist() == [[0.0, 1.0, 0.0]] * 60


def test_the_strength_is_chosen_inside_train():
    states, labels = blobs(300, 2, 100, distance=1.0)
    train = np.arange(300) < 200
    first = separability.fit_probe(states, labels, train, seed=0)
    relabelled = np.where(train, labels, 1 - labels)  # val must have no say
    again = separability.fit_probe(states, relabelled, train, seed=0)
    assert first.strength == again.strength
    assert (first.predicted == again.predicted).all()


@pytest.mark.parametrize("n_classes", [2, 4])
def test_out_of_fold_probabilities_are_scikit_learns_and_blind_to_their_own_label(n_classes):
    states, labels = blobs(300, n_classes, 12)
    kept = np.random.default_rng(3).random(300) < 0.8
    probabilities = functools.partial(
        separability.out_of_fold, labels=labels, seed=5, strengths=[0.1], kept=kept
    )
    found = probabilities(states)
    fold = stratified_folds(labels, 5, 5)
    for held_out in range(5):
        fitted, rest = (fold != held_out) & kept, fold == held_out
        theirs = LogisticRegression(C=0.1, tol=1e-6, max_iter=1000)
        theirs.fit(states[fitted], labels[fitted])
        assert np.allclose(found[rest], theirs.predict_proba(states[rest]), atol=0.02)
    left_out = int(np.flatnonzero(~kept)[0])
    noise = states.copy()
    noise[np.arange(300) == left_out] = 100.0  # nobody learns from it
    again = probabilities(noise)
    others = np.arange(300) != left_out
    assert np.allclose(found[others], again[others], atol=0.02)


def test_scores_are_scikit_learns_and_weights_count_examples():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(4, size=60), rng.integers(5, size=(7, 60))
    counts = rng.integers(0, 3, size=(1, 60)).astype(np.float32)
    repeated = np.repeat(np.arange(60), counts[0].astype(int))
    for row, found in zip(predicted, separability.macro_f1(true, predicted), strict=True):
        kept = np.unique(true)
        theirs = f1_score(true, row, average="macro", labels=kept, zero_division=0)
        assert found == pytest.approx(theirs)
    weighted = separability.macro_f1(true, predicted, counts)[0]
    assert weighted == pytest.approx(separability.macro_f1(true[repeated], predicted[:, repeated]))


def by_neighbours(states: np.ndarray, labels: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return what the nearest train rows make of the others."""
    rows, others = (geometry.directions(states[side], states[train]) for side in (train, ~train))
    return geometry.knn_predict(*geometry.nearest_in_train(others, rows), labels[train])


def test_geometry_is_scikit_learns():
    states, labels = blobs(120, 3, 10)
    train = np.arange(120) < 80
    ours = geometry.silhouette(states, labels, states, labels)
    assert ours == pytest.approx(silhouette_score(states, labels), abs=1e-4)
    assert geometry.davies_bouldin(states, labels) == pytest.approx(
        davies_bouldin_score(states, labels)
    )
    centred = states - states[train].mean(axis=0)
    theirs = KNeighborsClassifier(10, metric="cosine").fit(centred[train], labels[train])
    found = by_neighbours(states, labels, train)
    assert (found == theirs.predict(centred[~train])).mean() > 0.9  # they break ties otherwise
    rows, others = (geometry.directions(states[side], states[train]) for side in (train, ~train))
    nearest_mean = NearestCentroid().fit(rows.numpy(), labels[train]).predict(others.numpy())
    assert (geometry.nearest_mean_predict(others, rows, labels[train]) == nearest_mean).all()


def test_class_distance_variance_is_that_of_galanti_et_al():
    states = np.array([[-1, 0], [1, 0], [0, 3], [0, 5], [8, 0]], dtype=np.float32)
    labels = np.array([0, 0, 1, 1, 2])
    pairs = [(1 + 1) / 2 / 16, (1 + 0) / 2 / 64, (1 + 0) / 2 / (64 + 16)]
    found = geometry.class_distance_variance(states, labels, states, labels)
    assert found == pytest.approx(np.mean(pairs))
    val, val_labels = np.array([[0, 2], [0, 0]], dtype=np.float32), np.array([0, 1])
    found = geometry.class_distance_variance(val, val_labels, states, labels)
    assert found == pytest.approx((4 + 16) / 2 / 16)  # around the means of train, without class 2
    assert np.isnan(geometry.class_distance_variance(val[:1], val_labels[:1], states, labels))
    assert np.isnan(geometry.class_distance_variance(val, val_labels, 0 * states, labels))


def test_distances_are_taken_in_parts_with_the_same_result(monkeypatch):
    states, labels = blobs(120, 3, 10)
    train = np.arange(120) < 80
    whole = geometry.silhouette(states, labels, states, labels)
    neighbours = by_neighbours(states, labels, train)
    monkeypatch.setattr(geometry, "ROWS_AT_ONCE", 7)
    assert geometry.silhouette(states, labels, states, labels) == pytest.approx(whole, abs=1e-5)
    assert (by_neighbours(states, labels, train) == neighbours).all()


def test_silhouette_of_val_among_trains_classes_is_low_where_val_lies_elsewhere():
    states, labels = blobs(200, 2, 10, distance=6.0)
    here = geometry.silhouette(states[100:], labels[100:], states[:100], labels[:100])
    swapped = geometry.silhouette(states[100:], 1 - labels[100:], states[:100], labels[:100])
    assert here > 0.3
    assert swapped < 0


def test_cka_knows_rotations_from_strangers_without_bias():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(40, 30))
    rotation, _ = np.linalg.qr(rng.normal(size=(30, 30)))
    strangers = rng.normal(size=(200, 40, 30))
    layers = np.stack([states, 3 * states @ rotation + 5])
    assert separability.linear_cka(layers, layers) == pytest.approx(np.ones((2, 2)), abs=1e-4)
    found = separability.linear_cka(states[None], strangers)
    assert abs(found.mean()) < 0.02  # the biased estimate would be about 0.45


def test_cka_is_the_unbiased_estimator_of_song_et_al():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 5)), rng.normal(size=(12, 3))
    y[:, 0] += x[:, 0]

    def hsic(k: np.ndarray, m: np.ndarray) -> float:
        n = len(k)
        k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
        return (
            np.trace(k @ m) + k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * (k @ m).sum() / (n - 2)
        ) / (n * (n - 3))

    k, m = x @ x.T, y @ y.T
    expected = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    assert separability.linear_cka(x[None], y[None])[0, 0] == pytest.approx(expected, abs=1e-4)


def test_split_divergence_is_half_for_alike_splits_and_high_for_shifted_ones():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(400, 10)).astype(np.float32)
    is_val = np.arange(400) >= 200
    assert geometry.split_divergence(states, is_val, 0) == pytest.approx(0.5, abs=0.08)
    states[is_val] += 1.0
    assert geometry.split_divergence(states, is_val, 0) > 0.95


def test_silhouettes_of_many_rows_are_estimated_from_some_of_them(monkeypatch):
    states, labels = blobs(3000, 3, 8)
    other, other_labels = blobs(1200, 3, 8, seed=1)
    pairs = [(states, labels, states, labels), (states, labels, other, other_labels)]
    estimated = [geometry.silhouette(*pair) for pair in pairs]
    monkeypatch.setattr(geometry, "SILHOUETTE_ROWS", 3000)
    exact = [geometry.silhouette(*pair) for pair in pairs]
    assert exact[0] == pytest.approx(silhouette_score(states, labels), abs=1e-5)
    assert estimated != exact
    assert estimated == pytest.approx(exact, abs=0.01)


def test_fisher_ratio_of_noise_is_inflated_on_train_alone():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(200, 60)).astype(np.float32)
    labels = rng.integers(2, size=200)
    found = fisher_ratio(states, labels, np.arange(200) < 100)
    assert found["train"] > 0.5
    assert found["val"] < 0.1


@pytest.mark.parametrize("n", [30, 400])
def test_the_shrunken_covariance_is_that_of_scikit_learn(n: int):
    states, labels = blobs(n, 3, 60)
    states *= np.linspace(0.1, 5, 60, dtype=np.float32)
    expected, _ = ledoit_wolf(states, assume_centered=True)
    found = shrunken_covariance(states).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    collapsed = np.zeros((n, 60), dtype=np.float32)
    assert not shrunken_covariance(collapsed).any()
    ratio = fisher_ratio(np.repeat(states[:, :1], 60, axis=1), labels, np.arange(n) % 2 == 0)
    assert np.isfinite(list(ratio.values())).all()  # a matrix of one direction


# --- known answers --------------------------------------------------------------------------


def test_classes_that_separate_in_some_layers_only_are_found_there():
    labels = np.random.default_rng(0).integers(3, size=900)
    splits = splits_of(900, train=4 / 9, val=3 / 9, test=2 / 9)
    start = stacked(labels, {}, seed=1)
    end = stacked(labels, {6: 3.0, 7: 3.2, 8: 3.0}, seed=2)
    found = answered([start, end], labels, splits)
    assert found.verdict == "found"
    assert found.best.snapshot == 1
    assert found.best.layer in (6, 7, 8)
    assert {cell.layer for cell in found.ties} <= {6, 7, 8}
    assert {cell.snapshot for cell in found.ties} <= {1}
    assert found.since_start is not None
    assert found.since_start.low > 0.2
    sentences = " ".join(separability.answer_sentences(found))
    assert f"Take layer {found.best.layer} at epoch 1, mean pooling: " in sentences
    assert f"On test, which played no part in the choice, it scores {found.test}" in sentences
    assert found.test is not None
    assert found.test.low <= found.val.value + 0.1
    lead, *rest = separability.answer_sentences(found)
    assert found.test is not None
    test = found.test
    assert f"{test.value:.2f} macro-F1 on test ({test.low:.2f}–{test.high:.2f}, 200 ex" in lead
    assert f"corrected, val makes one expect {found.unseen.with_interval}" in rest[0]
    assert f"scores macro-F1 {found.val}" in rest[0]  # the figures are told apart


def test_a_test_split_unlike_val_is_pointed_out():
    labels = np.random.default_rng(0).integers(2, size=900)
    splits = splits_of(900, train=1 / 3, val=1 / 3, test=1 / 3)
    states = stacked(labels, {2: 3.0}, n_layers=3)
    assert "does not resemble" not in " ".join(
        separability.answer_sentences(answered([states], labels, splits))
    )
    flipped = np.where(splits == "test", 1 - labels, labels)
    assert "less than val made one expect: test does not resemble" in " ".join(
        separability.answer_sentences(answered([states], flipped, splits))
    )


def test_one_clearly_best_layer_has_no_ties():
    labels = np.random.default_rng(0).integers(2, size=1200)
    splits = splits_of(1200, train=0.5, val=0.5)
    found = answered([stacked(labels, {5: 2.5, 4: 0.7})], labels, splits)
    assert found.best.layer == 5
    assert not found.ties
    sentences = separability.answer_sentences(found)
    assert sentences[0].startswith(
        "In the encoder as it is, layer 5 does best, mean pooling: expect about"
    )
    assert sentences[0].endswith("it is clearly the best.")
    assert "layer 5 is the best (95 %)" in " ".join(sentences[1:])


def test_pure_noise_is_seldom_called_better_than_chance_and_never_has_a_winner():
    splits = splits_of(160, train=0.5, val=0.5)
    claims = winners = 0
    for seed in range(100):
        labels = np.random.default_rng(seed).integers(2, size=160)
        states = stacked(labels, {}, n_layers=4, width=6, seed=seed + 1000)
        found = answered([states], labels, splits, seed=seed)
        claims += found.verdict == "found"
        winners += found.verdict == "found" and not found.ties
    assert claims <= 11  # 5 % are expected; more than 11 of 100 has a chance of 0.4 %
    assert winners <= 5  # the error rate that the page states


def test_a_val_with_a_single_class_is_answered_without_a_warning(recwarn):
    labels = np.random.default_rng(0).integers(2, size=200)
    splits = splits_of(200, train=0.5, val=0.5)
    labels[splits == "val"] = 1
    cells = [Cell(0, 0.0, "mean", layer) for layer in (1, 2)]
    predicted = np.stack([labels, np.ones_like(labels)])
    scores = np.log(np.full((2, 100, 2), 0.5))
    answer = separability.find_answer(
        cells, predicted, labels, splits, label_names=["a", "b"], seed=0, log_probabilities=scores
    )
    assert answer.verdict == "chance"
    assert answer.auc is None
    assert not list(recwarn)


def test_noise_is_told_as_chance():
    labels = np.random.default_rng(3).integers(2, size=400)
    found = answered([stacked(labels, {}, n_layers=3)], labels, splits_of(400, train=0.5, val=0.5))
    assert found.verdict == "chance"
    assert separability.answer_sentences(found)[0].startswith(
        "No layer tells the classes apart on val better than"
    )
    assert len(separability.answer_sentences(found)) == 1


def test_val_that_is_shifted_against_train_is_seen():
    labels = np.random.default_rng(0).integers(2, size=600)
    splits = splits_of(600, train=0.5, val=0.5)
    states = stacked(labels, {2: 4.0}, n_layers=2)
    states[2, splits == "val"] += 2.0
    examples = pd.DataFrame({"split": splits, "label": labels})
    table = separability.measure_layers(
        {"mean": states}, examples, labels, first=None, seed=0
    ).table
    assert stored(table, "mean", 2, "split_auc", "train and val")["value"] > 0.95
    assert 0.35 < stored(table, "mean", 1, "split_auc", "train and val")["value"] < 0.65


def test_few_examples_or_a_tiny_class_get_no_verdict():
    labels = np.random.default_rng(0).integers(2, size=50)
    splits = splits_of(50, train=0.6, val=0.4)
    found = answered([stacked(labels, {3: 5.0}, n_layers=3)], labels, splits)
    assert found.verdict == "few"
    assert "Too few examples" in separability.answer_sentences(found)[0]
    assert "20 val examples" in separability.answer_sentences(found)[0]

    labels = np.zeros(400, dtype=int)
    labels[::100] = 1  # two of these in val
    found = answered(
        [stacked(labels, {3: 5.0}, n_layers=3)], labels, splits_of(400, train=0.5, val=0.5)
    )
    assert found.verdict == "few"
    assert "of the class 'class 1'" in separability.answer_sentences(found)[0]


def test_twenty_imbalanced_classes_and_one_that_val_lacks():
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 21)
    labels = rng.choice(20, size=3000, p=shares / shares.sum())
    splits = splits_of(3000, train=0.5, val=0.5)
    labels[(splits == "val") & (labels == 7)] = 0  # val lacks class 7
    found = answered([stacked(labels, {2: 6.0}, n_layers=3, width=20)], labels, splits)
    assert found.best.layer == 2
    assert found.verdict == "found"
    assert not found.ties


def test_picking_the_best_of_many_alike_is_corrected_downwards():
    rng = np.random.default_rng(0)
    true = rng.integers(2, size=300)
    predicted = np.where(rng.random((60, 300)) < 0.7, true, 1 - true)  # all are 70 % right
    cells = tuple(Cell(index // 12, index / 12, "mean", index % 12 + 1) for index in range(60))
    found = separability.find_best(separability.CellScores(cells, predicted, true, 0))
    assert found.val.value > 0.73
    assert abs(found.unseen.value - 0.70) < 0.02
    assert found.unseen.low < 0.70 < found.unseen.high
    assert found.ties.mean() > 0.9


def test_a_single_cell_that_stands_out_by_chance_is_not_picked():
    rng = np.random.default_rng(0)
    true = rng.integers(2, size=400)
    cells, predicted = [], []
    for layer in range(1, 7):
        for snapshot in range(3):
            cells.append(Cell(snapshot, float(snapshot), "mean", layer))
            good = layer >= 4 and snapshot > 0
            share = 0.8 if good else 0.83 if (layer, snapshot) == (1, 1) else 0.6
            predicted.append(np.where(rng.random(400) < share, true, 1 - true))
    scored = separability.CellScores(tuple(cells), np.stack(predicted), true, 0)
    best = cells[separability.find_best(scored).index]
    assert best.layer >= 4
    assert best.snapshot > 0


def test_a_pick_is_never_swayed_by_what_was_before_training():
    cells = [Cell(snapshot, float(snapshot), "mean", 1) for snapshot in range(2)]
    means = separability.neighbourhood_means(cells)
    assert means.toarray() == pytest.approx(np.eye(2))


def test_a_classifier_without_mistakes_has_an_interval():
    true = np.repeat([0, 1], 64)
    draws = np.ones(1000)
    found = separability.score_of(true, true, draws)
    assert found.value == found.high == 1.0
    assert 0.93 < found.low < 0.99


def test_paired_differences_are_finer_than_intervals():
    rng = np.random.default_rng(0)
    true = rng.integers(2, size=500)
    one = np.where(rng.random(500) < 0.8, true, 1 - true)
    other = one.copy()
    other[:40] = 1 - true[:40]
    difference, low, high = separability.paired_difference(true, one, other, 0)
    assert low > 0
    assert low < difference < high
    assert separability.paired_difference(true, one, one, 0) == (0.0, 0.0, 0.0)


# --- all measures of a snapshot -------------------------------------------------------------


def snapshot(n: int = 120) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    labels = np.random.default_rng(0).integers(3, size=n)
    splits = splits_of(n, train=0.5, val=0.25, test=0.25)
    states = stacked(labels, {2: 2.0}, n_layers=2).astype(np.float16)
    states_cls = states.copy()
    states_cls[0] = 1.0  # [CLS] of the embedding output is the same for all texts
    return {"mean": states, "cls": states_cls}, pd.DataFrame({"split": splits, "label": labels})


def test_every_measure_is_there_for_every_layer_pooling_and_split():
    pooled, examples = snapshot()
    head = examples["label"].to_numpy()
    found = separability.measure_layers(pooled, examples, head, first=pooled, seed=0)
    table = found.table
    assert list(table.columns) == list(separability.MEASURE_COLUMNS)
    for measure in separability.MEASURES.values():
        for split in measure.splits:
            rows = table[(table["measure"] == measure.name) & (table["split"] == split)]
            rows = rows[rows["pooling"] != separability.HEAD]
            assert len(rows) == 2 * 3, (measure.name, split)
    probe = stored(table, "mean", 2, "probe_macro_f1", "val")
    assert probe["low"] < probe["value"] < probe["high"]
    assert probe["value"] > stored(table, "mean", 1, "probe_macro_f1", "val")["value"] + 0.2
    assert stored(table, separability.HEAD, 2, "probe_macro_f1", "val")["value"] == 1.0
    assert stored(table, "mean", 1, "cka", "train")["value"] == pytest.approx(1, abs=1e-3)
    control = stored(table, "mean", 2, "shuffled_macro_f1", "val")
    assert control["value"] < probe["low"]
    assert found.predicted["cls"].shape == (3, len(examples))
    assert len(np.unique(found.predicted["cls"][0])) == 1  # equal states cannot be told apart
    for name in ("silhouette", "davies_bouldin", "fisher_ratio"):  # where 0 would be praise
        assert np.isnan(stored(table, "cls", 0, name, "val")["value"])
        assert np.isfinite(stored(table, "cls", 1, name, "val")["value"])


def test_val_and_test_have_no_part_in_any_fit():
    pooled, examples = snapshot()
    head = examples["label"].to_numpy()
    train = (examples["split"] == "train").to_numpy()
    changed = {"mean": pooled["mean"].copy()}
    changed["mean"][:, ~train] += 3.0
    one = separability.measure_layers({"mean": pooled["mean"]}, examples, head, first=None, seed=0)
    two = separability.measure_layers(changed, examples, head, first=None, seed=0)
    assert (one.predicted["mean"][:, train] == two.predicted["mean"][:, train]).all()
    for measure in ("probe_macro_f1", "silhouette", "fisher_ratio", "cka", "strength"):
        first, second = (
            found.table[(found.table["measure"] == measure) & (found.table["split"] == "train")]
            for found in (one, two)
        )
        pd.testing.assert_frame_equal(first, second)


def test_measuring_can_be_stopped_and_reports():
    pooled, examples = snapshot()
    calls = []
    with pytest.raises(Cancelled):
        separability.measure_layers(
            pooled,
            examples,
            examples["label"].to_numpy(),
            first=None,
            seed=0,
            on_progress=lambda now: calls.append((now.done, now.total)),
            should_stop=lambda: len(calls) == 2,
        )
    assert calls == [(1, 6), (2, 6)]


def test_no_val_and_one_class_in_train_are_measured_as_far_as_it_goes():
    pooled, examples = snapshot(40)
    alone = examples.assign(split="train")
    table = separability.measure_layers(
        pooled, alone, alone["label"].to_numpy(), first=None, seed=0
    ).table
    assert set(table["split"]) == {"train"}
    one_class = examples.assign(label=0)
    found = separability.measure_layers(
        pooled, one_class, one_class["label"].to_numpy(), first=None, seed=0
    )
    assert (found.predicted["mean"] == 0).all()


# --- mixes ----------------------------------------------------------------------------------


def halves(n: int = 800) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states of which layer 1 knows one half of the label and layer 3 the other."""
    rng = np.random.default_rng(0)
    bits = rng.integers(2, size=(n, 2))
    states = rng.normal(size=(5, n, 8)).astype(np.float32)
    states[1, :, 0] += 4 * bits[:, 0]
    states[3, :, 1] += 4 * bits[:, 1]
    states[1, :, 1] = states[3, :, 0] = 0  # so that a mean of both loses nothing
    return states, bits[:, 0] * 2 + bits[:, 1], splits_of(n, train=0.5, val=0.5)


@pytest.mark.parametrize("how", separability.MIX_METHODS)
def test_layers_that_know_different_things_are_better_together(how):
    states, labels, splits = halves()
    found = separability.mix_layers(states, labels, splits, [1, 3], how, single=1, seed=0)
    assert found.better
    assert found.score > 0.85
    assert found.difference == pytest.approx(found.score - found.single_score)


def test_scalar_weights_find_the_layer_that_knows():
    labels = np.random.default_rng(0).integers(2, size=600)
    states = stacked(labels, {2: 4.0}, n_layers=3)
    splits = splits_of(600, train=0.5, val=0.5)
    found = separability.mix_layers(
        states, labels, splits, [1, 2, 3], "scalar mix", single=2, seed=0
    )
    assert found.weights[1] > 0.5
    assert sum(found.weights) == pytest.approx(1)


def test_the_search_finds_both_halves_and_never_sees_val():
    states, labels, splits = halves()
    found = separability.search_mix(states, labels, splits, seed=0)
    assert found.layers == (1, 3)
    assert found.better
    garbled = np.where(splits == "val", 0, labels)
    assert separability.search_mix(states, garbled, splits, seed=0).layers == (1, 3)


def test_the_search_works_with_a_class_of_one_train_row():
    states, labels, splits = halves()
    labels = np.append(labels, 4)
    splits = np.append(splits, "train")
    states = np.concatenate([states, np.full((5, 1, 8), 9.0, dtype=np.float32)], axis=1)
    found = separability.fit_probe(states[1], labels, splits == "train", seed=0)
    assert np.isfinite(found.inner_loss)
    assert found.converged
    assert set(separability.search_mix(states, labels, splits, seed=0).layers) >= {1, 3}


def test_folds_hold_a_share_of_every_class():
    labels = np.repeat([0, 1, 2], [30, 9, 1])
    folds = separability.resampling.stratified_folds(labels, 3, 0)
    assert sorted(np.bincount(folds[labels == 0])) == [10, 10, 10]
    assert sorted(np.bincount(folds[labels == 1])) == [3, 3, 3]


def test_mixing_in_noise_is_no_gain():
    labels = np.random.default_rng(0).integers(2, size=800)
    states = stacked(labels, {2: 2.0}, n_layers=3)
    splits = splits_of(800, train=0.5, val=0.5)
    found = separability.mix_layers(
        states, labels, splits, [1, 2, 3], "concatenate", single=2, seed=0
    )
    assert not found.better


def test_an_empty_mix_is_refused():
    states, labels, splits = halves(80)
    with pytest.raises(ConfigError):
        separability.mix_layers(states, labels, splits, [], "average", single=1, seed=0)


# --- narrower questions ---------------------------------------------------------------------


def noisy(true: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return predictions of which `share` are right."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(true)) < share, true, 1 - true)


def test_poolings_are_compared_at_their_best_layers():
    true = np.random.default_rng(0).integers(2, size=1000)
    cells = [Cell(1, 1.0, pooling, layer) for pooling in ("mean", "cls", "max") for layer in (1, 2)]
    shares = [0.6, 0.9, 0.6, 0.89, 0.7, 0.6]
    predicted = np.stack([noisy(true, share, seed) for seed, share in enumerate(shares)])
    predicted[3] = predicted[1]
    predicted[3, :3] = 1 - predicted[3, :3]
    found = separability.compare_poolings(cells, predicted, true, 1, 0)
    assert (found.best.pooling, found.best.layer) in (("mean", 2), ("cls", 2))
    assert "beats max (layer 1)" in separability.pooling_sentence(found)
    assert "cannot be told from" in separability.pooling_sentence(found)


def test_overfitting_is_said_where_val_falls_and_train_does_not():
    true = np.random.default_rng(0).integers(2, size=2000)
    splits = splits_of(2000, train=0.5, val=0.5)
    course = {1: [(0.6, 0.6), (0.8, 0.8), (0.99, 0.7)], 2: [(0.6, 0.6), (0.7, 0.7), (0.8, 0.8)]}
    cells, predicted = [], []
    for layer, scores in course.items():
        for index, (train, val) in enumerate(scores):
            cells.append(Cell(index, float(index), "mean", layer))
            row = np.where(splits == "train", noisy(true, train, 1), noisy(true, val, 2))
            predicted.append(row)
    found = separability.overfitting(cells, np.stack(predicted), true, splits, "mean", 0)
    first, second = found.to_dict("records")
    assert (first["layer"], second["layer"]) == (1, 2)
    assert first["verdict"] == "overfits"
    assert (first["peak"], first["as_good"]) == (1.0, 1.0)
    assert first["high"] < 0
    assert second["verdict"] == "rising"


def test_the_first_cell_that_separates_a_class_and_the_pairs_that_stay_confused():
    true = np.repeat([0, 1, 2], 50)
    good, early = true.copy(), true.copy()
    early[true == 2] = 1  # class 2 is taken for class 1
    cells = [Cell(0, 0.0, "mean", 1), Cell(0, 0.0, "mean", 2), Cell(1, 1.0, "mean", 1)]
    predicted = np.stack([np.zeros(150, dtype=int), early, good])
    first = separability.first_separates(cells, predicted, true, 0.75)
    assert first == {0: cells[1], 1: cells[2], 2: cells[2]}
    pairs = separability.confused_pairs([1, 2], predicted[:2], true, ["a", "b", "c"])
    last = pairs.iloc[0]
    assert (last["one"], last["other"], last["last"]) == ("b", "c", 0.5)
    assert last["layer"] == 1


def test_class_scores_name_each_class_with_its_n():
    true = np.array([0, 0, 1, 1, 1])
    cells = [Cell(0, 0.0, "mean", 1)]
    found = separability.class_scores(cells, true[None], true, ["no", "<b>yes</b>"])
    assert list(found["label"]) == ["no", "<b>yes</b>"]
    assert list(found["n"]) == [2, 3]
    assert (found["value"] == 1).all()
