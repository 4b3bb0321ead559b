"""Which layer is best to search with: what is said of it holds, and is stored with the run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_runs import dataset_of, made
from safetensors.numpy import save_file

from layerviz import runs
from layerviz.runs.layout import Layout
from layerviz.separability import (
    Cell,
    SearchAnswer,
    answer_of,
    find_search_answer,
    search_answer_of,
    search_sentences,
)
from layerviz.separability.naming import NOT_SEARCHED

CELLS = [Cell(i // 12, float(i // 12), "mean", 1 + i % 12) for i in range(36)]


def found(truth: np.ndarray, n: int, seed: int, classifier: int) -> SearchAnswer:
    """Answer from cells whose precision on all data is `truth`, on n examples that they share."""
    rng = np.random.default_rng(seed)
    ease = rng.normal(scale=0.15, size=n)  # of an example, in all cells
    chance = np.clip(truth[:, None] + ease, 0, 1)
    precision = rng.binomial(10, chance).astype(np.float32) / 10
    return find_search_answer(CELLS, precision, CELLS[classifier], chance=0.3, seed=seed)


def test_where_cells_are_equal_no_gain_is_claimed_and_the_figure_is_not_flattered():
    truth, n_draws = np.full(36, 0.5), 100
    answers = [found(truth, 100, seed, seed % 36) for seed in range(n_draws)]
    claimed = np.mean([answer.gain_low > 0 for answer in answers])
    assert claimed <= 0.05 + 1.645 * np.sqrt(0.05 * 0.95 / n_draws)
    assert np.mean([answer.low <= 0.5 <= answer.high for answer in answers]) >= 0.9
    assert np.mean([answer.unseen for answer in answers]) == pytest.approx(0.5, abs=0.01)
    assert np.mean([answer.on_val for answer in answers]) > 0.52  # it would be


def test_a_layer_that_finds_more_is_named_with_its_gain():
    truth = np.full(36, 0.5)
    truth[7] = 0.65
    answer = found(truth, 400, 0, 20)
    assert answer.best == CELLS[7]
    assert answer.gain_low > 0
    assert answer.gain_low < 0.15 < answer.gain_high
    lead, gain = search_sentences(answer)
    assert lead.startswith("Best for search: layer 8 before training, mean pooling. Of an unseen")
    assert gain.startswith("It serves search better than layer 9 at epoch 1, mean pooling, which")


def test_what_is_said_where_val_cannot_tell_and_where_one_layer_is_best_at_both():
    answer = SearchAnswer(
        best=CELLS[30],
        on_val=0.72,
        unseen=0.7,
        low=0.66,
        high=0.74,
        chance=0.25,
        classifier=CELLS[35],
        gain=0.0102,
        gain_low=-0.02,
        gain_high=0.04,
        n=200,
        n_cells=36,
    )
    assert search_sentences(answer) == [
        "Best for search: layer 7 at epoch 2, mean pooling. Of an unseen text's 10 nearest train "
        "examples, about 70 % are of its class (66 % to 74 %; 25 % by chance).",
        "Val cannot tell whether it serves search better than layer 12 at epoch 2, mean pooling, "
        "which classifies best (1 point more, −2 to 4).",
    ]
    alone = dataclasses.replace(answer, classifier=answer.best)
    assert search_sentences(alone)[1] == "That is also the layer that classifies best."


def test_a_run_stores_what_each_val_example_finds(tmp_path):
    run = made(tmp_path, dataset_of(), "scratch-bert", {3: 3.0, 4: 3.0})
    hits = runs.read_search_hits(run.path, 1)
    assert hits is not None
    assert set(hits) == set(run.poolings)
    is_val = (runs.read_examples(run.path)["split"] == "val").to_numpy()
    assert (hits["mean"][:, ~is_val] == NOT_SEARCHED).all()
    table = runs.read_separability(run.path)
    part = table[table["measure"].eq("precision_at_10") & table["snapshot"].eq(1)]
    stored = part[part["pooling"] == "mean"].sort_values("layer")["value"]
    assert (hits["mean"][:, is_val] / 10).mean(axis=1) == pytest.approx(stored, abs=1e-5)
    best = answer_of(run).best
    answer = search_answer_of(run, best)
    assert answer is not None
    assert answer.best.layer in (3, 4)
    assert answer.n_cells == 2 * 3 * 4  # snapshots, poolings, layers
    assert answer.chance == pytest.approx(1 / 3, abs=0.05)  # three classes
    one = search_answer_of(run, dataclasses.replace(best, pooling="max"), ["max"])
    assert one is not None
    assert one.best.pooling == "max"


def test_nothing_is_said_of_a_run_that_was_measured_before(tmp_path):
    run = made(tmp_path, dataset_of(), "scratch-bert", {4: 3.0}, n_snapshots=1)
    save_file(runs.read_probes(run.path, 0), Layout(run.path).probes(0))
    assert runs.read_search_hits(run.path, 0) is None
    assert search_answer_of(run, answer_of(run).best) is None
