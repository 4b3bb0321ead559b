"""Which class an example moves towards is measured in the full hidden size."""

from __future__ import annotations

import numpy as np

from layerviz.exploring import class_distances, nearest_classes, train_classes
from layerviz.separability.geometry import directions

D, PER_CLASS = 20, 30
LABELS = np.repeat([0, 1, 2], PER_CLASS)
SPLITS = np.tile(["train", "train", "val"], PER_CLASS)
CENTRES = 5 * np.eye(3, D)
NOISE = np.random.default_rng(0).normal(size=(len(LABELS), D))
STATES = CENTRES[LABELS] + NOISE
ROW = int(np.flatnonzero(SPLITS == "val")[0])  # of class 0


def distances_of(row: int, labels: np.ndarray = LABELS) -> np.ndarray:
    """Return how far one example is from each of four classes."""
    classes = train_classes(STATES, labels, SPLITS, 4)
    return class_distances(STATES[[row]], labels[[row]], SPLITS[[row]] == "train", classes)[0]


def test_distances_are_those_from_the_means_of_train() -> None:
    far = distances_of(ROW)
    train = SPLITS == "train"
    unit = directions(STATES, STATES[train]).numpy()
    for label in range(3):
        mean = unit[train & (label == LABELS)].mean(axis=0)
        np.testing.assert_allclose(far[label], np.linalg.norm(unit[ROW] - mean), rtol=1e-4)
    assert np.isnan(far[3])  # train holds no such class
    assert np.nanargmin(far) == 0


def test_a_train_example_does_not_draw_the_mean_of_its_class_to_itself() -> None:
    labels = LABELS.copy()
    alone = int(np.flatnonzero(SPLITS == "train")[0])
    labels[alone] = 3  # the only one of its class: there is no other to be near to
    far = distances_of(alone, labels)
    assert np.isnan(far[3])
    assert far[:3].argmin() == 0


def test_a_way_from_one_class_to_another_is_told_layer_by_layer() -> None:
    """In layer 1 the example goes over from class 0 to class 2; in layer 2 it stays."""

    def states_at(snapshot: int, layer: int) -> np.ndarray:
        states = STATES.copy()
        if layer == 1:
            part = snapshot / 3
            states[ROW] = (1 - part) * CENTRES[0] + part * CENTRES[2]
        return states

    nearest = nearest_classes(
        np.array([ROW]),
        [1, 2],
        [0, 1, 2, 3],
        states_at,
        lambda snapshot, layer: train_classes(states_at(snapshot, layer), LABELS, SPLITS, 3),
        labels=LABELS,
        splits=SPLITS,
    )
    assert nearest["nearest"].tolist() == [0, 0, 2, 2, 0, 0, 0, 0]
    assert nearest["layer"].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
