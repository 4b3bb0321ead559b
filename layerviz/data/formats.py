"""The registry of file formats: which there are, and which one a file has."""

from __future__ import annotations

from layerviz.data.delimited import DELIMITED
from layerviz.data.file_format import FileFormat
from layerviz.registry import Registry

# A new format is a module like delimited.py and an entry here.
FORMATS: Registry[FileFormat] = Registry("file format", [DELIMITED])


def format_of(name: str) -> FileFormat:
    """Return the format that a file's name says; delimited text, which is sniffed, if none."""
    suffixed = (entry for entry in FORMATS.values() if name.lower().endswith(entry.suffixes))
    return next(suffixed, DELIMITED)


def table_suffixes() -> tuple[str, ...]:
    """Return the file name endings of all formats, such as ".csv"."""
    return tuple(suffix for entry in FORMATS.values() for suffix in entry.suffixes)


def formats_in_words() -> str:
    """Return all formats in a few words: "CSV (.csv, .tsv, .txt)"."""
    return " or ".join(f"{entry.label} ({', '.join(entry.suffixes)})" for entry in FORMATS.values())


def formats_table() -> str:
    """Return README's table of the formats, in Markdown."""
    rows = [("format", "file names", "how"), ("---", "---", "---")]
    rows += [
        (entry.label, ", ".join(f"`{suffix}`" for suffix in entry.suffixes), entry.help)
        for entry in FORMATS.values()
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
