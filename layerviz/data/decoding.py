"""Bytes -> text: encodings, control characters, and files that are not text at all."""

from __future__ import annotations

import codecs
import contextlib
import re

from layerviz.data.recognising import SAVE_AS_CSV, foreign
from layerviz.errors import DataError

ENCODINGS = {"utf-8": "UTF-8", "cp1252": "Latin-1", "latin-1": "Latin-1"}  # tried in this order
SAMPLE_BYTES = 131_072  # no more than csv.field_size_limit(), so that no cell of it is too long
CONTROL = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")
UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_JSON_OR_HTML = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"]|<[!?a-zA-Z])')
_MARKUP = "JSON or HTML, not CSV"


def decode_text(content: bytes, name: str) -> str:
    """Return a text file as str, in any of the encodings of a CSV file.

    Raises
    ------
    DataError
        If it is empty or not text.
    """
    text, problem = text_bytes(content, name)
    if problem and problem != _MARKUP:
        hint = "Give a UTF-8 text file with one text per line, or a CSV."
        raise DataError(f"{name} is {problem}.", hint)
    text = text.translate(None, CONTROL)
    for codec in ("utf-8", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            return text.decode(codec)
    return text.decode("latin-1")  # takes any bytes


def text_bytes(content: bytes, name: str) -> tuple[bytes, str]:
    """Return a file's bytes in an encoding that extends ASCII, and why it is not CSV.

    Returns
    -------
    text : bytes
        Without a byte order mark; UTF-16 as UTF-8.
    problem : str
        What the file is instead, such as "a PDF document"; "" if it may be CSV.
    """
    text = content.removeprefix(codecs.BOM_UTF8)
    if content.startswith(UTF16_BOMS):
        try:
            text = content.decode("utf-16").encode()
        except UnicodeError as error:
            raise DataError(f"{name} is damaged UTF-16.", SAVE_AS_CSV) from error
    head = text[:SAMPLE_BYTES]
    n_control = len(head) - len(head.translate(None, CONTROL))
    words = foreign(content)
    problem = words[0] if words else ""
    if not problem and not head.strip():
        problem = "empty"
    elif not problem and (n_control > len(head) / 20 or b"\0" in head.split(b"\n", 1)[0]):
        problem = "binary (not readable as text), not CSV"
    elif not problem and _JSON_OR_HTML.match(head):
        problem = _MARKUP
    return text, problem


def encoding_name(content: bytes, codec: str) -> str:
    """Return what people call the encoding of a file that was decoded with `codec`."""
    if content.startswith(UTF16_BOMS):
        return "UTF-16"
    return ENCODINGS[codec] + (" with BOM" if content.startswith(codecs.BOM_UTF8) else "")
