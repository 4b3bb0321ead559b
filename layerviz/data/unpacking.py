"""Compressed files -> the file inside: by what it begins with, whatever it is called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa

from layerviz.data.file_format import MOST_EXPANDED, too_large
from layerviz.errors import DataError

MOST_MEMORY = 2**28  # bytes that an .xz file may ask for


@dataclass(frozen=True)
class Compression:
    """One way in which a whole file can be compressed.

    Parameters
    ----------
    name : str
    suffix : str
    signature : bytes
        What such a file begins with.
    open : callable
        From a binary stream to a readable one of what is inside.
    compress : callable
        From bytes to such a file, the same whenever the bytes are.
    """

    name: str
    suffix: str
    signature: bytes
    open: Callable[[IO[bytes]], AbstractContextManager[Any]]
    compress: Callable[[bytes], bytes]


def _open_xz(stream: IO[bytes]) -> lzma.LZMAFile:
    # LZMAFile has no limit of memory; a decompressor that reaches its limit says so.
    content = stream.read()
    lzma.LZMADecompressor(memlimit=MOST_MEMORY).decompress(content, max_length=1)
    return lzma.LZMAFile(io.BytesIO(content))


def _compress_zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


COMPRESSIONS = (
    Compression(
        "gzip",
        ".gz",
        b"\x1f\x8b",
        lambda stream: gzip.GzipFile(fileobj=stream),
        lambda content: gzip.compress(content, mtime=0),
    ),
    Compression("bzip2", ".bz2", b"BZh", bz2.BZ2File, bz2.compress),
    Compression("xz", ".xz", b"\xfd7zXZ\0", _open_xz, lzma.compress),
    Compression(
        "zstd",
        ".zst",
        b"\x28\xb5\x2f\xfd",
        lambda stream: pa.CompressedInputStream(stream, "zstd"),
        _compress_zstd,
    ),
)
_MOST_LAYERS = 3


def unpacked(content: bytes, name: str) -> tuple[bytes, str, tuple[str, ...]]:
    """Return what is inside a compressed file, its name, and how it was compressed.

    A file that is not compressed is returned as it is.

    Raises
    ------
    DataError
        If it is damaged or unpacks to too much.
    """
    layers: list[str] = []
    while kind := next((one for one in COMPRESSIONS if content.startswith(one.signature)), None):
        if len(layers) == _MOST_LAYERS:
            raise DataError(f"{name} is compressed again and again.", "Unpack it yourself.")
        try:
            with kind.open(io.BytesIO(content)) as stream:
                content = stream.read(MOST_EXPANDED + 1)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise DataError(
                f"{name} is a damaged {kind.name} file.", "Copy the whole file again."
            ) from error
        if len(content) > MOST_EXPANDED:
            raise too_large(name)
        name = without_compression(name)
        layers.append(kind.name)
    return content, name, tuple(layers)


def packed_again(content: bytes, layers: Sequence[str]) -> bytes:
    """Return a file compressed as `unpacked` says that it was."""
    kinds = {kind.name: kind for kind in COMPRESSIONS}
    for layer in reversed(layers):
        content = kinds[layer].compress(content)
    return content


def without_compression(name: str) -> str:
    """Return the name of the file inside a compressed one."""
    for kind in COMPRESSIONS:
        if name.lower().endswith(kind.suffix):
            return name[: -len(kind.suffix)]
    return name
