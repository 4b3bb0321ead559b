"""What is selected can be taken away with names, places and texts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_runs import dataset_of, made

from layerviz.runs import Run
from layerviz.views import MapsRequest, collect_maps, selected_examples

ALL = ("train", "val", "test")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("runs")
    return made(root, dataset_of(n_test=60), "enc", {3: 4.0}, n_snapshots=2)


def test_selected_examples_come_with_name_place_and_prediction_whether_drawn_or_not(
    run: Run,
) -> None:
    maps = collect_maps(run, MapsRequest(layers=(1, 3)), most_per_split=5)
    ids = ["train-2", "train-300", "train-490", "train-99999"]  # train, val, test, not captured
    table = selected_examples(maps, ids, 1)
    assert table["id"].tolist() == ids[:3]
    assert table["example"].tolist() == [
        "row 2 of toy.csv (train)", "row 300 of toy.csv (val)", "row 490 of toy.csv (test)",
    ]  # fmt: skip
    assert table.columns.tolist()[2:] == [
        "split", "label", "predicted", "confidence",
        "layer 1 x", "layer 1 y", "layer 3 x", "layer 3 y", "text",
    ]  # fmt: skip
    np.testing.assert_array_equal(table["layer 3 x"][:2], maps.by_layer[3].xy[1, [1, 299], 0])
    assert table["layer 3 x"].isna().tolist() == [False, False, True]  # test is not shown
    assert table["text"][1] == "text 299 of 0"
    assert set(table["confidence"]) == {0.5}
    shown = collect_maps(run, MapsRequest(layers=(1, 3), splits=ALL))
    assert selected_examples(shown, ids, 1)["layer 3 x"].notna().all()


def test_own_ids_are_taken_away_too(run: Run) -> None:
    maps = collect_maps(run, MapsRequest(layers=(3,)))
    examples = maps.examples.assign(own_id=[f"m{n}" for n in range(len(maps.examples))])
    maps = replace(maps, examples=examples)
    assert selected_examples(maps, ["train-3"], 0)["own_id"].tolist() == ["m2"]
