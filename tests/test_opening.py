"""Files of a run say what is wrong with them before they take memory, and by their name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layerviz.runs import opening
from layerviz.runs.opening import DamagedFileError, read_csv, read_small_json, read_sound_table
from layerviz.runs.parquet_pages import unpacked_bytes

pytestmark = pytest.mark.fast

LONG = 1_000_000  # letters of a text that recurs
POOL = pa.proxy_memory_pool(pa.default_memory_pool())  # outlives whatever is taken from it


def repeated(file: Path, n_rows: int = 50_000) -> None:
    """Write a text once, and of every row that it is this one."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * n_rows, pa.int32()), ["x" * LONG])
    pq.write_table(
        pa.table({"text": texts}).replace_schema_metadata(None), file, store_schema=False
    )


def growing(file: Path) -> None:
    """Write texts of which each is told by how much of the one before it takes."""
    table = pa.table({"text": ["x" * LONG] * 60})
    how = {"column_encoding": {"text": "DELTA_BYTE_ARRAY"}, "use_dictionary": False}
    pq.write_table(table, file, compression="zstd", **how)


def packed(file: Path) -> None:
    """Write one page that is small because it is packed well."""
    table = pa.table({"text": ["x" * 60 * LONG]})
    pq.write_table(table, file, compression="zstd", use_dictionary=False, data_page_version="2.0")


@pytest.mark.parametrize("write", [repeated, growing, packed], ids=lambda write: write.__name__)
def test_a_table_that_would_swell_is_refused_before_it_does(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    file = tmp_path / "swollen.parquet"
    write(file)
    assert file.stat().st_size < 200_000
    pool, before = POOL, pa.default_memory_pool()
    at_first = pool.max_memory() or 0
    pa.set_memory_pool(pool)
    try:
        with pytest.raises(DamagedFileError, match=r"gigabytes|encoded as"):
            read_sound_table(file, ["text"])
    finally:
        pa.set_memory_pool(before)
    assert (pool.max_memory() or 0) - at_first < 30_000_000


def test_a_footer_that_lies_about_its_pages_deceives_nobody(tmp_path: Path) -> None:
    """What a page unpacks to stands in its own header, too, by which a reader takes its memory."""
    file = tmp_path / "two.parquet"
    packed(file)
    described = pq.read_metadata(file).row_group(0).column(0)
    assert unpacked_bytes(file) > 60 * LONG
    assert unpacked_bytes(file) < described.total_uncompressed_size + 1000
    honest = unpacked_bytes(file)
    content = file.read_bytes()
    said = described.total_uncompressed_size

    def varint(number: int) -> bytes:
        number, out = number << 1, b""
        while number > 127:
            out, number = out + bytes([number & 127 | 128]), number >> 7
        return out + bytes([number])

    footer = content.rindex(varint(said))  # of the column; no number is longer or shorter
    file.write_bytes(content[:footer] + varint(said)[:-1] + b"\x01" + content[footer + 4 :])
    assert unpacked_bytes(file) == honest


def test_texts_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "texts.parquet"
    buffers = pa.array([b"good", b"\xff\xfe", b"\xed\xa0\x80"], pa.binary()).buffers()
    texts = pa.StringArray.from_buffers(3, buffers[1], buffers[2])
    pq.write_table(pa.table({"text": texts}), file, use_dictionary=False)
    with pytest.raises(DamagedFileError, match="cannot be read"):
        read_sound_table(file, ["text"])


def test_columns_and_rows_are_those_that_are_expected(tmp_path: Path) -> None:
    file = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [1], "b": ["x"], "c": [True]}), file)
    for columns, more, said in (
        (["a", "b"], False, "does not have the columns a, b"),
        (["a", "z"], True, "does not have the columns"),
        (["a", "b"], True, "holds bool in c"),
    ):
        with pytest.raises(DamagedFileError, match=said):
            read_sound_table(file, columns, may_have_more=more)
    pq.write_table(pa.table({"a": [1]}), file)
    with pytest.raises(DamagedFileError, match="has 1 rows for 2 examples"):
        read_sound_table(file, ["a"], n_rows=2)
    assert read_sound_table(file, ["a"], n_rows=1)["a"].tolist() == [1]


def test_a_csv_of_two_million_columns_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(",".join(map(str, range(2_000_000))) + "\n", encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"history.csv .* a line that is far too long"):
        read_csv(file, ["a"], ["a"])
    file.write_text("a,b\n" + "1,2\n" * 20, encoding="utf-8")
    assert read_csv(file, ["a", "b"], ["a"])["b"].sum() == 40
    with pytest.raises(DamagedFileError, match="does not have the columns"):
        read_csv(file, ["a"], ["a"])
    file.write_text("a\nx\n", encoding="utf-8")
    with pytest.raises(DamagedFileError, match="other than numbers in a"):
        read_csv(file, ["a"], ["a"])


def test_lines_are_measured_over_the_ends_of_what_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"a\n" + b"1" * (2 << 20) + b"\n")
    with pytest.raises(DamagedFileError, match="far too long"):
        read_csv(file, ["a"], ["a"])
    monkeypatch.setattr(opening, "MOST_LINES", 3)
    file.write_bytes(b"a\n1\n1\n1\n1\n")
    with pytest.raises(DamagedFileError, match="over 3 lines"):
        read_csv(file, ["a"], ["a"])


@pytest.mark.parametrize("text", ['{"a": "\\ud800"}', '{"a": NaN}', "[" * 100_000, "{", ""])
def test_json_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mix.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DamagedFileError, match=r"mix\.json"):
        read_small_json(file)


def test_what_is_no_file_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    (tmp_path / "b.json").symlink_to("b.json")
    for name in ("a.json", "b.json", "c.json"):
        with pytest.raises(DamagedFileError, match=name):
            read_small_json(tmp_path / name)
