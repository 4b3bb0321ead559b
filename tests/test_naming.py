"""Examples are called what they are: which row of which file, in which split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_runs import dataset_of, made

from layerviz import data, exploring, runs
from layerviz.data import example_name
from layerviz.export.run_charts import chart_of
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_run
from layerviz.runs import Run
from layerviz.views import MapsRequest, collect_maps


@pytest.mark.parametrize(
    ("example", "split", "files", "name"),
    [
        ("train-324", "val", {"train": "train.csv"}, "row 324 of train.csv (val)"),
        ("train-324", "val", {}, "row 324 of the train file (val)"),
        ("test-1", "test", {"train": "a.csv", "test": "b c.tsv"}, "row 1 of b c.tsv (test)"),
        ("a", "train", {"train": "train.csv"}, "a (train)"),
    ],
)
def test_a_name_says_row_file_and_split(
    example: str, split: str, files: dict[str, str], name: str
) -> None:
    assert example_name(example, split, files) == name


# --- ids of the user's own --------------------------------------------------------------------


def table_with(column: str, values: list[str]) -> data.Table:
    rows = [f"{value},text {n},{'ab'[n % 2]}" for n, value in enumerate(values)]
    return data.read_table("\n".join([f"{column},text,label", *rows]).encode(), "mine.csv")


IDS = [f"q{n:03d}" for n in range(40)]


@pytest.mark.parametrize("column", ["id", "ID", "tweet_id", "messageId"])
def test_an_id_column_of_the_data_is_kept_beside_the_rows(column: str) -> None:
    read = table_with(column, IDS)
    dataset = data.build_dataset(read, data.guess_columns(read.frame))
    assert dataset.id_column == column
    rows = dataset.examples["id"].str.removeprefix("train-").astype(int)
    assert dataset.examples["own_id"].tolist() == [IDS[row - 1] for row in rows]
    plain = data.build_dataset(
        data.read_table(read.frame.drop(columns=column).to_csv(index=False).encode(), "mine.csv"),
        data.Columns("text", "label"),
    )
    assert dataset.fingerprint == plain.fingerprint  # the same run as ever
    assert list(plain.examples) == ["id", "split", "text", "label"]
    names = data.example_names(dataset.examples.head(1), dataset.files, column)
    assert names[0] == f"row {rows[0]} of mine.csv (train), {column} {IDS[rows[0] - 1]}"


@pytest.mark.parametrize(
    ("column", "values"), [("id", [*IDS[:-1], IDS[0]]), ("id", [*IDS[:-1], ""]), ("user", IDS)]
)
def test_what_does_not_tell_rows_apart_is_no_id(column: str, values: list[str]) -> None:
    read = table_with(column, values)
    dataset = data.build_dataset(read, data.Columns("text", "label"))
    assert dataset.id_column is None
    assert "own_id" not in dataset.examples


def test_a_file_without_the_id_column_has_no_own_ids() -> None:
    train = table_with("id", IDS)
    rows = [f"new {n},{'ab'[n % 2]}" for n in range(10)]
    val = data.read_table("\n".join(["text,label", *rows]).encode(), "val.csv")
    dataset = data.build_dataset(train, data.Columns("text", "label"), val=val)
    assert set(dataset.split("val")["own_id"]) == {""}
    names = data.example_names(dataset.split("val"), dataset.files, "id")
    assert names[0] == "row 1 of val.csv (val)"


# --- of a run ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made(tmp_path_factory.mktemp("runs"), dataset_of(), "enc", {3: 4.0}, n_snapshots=1)


@pytest.fixture(scope="module")
def run_with_ids(tmp_path_factory: pytest.TempPathFactory) -> Run:
    dataset = dataset_of("with_ids")
    own = [f"m{n}" for n in range(len(dataset.examples))]
    dataset = replace(dataset, examples=dataset.examples.assign(own_id=own), id_column="message")
    return made(tmp_path_factory.mktemp("ids"), dataset, "enc", {3: 4.0}, n_snapshots=1)


def test_a_run_keeps_own_ids_and_its_zip_does(run_with_ids: Run, tmp_path: Path) -> None:
    zip_run(run_with_ids, tmp_path / "run.zip")
    with (tmp_path / "run.zip").open("rb") as stream:
        again = unzip_run(stream, tmp_path / "elsewhere")
    examples = runs.read_examples(again.path)
    assert examples["own_id"].iloc[4] == "m4"
    assert runs.names_of(again, examples)[4] == "row 5 of with_ids.csv (train), message m4"


def test_earlier_runs_that_recorded_no_files_name_the_role(run: Run) -> None:
    earlier = {**run.dataset, "files": {}}
    del earlier["id_column"]
    names = runs.names_of(replace(run, dataset=earlier), runs.read_examples(run.path))
    assert names[-1] == "row 480 of the train file (val)"


def test_maps_carry_the_names(run: Run) -> None:
    maps = collect_maps(run, MapsRequest(layers=(3,)))
    assert maps.texts()["example"].tolist()[:1] == ["row 1 of toy.csv (train)"]
    shown = [
        channel
        for layer in chart_of(maps).to_dict()["layer"]
        for channel in layer["encoding"].get("tooltip") or []
    ]
    assert {"field": "example", "title": "Example", "type": "nominal"} in shown


# --- finding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ("MILK", [1]),
        ("train-3", [2]),
        ("q7", [1]),
        ("row 3", [2]),
        ("Row 32 of mine.csv", [3]),
        ("row 32 of mine.csv (val)", [3]),
        ("row 320", []),
        ("in a row", [0]),
    ],
)
def test_an_example_is_found_by_text_row_or_id(wanted: str, rows: list[int]) -> None:
    examples = pd.DataFrame(
        {
            "id": ["train-1", "train-2", "train-3", "train-32"],
            "split": ["train", "train", "train", "val"],
            "text": ["we are in a row", "no milk", "sun", "moon"],
            "own_id": ["q6", "q7", "q8", "q9"],
        }
    )
    names = data.example_names(examples, {"train": "mine.csv"}, "q")
    assert np.flatnonzero(exploring.matching(examples, names, wanted)).tolist() == rows
