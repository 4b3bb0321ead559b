"""What a parquet file would take in memory, told from its footer and the headers of its pages.

Pages are packed: a few kilobytes can hold gigabytes, and the footer of a made-up file can say
otherwise. The headers of the pages decide what a reader allocates, so they are read here, without
unpacking anything (https://parquet.apache.org/docs/file-format/, Thrift's compact protocol).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet

DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2 = 0, 2, 3
# PLAIN, PLAIN_DICTIONARY, RLE, RLE_DICTIONARY: as pandas writes. Others build one text from the one
# before it, and swell without bounds.
ENCODINGS = frozenset({0, 2, 3, 8})
ENCODING_NAMES = frozenset({"PLAIN", "PLAIN_DICTIONARY", "RLE", "RLE_DICTIONARY", "BIT_PACKED"})
MOST_HEADER_BYTES = 1_000_000
_TYPE, _UNPACKED, _PACKED, _DATA, _DICTIONARY, _DATA_V2 = 1, 2, 3, 5, 7, 8  # fields of a header
_N_VALUES, _ENCODING, _ENCODING_V2 = 1, 2, 4  # fields of what is in there


def unpacked_bytes(file: Path) -> int:
    """Return how many bytes all pages of a parquet file have when they are unpacked.

    Raises
    ------
    ValueError
        If a page is not what the footer says, or encoded as no table of a run is.
    """
    described = pyarrow.parquet.read_metadata(file)
    total = 0
    with file.open("rb") as source:
        for group in range(described.num_row_groups):
            for column in range(described.num_columns):
                chunk = described.row_group(group).column(column)
                if not set(chunk.encodings) <= ENCODING_NAMES:
                    raise ValueError(f"it is encoded as {', '.join(chunk.encodings)}"[:80])
                total += sum(_pages(source, chunk))
    return total


def _pages(source: BinaryIO, chunk: Any) -> Iterator[int]:
    """Yield the size of each page of a column, unpacked."""
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset is not None:
        start = min(start, chunk.dictionary_page_offset)
    at, left = int(start), int(chunk.num_values)
    while left > 0:
        source.seek(at)
        header, length = _Reader(source.read(MOST_HEADER_BYTES)).header()
        size, packed = header[_UNPACKED], header[_PACKED]
        if size < 0 or packed < 0:
            raise ValueError("a page has no size")
        part = header.get(_DATA) or header.get(_DATA_V2) or header.get(_DICTIONARY)
        if part is None:
            raise ValueError("a page is of an unknown kind")
        encoding = part.get(_ENCODING_V2 if _DATA_V2 in header else _ENCODING, 0)
        if encoding not in ENCODINGS:
            raise ValueError(f"a page is encoded as number {encoding}")
        if header[_TYPE] in (DATA_PAGE, DATA_PAGE_V2):
            if part[_N_VALUES] <= 0:
                raise ValueError("a page holds nothing")
            left -= part[_N_VALUES]
        elif header[_TYPE] != DICTIONARY_PAGE:
            raise ValueError("a page is of an unknown kind")
        yield size
        at += length + packed


class _Reader:
    """Reads one structure of Thrift's compact protocol; what is not needed is skipped."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def header(self) -> tuple[dict[int, Any], int]:
        """Return the fields of the header that the content begins with, and its length."""
        try:
            fields = self._structure(depth=0)
        except IndexError:
            raise ValueError("the header of a page is cut") from None
        return fields, self.at

    def _structure(self, depth: int) -> dict[int, Any]:
        if depth > 4:
            raise ValueError("the header of a page is nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while byte := self._byte():
            number = number + (byte >> 4) if byte >> 4 else self._number()
            fields[number] = self._value(byte & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._number()
        if kind == 7:
            self.at += 8
            return None
        if kind == 8:
            length = self._varint()
            self.at += length
            return None
        if kind == 12:
            return self._structure(depth + 1)
        raise ValueError("the header of a page holds something unknown")

    def _byte(self) -> int:
        byte = self.content[self.at]
        self.at += 1
        return byte

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise ValueError("the header of a page holds a number without end")
        return value | byte << shift

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
