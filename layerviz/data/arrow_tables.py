"""Parquet, Feather and Arrow files, with the class names that `datasets` writes into them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import feather

from layerviz.data.cells import as_cell, tidied
from layerviz.data.choices import ReadingChoices
from layerviz.data.file_format import (
    MOST_EXPANDED,
    Contents,
    FileFormat,
    expect_few_columns,
    too_large,
)
from layerviz.data.header import name_columns
from layerviz.data.wording import quoted
from layerviz.errors import DataError
from layerviz.wording import count, quote

FEATHER_1, ARROW_FILE, ARROW_STREAM = b"FEA1", b"ARROW1", b"\xff\xff\xff\xff"
COPY_AGAIN = "Copy or save the whole file again."
_BATCH = 4096  # rows that are decoded before they are counted
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
_INDEX = "__index_level_"  # an index of pandas without a name

ClassNames = Mapping[str, Sequence[str]]  # by column


def read_parquet(
    content: bytes,
    name: str,
    choices: ReadingChoices,  # noqa: ARG001  the file says it all
    *,
    one_column: bool,
) -> Contents:
    """Read a Parquet file.

    Raises
    ------
    DataError
        If it is damaged or too large.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        metadata = file.metadata
        expect_few_columns(metadata.num_columns, name)
        n_bytes = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        # A dictionary of few values may stand for any number of rows.
        if n_bytes + 8 * metadata.num_rows * metadata.num_columns > MOST_EXPANDED:
            raise too_large(name)
        table = _limited(file.iter_batches(_BATCH), file.schema_arrow, name)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{name} is no whole Parquet file.", COPY_AGAIN) from error
    return _contents(table, name, "Parquet", one_column=one_column)


def read_arrow(
    content: bytes,
    name: str,
    choices: ReadingChoices,  # noqa: ARG001  the file says it all
    *,
    one_column: bool,
) -> Contents:
    """Read a Feather file, or an Arrow file or stream, such as `datasets` saves to disk.

    Raises
    ------
    DataError
        If it is damaged or too large.
    """
    try:
        if content.startswith(FEATHER_1):
            table = feather.read_table(pa.BufferReader(content))
            table = _limited(table.to_batches(), table.schema, name)
        elif content.startswith(ARROW_FILE):
            reader = pa.ipc.open_file(pa.BufferReader(content))
            batches = (reader.get_batch(index) for index in range(reader.num_record_batches))
            table = _limited(batches, reader.schema, name)
        else:
            stream = pa.ipc.open_stream(pa.BufferReader(content))
            table = _limited(stream, stream.schema, name)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{name} is no whole Arrow or Feather file.", COPY_AGAIN) from error
    return _contents(table, name, "Arrow", one_column=one_column)


def _limited(batches: Iterable[pa.RecordBatch], schema: pa.Schema, name: str) -> pa.Table:
    """Return the batches of a file, which may be compressed, as one table that is not too large."""
    expect_few_columns(len(schema), name)
    taken, n_bytes = [], 0
    for batch in batches:
        n_bytes += sum(8 * len(column) + _decoded_bytes(column) for column in batch.columns)
        if n_bytes > MOST_EXPANDED:
            raise too_large(name)
        taken.append(batch)
    return pa.Table.from_batches(taken, schema=schema)


def _decoded_bytes(values: pa.Array) -> int:
    """Return how many bytes values take, each that is taken from a dictionary counted anew."""
    if pa.types.is_struct(values.type):
        return sum(map(_decoded_bytes, values.flatten()))
    if any(is_list(values.type) for is_list in _LISTS):
        return _decoded_bytes(values.flatten())
    if not pa.types.is_dictionary(values.type):
        return int(values.nbytes)
    words = values.dictionary
    if not _is_text_or_bytes(words.type):
        return len(values) * (words.nbytes if pa.types.is_nested(words.type) else 16)
    lengths = pc.binary_length(words).cast(pa.int64())
    return int(pc.sum(lengths.take(values.indices)).as_py() or 0)


def _is_text_or_bytes(kind: pa.DataType) -> bool:
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
    )


def class_names(features: object) -> dict[str, list[str]]:
    """Return the names of classes by column, as `datasets` describes features."""
    names: dict[str, list[str]] = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        while isinstance(feature, dict) and isinstance(feature.get("feature"), dict):
            feature = feature["feature"]  # a list of classes
        if isinstance(feature, list) and len(feature) == 1:
            feature = feature[0]
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
            listed = feature.get("names")
            if isinstance(listed, list) and all(isinstance(one, str) for one in listed):
                names[str(column)] = listed
    return names


def with_class_names(frame: pd.DataFrame, names: ClassNames, notes: list[str]) -> pd.DataFrame:
    """Return a frame whose class numbers are replaced by names; -1 stands for no class."""
    for column in frame.columns.intersection(list(names)):
        by_number = {str(number): name for number, name in enumerate(names[column])}
        cells = frame[column]
        if set(cells.unique()) <= {*by_number, "-1", ""}:
            n_without = int((cells == "-1").sum())
            named = cells.map({**by_number, "-1": "", "": ""})
        elif cells.str.startswith("[").any():
            n_without = 0
            named = pd.Series([_names_in_list(cell, by_number) for cell in cells], cells.index)
        else:
            continue
        frame = frame.assign(**{column: named.astype("str")})
        without = f"; {count(n_without, 'row')} without a class (-1)" if n_without else ""
        notes.append(f"Took the class names of column {quote(column)} from the data set{without}.")
    return frame


def _names_in_list(cell: str, by_number: Mapping[str, str]) -> str:
    """Return a list of class numbers, in JSON, as one of names."""
    try:
        numbers = json.loads(cell)
    except ValueError:
        return cell
    if not isinstance(numbers, list):
        return cell
    return json.dumps([by_number.get(str(number), number) for number in numbers],
                      ensure_ascii=False)  # fmt: skip


def _contents(table: pa.Table, name: str, layout: str, *, one_column: bool) -> Contents:
    notes: list[str] = []
    metadata = table.schema.metadata or {}
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError):
        features = {}
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()  # columns named "user.name"
    if index := [column for column in table.column_names if column.startswith(_INDEX)]:
        table = table.drop_columns(index)
        notes.append("Left out the numbering of rows that pandas saved.")
    header: list[str] = []
    columns: dict[str, pd.Series] = {}  # by their numbers: names may be missing or the same
    unreadable, lists = [], []
    for column, values in zip(table.column_names, table.columns, strict=True):
        try:
            cells = _cells(values)
        except (pa.ArrowException, ValueError, OverflowError) as error:
            raise DataError(
                f"Column {quote(column)} of {name} holds values that are no text ({values.type}).",
                "Leave it out, or save it as text.",
            ) from error
        if cells is None:
            unreadable.append(column)
            continue
        columns[str(len(columns))] = cells
        header.append(column)
        if pa.types.is_nested(values.type):
            lists.append(column)
    if unreadable:
        notes.append(f"Left out columns that hold no text: {quoted(unreadable)}.")
    if lists:
        notes.append(f"Columns with lists, written as JSON: {quoted(lists)}.")
    frame = name_columns(pd.DataFrame(columns), header, name, notes)
    frame = tidied(frame, name, notes, one_column=one_column)
    names = class_names(features)
    frame = with_class_names(frame, names, notes)
    class_named = frozenset(frame.columns.intersection(list(names)))
    return Contents(frame, layout, tuple(notes), class_named=class_named)


def _cells(values: pa.ChunkedArray) -> pd.Series | None:
    """Return a column as str, "" where it is missing; None if it holds pictures, sound or such."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        values = pa.chunked_array([chunk.storage for chunk in values.chunks], kind.storage_type)
        kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if pa.types.is_float16(kind):
        values, kind = values.cast(pa.float32()), pa.float32()
    if pa.types.is_floating(kind):  # as int where it is whole: 1 and not 1.0
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_binary = any(
        test(kind)
        for test in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    )
    if pa.types.is_boolean(kind):
        texts = pc.if_else(values, "True", "False")
    elif is_text or is_binary or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        try:
            texts = values.cast(pa.large_string())
        except pa.ArrowInvalid:  # binary that is no UTF-8
            return None
    else:
        texts = pa.chunked_array([[as_cell(value) for value in values.to_pylist()]], pa.string())
    filled = pc.fill_null(texts.cast(pa.large_string()), "")
    return filled.to_pandas().astype("str")


PARQUET = FileFormat(
    name="parquet",
    label="Parquet",
    suffixes=(".parquet", ".pq"),
    help="class names that `datasets` wrote are taken; lists become JSON",
    read=read_parquet,
    signatures=(b"PAR1",),
)
ARROW = FileFormat(
    name="arrow",
    label="Arrow",
    suffixes=(".arrow", ".feather"),
    help="Feather, Arrow files and streams, as for Parquet",
    read=read_arrow,
    signatures=(FEATHER_1, ARROW_FILE, ARROW_STREAM),
)
