"""A stored cell's probe can be had again, as a linear map of the states as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from made_runs import dataset_of, made

from layerviz import runs, separability
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.separability import Cell, fit_probe, linear_probe, refit_probe


def layer_of(n_classes: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return states as an encoder's are, of unlike scales and far from 0, and their classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=300)
    states = rng.normal(size=(300, width))
    states[np.arange(300), labels] += 1.5
    scales = 10.0 ** rng.uniform(-2, 1, width)
    return (states * scales + 5 * scales).astype(np.float16), labels


@pytest.mark.parametrize(("n_classes", "width"), [(2, 12), (3, 12), (5, 400)])
def test_the_map_predicts_what_the_probe_predicts(n_classes: int, width: int) -> None:
    states, labels = layer_of(n_classes, width)
    train = np.arange(300) < 200
    probe = fit_probe(states, labels, train, seed=0)
    again = linear_probe(states, labels, train, n_classes=n_classes, seed=0)
    assert again.weights.shape == (n_classes, width)
    assert again.strength == probe.strength
    assert (again.predict(states) == probe.predicted).all()


def test_a_class_that_train_lacks_never_wins() -> None:
    states, labels = layer_of(4, 12)
    train = (np.arange(300) < 200) & (labels != 1)
    again = linear_probe(states, labels, train, n_classes=4, seed=0)
    assert (again.predict(states) == fit_probe(states, labels, train, seed=0).predicted).all()
    assert 1 not in again.predict(1000 * np.abs(states.astype(float)))


def test_one_class_in_train_is_always_predicted() -> None:
    states, labels = layer_of(3, 12)
    again = linear_probe(states, labels, labels == 2, n_classes=3, seed=0)
    assert set(again.predict(states)) == {2}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made(tmp_path_factory.mktemp("runs"), dataset_of(), "bert-a", {3: 2.0, 4: 1.0})


def test_the_probe_of_every_cell_of_a_run_comes_back(run: Run) -> None:
    cells, predicted = separability.cells_of(run)
    for cell, stored in zip(cells, predicted, strict=True):
        states = runs.read_hidden_states(run.path, cell.snapshot, cell.pooling, cell.layer)
        assert (refit_probe(run, cell).predict(states) == stored).all()


def test_a_probe_that_is_another_now_is_refused(run: Run, tmp_path: Path) -> None:
    copy = runs.open_folder(shutil.copytree(run.path, tmp_path / run.run_id))
    probes = {name: 2 - stored for name, stored in runs.read_probes(copy.path, 1).items()}
    nothing = runs.read_separability(copy.path).iloc[:0, 1:]
    runs.write_measures(copy.path, 1, nothing, probes, {})
    with pytest.raises(RunError, match=r"layer 3 cannot be fitted again: .* of 480 examples"):
        refit_probe(copy, Cell(1, 1.0, "mean", 3))
