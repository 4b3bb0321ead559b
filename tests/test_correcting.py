"""Files with corrected labels: the same bytes but for the cells that were corrected."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerviz import data
from layerviz.data import Columns, RowChoices, Table, build_dataset, correct_file, label_edits
from layerviz.data.archives import with_members
from layerviz.data.corrections import _one_hot_edits
from layerviz.data.rewriting import CellEdit, NotInPlaceError
from layerviz.errors import DataError

pytestmark = pytest.mark.fast

COLUMNS = Columns("text", "label")
LABELS = ("good", "bad", "so so")


@dataclass(frozen=True)
class Written:
    """A file that was put together cell by cell.

    Parameters
    ----------
    before, after : str
        What is above and below the rows.
    rows : list of (str, str, str)
        Of each row what is before, in and behind its label's cell.
    """

    rows: list[tuple[str, str, str]]
    before: str = "text,label\n"
    after: str = ""

    def text(self, labels: dict[int, str] | None = None) -> str:
        new = labels or {}
        cells = [head + new.get(i, cell) + tail for i, (head, cell, tail) in enumerate(self.rows)]
        return self.before + "".join(cells) + self.after


def mixed(n: int = 40) -> list[tuple[str, str]]:
    return [(f"text number {i}, with words", LABELS[i % 3]) for i in range(n)]


def plain_rows(n: int = 40) -> list[tuple[str, str, str]]:
    return [(f'"{text}",', label, "\n") for text, label in mixed(n)]


def check_in_place(
    content: bytes, expected: bytes, edits: list[CellEdit], name: str = "d.csv"
) -> None:
    table = data.read_table(content, name)
    corrected = correct_file(content, table, edits)
    assert corrected.in_place
    assert corrected.content == expected
    frame = data.read_table(corrected.content, corrected.name, table.choices).frame
    for edit in edits:
        assert frame[edit.column].iloc[edit.row].strip() == edit.cell
    rows = [edit.row for edit in edits]
    assert frame.drop(index=rows).equals(table.frame.drop(index=rows))


# --- the same bytes ---------------------------------------------------------------------------

DIALECTS = {
    "comma": Written(plain_rows()),
    "quoted labels": Written([(h, f'"{c}"', t) for h, c, t in plain_rows()]),
    "spaces around": Written([(f"{h} ", c, f" {t}") for h, c, t in plain_rows()]),
    "windows line ends": Written(
        [(h, c, "\r\n") for h, c, _ in plain_rows()], before="text,label\r\n"
    ),
    "a hint for Excel": Written(
        [(f"{text};", label, "\n") for text, label in mixed()], before="sep=;\ntext;label\n"
    ),
    "pipes": Written([(f"{t}|", c, "|7\n") for t, c in mixed()], before="text|label|n\n"),
    "tabs and loose marks": Written(
        [(f'"{t}\t', c, "\n") for t, c in mixed()], before="text\tlabel\n"
    ),
    "line breaks in texts": Written(
        [(f'"text {i}\nand ""so"" on, and on",', c, "\n") for i, (_, c) in enumerate(mixed())],
    ),
    "unquoted commas": Written(
        [(f"{t}{', more' * (i % 3)},", c, "\n") for i, (t, c) in enumerate(mixed())],
    ),
    "labels first": Written(
        [("", c, f",words {i}{', more' * (i % 5 > 2)}\n") for i, (_, c) in enumerate(mixed())],
        before="label,text\n",
    ),
    "delimiters at the end": Written(
        [(h, c, ",,,\n") for h, c, _ in plain_rows()],
    ),
    "a title, blank lines and the header again": Written(
        [(h, c, "\n\ntext,label\n" if i == 5 else t) for i, (h, c, t) in enumerate(plain_rows())],
        before="# a title\n\ntext,label\n",
    ),
    "whole lines quoted": Written(
        [(f'"""{t}"",', c, '"\n') for t, c in mixed()], before='"text,label"\n'
    ),
    "backslashes": Written(
        [(f'"a \\"{t}\\" b","', c, '"\n') for t, c in mixed()], before='"text","label"\n'
    ),
    "single marks": Written(
        [(f"'{t}','", c, "'\n") for t, c in mixed()], before="'text','label'\n"
    ),
    "no last line end": Written(
        [*plain_rows()[:-1], ('"the last one",', "bad", "")],
    ),
    "control characters": Written([(f"\x01{h}", c, t) for h, c, t in plain_rows()]),
    "row names": Written(
        [(f'"{i}",{h}', c, t) for i, (h, c, t) in enumerate(plain_rows())],
        before='"text","label"\n',
    ),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_file_stays_the_same_but_for_the_cells(dialect: str) -> None:
    written = DIALECTS[dialect]
    new = {4: "so so", 5: "bad", 39: "good"}
    mark = '"' if dialect == "quoted labels" else ""
    cells = {row: f"{mark}{label}{mark}" for row, label in new.items()}
    edits = [CellEdit(row, "label", label) for row, label in new.items()]
    check_in_place(written.text().encode(), written.text(cells).encode(), edits)


@pytest.mark.parametrize(
    ("encoding", "text", "label"),
    [
        ("utf-8-sig", "naïve", "übel"),
        ("latin-1", "naïve", "übel"),
        ("gbk", "这个产品非常好，我很喜欢，下次还会再来买的", "很差"),
        ("cp1251", "Очень хороший товар, куплю ещё раз", "плохо"),
        ("shift_jis", "とても良い商品です。また買います", "悪い"),
        ("utf-16", "naïve", "übel"),
        ("utf-16-le", "naïve", "übel"),
        ("utf-32", "naïve", "übel"),
    ],
)
def test_encodings_and_byte_order_marks_stay(encoding: str, text: str, label: str) -> None:
    rows = [(f"{text} {i},", (label, "ok")[i % 2], "\r\n") for i in range(40)]
    written = Written(rows, before="text,label\r\n")
    content, expected = (written.text(new).encode(encoding) for new in ({}, {7: label}))
    check_in_place(content, expected, [CellEdit(7, "label", label)])


def test_damaged_bytes_stay_as_they_are() -> None:
    rows = plain_rows()
    content = b"text,label\n"
    for i, (head, label, tail) in enumerate(rows):
        content += head.replace("words", "wörds").encode() + label.encode() + tail.encode()
        if i == 3:
            content = content[:-8] + b"\xff" + content[-8:]
    table = data.read_table(content, "d.csv")
    assert any("not UTF-8" in note for note in table.notes)
    expected = content.replace(
        b'number 2, with w\xc3\xb6rds",so so', b'number 2, with w\xc3\xb6rds",bad'
    )
    check_in_place(content, expected, [CellEdit(2, "label", "bad")])


PACKERS: dict[str, tuple[Any, Any]] = {
    ".gz": (gzip.compress, gzip.decompress),
    ".bz2": (bz2.compress, bz2.decompress),
    ".xz": (lzma.compress, lzma.decompress),
    ".zst": (
        lambda content: pa.compress(content, "zstd", asbytes=True),
        lambda content: pa.CompressedInputStream(pa.BufferReader(content), "zstd").read(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("suffix", PACKERS)
def test_what_is_compressed_is_compressed_again(suffix: str) -> None:
    pack, unpack = PACKERS[suffix]
    written = Written(plain_rows())
    content = pack(written.text().encode())
    table = data.read_table(content, f"d.csv{suffix}")
    corrected = correct_file(content, table, [CellEdit(4, "label", "so so")])
    assert corrected.name == f"d-corrected.csv{suffix}"
    assert unpack(corrected.content) == written.text({4: "so so"}).encode()


def test_in_an_archive_only_the_table_with_the_row_changes() -> None:
    train, test = Written(plain_rows(40)), Written(plain_rows(12))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes/read me.txt", "words")
        archive.writestr("test.csv", test.text())
        archive.writestr("train.csv", train.text())
    table = data.read_table(out.getvalue(), "d.zip")
    first = table.frame["split"].eq("train").to_numpy().argmax()
    corrected = correct_file(out.getvalue(), table, [CellEdit(int(first) + 4, "label", "so so")])
    assert (corrected.name, corrected.in_place) == ("d-corrected.zip", True)
    with zipfile.ZipFile(io.BytesIO(corrected.content)) as archive:
        inside = {name: archive.read(name).decode() for name in archive.namelist()}
    assert inside == {
        "notes/read me.txt": "words",
        "test.csv": test.text(),
        "train.csv": train.text({4: "so so"}),
    }


def test_a_damaged_file_beside_the_table_is_no_reason_to_break_off() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("notes.txt", "these words are damaged")
        archive.writestr("train.csv", "text,label\n")
    content = out.getvalue().replace(b"these words", b"those words", 1)
    with pytest.raises(NotInPlaceError):
        with_members(content, {"train.csv": b"text,label\na,b\n"})


# --- any file -----------------------------------------------------------------------------------

WORDS = st.text("ab ,;|\t\"'\\\n\r#é漢", max_size=20)


@st.composite
def files(draw: st.DrawFn) -> tuple[Written, str, str, dict[int, str]]:
    """Draw a file, its encoding, the mark of its labels, and new labels."""
    delimiter = draw(st.sampled_from(",;|\t"))
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    mark = draw(st.sampled_from(["", '"']))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
    top = draw(st.sampled_from(["", f"sep={delimiter}{line_end}"]))
    header = f"text{delimiter}label{delimiter}n{line_end}"
    words = draw(st.lists(WORDS, min_size=12, max_size=20))
    repeat_at = draw(st.integers(-1, len(words) - 1))
    rows = []
    for i, word in enumerate(words):
        text = f"text {i} {word}".replace('"', '""')
        tail = f"{delimiter}{i}{line_end}" + (header if i == repeat_at else "")
        rows.append((f'"{text}"{delimiter}', f"{mark}{LABELS[i % 3]}{mark}", tail))
    rows_changed = draw(st.sets(st.integers(0, len(words) - 1), min_size=1, max_size=4))
    new = {row: draw(st.sampled_from(LABELS)) for row in rows_changed}
    return Written(rows, before=top + header), encoding, mark, new


@given(files())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_dialect_no_other_byte_changes(
    drawn: tuple[Written, str, str, dict[int, str]],
) -> None:
    written, encoding, mark, new = drawn
    content = written.text().encode(encoding)
    table = data.read_table(content, "d.csv", data.ReadingChoices(quotes="double"))
    if len(table.frame) != len(written.rows):  # its header was taken for another line
        return
    corrected = correct_file(content, table, [CellEdit(i, "label", new[i]) for i in sorted(new)])
    assert corrected.in_place
    assert corrected.content == written.text(
        {row: f"{mark}{label}{mark}" for row, label in new.items()}
    ).encode(encoding)


# --- where the same bytes cannot be ---------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".xlsx", ".parquet", ".feather"])
def test_other_formats_become_a_csv_of_the_same_table(suffix: str, tmp_path) -> None:
    frame = pd.DataFrame(
        {"text": ['with "marks", and\nlines'] * 3 + [f"text {i}" for i in range(37)],
         "label": [LABELS[i % 3] for i in range(40)], "n": ["01"] * 40}
    )  # fmt: skip
    file = tmp_path / f"d{suffix}"
    match suffix:
        case ".jsonl" | ".json":
            frame.to_json(file, orient="records", lines=suffix == ".jsonl")
        case ".xlsx":
            frame.to_excel(file, index=False)
        case ".parquet":
            frame.to_parquet(file)
        case ".feather":
            frame.to_feather(file)
    content = file.read_bytes()
    table = data.read_table(content, file.name)
    corrected = correct_file(content, table, [CellEdit(1, "label", "so so")])
    assert (corrected.name, corrected.in_place) == ("d-corrected.csv", False)
    cells = table.frame["label"].tolist()
    cells[1] = "so so"
    again = data.read_table(corrected.content, corrected.name).frame
    assert again.equals(table.frame.assign(label=pd.Series(cells, dtype="str")))


def test_a_label_that_the_encoding_lacks_makes_a_csv_in_utf8() -> None:
    content = Written(plain_rows()).text().replace("words", "wörds").encode("latin-1")
    table = data.read_table(content, "d.csv")
    corrected = correct_file(content, table, [CellEdit(4, "label", "好")])
    assert not corrected.in_place
    assert data.read_table(corrected.content, corrected.name).frame["label"][4] == "好"


# --- labels as the file writes them ---------------------------------------------------------------


def table_of(labels: list[str], **further: list[str]) -> Table:
    texts = [f"text number {i}, with words" for i in range(len(labels))]
    frame = pd.DataFrame({"text": texts, "label": labels, **further})
    return data.read_table(frame.to_csv(index=False).encode(), "d.csv")


@pytest.mark.parametrize(
    ("labels", "choices", "new", "cell"),
    [
        (["1", "0", "1.0", "1"], RowChoices(merge_labels=True), "1", "1"),
        (["Spam", "ham", "spam ", "Spam"], RowChoices(merge_labels=True), "Spam", "Spam"),
        (['["good"]', '["bad"]', '["good"]', '["bad"]'], RowChoices(), "good", '["good"]'),
        ([" good ", "bad", "good", "bad"], RowChoices(), "good", "good"),
    ],
)
def test_a_label_is_written_as_the_file_writes_it(
    labels: list[str], choices: RowChoices, new: str, cell: str
) -> None:
    table = table_of(labels * 10)
    dataset = build_dataset(table, COLUMNS, choices=choices)
    assert new in dataset.label_names
    edits = label_edits({"train": table}, COLUMNS, choices, {"train-2": new})
    assert edits == {"train": [CellEdit(1, "label", cell)]}


def test_a_one_moves_to_another_column() -> None:
    hot = {"toxic": ["1", "0"] * 20, "kind": ["0", "1"] * 20}
    table = table_of(["x"] * 40, **hot)
    columns = Columns("text", "kind")
    edits = label_edits({"train": table}, columns, RowChoices(), {"train-1": "kind"})
    assert edits == {"train": [CellEdit(0, "toxic", "0"), CellEdit(0, "kind", "1")]}


def test_a_one_for_a_class_that_its_file_never_has_is_written_as_in_the_other_file() -> None:
    hot = {"toxic": ["yes", "no"] * 20, "kind": ["no", "yes"] * 20}
    train = table_of(["x"] * 40, **hot)
    val = table_of(["x"] * 8, toxic=["yes"] * 8, kind=["no"] * 8)
    frames = {"train": train, "val": val}
    assert _one_hot_edits(frames, "val", ["toxic", "kind"], 0, "kind") == [
        CellEdit(0, "toxic", "no"),
        CellEdit(0, "kind", "yes"),
    ]


def test_a_label_that_only_the_other_file_has_is_written_as_there() -> None:
    train, val = table_of(['["good"]', "bad"] * 10), table_of(["bad"] * 8)
    tables = {"train": train, "val": val}
    edits = label_edits(tables, COLUMNS, RowChoices(), {"val-3": "good", "train-1": "bad"})
    assert edits == {
        "val": [CellEdit(2, "label", '["good"]')],
        "train": [CellEdit(0, "label", "bad")],
    }


# --- a data set with corrected labels -------------------------------------------------------------


def test_corrected_labels_redraw_no_split() -> None:
    table = table_of([LABELS[i % 3] for i in range(120)])
    before = build_dataset(table, COLUMNS)
    train, val = (before.split(split)["id"].tolist() for split in ("train", "val"))
    corrections = dict.fromkeys([*train[:12], val[0]], "good")
    after = build_dataset(
        table, COLUMNS, choices=RowChoices(corrections=tuple(corrections.items()))
    )
    same = ["id", "split", "text"]
    assert after.examples[same].equals(before.examples[same])
    assert after.label_names == before.label_names
    changed = after.examples["id"].isin(corrections)
    assert (after.examples["label"][changed] == before.label_names.index("good")).all()
    assert (after.examples["label"] == before.examples["label"])[~changed].all()
    assert after.fingerprint != before.fingerprint
    assert after.notes[-1] == (
        "13 labels were corrected (12 of train and 1 of val); all rows stayed in their splits."
    )
    # The file that is downloaded would be cut otherwise, as its classes are of other sizes.
    assert RowChoices.from_dict(after.row_choices.as_dict()) == after.row_choices
    assert "corrections" not in before.row_choices.as_dict()


@pytest.mark.parametrize(
    ("corrections", "said"),
    [
        ({"train-1": "awful"}, "none of the labels"),
        ({"train-999": "bad"}, "not among the examples"),
        ({f"train-{row}": "good" for row in range(1, 121)}, "no train row is left of 'bad'"),
    ],
)
def test_corrections_that_do_not_fit_are_refused(corrections: dict[str, str], said: str) -> None:
    table = table_of([LABELS[i % 3] for i in range(120)])
    if len(corrections) > 1:
        ids = build_dataset(table, COLUMNS).examples["id"]
        corrections = dict.fromkeys(ids, "good")
    with pytest.raises(DataError, match=said) as caught:
        build_dataset(table, COLUMNS, choices=RowChoices(corrections=tuple(corrections.items())))
    assert caught.value.hint
