"""A closer look tells the truth: neighbours, events, planted label errors, new texts, tokens."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_runs import dataset_of, made
from sklearn.neighbors import NearestNeighbors

from layerviz import data, encoders, exploring, hidden_states, runs, separability, training
from layerviz.config import RunConfig
from layerviz.encoders import LoadedEncoder
from layerviz.errors import DataError
from layerviz.exploring import Suspicion
from layerviz.runs import Run

TEXTS = ["the cat sat", "a dog ran over the hill and back", "under a tree", "while dogs ran"]


def states_of(n: int, width: int = 8, seed: int = 0) -> np.ndarray:
    """Return float16 states with a large common part, as layers have it."""
    rng = np.random.default_rng(seed)
    return (5 + rng.normal(size=(n, width))).astype(np.float16)


def mixed_splits(n: int, seed: int = 0) -> np.ndarray:
    """Return names of splits, half of them train, in no order."""
    names = np.resize(["train", "val", "train", "test"], n)
    return np.random.default_rng(seed).permutation(names)


# --- neighbours -----------------------------------------------------------------------------


def test_neighbours_are_those_of_scikit_learn_on_centred_states() -> None:
    states, splits = states_of(300), mixed_splits(300)
    train = np.flatnonzero(splits == "train")
    centred = states.astype(np.float32) - states[train].astype(np.float32).mean(axis=0)
    reference = NearestNeighbors(n_neighbors=5, metric="cosine").fit(centred[train])
    val = np.flatnonzero(splits == "val")
    distances, places = reference.kneighbors(centred[val])
    found = exploring.nearest_train(states, splits, val, k=5)
    assert np.array_equal(found.rows, train[places])
    assert np.allclose(found.similarity, 1 - distances, atol=1e-5)
    assert (found.rows.dtype, found.similarity.dtype) == (np.int64, np.float32)


def test_a_train_row_is_never_its_own_neighbour_but_its_copy_is() -> None:
    states, splits = states_of(60), mixed_splits(60)
    one, other = np.flatnonzero(splits == "train")[:2]
    states[other] = states[one]
    rows = np.arange(60)
    found = exploring.nearest_train(states, splits, rows).rows
    assert not (found == rows[:, None]).any()
    assert found[one, 0] == other
    assert found[other, 0] == one
    assert set(splits[found].ravel()) == {"train"}


def test_a_small_train_split_has_fewer_neighbours() -> None:
    states, splits = states_of(7), np.array(["train"] * 4 + ["val"] * 3)
    assert exploring.nearest_train(states, splits, np.array([0, 5])).rows.shape == (2, 3)
    assert exploring.nearest_train(states, splits, np.array([5])).rows.shape == (1, 4)
    assert exploring.nearest_to(states[5:], states, splits).rows.shape == (2, 4)
    alone = np.array(["train"] + ["val"] * 6)
    assert exploring.nearest_train(states, alone, np.array([0])).rows.shape == (1, 0)


def test_a_new_vector_has_the_neighbours_of_the_example_that_it_copies() -> None:
    states, splits = states_of(80), mixed_splits(80)
    val = np.flatnonzero(splits == "val")
    ours = exploring.nearest_to(states[val], states, splits)
    assert np.array_equal(ours.rows, exploring.nearest_train(states, splits, val).rows)


def test_overlap_is_one_where_nothing_moved_and_small_where_all_is_new() -> None:
    states, splits = states_of(400), mixed_splits(400)
    stretched = (3 * states.astype(np.float32) + 1).astype(np.float32)  # the same neighbours
    assert (exploring.neighbour_overlap(states.astype(np.float32), stretched, splits) == 1).all()
    anew = exploring.neighbour_overlap(states, states_of(400, seed=1), splits)
    assert anew.shape == (400,)
    assert anew.mean() == pytest.approx(10 / 200, abs=0.02)  # what chance leaves in common


# --- events ---------------------------------------------------------------------------------


def test_flips_tell_learned_forgotten_and_wavering_examples() -> None:
    labels = np.array([1, 1, 1, 1, 0])
    predicted = np.array([
        [0, 0, 0, 0, 1],  # before training: random, not counted
        [0, 1, 1, 1, 1],
        [0, 1, 0, 1, 2],
        [1, 0, 1, 1, 1],
    ])  # fmt: skip
    found = exploring.flips(predicted, labels)
    told = {row.row: (row.n_flips, row.last_flip, row.outcome) for row in found.itertuples()}
    assert told == {
        0: (1, 3, "learned"),
        1: (1, 3, "forgotten"),
        2: (2, 3, "wavered"),
        4: (2, 3, "wavered"),  # never right
    }
    assert found["row"].tolist() == [2, 4, 0, 1]  # most flips first
    assert 3 in exploring.flips(predicted, labels, first=0)["row"].tolist()


def test_flips_of_two_snapshots_begin_before_training_and_of_one_are_none() -> None:
    predicted = np.array([[0, 1], [1, 1]])
    found = exploring.flips(predicted, np.array([1, 1]))
    assert found.to_dict("list") == {
        "row": [0], "n_flips": [1], "last_flip": [1], "outcome": ["learned"],
    }  # fmt: skip
    assert exploring.flips(predicted[:1], np.array([1, 1])).empty


def test_the_earliest_layer_that_knows_is_the_one_from_which_on_all_are_right() -> None:
    right = np.array([
        [1, 0, 1, 0, 1],
        [1, 0, 0, 0, 1],
        [1, 1, 1, 0, 0],
    ], dtype=bool)  # fmt: skip
    assert exploring.earliest_layer(right).tolist() == [1, 3, 3, 0, 0]


def test_only_late_lists_what_no_early_layer_knew() -> None:
    first_right = np.array([1, 4, 5, 6, 6, 7])  # of 6 layers; 7: never
    right = np.arange(1, 7)[:, None] >= first_right
    right[0, 4] = True  # right once by chance: other layers knew
    found = exploring.only_late(right)
    assert found.to_dict("list") == {"row": [3, 2], "first_layer": [6, 5]}


def test_the_example_that_went_elsewhere_has_moved_most() -> None:
    splits = mixed_splits(200)
    before = states_of(200)
    after = before.copy()
    after[7] = states_of(1, seed=9)
    found = exploring.neighbour_changes(before, after, splits)
    assert found["row"].iloc[0] == 7
    assert found["overlap"].is_monotonic_increasing
    assert len(found) == 200


# --- suspicious labels ----------------------------------------------------------------------


def with_errors(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of which a share was made wrong, and where, shape (n,), bool."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(labels), round(share * len(labels)), replace=False)
    n_classes = labels.max() + 1
    wrong = labels.copy()
    wrong[rows] = (labels[rows] + rng.integers(1, n_classes, size=len(rows))) % n_classes
    return wrong, np.isin(np.arange(len(labels)), rows)


def share_found(found: Suspicion, planted: np.ndarray, share: float = 0.05) -> float:
    """Return which share of the planted errors stands in the list's top."""
    listed = found.frame["row"]
    top = listed[: round(share * len(listed))]
    return planted[top].sum() / planted[listed].sum()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose encoder separates the classes before training, and whose labels are right."""
    layers = {2: 3.0, 4: 3.0}
    return made(
        tmp_path_factory.mktemp("runs"), dataset_of(n_test=60), "sound", layers, before=layers
    )


@pytest.fixture(scope="module")
def truth(sound: Run) -> pd.DataFrame:
    return runs.read_examples(sound.path)


def test_planted_errors_are_at_the_top_and_get_their_true_class_back(
    sound: Run, truth: pd.DataFrame
) -> None:
    labels = truth["label"].to_numpy()
    wrong, planted = with_errors(labels, 0.05, seed=1)
    runs.write_examples(sound.path, truth.assign(label=wrong))
    try:
        found = exploring.suspicious_labels(sound)
    finally:
        runs.write_examples(sound.path, truth)
    frame = found.frame
    assert share_found(found, planted) >= 0.85
    top = frame[: int(planted.sum() / 2)]
    assert (top["suggested"].to_numpy() == labels[top["row"]]).mean() >= 0.9
    flagged = frame[frame["issue"]]
    assert found.n_flagged == len(flagged)
    assert planted[flagged["row"]].mean() >= 0.8
    assert found.noise_rate == pytest.approx(0.05, abs=0.02)


def test_right_labels_are_left_alone(sound: Run) -> None:
    found = exploring.suspicious_labels(sound)
    assert found.noise_rate <= 0.01


def test_the_list_holds_train_and_val_once_each_as_the_examples_have_them(
    sound: Run, truth: pd.DataFrame
) -> None:
    frame = exploring.suspicious_labels(sound).frame
    assert sorted(frame["row"]) == np.flatnonzero(truth["split"] != "test").tolist()
    for name in ("id", "split", "label"):
        assert frame[name].tolist() == truth[name][frame["row"]].tolist()
    assert frame["rank"].tolist() == list(range(1, len(frame) + 1))
    assert frame["score"].is_monotonic_increasing
    for name in ("score", "p_label", "p_suggested", "neighbours_agree"):
        assert frame[name].between(0, 1).all()
    assert (frame["suggested"] != frame["label"]).all()


def test_no_probability_comes_from_a_model_that_saw_the_label(tmp_path: Path) -> None:
    run = made(tmp_path, dataset_of(), "noise", {4: 9.0})  # nothing is known before training
    frame = exploring.suspicious_labels(run).frame
    assert (frame["p_label"] > frame["p_suggested"]).mean() < 0.45  # of three classes
    assert frame["neighbours_agree"].mean() == pytest.approx(1 / 3, abs=0.05)


def test_a_run_stopped_after_its_first_snapshot_is_judged_too(sound: Run) -> None:
    first = runs.open_folder(sound.path)
    only = dataclasses.replace(first, snapshots=first.snapshots[:1])
    found = exploring.suspicious_labels(only)
    assert "training began" not in found.source
    assert "1 snapshot since training began" in exploring.suspicious_labels(sound).source
    assert found.noise_rate <= 0.02


def test_half_of_the_errors_planted_in_the_sample_are_in_the_top_of_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = data.sample_table()
    columns = data.guess_columns(table.frame)
    codes, names = pd.factorize(table.frame[columns.label], sort=True)
    wrong, planted = with_errors(codes, 0.05, seed=3)
    frame = table.frame.assign(**{columns.label: names[wrong]})
    table = data.read_table(frame.to_csv(index=False).encode(), "planted.csv")
    dataset = data.build_dataset(table, columns)
    # What the layers' probes say is not needed here, and takes longer than all the rest.
    monkeypatch.setattr(separability, "measure_snapshot", lambda *_, **__: None)
    config = RunConfig("bert-mini", epochs=2)
    run = training.fit(runs.create(tmp_path, training.with_defaults(config), dataset), dataset)
    file_rows = runs.read_examples(run.path)["id"].str.removeprefix("train-").astype(int) - 1
    found = exploring.suspicious_labels(run)
    assert share_found(found, planted[file_rows]) >= 0.5
    assert found.noise_rate < 0.12


# --- new texts ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encoder() -> LoadedEncoder:
    size = encoders.EncoderSize(layers=3, hidden_size=32, heads=2, vocab_size=200)
    names = ["no", "yes", "perhaps"]
    return encoders.build_scratch("distilbert", size, TEXTS * 2, label_names=names, seed=0)


def test_new_texts_are_read_as_the_examples_were(encoder: LoadedEncoder) -> None:
    model, tokenizer = encoder.model, encoder.tokenizer
    own = exploring.read_texts(encoder, TEXTS, max_length=64)
    captured = hidden_states.capture(model, tokenizer, TEXTS, max_length=64)
    assert own.texts == tuple(TEXTS)
    assert all(np.array_equal(own.pooled[name], captured.pooled[name]) for name in own.pooled)
    assert np.allclose(own.probabilities.sum(axis=1), 1)
    assert np.array_equal(own.probabilities.argmax(axis=1), captured.logits.argmax(axis=1))


@pytest.mark.parametrize(
    ("texts", "said"),
    [([], "no text"), (["  \n"], "no text"), (["a", " "], "no text"), (["a"] * 51, "51 texts")],
)
def test_nothing_blanks_and_too_much_are_refused(
    encoder: LoadedEncoder, texts: list[str], said: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        exploring.read_texts(encoder, texts, max_length=64)
    assert caught.value.hint


# --- tokens ---------------------------------------------------------------------------------


def test_tokens_that_do_not_move_stay_where_they_are_whatever_way_the_axes_point() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(9, 2)) * [3, 1] @ rng.normal(size=(2, 16))  # all there is, is 2-D
    turned, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    states = np.stack([tokens, tokens @ turned, -tokens + 5]).astype(np.float32)
    paths = exploring.token_paths(states)
    assert np.allclose(paths.xy, paths.xy[:1], atol=1e-4)
    assert np.allclose(paths.explained.sum(axis=1), 1, atol=1e-5)
    distances = np.linalg.norm(tokens[:, None] - tokens, axis=2)
    drawn = np.linalg.norm(paths.xy[0][:, None] - paths.xy[0], axis=2)
    assert np.allclose(distances, drawn, atol=1e-4)  # turned, never stretched


def test_each_layer_shows_as_much_as_its_own_pca_can() -> None:
    states = np.random.default_rng(1).normal(size=(4, 12, 20)).astype(np.float32)
    paths = exploring.token_paths(states)
    for layer, shown in zip(states, paths.explained, strict=True):
        variance = np.linalg.svd(layer - layer.mean(axis=0), compute_uv=False) ** 2
        assert shown.sum() == pytest.approx(variance[:2].sum() / variance.sum(), abs=1e-5)


def test_one_token_or_equal_tokens_have_a_map_too() -> None:
    for n_tokens in (1, 2, 3):
        paths = exploring.token_paths(np.ones((3, n_tokens, 4), dtype=np.float32))
        assert paths.xy.shape == (3, n_tokens, 2)
        assert (paths.xy == 0).all()
        assert (paths.explained == 0).all()
