"""Labels as people write them: which of them say that there is none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from layerviz import data
from layerviz.commands import parser
from layerviz.commands.choosing import row_choices_of, switches
from layerviz.data import Columns, Dataset, RowChoices, Table, build_dataset
from layerviz.errors import DataError
from layerviz.export.recipe import options_of_choices
from layerviz.runs import Run

pytestmark = pytest.mark.fast

TEXT_LABEL = Columns("text", "label")


def table(labels: list[str], name: str = "data.csv", prefix: str = "text") -> Table:
    texts = [f"{prefix} number {number}, with words" for number in range(len(labels))]
    frame = pd.DataFrame({"text": texts, "label": labels})
    return Table(name, frame, "made here", (), name)


def built(labels: list[str], *options: str, **others: Table) -> Dataset:
    train = table(labels)
    parsed = parser().parse_args(["fit", *options])
    choices = row_choices_of(parsed, train, TEXT_LABEL, {"data": train, **others})
    return build_dataset(train, TEXT_LABEL, choices=choices, val=others.get("val"))


@pytest.mark.parametrize(
    "words",
    [
        ("nan", "NaN", "", "NA", "None", "null", "#N/A"),
        ("NULL",), ("N/A",), ("n/a ",), ("-",), ("?",), ("<NA>",), ("(null)",), ("NAN",),
        ("#NULL!",), ("\\N",), ("NaT",), ("None",), ("NONE",), ("--", "nil"), ("#REF!",),
        ("none", "nan"), ("undefined", "."), ("None", "none"),
    ],
)  # fmt: skip
def test_labels_that_say_that_there_is_none_are_left_out_told_and_kept_if_wanted(words):
    labels = ["good", "bad", *words] * 20
    dataset = built(labels)
    assert dataset.label_names == ("bad", "good")
    [note] = [note for note in dataset.notes if "without a label" in note]
    assert note.startswith(f"{20 * len(words)} rows of data.csv")
    assert all((repr(word.strip()) if word else "empty") in note for word in words)
    assert "--keep-missing-labels" in switches(dataset)[0]
    kept = built(labels, "--keep-missing-labels")
    assert set(kept.label_names) == {"good", "bad"} | {word.strip() for word in words} - {""}
    assert any(note.startswith("Labels that usually mean none are kept") for note in kept.notes)


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        (["none", "favor", "against"], "none"),
        (["NONE", "FAVOR", "AGAINST"], "NONE"),
        (["None", "Favor", "Against"], "None"),
        (["+", "-"], "-"),
        (["+", "-", "0"], "-"),
        (["hateful", "None"], "None"),
        (["good"] * 9 + ["bad"] * 9 + ["none"] * 2, "none"),
    ],
)
def test_a_common_word_that_is_written_like_the_others_is_a_class_told_and_left_out_if_wanted(
    labels, word
):
    dataset = built(labels * 20)
    assert word in dataset.label_names
    assert any(note.startswith(f"{word!r} is taken for a class") for note in dataset.notes)
    assert "--no-keep-missing-labels" in switches(dataset)[0]
    if len(set(labels)) > 2:
        assert word not in built(labels * 20, "--no-keep-missing-labels").label_names


def test_a_rare_none_is_no_class():
    assert "none" not in built(["good", "bad"] * 40 + ["none"] * 3).label_names


def test_nothing_is_asked_where_all_labels_are_labels():
    dataset = built(["good", "bad", "unknown", "other", "na\u00efve", "0"] * 10)
    assert dataset.row_choices == RowChoices()
    assert not any("missing" in switch for switch in switches(dataset))


def test_a_val_file_follows_what_train_decides():
    val = table(["good", "bad", "none", "NULL"] * 5, "v.csv", "val")
    assert len(built(["good", "bad"] * 20, val=val).split("val")) == 10
    kept = built(["good", "bad", "none"] * 20, val=val)
    assert len(kept.split("val")) == 15  # train has no NULL
    assert kept.row_choices.keep_missing_labels is True


def test_where_too_little_is_left_the_error_says_how_to_keep_it():
    with pytest.raises(DataError, match=r"1 label in train.*without a label \('NULL'\)") as caught:
        built(["NULL", "good"] * 20)
    assert "keep 'NULL'" in caught.value.hint
    assert caught.value.options == ("--keep-missing-labels",)


def test_a_column_with_missing_labels_is_still_guessed():
    cells = ["NULL", "TIN", "UNT", "NULL", "TIN"] * 12
    lines = [f"{n},the {n}th of many tweets,{cell}" for n, cell in enumerate(cells)]
    read = data.read_table("\n".join(["id,tweet,subtask_b", *lines]).encode(), "olid.csv")
    dataset = build_dataset(read, data.guess_columns(read.frame))
    assert dataset.label_names == ("TIN", "UNT")
    assert dataset.row_choices.keep_missing_labels is False


def test_choices_survive_the_record():
    choices = RowChoices(keep_missing_labels=False)
    assert RowChoices.from_dict(choices.as_dict()) == choices
    assert RowChoices.from_dict({}) == RowChoices()
    with pytest.raises(DataError, match="garbled"):
        RowChoices.from_dict({"keep_missing_labels": "yes"})


def test_a_run_from_before_the_choice_kept_every_label():
    def choices_of(dataset: dict[str, object], *names: str) -> object:
        run = SimpleNamespace(dataset=dataset, label_names=names)
        return Run.row_choices.fget(run)  # type: ignore[attr-defined]

    one_column = RowChoices(one_hot=False)
    assert choices_of({}, "nan", "good") == replace(one_column, keep_missing_labels=True)
    assert choices_of({}, "bad", "good") == one_column
    assert options_of_choices(one_column) == []  # the column that a recipe names says it
    counts = {"train": {"a;b": 4, "a": 9, "b": 9, "b;c": 5, "c": 9}, "val": {"a;b": 1, "c": 2}}
    several = choices_of({"counts": counts}, *counts["train"])
    assert several == replace(one_column, combined_labels=True)
    left_out = RowChoices(keep_missing_labels=False)
    assert choices_of({"row_choices": left_out.as_dict()}, "bad", "good") == left_out
    assert options_of_choices(left_out) == ["--no-keep-missing-labels"]
