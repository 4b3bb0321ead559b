"""Further columns of the data are kept with the examples, up to a bound, and say what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_runs import dataset_of, made

from layerviz import data, runs
from layerviz.commands.making import finish_run
from layerviz.config import RunConfig
from layerviz.data import Dataset, further
from layerviz.errors import RunError
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_run

N = 60
COLUMNS = data.Columns("text", "label")


def table_of(
    columns: Mapping[str, Sequence[object]], name: str = "mine.csv", n: int = N
) -> data.Table:
    texts = {
        "text": [f"{name} {row}" for row in range(n)],
        "label": ["ab"[r % 2] for r in range(n)],
    }
    return data.read_table(pd.DataFrame(texts | dict(columns)).to_csv(index=False).encode(), name)


def built(columns: Mapping[str, Sequence[object]], val: data.Table | None = None) -> Dataset:
    return data.build_dataset(table_of(columns), COLUMNS, val=val)


def of_rows(dataset: Dataset, name: str) -> dict[str, str]:
    return dict(zip(dataset.examples["id"], dataset.examples[name], strict=True))


def kinds(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.kind for column in data.further_columns(dataset.examples)}


def test_each_example_keeps_the_cells_of_its_row_and_the_run_stays_the_same() -> None:
    cells = [f"town {row}" for row in range(N)]
    dataset = built({"town": cells})
    assert of_rows(dataset, "town") == {f"train-{row + 1}": cell for row, cell in enumerate(cells)}
    assert dataset.fingerprint == built({}).fingerprint
    assert "Kept beside text and label: 'town'." in dataset.notes


def test_files_that_lack_a_column_or_write_it_otherwise_are_joined() -> None:
    val = table_of({"Country": ["de"] * 10, "extra": ["x"] * 10}, "val.csv", 10)
    dataset = built({"country": ["fr"] * N, "town": ["Lyon"] * N}, val)
    assert data.further_names(dataset.examples) == ("country", "town", "extra")
    assert set(dataset.split("val")["country"]) == {"de"}
    assert set(dataset.split("val")["town"]) == set(dataset.split("train")["extra"]) == {""}


def test_columns_that_are_something_else_are_no_further_ones() -> None:
    dataset = built({"id": range(N), "A": [1 - r % 2 for r in range(N)]})
    assert data.further_names(dataset.examples) == ("A",)
    train = table_of({"part": ["train"] * 50 + ["val"] * 10, "more": ["second"] * N})
    columns = data.Columns("text", "label", "part", "more")
    assert data.further_names(data.build_dataset(train, columns).examples) == ()


def test_names_of_our_own_are_kept_under_another_name() -> None:
    taken = {"Predicted": range(N), "split": ["x"] * N, "split of the file": ["y"] * N}
    dataset = data.build_dataset(table_of(taken), COLUMNS)
    names = ("Predicted of the file", "split of the file (2)", "split of the file")
    assert data.further_names(dataset.examples) == names
    assert set(dataset.examples["split of the file (2)"]) == {"x"}
    assert any("'split' is kept as 'split of the file (2)'" in note for note in dataset.notes)


def test_what_is_too_much_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(further, "MOST_LETTERS", 40 * N)
    wide = built({"long": ["a" * 50] * N, "short": ["b"] * N, "none": [""] * N})
    assert data.further_names(wide.examples) == ("short",)
    assert any("1 further column is not kept" in note and "'long'" in note for note in wide.notes)
    assert "Not kept, as every cell is empty: 'none'." in wide.notes
    monkeypatch.undo()
    many = built({f"c{n}": [n] * N for n in range(further.MOST_COLUMNS + 2)})
    assert len(data.further_names(many.examples)) == further.MOST_COLUMNS
    assert any("2 further columns are not kept" in note for note in many.notes)


def test_what_columns_hold() -> None:
    days = pd.date_range("2024-02-01", periods=N).strftime("%Y-%m-%d")
    dataset = built(
        {
            "age": ["-", "NA", *range(18, 16 + N)],
            "day": ["", *days[1:]],
            "flag": [row % 2 for row in range(N)],
            "plz": [f"0{1000 + row}" for row in range(N)],
            "land": ["de", "de", "NA", *["fr"] * (N - 3)],
            "note": [f"note {row}" for row in range(N)],
        }
    )
    expected = {"age": "number", "day": "date", "flag": "category", "plz": "text"}
    assert kinds(dataset) == expected | {"land": "category", "note": "text"}
    columns = {column.name: column for column in data.further_columns(dataset.examples)}
    assert columns["land"].values == ("fr", "de")
    assert [columns[name].n_missing for name in ("age", "day", "land", "note")] == [2, 1, 1, 0]
    age = columns["age"].of(dataset.examples)
    assert age.isna().sum() == 2
    assert age.sum() == sum(range(18, 16 + N))
    assert columns["day"].of(dataset.examples).max() == pd.Timestamp(days[-1], tz="UTC")
    assert "NA" not in set(columns["land"].of(dataset.examples))


def test_dates_lie_on_a_scale_however_far_away() -> None:
    days = ["9999-12-31", "1999-12-31", "1033-04-03", ""]
    [column] = data.further_columns(built({"until": [*days * 15]}).examples)
    assert column.kind == "date"
    examples = pd.DataFrame({"until": days}, dtype="str")
    seconds = column.on_scale(examples)
    assert [data.moment_in_words(one) for one in seconds[:3]] == days[:3]
    assert np.isnan(seconds[3])
    assert data.moment_in_words(seconds[0] + 3661, "s") == "9999-12-31 01:01:01"


# --- of a run ---------------------------------------------------------------------------------


def dataset_with(**columns: np.ndarray) -> Dataset:
    plain = dataset_of("further")
    table = data.read_table(
        pd.DataFrame(
            {
                "text": plain.examples["text"],
                "label": np.array(plain.label_names)[plain.examples["label"]],
                "split": plain.examples["split"],
                **columns,
            }
        )
        .to_csv(index=False)
        .encode(),
        "further.csv",
    )
    return data.build_dataset(table, data.Columns("text", "label", "split"))


def test_a_run_and_its_zip_keep_them(tmp_path: Path) -> None:
    town = np.array(["Rom", "", "Bern"] * 160)
    run = made(tmp_path, dataset_with(town=town), "enc", {3: 4.0}, n_snapshots=1)
    zip_run(run, tmp_path / "run.zip")
    with (tmp_path / "run.zip").open("rb") as stream:
        again = unzip_run(stream, tmp_path / "elsewhere")
    examples = runs.read_examples(again.path)
    assert examples["town"].tolist() == town.tolist()
    [column] = data.further_columns(examples)
    assert (column.kind, column.n_missing) == ("category", 160)
    # What no data set can have made is refused.
    spoilt = examples.assign(**{f"c{n}": "x" for n in range(data.MOST_COLUMNS)})
    runs.write_examples(run.path, spoilt)
    zip_run(run, tmp_path / "spoilt.zip")
    with (
        (tmp_path / "spoilt.zip").open("rb") as stream,
        pytest.raises(RunError, match="51 further"),
    ):
        unzip_run(stream, tmp_path / "refused")


def test_a_run_that_was_made_without_them_is_met_again_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = RunConfig("enc", learning_rate=1e-3)
    run = runs.create(tmp_path, config, dataset_of("further"))
    runs.write_examples(run.path, dataset_of("further").examples)
    runs.update(run.path, status="done")
    with_town = dataset_with(town=np.array(["Rom"] * 480))
    again = runs.create(tmp_path, config, with_town)
    assert again.run_id == run.run_id
    examples = runs.read_examples(again.path)
    assert data.further_columns(examples) == ()
    finish_run(again, with_town, lambda: False)  # and this is said
    assert "made without 'town', which the data have now. To colour" in capsys.readouterr().err
    assert data.lacking_columns(examples, examples) == ""
