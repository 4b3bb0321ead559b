"""Files of all formats, compressed and archived: the same rows are the same data."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layerviz import data
from layerviz.data import Table, build_dataset, guess_columns, read_table
from layerviz.data import arrow_tables as arrow_module
from layerviz.data import unpacking as unpacking_module
from layerviz.data.json_records import LINES
from layerviz.data.packing import Origin, pack
from layerviz.errors import DataError

pytestmark = pytest.mark.fast

N = 24
ROWS = [
    {"text": f'Ñandú "{i}", a bird\nof the plains', "label": i % 2, "kept": not i % 3, "code": "07"}
    for i in range(N)
]  # fmt: skip
FRAME = pd.DataFrame(ROWS)
CSV = FRAME.to_csv(index=False).encode()


def parquet(frame: pd.DataFrame | pa.Table) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pandas(frame) if isinstance(frame, pd.DataFrame) else frame
    pq.write_table(table, out)
    return out.getvalue()


def arrow_stream(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def feather(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_feather(out)
    return out.getvalue()


def excel(
    sheets: Mapping[str, list[list[Any]]], change: Callable[[Any], None] | None = None
) -> bytes:
    book = openpyxl.Workbook()
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    if change is not None:
        change(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def as_rows(frame: pd.DataFrame) -> list[list[Any]]:
    return [list(frame.columns), *frame.to_numpy().tolist()]


def lines(frame: pd.DataFrame) -> bytes:
    return frame.to_json(orient="records", lines=True, force_ascii=False).encode()


def refused(content: bytes, name: str) -> str:
    with pytest.raises(DataError) as caught:
        read_table(content, name)
    assert caught.value.hint
    assert name in caught.value.message
    return caught.value.message


def cells(table: Table) -> list[list[str]]:
    frame = table.frame
    assert all(isinstance(cell, str) for cell in frame.to_numpy().ravel())
    return [list(frame.columns), *frame.to_numpy().tolist()]


FILES = {
    "a.csv": CSV,
    "a.tsv": FRAME.to_csv(index=False, sep="\t").encode(),
    "a.csv.gz": gzip.compress(CSV),
    "a.csv.bz2": bz2.compress(CSV),
    "a.csv.xz": lzma.compress(CSV),
    "a.csv.zst": pa.compress(CSV, codec="zstd", asbytes=True),
    "a.zip": zipped({"folder/a.csv": CSV, "__MACOSX/folder/._a.csv": b"\0", "README.txt": b"Hi"}),
    "a.parquet.zip": zipped({"a.parquet": parquet(FRAME)}),
    "a.jsonl": lines(FRAME),
    "a.ndjson": b"\xef\xbb\xbf" + lines(FRAME),
    "a.jsonl.gz": gzip.compress(lines(FRAME)),
    "a.json": FRAME.to_json(orient="records", indent=1).encode(),
    "columns.json": FRAME.to_json().encode(),
    "lists.json": json.dumps(FRAME.to_dict("list")).encode(),
    "split.json": FRAME.to_json(orient="split").encode(),
    "schema.json": FRAME.to_json(orient="table", index=False).encode(),
    "index.json": FRAME.to_json(orient="index").encode(),
    "under.json": json.dumps({"version": 1, "data": ROWS}).encode(),
    "lines.json": lines(FRAME),
    "utf16.json": json.dumps(ROWS).encode("utf-16"),
    "a.parquet": parquet(FRAME),
    "dictionary.parquet": parquet(FRAME.astype({"text": "category"})),
    "indexed.parquet": parquet(FRAME.sample(frac=1, random_state=0).sort_index()),
    "a.feather": feather(FRAME),
    "a.arrow": arrow_stream(pa.Table.from_pandas(FRAME)),
    "a.xlsx": excel({"Data": as_rows(FRAME)}),
    "unnamed": parquet(FRAME),
    "wrong.csv": excel({"Data": as_rows(FRAME)}),
    "wrong.xlsx": CSV,
    "wrong.txt": FRAME.to_json(orient="records").encode(),
}  # fmt: skip


@pytest.fixture(scope="module")
def fingerprint() -> str:
    table = read_table(CSV, "a.csv")
    return build_dataset(table, guess_columns(table.frame)).fingerprint


@pytest.mark.parametrize("name", FILES)
def test_the_same_rows_are_the_same_data_in_every_format(name: str, fingerprint: str) -> None:
    table = read_table(FILES[name], name)
    assert cells(table)[:2] == [
        ["text", "label", "kept", "code"],
        ['Ñandú "0", a bird\nof the plains', "0", "True", "07"],
    ]
    dataset = build_dataset(table, guess_columns(table.frame))
    assert dataset.fingerprint == fingerprint
    assert len(table.frame) == N
    assert len(table.content_hash) == 64


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_compressed_file_gives_the_name_of_what_is_inside(suffix: str) -> None:
    table = read_table(FILES[f"a.csv{suffix}"], f"My.data.csv{suffix}")
    dataset = build_dataset(table, guess_columns(table.frame))
    assert dataset.name == "My.data"
    assert dataset.files == {"train": f"My.data.csv{suffix}"}
    assert "comma-separated" in table.layout


# ---- cells


def test_values_become_what_a_csv_of_them_holds() -> None:
    moment, day = dt.datetime(2024, 5, 1, 12, 30), dt.date(2024, 5, 1)
    table = pa.table(
        {
            "int with gaps": pa.array([1.0, None, 3.0]),
            "float": pa.array([0.1, float("nan"), 2.5], pa.float32()),
            "yes": pa.array([True, False, None]),
            "when": pa.array([moment, None, dt.datetime(2024, 5, 1)], pa.timestamp("us")),
            "day": pa.array([day, None, day]),
            "list": pa.array([["a", "é"], [], None]),
            "user": pa.array([{"name": "Jo", "age": 3}, None, {"name": "Al", "age": None}]),
            "old text": pa.array([b"caf\xc3\xa9", None, b"b"], pa.binary()),
            "picture": pa.array([b"\xff\xd8", None, b"\xff"], pa.binary()),
            "nothing": pa.nulls(3),
            "half": pa.array([np.float16(0.5), None, np.float16(2)], pa.float16()),
        }
    )
    read = read_table(parquet(table), "values.parquet")
    assert cells(read) == [
        ["int with gaps", "float", "yes", "when", "day", "list", "user.name", "user.age",
         "old text", "nothing", "half"],
        ["1", "0.1", "True", "2024-05-01 12:30:00", "2024-05-01", '["a", "é"]', "Jo", "3",
         "café", "", "0.5"],
        ["", "", "False", "", "", "[]", "", "", "", "", ""],
        ["3", "2.5", "", "2024-05-01", "2024-05-01", "", "Al", "", "b", "", "2"],
    ]  # fmt: skip
    assert any("'picture'" in note for note in read.notes)
    assert any("'list'" in note for note in read.notes)


def test_json_numbers_stay_as_written_and_null_is_missing() -> None:
    content = b'[{"text": "a", "n": 1.0, "m": {"k": [1, "x"]}}, {"text": null, "n": 1e3},' \
              b' {"text": "c", "n": NaN, "b": false}, 7]'  # fmt: skip
    read = read_table(content, "x.json")
    assert cells(read) == [
        ["text", "n", "m.k", "b"],
        ["a", "1.0", '[1, "x"]', ""],
        ["", "1e3", "", ""],
        ["c", "", "", "False"],
    ]
    assert any("'m.k'" in note for note in read.notes)
    assert any("1 value" in note for note in read.notes)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'[{"text": "a\\u0000b\\u0007", "label": "x"}, {"text": "c", "label": "y"}]', "x.json"),
        (parquet(pa.table({"text": ["a\0b\x07", "c"], "label": ["x", "y"]})), "x.parquet"),
    ],
)
def test_control_characters_are_removed_as_from_a_csv(content: bytes, name: str) -> None:
    read = read_table(content, name)
    assert cells(read)[1] == ["ab", "x"]
    assert "Removed 2 control characters." in read.notes


# ---- JSON


def test_halves_of_characters_are_replaced_and_told() -> None:
    content = b'{"text": "cut \\ud83d", "label": "x"}\n{"text": "\\ud83d\\ude00", "label": "y"}'
    read = read_table(content, "x.jsonl")
    assert read.frame["text"].tolist() == ["cut �", "😀"]
    assert any("in 1 cell" in note for note in read.notes)


def test_bad_lines_are_named() -> None:
    content = lines(FRAME).replace(b'{"text"', b'{"text', 1) + b'"a string"\n\n'
    read = read_table(content, "x.jsonl")
    assert len(read.frame) == N - 1
    assert any(f"line 1, {N + 1}" in note for note in read.notes)


@pytest.mark.parametrize("suffix", LINES)
def test_a_document_under_a_name_of_lines_is_read(suffix: str) -> None:
    content = json.dumps(ROWS, indent=1).encode()
    assert len(read_table(content, f"x{suffix}").frame) == N


def test_unusual_line_ends_inside_texts_end_no_record() -> None:
    content = json.dumps({"text": "a\u2028b\u0085c", "label": "x"}, ensure_ascii=False).encode()
    assert (
        read_table(content * 1 + b"\n" + content, "x.jsonl").frame["text"][1] == "a\u2028b\u0085c"
    )


def test_one_bad_byte_in_json_is_replaced_and_told() -> None:
    read = read_table(lines(FRAME).replace("Ñ".encode(), b"\xd1", 1), "x.jsonl")
    assert len(read.frame) == N
    assert any("Replaced a place that is not UTF-8" in note for note in read.notes)


def test_splits_in_json_are_the_splits() -> None:
    content = json.dumps({"train": ROWS[:16], "validation": ROWS[16:], "about": "birds"}).encode()
    read = read_table(content, "x.json")
    assert read.frame["split"].value_counts().to_dict() == {"train": 16, "val": 8}
    assert any("'about'" in note for note in read.notes)
    dataset = build_dataset(read, guess_columns(read.frame))
    assert len(dataset.split("val")) == 8


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"text": "a", "label": 1}', "without a table"),
        (b'[{"text": "a", "label": 1},\n {"text": "b" "label": 1}]', "line 2, column 15"),
        (b'{"a": [{"t": 1, "l": 2}], "b": [{"t": 1, "l": 2}]}', "several tables: 'a', 'b'"),
        (b"[]", "without a table"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"text": ' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}]", "only one column"),
        (b'[{"a.b": 1, "a": {"b": 2}}]', "two values for 'a.b'"),
        (b'[{"text": "a"}, {"text": "b"}]', "only one column"),
        (json.dumps([{f"k{i}": 1} for i in range(3000)]).encode(), "different keys"),
    ],
)
def test_json_without_a_table_is_refused_in_words(content: bytes, says: str) -> None:
    assert says in refused(content, "x.json")


# ---- what datasets writes


def features(**kinds: object) -> dict[bytes, bytes]:
    return {b"huggingface": json.dumps({"info": {"features": kinds}}).encode()}


CLASS: dict[str, Any] = {"names": ["sad", "glad"], "_type": "ClassLabel"}


@pytest.mark.parametrize(("write", "name"), [(parquet, "x.parquet"), (arrow_stream, "x.arrow")])
def test_class_names_of_datasets_are_honoured(write: Callable, name: str) -> None:
    table = pa.table({"text": ["a", "b", "c", "d"], "label": [1, 0, -1, None]})
    table = table.append_column("tags", pa.array([[1], [0, 1], [], None]))
    kinds = {"text": {"dtype": "string"}, "label": CLASS, "tags": {"feature": CLASS}}
    read = read_table(write(table.replace_schema_metadata(features(**kinds))), name)
    assert read.frame["label"].tolist() == ["glad", "sad", "", ""]
    assert read.frame["tags"].tolist() == ['["glad"]', '["sad", "glad"]', "[]", ""]
    assert any("1 row without a class" in note for note in read.notes)


def test_class_names_that_are_numbers_are_given_once() -> None:
    names = ["-1", "0", "1"]
    table = pa.table({"text": ["a", "b", "c"], "label": [0, 1, 2]})
    kinds = features(label={"names": names, "_type": "ClassLabel"})
    for own in (kinds, {}):  # in the file as well, or beside it alone
        content = pack(
            [("x.parquet", parquet(table.replace_schema_metadata(own)))],
            Origin("here", class_names={"label": names}),
        )
        assert read_table(content, "x").frame["label"].tolist() == names


def test_numbers_beyond_the_class_names_stay_numbers() -> None:
    table = pa.table({"text": ["a", "b"], "label": [1, 2]}).replace_schema_metadata(
        features(label=CLASS)
    )
    assert read_table(parquet(table), "x.parquet").frame["label"].tolist() == ["1", "2"]


# ---- Excel


def test_titles_above_an_excel_table_are_skipped_and_other_sheets_named() -> None:
    rows = [["Survey of birds"], [], [None, *FRAME.columns]]
    rows += [[None, *row] for row in FRAME.to_numpy().tolist()]

    def merge(sheet: Any) -> None:
        sheet.merge_cells("A1:E1")

    sheets: dict[str, list[list[Any]]] = {"Cover": [["Hello"]], "Data": rows}
    content = excel({**sheets, "Notes": [["a", "b"]] * 3})
    read = read_table(content, "x.xlsx")
    assert list(read.frame.columns) == list(FRAME.columns)
    assert len(read.frame) == N
    assert any("'Survey of birds'" in note for note in read.notes)
    assert any("'Cover', 'Notes'" in note for note in read.notes)
    assert read_table(excel({"Data": rows}, merge), "x.xlsx").frame.equals(read.frame)


def test_excel_numbers_dates_and_formulas_are_read_as_they_are_shown() -> None:
    def change(sheet: Any) -> None:
        sheet["B2"].number_format = "000"
        sheet["D2"] = "=1+1"  # no program computed it

    row = ["a", 7, 0.1 + 0.2, None, dt.datetime(2024, 5, 1), True, "#N/A"]
    header = ["text", "code", "float", "formula", "day", "yes", "error"]
    read = read_table(excel({"S": [header, row, row]}, change), "x.xlsx")
    assert cells(read)[1:] == [
        ["a", "007", "0.3", "", "2024-05-01", "True", "#N/A"],
        ["a", "7", "0.3", "", "2024-05-01", "True", "#N/A"],
    ]
    assert any("1 formula without a stored value" in note for note in read.notes)
    stored = excel({"S": [header, row, row]}, change)
    parts = {
        info.filename: zipfile.ZipFile(io.BytesIO(stored)).read(info)
        for info in zipfile.ZipFile(io.BytesIO(stored)).infolist()
    }
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"<v></v>", b"<v>2</v>").replace(
        b"<v />", b"<v>2</v>"
    )
    assert read_table(zipped(parts), "x.xlsx").frame["formula"].tolist() == ["2", ""]


def test_line_ends_that_excel_escapes_and_a_cell_far_away_do_no_harm() -> None:
    def change(sheet: Any) -> None:
        sheet["XFD3"] = "far"

    rows = [["text", "label"], ["two_x000D_\nlines", "a"], ["b", "c"]]
    read = read_table(excel({"S": rows}, change), "x.xlsx")
    assert read.frame["text"][0] == "two\r\nlines"
    assert list(read.frame.columns) == ["text", "label", "column 3"]


def test_cells_merged_over_rows_are_filled() -> None:
    rows: list[list[Any]] = [["text", "label"], ["a", "x"], ["b", None], ["c", None], ["d", "y"]]
    read = read_table(excel({"S": rows}, lambda sheet: sheet.merge_cells("B2:B4")), "x.xlsx")
    assert read.frame["label"].tolist() == ["x", "x", "x", "y"]
    assert any("Filled 2 cells" in note for note in read.notes)


def test_sheets_named_like_splits_are_the_splits() -> None:
    rows = as_rows(FRAME)
    read = read_table(excel({"Test": [rows[0], *rows[17:]], "Train": rows[:17]}), "x.xlsx")
    assert read.frame["split"].value_counts().to_dict() == {"train": 16, "test": 8}
    alone = read_table(excel({"Birds": rows, "Training": [["a", "b"]] * 3}), "x.xlsx")
    assert len(alone.frame) == N


def test_an_excel_sheet_without_a_header_loses_no_row() -> None:
    rows: list[list[Any]] = [[f"note {i}", "ab"[i % 2]] for i in range(39)]
    for above in ([], [["Notes"], []]):
        read = read_table(excel({"S": [*above, *rows]}), "x.xlsx")
        assert read.frame.to_numpy().tolist() == rows
        assert "looks like data" in read.doubts[0].sentence
        assert read.doubts[0].choices == ("header_line",)  # the only one that would decide it
        assert read.reading == data.ReadingChoices(header_line=0)


def test_an_excel_header_can_be_named() -> None:
    rows = [["when", "who"], ["text", "label"], ["a", "x"], ["b", "y"]]
    choices = data.ReadingChoices(header_line=2)
    assert cells(read_table(excel({"S": rows}), "x.xlsx", choices))[0] == ["text", "label"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (excel({"S": [["only"], ["one"]]}), "no sheet with a table"),
        (FILES["a.xlsx"][:2000], "damaged"),
        (excel({"S": [["a", "a"], [1, 2], [3, 4]]}), "several columns named 'a'"),
    ],
)
def test_a_workbook_without_a_table_is_refused_in_words(content: bytes, says: str) -> None:
    assert says in refused(content, "x.xlsx")


# ---- archives


def test_files_of_a_zip_that_are_splits_are_the_splits() -> None:
    files = {
        "corpus/train-00000-of-00002.csv": FRAME[:8].to_csv(index=False).encode(),
        "corpus/train-00001-of-00002.csv": FRAME[8:16].to_csv(index=False).encode(),
        "corpus/birds_test.jsonl": lines(FRAME[16:]),
        "corpus/vocabulary.csv": b"word,count\na,1\n",
    }
    read = read_table(zipped(files), "corpus.zip")
    assert read.frame["split"].value_counts().to_dict() == {"train": 16, "test": 8}
    assert any("vocabulary.csv" in note for note in read.notes)
    assert read.frame["label"].tolist() == [str(label) for label in FRAME["label"]]


def test_a_split_column_of_the_rows_yields_to_that_of_the_files() -> None:
    def content(word: str) -> bytes:
        return FRAME.assign(split=word).to_csv(index=False).encode()

    read = read_table(zipped({"train.csv": content("old"), "val.csv": content("old")}), "x.zip")
    assert guess_columns(read.frame).split == "split of the file"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped({"a.csv": CSV, "b.csv": CSV}), "2 tables: 'a.csv', 'b.csv'"),
        (zipped({"a.png": b"x"}), "no table: 'a.png'"),
        (zipped({}), "no table"),
        (zipped({"a.zip": zipped({"a.csv": CSV})}), "no table"),
        (zipped({"a.csv": zipped({"a.csv": CSV})}), "a zip archive, too"),
        (zipped({"a.csv": CSV})[:-30], "damaged"),
        (pack([("a.csv", CSV)]).replace(b"a bird", b"a bard"), "cannot be unpacked"),
        (zipped({"run.json": b"{}"}), "a zipped run"),
        (zipped({"word/document.xml": b"<w/>"}), "Word"),
    ],
)
def test_a_zip_without_one_table_is_refused_in_words(content: bytes, says: str) -> None:
    assert says in refused(content, "x.zip")


@pytest.mark.parametrize(
    ("pack", "name"),
    [
        (gzip.compress, "x.csv.gz"),
        (bz2.compress, "x.csv.bz2"),
        (lzma.compress, "x.csv.xz"),
        (lambda content: zipped({"x.csv": content}), "x.zip"),
        (lambda content: excel({"S": [["t", "l"], [content[:30000].decode(), "a"]]}), "x.xlsx"),
        (lambda content: parquet(pa.table({"t": pa.array(["a"] * 20_000)
                                           .dictionary_encode(), "l": [1] * 20_000})), "x.parquet"),
        (lambda _: parquet(pa.table({"t": ["a" * 200] * 1000, "l": [1] * 1000})), "x.parquet"),
        (lambda _: arrow_stream(pa.table({"t": pa.array(["a" * 200] * 1000).dictionary_encode(),
                                          "l": [1] * 1000})), "x.arrow"),
    ],
)  # fmt: skip
def test_what_unpacks_to_too_much_is_refused(
    pack: Callable[[bytes], bytes], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = pack(b"text,label\n" + b"a,b\n" * 25_000)
    for module in ("archives", "workbooks", "arrow_tables", "unpacking"):
        monkeypatch.setattr(f"layerviz.data.{module}.MOST_EXPANDED", 20_000)
    assert "unpacks to more than" in refused(content, name)
    assert arrow_module.MOST_EXPANDED == unpacking_module.MOST_EXPANDED


def test_a_dictionary_that_all_batches_share_is_no_more_than_its_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = pa.array([f"{i} of a number of birds" for i in range(2000)]).dictionary_encode()
    monkeypatch.setattr(arrow_module, "_BATCH", 50)
    monkeypatch.setattr(arrow_module, "MOST_EXPANDED", 400_000)  # 40 times the texts: 2 million
    read = read_table(parquet(pa.table({"t": texts, "l": ["x", "y"] * 1000})), "x.parquet")
    assert len(read.frame) == 2000


@pytest.mark.parametrize("header", ["ORCID", "RDX", "PAR1", "FEA1"])
def test_a_header_that_begins_like_a_binary_file_is_a_header(header: str) -> None:
    content = f"{header},label\n" + "a bird,x\na tree,y\n" * 3
    assert list(read_table(content.encode(), "x.csv").frame.columns) == [header, "label"]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.xz", "a.csv.zst"])
def test_half_a_compressed_file_is_refused_in_words(name: str) -> None:
    content = FILES[name]
    assert "damaged" in refused(content[: len(content) // 2], name)


@pytest.mark.parametrize(
    "packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
def test_a_damaged_file_in_a_zip_is_refused_in_words_however_it_is_packed(packing: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        archive.writestr("a.csv", CSV)
    start = len("a.csv") + 42  # past the headers of the member and of LZMA
    content = out.getvalue()
    for n in range(start, start + 30):
        damaged = content[:n] + bytes([content[n] ^ 0xFF]) + content[n + 1 :]
        assert "a.csv in x.zip cannot be unpacked" in refused(damaged, "x.zip")


def test_text_that_is_no_utf_8_in_a_parquet_file_is_refused_in_words() -> None:
    out = io.BytesIO()
    table = pa.table({"text": ["gut" * 9, "b"], "label": ["x", "y"]})
    pq.write_table(table, out, compression="NONE", write_statistics=False)
    content = out.getvalue()
    broken = content.replace(b"gutgut", b"gu\xffgut", 1)
    assert broken != content
    assert "no whole Parquet file" in refused(broken, "x.parquet")


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "x.xls", "old Office file"),
        (zipped({"word/document.xml": b"<w/>"}), "x.docx", "a Word document"),
        (b"%PDF-1.7\n", "x.pdf", "a PDF document"),
        (b"RDX3\nX\n" + bytes(99), "x.rda", "an R data file"),
        (b"ORC" + bytes(99), "x.orc", "an ORC file"),
        (b"$FL2@(#) SPSS DATA FILE" + bytes(99), "x.sav", "an SPSS file"),
        (b"\x80\x04\x95" + bytes(99), "x.pkl", "pickle"),
        (bytes(257) + b"ustar" + bytes(99), "x.tar", "a tar archive"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "x.parquet", "Git LFS"),
        (FILES["a.parquet"][:-20], "x.parquet", "no whole Parquet file"),
        (FILES["a.feather"][:-20], "x.feather", "no whole Arrow"),
        (b"\0" * 500, "x.parquet", "no whole Parquet file"),
        (b"<table><tr><td>a</td></tr></table>", "x.xls", "HTML"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_one_sentence(content: bytes, name: str, says: str) -> None:
    message = refused(content, name)
    assert says in message
    assert message.count(". ") == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.xlsx", b"Dear all\nhere it is", "x.xlsx (plain text, not Excel as its name says) has"),
        ("x.parquet", b"Dear all\nhere it is", "(plain text, not Parquet as its name says)"),
        ("x.csv.gz", b"Dear all\nhere it is", "(plain text, not gzip as its name says)"),
        ("x.zip", b"Dear all\nhere it is", "(plain text, not a zip archive as its name says)"),
        ("x.json", b"Dear all\nhere it is", "(plain text, not JSON as its name says)"),
        ("x.csv", b'{"text": 1, "label": [', "(JSON, not CSV as its name says)"),
        ("x.csv", b"Dear all\nhere it is", "x.csv has only one column"),
        ("x.csv", b"<html><table></table></html>", "x.csv is HTML or XML, not a table"),
        ("x.xlsx", b"  \n", "x.xlsx is empty"),
        ("x.xlsx", bytes(range(256)), "x.xlsx is no Excel workbook"),
        ("x.xlsx", FILES["a.xlsx"][:900], "x.xlsx is a damaged Excel workbook"),
        ("x.csv", FILES["a.xlsx"][:900], "x.csv is a damaged zip archive"),
        ("x.json", parquet(FRAME)[:300], "x.json is no whole Parquet file"),
    ],
)
def test_what_is_refused_is_called_what_it_is(name: str, content: bytes, says: str) -> None:
    assert says in refused(content, name)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".xlsx", ".parquet", ".zip", ".csv.gz", ".x"])
@pytest.mark.parametrize("file", ["a.csv", "a.jsonl", "a.json", "a.xlsx", "a.parquet", "a.zip"])
def test_a_file_is_read_by_its_content_whatever_its_name(file: str, suffix: str) -> None:
    assert len(read_table(FILES[file], f"x{suffix}").frame) == N
