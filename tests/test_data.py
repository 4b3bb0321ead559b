"""Bytes -> Dataset: what a user would miss if it broke."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from layerviz import data
from layerviz.commands import parser
from layerviz.data import (
    FORMATS,
    GUESS,
    Columns,
    Contents,
    FileFormat,
    ReadingChoices,
    build_dataset,
    check_columns,
    guess_columns,
    read_table,
)
from layerviz.data.delimited import DELIMITERS
from layerviz.errors import DataError

pytestmark = pytest.mark.fast

TEXT_LABEL = Columns("text", "label")


def csv_bytes(rows, header=("text", "label"), delimiter=",", encoding="utf-8") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    return out.getvalue().encode(encoding)


def table(rows, header=("text", "label"), name="data.csv") -> data.Table:
    return read_table(csv_bytes(rows, header), name)


def messages(n=40, labels=("good", "bad"), prefix="message") -> list[tuple[str, str]]:
    return [(f"{prefix} number {i}, with words", labels[i % len(labels)]) for i in range(n)]


def refusal(content: bytes) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table(content, "up.csv")
    assert caught.value.hint
    assert "up.csv" in caught.value.message
    return caught.value


def build_refusal(*tables_and_columns, **kwargs) -> str:
    with pytest.raises(DataError) as caught:
        build_dataset(*tables_and_columns, **kwargs)
    assert caught.value.hint
    return str(caught.value)


# ---- reading


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_found_despite_the_others_inside_texts(delimiter):
    rows = [(f'one, two; "three"\tfour, {i}; five', "a") for i in range(20)]
    read = read_table(csv_bytes(rows, delimiter=delimiter), "x.csv")
    assert read.layout == f"UTF-8, {DELIMITERS[delimiter]}-separated"
    assert list(read.frame.itertuples(index=False, name=None)) == rows


@pytest.mark.parametrize(
    ("codec", "words"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("utf-16", "UTF-16"),
        ("cp1252", "Western European (Windows-1252)"),
        ("latin-1", "Western European (Windows-1252)"),
    ],
)
def test_encodings(codec, words):
    read = read_table(csv_bytes([("Crème brûlée", "süß")] * 3, encoding=codec), "x.csv")
    assert read.layout == f"{words}, comma-separated"
    assert list(read.frame.columns) == ["text", "label"]
    assert read.frame.iloc[0].tolist() == ["Crème brûlée", "süß"]


def test_bytes_that_cp1252_lacks_are_still_read():
    read = read_table(b"text,label\nna\xefve \x81,a\n", "x.csv")
    assert read.layout == "Western European (Latin-1), comma-separated"
    assert read.frame["text"][0].startswith("naïve")


def test_a_late_foreign_byte_decides_the_encoding_of_all():
    content = csv_bytes([("word " * 50, "a")] * 2000) + "é,a\n".encode("latin-1")
    read = read_table(content, "x.csv")
    assert read.layout == "Western European (Windows-1252), comma-separated"
    assert read.frame["text"].iloc[-1] == "é"


def test_cells_stay_as_written():
    rows = [("NA", "None"), ("null", "NA"), ("007", "1.0"), (" padded ", "true"), ("", "nan")]
    frame = table(rows).frame
    assert list(frame.itertuples(index=False, name=None)) == rows
    assert all(isinstance(cell, str) for cell in frame.to_numpy().ravel())


def test_quoted_newlines_and_old_line_ends():
    assert table([("two\nlines\r\nhere", "a")]).frame["text"][0] == "two\nlines\r\nhere"
    assert len(read_table(b"text,label\rone,a\rtwo,b\r", "x.csv").frame) == 2


def test_long_rows_and_control_characters():
    read = table([("x" * 20_000, "a"), ("y" * 300_000, "b"), ("a\0b\x07c", "a")])
    assert read.frame["text"].str.len().tolist() == [20_000, 300_000, 3]
    assert read.notes == ("Removed 2 control characters.",)


def test_rows_with_too_many_fields_are_put_together_where_that_is_certain():
    content = b"text,label\nit is fine,a\nnot, fine,b\nalso fine,b\nalso bad,a\nshort\n"
    read = read_table(content + b"many,more,of my words\n", "x.csv")
    assert read.frame["text"].tolist()[:3] == ["it is fine", "not, fine", "also fine"]
    assert read.frame["label"].tolist() == ["a", "b", "b", "a", ""]
    assert read.notes == (
        "Put 1 text with unquoted commas together (line 3).",
        "Skipped 1 row with more fields than the header (line 7).",
        "1 row has fewer fields than the header; the missing ones are empty (line 6).",
    )


def test_a_foreign_byte_in_a_skipped_row_is_no_obstacle():
    read = read_table(b"text,label\nfine,a\nna\xefve,b,c\n", "x.csv")
    assert read.layout.startswith("Western European")
    assert (len(read.frame), len(read.notes)) == (1, 1)


def test_the_first_row_being_too_long_does_not_shift_the_columns():
    read = read_table(b"text,label\na,b,c\nd,e\nf,e\n", "x.csv")
    assert read.frame.to_numpy().tolist()[-2:] == [["d", "e"], ["f", "e"]]


def test_every_row_being_too_long_is_an_error_that_says_so():
    assert "skipped 2 rows" in refusal(b"text,label\na,b,c,d\ne,f,g,h\n").message


def test_spam_file_with_empty_trailing_columns():
    read = read_table(b"v1,v2,,,\nham,hello there,,,\nspam,win now,,,\n", "x.csv")
    assert list(read.frame.columns) == ["v1", "v2"]
    assert "3 empty columns" in read.notes[0]


def test_an_unnamed_column_with_content_is_kept_under_a_name():
    read = read_table(b",text , label\n0,hi,a\n1,ho,b\n", "x.csv")
    assert list(read.frame.columns) == ["column 1", "text", "label"]
    assert "'column 1'" in read.notes[0]


def zip_bytes() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe", "empty"),
        (b"text,label\n", "no rows"),
        (b"text,label", "no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
        (zip_bytes(), "Excel"),
        (b"%PDF-1.7\n%abc", "PDF"),
        (b'{"text": "a", "label": 1}', "JSON"),
        (b'[\n {"text": "a"}]', "one column"),
        (b"<!doctype html><html></html>", "HTML"),
        (bytes(range(256)) * 40, "binary"),
        (b"\xff\xfea", "damaged UTF-16"),
        (b"text\nhello\nworld\n", "one column"),
        (b"text,label,text\na,b,c\n", "several columns named 'text'"),
        (b"a wonderful film that I would see again,1\nso bad it hurts,0\nnice,1\n", "like data"),
        (b"good,1\nbad,0\ngood,1\n", "like data"),
        (b"nice,1\nbad,0\ngreat,1\n", "like data"),
        ("1,{}\n0,short\n2,other\n".format("many words " * 8).encode(), "like data"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content, says):
    assert says in refusal(content).message


def test_excel_users_are_told_to_save_as_csv():
    assert "CSV" in refusal(zip_bytes()).hint


def test_a_header_that_is_also_a_value_is_no_data():
    assert list(table([("a b c", "spam"), ("d", "ham")], ("text", "spam")).frame.columns) == [
        "text",
        "spam",
    ]


def test_content_hash_tells_files_apart():
    first, second = csv_bytes(messages(4)), csv_bytes(messages(5))
    hashes = {read_table(c, n).content_hash for c, n in ((first, "a"), (first, "b"), (second, "a"))}
    assert len(hashes) == 2
    assert all(len(digest) == 64 for digest in hashes)


# ---- formats


def read_pairs(content: bytes, name: str, choices: ReadingChoices, *, one_column: bool) -> Contents:
    """Read the made-up format: a text, a label and a text again, a line each."""
    lines = content.decode().splitlines()
    assert name
    assert not one_column
    assert choices == GUESS
    frame = pd.DataFrame({"text": lines[::2], "label": lines[1::2]})
    return Contents(frame, "pairs of lines", ("The last line was odd.",))


PAIRS = FileFormat(
    name="pairs",
    label="Pairs",
    suffixes=(".pairs", ".2lines"),
    help="texts and labels by turns",
    read=read_pairs,
)


def test_a_further_format_is_one_entry():
    content = "\n".join(line for row in messages(20) for line in row).encode()
    with FORMATS.extended(PAIRS):
        read = read_table(content, "Some.PAIRS")
        dataset = build_dataset(read, TEXT_LABEL)
        help_of_fit = capture_help("fit")
        assert data.table_suffixes()[-2:] == (".pairs", ".2lines")
        assert "\n| Pairs | `.pairs`, `.2lines` |" in data.formats_table()
    assert read.frame.to_numpy().tolist() == [list(row) for row in messages(20)]
    assert dataset.notes[:2] == (
        "Read Some.PAIRS as pairs of lines.",
        "Some.PAIRS: The last line was odd.",
    )
    assert "Pairs (.pairs, .2lines)" in help_of_fit
    assert "Pairs" not in capture_help("fit")


def capture_help(command: str) -> str:
    """Return what --help prints, on one line."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        parser().parse_args([command, "--help"])
    return " ".join(out.getvalue().split())


@pytest.mark.parametrize("name", ["table.CSV", "table.tsv", "table", "table.dat", "table.jsonl"])
def test_a_suffix_that_is_unknown_is_delimited_text(name):
    rows = messages(4)
    assert list(read_table(csv_bytes(rows), name).frame["text"]) == [text for text, _ in rows]


def test_the_formats_are_in_readme():
    root = Path(__file__).parents[1]
    pages = [root / "README.md", *(root / ".readme").glob("*.md")]
    assert any(data.formats_table() in page.read_text(encoding="utf-8") for page in pages)


# ---- guessing columns

SENTENCES = [f"the {i}th sentence of a number of quite different ones" for i in range(60)]
FEW = ["red", "green", "blue"] * 20


def frame_of(**columns) -> pd.DataFrame:
    return pd.DataFrame({key: [str(cell) for cell in column] for key, column in columns.items()})


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (frame_of(id=range(60), text=SENTENCES, HS=[0, 1] * 30), ("text", "HS")),
        (
            frame_of(id=range(60), text=SENTENCES, HS=[0, 1] * 30, TR=[0, 1] * 30),
            ("text", "HS"),
        ),
        (frame_of(review=SENTENCES, sentiment=["positive", "negative"] * 30), None),
        (frame_of(v1=["ham", "spam"] * 30, v2=SENTENCES), ("v2", "v1")),
        (frame_of(question=SENTENCES, type=FEW, split=["train", "test"] * 30), None),
        (frame_of(text=SENTENCES, emotion=FEW, split=["Train", "DEV ", ""] * 20), None),
        (
            frame_of(
                tweet_id=range(10**9, 10**9 + 60),
                airline_sentiment=FEW,
                airline_sentiment_confidence=[1.0, 0.66, 0.34] * 20,
                negativereason=["", "", "late"] * 20,
                airline=["Delta", "United"] * 30,
                airline_sentiment_gold=[""] * 58 + ["red", "red"],
                name=[f"user{i}" for i in range(60)],
                text=SENTENCES,
                tweet_coord=["", "[0.0, 0.0]"] * 30,
                tweet_created=[f"2015-02-24 11:35:{i:02} -0800" for i in range(60)],
            ),
            ("text", "airline_sentiment"),
        ),
        (
            frame_of(
                **{"Class Index": [1, 2, 3] * 20},
                Title=[sentence[:12] for sentence in SENTENCES],
                Description=SENTENCES,
            ),
            ("Description", "Class Index"),
        ),
        (frame_of(sentence=SENTENCES, label=[0, 1] * 30, idx=range(60)), ("sentence", "label")),
        (frame_of(foo=FEW, bar=SENTENCES), ("bar", "foo")),
        (frame_of(score=[i / 60 for i in range(60)], a=SENTENCES, b=FEW), ("a", "b")),
        (frame_of(utterance=SENTENCES, intent=[i // 2 for i in range(60)]), None),
    ],
)
def test_known_layouts_are_guessed(frame, expected):
    text, label = expected or frame.columns[:2]
    split = "split" if "split" in frame else None
    assert guess_columns(frame) == Columns(text, label, split)


def test_three_hundred_classes_are_guessed_and_built():
    rows = [(f"utterance {i} of intent {i % 300}", f"intent_{i % 300}") for i in range(900)]
    read = table(rows, ("utterance", "what"))
    dataset = build_dataset(read, guess_columns(read.frame))
    assert dataset.columns == Columns("utterance", "what")
    assert dataset.counts().shape == (300, 2)
    assert (dataset.counts().to_numpy() >= 1).all()


def test_a_file_sorted_by_label_is_guessed():
    rows = [(f"row {i} says something", "a" if i < 6000 else "b") for i in range(12_000)]
    assert guess_columns(table(rows, ("x", "y1")).frame) == Columns("x", "y1")


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (frame_of(a=range(60), b=[0, 1] * 30), "text"),
        (frame_of(a=SENTENCES, b=range(60)), "label"),
        (frame_of(a=["train", "test"] * 30), "text"),
    ],
)
def test_no_guess_names_the_columns(frame, word):
    with pytest.raises(DataError, match=word) as caught:
        guess_columns(frame)
    assert "'a'" in str(caught.value)


def test_missing_columns_are_named_with_those_present():
    with pytest.raises(DataError) as caught:
        check_columns(frame_of(text=["a"], HS=["0"]), Columns("tweet", "label"))
    assert "'label', 'tweet'" in caught.value.message
    assert "'text', 'HS'" in caught.value.hint
    with pytest.raises(DataError, match="different columns"):
        check_columns(frame_of(text=["a"], HS=["0"]), Columns("text", "text"))


# ---- building


def texts_of(dataset) -> dict[str, set[str]]:
    return {split: set(dataset.split(split)["text"]) for split in ("train", "val", "test")}


def assert_no_text_in_two_splits(dataset):
    train, val, test = texts_of(dataset).values()
    assert len(train | val | test) == len(train) + len(val) + len(test)


def test_val_is_cut_by_label_and_by_text():
    labels = ["a", "b", "b", "b"]
    rows = [row for row in messages(200, labels) for _ in range(2)]
    dataset = build_dataset(table(rows), TEXT_LABEL, val_fraction=0.25)
    assert_no_text_in_two_splits(dataset)
    counts = dataset.counts()
    assert counts["val"].tolist() == [24, 76]  # of 50 and 150 distinct texts, each twice
    assert int(counts.to_numpy().sum()) == 400
    assert any("25%" in note for note in dataset.notes)


def test_examples_have_their_order_ids_and_types():
    dataset = build_dataset(table(messages(50)), TEXT_LABEL)
    examples = dataset.examples
    assert list(examples.columns) == ["id", "split", "text", "label"]
    assert examples["id"].is_unique
    assert examples["label"].dtype == "int64"
    assert list(dict.fromkeys(examples["split"])) == ["train", "val"]
    for name, text, label in examples[["id", "text", "label"]].to_numpy().tolist():
        number = int(name.removeprefix("train-"))
        assert (text, dataset.label_names[label]) == messages(50)[number - 1]
    for split in ("train", "val"):
        numbers = dataset.split(split)["id"].str.removeprefix("train-").astype(int)
        assert numbers.is_monotonic_increasing


@pytest.mark.parametrize("seed", range(5))
def test_cut_holds_its_promises_on_awkward_labels(seed):
    """Repeated texts, contradicting labels and labels with one or two texts."""
    rows = [(f"text {(i * 7) % 90}", f"label {i % 11}") for i in range(300)]
    rows += [("only one", "once"), ("only one", "once"), ("first", "twice"), ("second", "twice")]
    dataset = build_dataset(table(rows), TEXT_LABEL, seed=seed, val_fraction=0.05)
    assert_no_text_in_two_splits(dataset)
    counts = dataset.counts()
    assert counts.loc[["once", "twice"]].to_numpy().tolist() == [[2, 0], [1, 1]]
    assert (counts["train"] > 0).all()
    assert (counts["val"].drop("once") > 0).all()
    assert any(note.startswith("1 label with only one text: 'once'") for note in dataset.notes)


def test_same_seed_same_dataset_other_seed_other_cut():
    first, again, other = (
        build_dataset(table(messages(60)), TEXT_LABEL, seed=seed) for seed in (3, 3, 4)
    )
    pd.testing.assert_frame_equal(first.examples, again.examples)
    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != other.fingerprint
    assert texts_of(first)["val"] != texts_of(other)["val"]


def test_fingerprint_is_of_the_content_alone():
    rows = [(f"{text} é", label) for text, label in messages()]
    prints = {
        build_dataset(read_table(content, name), TEXT_LABEL).fingerprint
        for content, name in [
            (csv_bytes(rows), "a.csv"),
            (csv_bytes(rows, delimiter=";", encoding="cp1252"), "b.csv"),
            (csv_bytes(rows, delimiter="\t", encoding="utf-16"), "c.tsv"),
            (csv_bytes([(1, *row) for row in rows], ("no", "text", "label")), "d.csv"),
        ]
    }
    assert len(prints) == 1
    assert len(prints.pop()) == 16


def test_fingerprint_changes_with_a_label_a_text_and_a_label_name():
    base = [(f"t{i} in words", "ab"[i % 2]) for i in range(40)]
    split = ["train"] * 30 + ["val"] * 10

    def fingerprint(rows):
        rows = [(*row, part) for row, part in zip(rows, split, strict=True)]
        read = table(rows, ("text", "label", "split"))
        return build_dataset(read, Columns("text", "label", "split")).fingerprint

    renamed = [(text, {"a": "c", "b": "d"}[label]) for text, label in base]
    flipped = [(base[0][0], "b"), *base[1:]]
    edited = [("something else", "a"), *base[1:]]
    assert len({fingerprint(rows) for rows in (base, renamed, flipped, edited)}) == 4


def test_blank_texts_and_labels_are_left_out_and_counted():
    rows = [*messages(20), ("", "good"), ("  ", "bad"), ("no label", " "), (" x ", " good ")]
    dataset = build_dataset(table(rows), TEXT_LABEL)
    assert len(dataset.examples) == 21
    assert dataset.label_names == ("bad", "good")
    assert "2 rows of data.csv without a text were left out." in dataset.notes
    assert "1 row of data.csv without a label was left out." in dataset.notes


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("10", "9", "-1"), ("-1", "9", "10")),
        (("1.0", "0.0"), ("0.0", "1.0")),
        (("b", "C", "a"), ("a", "b", "C")),
        (("10", "9", "x"), ("10", "9", "x")),
        (("None", "NA"), ("NA", "None")),
    ],
)
def test_label_names_are_sorted_as_people_would(labels, expected):
    choices = data.RowChoices(keep_missing_labels=True)
    dataset = build_dataset(table(messages(30, labels)), TEXT_LABEL, choices=choices)
    assert dataset.label_names == expected


def test_labels_that_differ_in_case_are_two_and_noted():
    dataset = build_dataset(table(messages(40, ["Spam", "spam", "ham"])), TEXT_LABEL)
    assert dataset.label_names == ("ham", "Spam", "spam")
    assert "Labels look alike: 'Spam', 'spam'." in dataset.notes


def split_table(parts, n=40):
    rows = [(*row, parts[i % len(parts)]) for i, row in enumerate(messages(n, ["a", "a", "b"]))]
    return table(rows, ("text", "label", "split"))


def test_split_column_is_honoured_whatever_its_spelling():
    read = split_table(["train", "Training", " DEV", "validation", "testing"])
    dataset = build_dataset(read, guess_columns(read.frame))
    assert dataset.counts().sum().to_dict() == {"train": 16, "val": 16, "test": 8}
    assert list(dict.fromkeys(dataset.examples["split"])) == ["train", "val", "test"]


def test_split_column_without_val_gets_one_cut_from_train():
    read = split_table(["train", "train", "train", "test"])
    dataset = build_dataset(read, Columns("text", "label", "split"))
    assert set(dataset.counts().columns) == {"train", "val", "test"}
    assert dataset.counts()["test"].sum() == 10
    assert_no_text_in_two_splits(dataset)


def test_separate_files_win_over_the_split_column():
    read = split_table(["train", "train", "val", "test"])
    val = table(messages(10, ["a", "b"], prefix="separate"), name="v.csv")
    dataset = build_dataset(read, Columns("text", "label", "split"), val=val)
    assert dataset.counts().sum().to_dict() == {"train": 20, "val": 10, "test": 10}
    assert dataset.split("val")["id"].tolist() == [f"val-{i}" for i in range(1, 11)]
    assert any("10 rows" in note and "v.csv replaces" in note for note in dataset.notes)


def test_a_separate_file_without_the_columns_is_named():
    val = table([(label, text, text) for text, label in messages(10)], ("label", "a", "b"), "v.csv")
    message = build_refusal(table(messages()), TEXT_LABEL, val=val)
    assert message.startswith("v.csv: There is no column 'text'.")


def test_texts_in_several_splits_stay_in_the_last_of_them():
    train, val, test = (messages(30, prefix=prefix) for prefix in ("train", "val", "test"))
    dataset = build_dataset(
        table([*train, *val[:3], *test[:4]]),
        TEXT_LABEL,
        val=table([*val, *test[:2]]),
        test=table([*test, test[0]]),
    )
    assert_no_text_in_two_splits(dataset)
    assert dataset.counts().sum().to_dict() == {"train": 30, "val": 30, "test": 31}
    assert "7 rows of train also found in val or test were left out." in dataset.notes
    assert "2 rows of val also found in test were left out." in dataset.notes


def test_val_is_cut_from_what_a_test_file_leaves():
    rows, test = messages(60), messages(60)[:20]
    dataset = build_dataset(table(rows), TEXT_LABEL, test=table(test))
    assert_no_text_in_two_splits(dataset)
    assert dataset.counts().sum().to_dict() == {"train": 32, "val": 8, "test": 20}


def test_the_same_file_twice_is_refused_with_the_reason():
    message = build_refusal(table(messages()), TEXT_LABEL, val=table(messages()))
    assert "0 labels in train" in message
    assert "40 rows of train also found in val or test" in message
    assert "do not use one file twice" in message


def test_val_equal_to_test_is_refused_with_the_reason():
    other = table(messages(20, prefix="other"))
    message = build_refusal(table(messages()), TEXT_LABEL, val=other, test=other)
    assert "0 usable rows in val" in message
    assert "20 rows of val also found in test" in message


def test_a_val_file_without_usable_rows_is_not_replaced_by_a_cut():
    val = table([("", "good")] * 5, name="v.csv")
    assert "0 usable rows in val" in build_refusal(table(messages()), TEXT_LABEL, val=val)


def test_labels_unknown_to_train_are_left_out_and_noted():
    val = table([*messages(10, prefix="val"), ("new text", "strange"), ("newer", "odd")])
    dataset = build_dataset(table(messages()), TEXT_LABEL, val=val)
    assert dataset.label_names == ("bad", "good")
    assert len(dataset.split("val")) == 10
    assert any(note.startswith("2 rows of val or test with a label") for note in dataset.notes)


def test_labels_absent_from_a_given_val_are_noted():
    val = table(messages(10, ["good"], prefix="val"))
    notes = build_dataset(table(messages()), TEXT_LABEL, val=val).notes
    assert "1 label without any rows in val: 'bad'." in notes


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (messages(40, ["same"]), "1 label in train: 'same'"),
        (messages(8), "fewer than 10"),
        ([("", "a"), ("", "b")] * 10, "0 labels in train"),
        ([(f"text {i}", f"{i / 7:.3f}") for i in range(40)], "40 numbers on a scale"),
        ([(f"text {i}", f"{i}") for i in range(40)], "40 values in 40 rows"),
        ([("one", "a"), ("two", "b")] * 10, "0 usable rows in val"),
    ],
)
def test_data_that_cannot_be_learnt_from_is_refused(rows, says):
    assert says in build_refusal(table(rows), TEXT_LABEL)


@pytest.mark.parametrize("fraction", [0.04, 0.51, float("nan")])
def test_val_fraction_out_of_range_is_refused(fraction):
    assert "0.05 to 0.5" in build_refusal(table(messages()), TEXT_LABEL, val_fraction=fraction)


def test_notes_say_what_was_guessed():
    read = read_table(csv_bytes(messages(), delimiter=";", encoding="utf-16"), "tweets.csv")
    dataset = build_dataset(read, TEXT_LABEL)
    assert dataset.name == "tweets"
    assert "Read tweets.csv as UTF-16, semicolon-separated." in dataset.notes
    assert "Texts are taken from column 'text', labels from 'label'." in dataset.notes


def test_files_are_named_by_role_and_a_cut_val_has_its_share():
    train, val, test = (
        table(messages(30, prefix=role), name=f"{role}.csv") for role in ("train", "val", "test")
    )
    alone = build_dataset(train, TEXT_LABEL, val_fraction=0.123)
    assert (alone.files, alone.val_fraction) == ({"train": "train.csv"}, 0.123)
    tested = build_dataset(train, TEXT_LABEL, test=test)
    assert list(tested.files.items()) == [
        ("train", "train.csv"),
        ("test", "test.csv"),
    ]
    assert tested.val_fraction == 0.2
    whole = build_dataset(train, TEXT_LABEL, val=val, test=test)
    assert list(whole.files) == ["train", "val", "test"]
    assert whole.val_fraction is None


def test_a_val_from_the_split_column_was_not_cut():
    read = split_table(["train", "train", "val", "test"])
    assert build_dataset(read, Columns("text", "label", "split")).val_fraction is None
    without_val = split_table(["train", "train", "train", "test"])
    assert build_dataset(without_val, Columns("text", "label", "split")).val_fraction == 0.2


def test_skipped_rows_are_still_noted_after_building():
    content = csv_bytes(messages()) + b"too,many,fields\n"
    notes = build_dataset(read_table(content, "x.csv"), TEXT_LABEL).notes
    assert "x.csv: Skipped 1 row with more fields than the header (line 42)." in notes


def test_the_sample_is_ready_to_use():
    sample = data.sample_table()
    assert sample.name == "customer_messages.csv"
    columns = guess_columns(sample.frame)
    assert columns == Columns("text", "label", "split")
    dataset = build_dataset(sample, columns)
    assert len(dataset.examples) == len(sample.frame)  # nothing had to be left out
    assert_no_text_in_two_splits(dataset)
    shares = (dataset.counts() / dataset.counts().sum()).to_numpy()
    assert shares.min() > 0.2
    assert shares.max() < 0.3


def test_the_sample_has_enough_val_and_test_to_answer_with():
    sample = data.sample_table()
    sizes = build_dataset(sample, guess_columns(sample.frame)).examples["split"].value_counts()
    assert sizes["val"] >= 500
    assert sizes["test"] >= 500
    assert sizes["train"] <= 800  # or the first click takes longer than 90 seconds on two cores


def test_no_message_of_the_sample_is_a_variant_of_another():
    texts = data.sample_table().frame["text"]
    words = CountVectorizer(binary=True, token_pattern=r"\w+").fit_transform(texts).astype(np.int32)
    common = (words @ words.T).toarray()
    sizes = common.diagonal()
    jaccard = common / (sizes[:, None] + sizes - common)
    np.fill_diagonal(jaccard, 0)
    assert jaccard.max() <= 0.6
