"""Columns: a guess is a suggestion, and what is named is taken."""

from __future__ import annotations

import pandas as pd
import pytest

from layerviz.commands import parser
from layerviz.commands.choosing import columns_of, row_choices_of
from layerviz.data import (
    Columns,
    RowChoices,
    Table,
    build_dataset,
    guessing,
    suggest_columns,
)
from layerviz.errors import DataError

pytestmark = pytest.mark.fast

SENTENCES = [f"the {i}th sentence of a number of quite different ones" for i in range(60)]
FEW = ["red", "green", "blue"] * 20
TEXT_LABEL = Columns("text", "label")


def table(name: str = "data.csv", **columns: object) -> Table:
    frame = pd.DataFrame({key: [str(cell) for cell in cells] for key, cells in columns.items()})  # type: ignore[attr-defined]
    return Table(name, frame, "made here", (), name)


def parsed(*options: str):
    return parser().parse_args(["fit", *options])


@pytest.mark.parametrize(
    ("name", "values"),
    [("lang_id", [0, 1, 2] * 20), ("grade", [1.0, 1.5, 2.5] * 20), ("user", ["ann", "bo"] * 30)],
)
def test_a_column_that_hardly_looks_like_labels_is_suggested_where_no_other_does(name, values):
    frame = table(text=SENTENCES, **{name: values}).frame
    assert suggest_columns(frame).columns == Columns("text", name)
    better = table(text=SENTENCES, **{name: values, "kind": FEW}).frame
    assert suggest_columns(better).label == "kind"


def test_what_is_named_is_taken_and_only_the_rest_is_guessed():
    given = table(a=SENTENCES, number=range(60), part=["train", "val"] * 30)
    assert suggest_columns(given.frame).problem.endswith("looks like labels.")
    columns = columns_of(parsed("--label-column=number"), given)
    assert columns == Columns("a", "number", "part")
    only_numbers = table(text=range(60), label=range(60))
    columns = columns_of(parsed("--text-column=label", "--label-column=text"), only_numbers)
    assert columns == Columns("label", "text")
    with pytest.raises(DataError, match=r"looks like labels. Name one with --label-column."):
        columns_of(parsed(), given)


def test_no_guess_still_says_what_was_guessed():
    suggestion = suggest_columns(table(a=SENTENCES, b=range(60)).frame)
    assert (suggestion.text, suggestion.label, suggestion.columns) == ("a", None, None)
    assert "looks like labels" in suggestion.problem


@pytest.mark.parametrize(
    ("val", "found"),
    [
        ({"Text": SENTENCES, "Label": FEW}, ("Text", "Label")),
        ({"TEXT": SENTENCES, " label_": FEW}, ("TEXT", " label_")),
        ({"nr": range(60), "tweet": SENTENCES, "colour": FEW}, ("tweet", "colour")),
        ({"id": range(60), "text": SENTENCES, "gold": ["red", "blue"] * 30}, ("text", "gold")),
    ],
)
def test_a_val_file_may_name_its_columns_otherwise(val, found):
    train = table(text=[f"{text} of train" for text in SENTENCES], label=FEW)
    dataset = build_dataset(train, TEXT_LABEL, val=table("v.csv", **val))
    assert int(dataset.counts()["val"].sum()) == 60
    assert f"In v.csv, texts from {found[0]!r}, labels from {found[1]!r}." in dataset.notes
    assert dataset.row_choices.columns("val") == Columns(*found)
    again = RowChoices.from_dict(dataset.row_choices.as_dict())
    assert again == dataset.row_choices


def test_columns_of_a_val_file_that_could_be_several_are_asked_for():
    train = table(text=[f"{text} of train" for text in SENTENCES], label=FEW)
    val = table("v.csv", one=SENTENCES, two=[text.upper() for text in SENTENCES], label=FEW)
    with pytest.raises(DataError, match=r"v.csv: There is no column .text.") as caught:
        row_choices_of(parsed("--val=v.csv"), train, TEXT_LABEL, {"val": val})
    assert "--val-text-column" in caught.value.hint
    options = parsed("--val=v.csv", "--val-text-column=two")
    choices = row_choices_of(options, train, TEXT_LABEL, {"val": val})
    dataset = build_dataset(train, TEXT_LABEL, val=val, choices=choices)
    assert dataset.split("val")["text"].iloc[0] == SENTENCES[0].upper()
    with pytest.raises(DataError, match="There is no column 'three'"):
        row_choices_of(parsed("--val-text-column=three"), train, TEXT_LABEL, {"val": val})
    with pytest.raises(DataError, match="There is no test file"):
        row_choices_of(parsed("--test-label-column=label"), train, TEXT_LABEL, {})


def test_choices_that_were_garbled_are_refused():
    for values in (None, {"columns_of": 3}, {"columns_of": {"val": {"text": 1, "label": "b"}}}):
        with pytest.raises(DataError, match="garbled"):
            RowChoices.from_dict(values)


def test_rows_are_sampled_once_for_all_columns(monkeypatch):
    frame = pd.DataFrame({"premise": ["a b", "c d"] * 9, "hypothesis": ["e f", "g h"] * 9})
    samples = []

    def some_rows(whole):
        samples.append(whole)
        return whole

    monkeypatch.setattr(guessing, "_some_rows", some_rows)
    assert suggest_columns(frame.assign(label=["x", "y"] * 9)).text_pair == "hypothesis"
    assert len(samples) == 1
