"""The registry of file formats: which there are, and which one a file has."""

from __future__ import annotations

import re
from collections.abc import Iterable

from layerviz.data.arrow_tables import ARROW, PARQUET
from layerviz.data.decoding import UTF16_BOMS
from layerviz.data.delimited import DELIMITED
from layerviz.data.file_format import FileFormat
from layerviz.data.json_records import JSON
from layerviz.data.recognising import begins_binary, is_workbook
from layerviz.data.unpacking import COMPRESSIONS, without_compression
from layerviz.data.workbooks import WORKBOOK
from layerviz.registry import Registry

# A new format is a module like delimited.py and an entry here.
FORMATS: Registry[FileFormat] = Registry("file format", [DELIMITED, JSON, WORKBOOK, PARQUET, ARROW])
ZIP_SUFFIX = ".zip"
_OF_TEXT = (DELIMITED, JSON)
_BINARY = (WORKBOOK, PARQUET, ARROW)
_JSON_START = re.compile(rb"(\xef\xbb\xbf)?\s*(\{\s*[\"}]|\[\s*[\[{])")
_RECORD = re.compile(rb"^\s*[\[{]", re.MULTILINE)
_HEAD = 4096


def format_of(name: str, content: bytes) -> FileFormat:
    """Return the format that a file has: what it begins with goes before what its name says.

    Delimited text, which is sniffed, if neither says anything.
    """
    if is_workbook(content):
        return WORKBOOK
    for entry in FORMATS.values():
        if entry.signatures and begins_binary(content, entry.signatures):
            return entry
    suffixed = (entry for entry in FORMATS.values() if name.lower().endswith(entry.suffixes))
    by_name = next(suffixed, DELIMITED)
    head = content[:_HEAD]
    if head.startswith(UTF16_BOMS):
        head = head.decode("utf-16", "ignore").encode()
    if by_name in _BINARY and b"\0" in head:
        return by_name  # which says that it is damaged
    if by_name not in (*_OF_TEXT, *_BINARY):
        return by_name
    # Text, perhaps under a name that says something else: programs export CSV as .xls.
    is_json = _JSON_START.match(head) or (by_name is JSON and _RECORD.search(head))
    return JSON if is_json else DELIMITED


def misnomer(name: str, content: bytes, entry: FileFormat) -> str:
    """Return what a text is where its name says that it is something else, else ""."""
    head = content[:_HEAD]
    if entry not in _OF_TEXT or not head.strip() or (b"\0" in head and entry is DELIMITED):
        return ""
    labels = {kind.suffix: kind.name for kind in COMPRESSIONS} | {ZIP_SUFFIX: "a zip archive"}
    for other in FORMATS.values():
        labels |= dict.fromkeys(other.suffixes, other.label)
    said = next((label for end, label in labels.items() if name.lower().endswith(end)), "")
    if said in ("", entry.label):
        return ""
    what = "plain text" if entry is DELIMITED else entry.label
    return f"{what}, not {said} as its name says"


def table_suffixes() -> tuple[str, ...]:
    """Return the file name endings of all formats, such as ".csv"."""
    return tuple(suffix for entry in FORMATS.values() for suffix in entry.suffixes)


def is_table_name(path: str) -> bool:
    """Return whether a file is a table by its name, compressed or not."""
    return without_compression(path).lower().endswith(table_suffixes())


def formats_in_words() -> str:
    """Return all formats in a few words: "CSV (.csv, .tsv, .txt)"."""
    listed = [f"{entry.label} ({', '.join(entry.suffixes)})" for entry in FORMATS.values()]
    return f"{', '.join(listed[:-1])} or {listed[-1]}, also compressed or in a zip"


def formats_table() -> str:
    """Return README's table of the formats, in Markdown."""
    rows = [("format", "file names", "how"), ("---", "---", "---")]
    rows += [(entry.label, _code(entry.suffixes), entry.help) for entry in FORMATS.values()]
    rows += [
        (
            "compressed",
            _code(kind.suffix for kind in COMPRESSIONS),
            "any of these, such as `data.csv.gz`",
        ),
        (
            "zip",
            _code([ZIP_SUFFIX]),
            "one of these inside, or several named train, val and test",
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _code(suffixes: Iterable[str]) -> str:
    return ", ".join(f"`{suffix}`" for suffix in suffixes)
