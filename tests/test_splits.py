"""Words of a split column: known, guessed and told, or asked for; never ignored in silence."""

from __future__ import annotations

import pandas as pd
import pytest

from layerviz.commands import parser
from layerviz.commands.choosing import columns_of, row_choices_of
from layerviz.data import Columns, Dataset, RowChoices, Table, build_dataset, suggest_columns
from layerviz.errors import DataError
from layerviz.export.recipe import options_of_choices

pytestmark = pytest.mark.fast


def table(words: list[str], column: str = "split", n: int = 60) -> Table:
    frame = pd.DataFrame({
        "text": [f"the {i}th sentence of a number of quite different ones" for i in range(n)],
        "label": ["red", "green"] * (n // 2),
        column: [words[i // 2 % len(words)] for i in range(n)],
    })  # fmt: skip
    return Table("data.csv", frame, "made here", (), "")


def built(given: Table, *options: str) -> Dataset:
    parsed = parser().parse_args(["fit", *options])
    columns = columns_of(parsed, given)
    choices = row_choices_of(parsed, given, columns, {"data": given})
    return build_dataset(given, columns, choices=choices)


def sizes(dataset: Dataset) -> dict[str, int]:
    return {str(split): int(n) for split, n in dataset.counts().sum().items()}


@pytest.mark.parametrize(
    ("column", "words", "expected", "told"),
    [
        ("split", ["train", "eval"], {"train": 30, "val": 30}, "'eval' is taken for val (30 rows)"),
        ("split", ["train", "val", "Evaluation"], {"train": 20, "val": 20, "test": 20},
         "'Evaluation' is taken for test"),
        ("split", ["train", "test", "holdout"], {"train": 20, "val": 20, "test": 20},
         "'holdout' is taken for val"),
        ("split", ["train", "val", "unsup"], {"train": 20, "val": 20},
         "20 rows of data.csv marked 'unsup' in 'split' were left out."),
        ("Usage", ["Training", "PublicTest", "PrivateTest"], {"train": 20, "val": 20, "test": 20},
         "'PublicTest' is taken for val (20 rows) and 'PrivateTest' is taken for test (20 rows)"),
        ("subset", ["Train set", "dev-set", "TEST_SET"], {"train": 20, "val": 20, "test": 20},
         "'Train set' is taken for train"),
        ("fold", ["0", "1", "2"], {"train": 40, "val": 20},
         "'0', '1' are taken for train (40 rows) and '2' is taken for val (20 rows)"),
        ("fold", ["fold 1", "fold 2", "fold 10"], {"train": 40, "val": 20}, "'fold 10' is taken"),
        ("is_test", ["0", "0", "1"], {"train": 32, "val": 8, "test": 20}, "'1' is taken for test"),
        ("is_train", ["True", "False", "True"], {"train": 32, "val": 8, "test": 20},
         "'False' is taken for test"),
        ("split", ["train", "unlabeled", "dev", "test"],
         {"train": 16, "val": 14, "test": 14},
         "16 rows of data.csv marked 'unlabeled' in 'split' were left out."),
        ("split", ["train1", "train_2", "trainval", "test"], {"train": 36, "val": 10, "test": 14},
         "'train1', 'train_2', 'trainval' are taken for train (46 rows)"),
        ("split", ["TRAIN", "Valid", "nan"], {"train": 20, "val": 20}, ""),
    ],
)  # fmt: skip
def test_words_that_are_guessed_are_told(column, words, expected, told):
    dataset = built(table(words, column))
    assert sizes(dataset) == expected
    notes = [note for note in dataset.notes if note.startswith("In column") or "marked" in note]
    assert any(told in note for note in notes) if told else not notes
    assert dataset.columns.split == column
    again = build_dataset(table(words, column), dataset.columns, choices=dataset.row_choices)
    assert again.fingerprint == dataset.fingerprint
    assert RowChoices.from_dict(dataset.row_choices.as_dict()) == dataset.row_choices


@pytest.mark.parametrize(
    ("words", "says", "fix"),
    [
        (["train", "blorp", "test"], "'blorp'", "--split-word blorp=val"),
        (["val", "test"], "marks no rows as train (30 rows 'val', 30 rows 'test')",
         "--split-word val=train"),
        (["test"], "marks no rows as train", "--split-column none"),
        (["train", "val", "test", "eval"], "'eval'", "--split-word eval=val"),
    ],
)  # fmt: skip
def test_a_split_column_is_never_ignored_in_silence(words, says, fix):
    with pytest.raises(DataError) as caught:
        built(table(words))
    assert says in caught.value.message
    assert fix in caught.value.options
    assert sizes(built(table(words), "--split-column=none")) == {"train": 48, "val": 12}
    first = words[1] if "train" in words else words[0]
    meaning = "leave out" if "train" in words else "train"
    if "eval" not in words:
        dataset = built(table(words), f"--split-word={first}={meaning}")
        assert (first, meaning) in dataset.row_choices.split_words
        assert options_of_choices(dataset.row_choices) == ["--split-word", f"{first}={meaning}"]


def test_a_column_called_split_is_asked_about_whatever_its_words():
    given = table(["0", "1", "2"])
    with pytest.raises(DataError, match="'0', '1', '2'"):
        built(given)
    words = [f"--split-word={word}" for word in ("0=train", "1=val", "2=test")]
    assert sizes(built(given, *words)) == {"train": 20, "val": 20, "test": 20}


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--split-word=eval", "is not understood"),
        ("--split-word=eval=valley", "is not understood"),
        ("--split-word=evil=val", "does not hold 'evil'"),
    ],
)
def test_a_word_that_is_misspelt_is_told(option, says):
    with pytest.raises(DataError, match=says) as caught:
        built(table(["train", "eval"]), option)
    assert ("Did you mean eval?" in caught.value.hint) == ("evil" in option)


def test_a_usual_word_may_mean_something_else_so_that_val_is_cut_anew():
    given = table(["train", "dev", "test"])
    assert built(given).val_words == ("dev",)
    dataset = built(given, "--split-word", "DEV=train")
    assert sizes(dataset) == {"train": 32, "val": 8, "test": 20}
    assert dataset.val_fraction == 0.2
    assert dataset.row_choices.split_words == (("dev", "train"),)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("vehicle", ["train", "bus", "car"]),
        ("set", ["1", "2", "3"]),
        ("kind", ["test", "exam"]),
        ("grade", ["0", "1"]),
        ("mood", ["evaluation", "holdout"]),
    ],
)
def test_other_columns_are_no_split(column, words):
    assert suggest_columns(table(words, column).frame).split is None


def test_a_column_of_all_kinds_of_words_is_named_and_no_split():
    given = table([f"word {number}" for number in range(30)])
    assert suggest_columns(given.frame).split is None
    with pytest.raises(DataError, match="and 25 more"):
        build_dataset(given, Columns("text", "label", "split"))


def test_splits_are_garbled_in_no_record():
    with pytest.raises(DataError, match="garbled"):
        RowChoices.from_dict({"split_words": {"eval": "somewhere"}})
