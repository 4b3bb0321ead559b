"""What a file is that no format reads, in words, and what to do about it."""

from __future__ import annotations

import io
import re
import zipfile

SAVE_AS_CSV = "Save the table as CSV (UTF-8) with a header row such as text,label."
EXPORT = "Open it in the program that made it and export the table as CSV (UTF-8)."
_FOREIGN = {
    b"\xd0\xcf\x11\xe0": ("an old Office file (.xls or .doc), or one with a password",
                          "Save it as .xlsx without a password, or as CSV (UTF-8)."),
    b"%PDF": ("a PDF document", "Copy the table into a spreadsheet and save it as CSV (UTF-8)."),
    b"{\\rtf": ("a text document (RTF)", SAVE_AS_CSV),
    b"$FL2": ("an SPSS file", EXPORT),
    b"$FL3": ("an SPSS file", EXPORT),
    b"<stata_dta>": ("a Stata file", EXPORT),
    b"SQLite format 3\0": ("an SQLite database", EXPORT),
    b"\x89HDF": ("an HDF5 file", EXPORT),
    b"RDX2\n": ("an R data file", EXPORT),
    b"RDX3\n": ("an R data file", EXPORT),
    b"\x93NUMPY": ("a NumPy array", EXPORT),
    b"Obj\x01": ("an Avro file", EXPORT),
    b"\x89PNG": ("a PNG picture", SAVE_AS_CSV),
    b"\xff\xd8\xff": ("a JPEG picture", SAVE_AS_CSV),
    b"GIF8": ("a GIF picture", SAVE_AS_CSV),
    b"Rar!": ("a RAR archive", "Unpack it and give the table inside."),
    b"7z\xbc\xaf": ("a 7-Zip archive", "Unpack it and give the table inside."),
    b"\x7fELF": ("a program", SAVE_AS_CSV),
    b"MZ\x90": ("a program", SAVE_AS_CSV),
    b"version https://git-lfs": ("a pointer of Git LFS, not the file itself",
                                 "Fetch it with `git lfs pull`, or download it."),
}  # fmt: skip
_ORC = b"ORC"
_HEAD = 4096
_PICKLE = re.compile(rb"\x80[\x02-\x05](\x95|c|\}|\]|K|q)")
_PARTS_OF_ZIPS = {  # a file inside, and what the whole is
    "word/document.xml": ("a Word document", "Save its table as .xlsx or CSV (UTF-8)."),
    "ppt/presentation.xml": ("a presentation", SAVE_AS_CSV),
    "xl/workbook.bin": ("a binary Excel workbook (.xlsb)", "Save it as .xlsx."),
    "content.xml": ("an OpenDocument file", "Save it as .xlsx or as CSV (UTF-8)."),
    "META-INF/container.xml": ("an e-book", SAVE_AS_CSV),
}
WORKBOOK_PART = "xl/workbook.xml"
ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"


def foreign(content: bytes) -> tuple[str, str] | None:
    """Return what a file is that cannot be read, and what to do; None if it may be a table."""
    for signature, words in _FOREIGN.items():
        if content.startswith(signature):
            return words
    if begins_binary(content, (_ORC,)):
        return "an ORC file", EXPORT
    if _PICKLE.match(content):
        return "a Python pickle, which could run code", EXPORT
    if content[257:262] == b"ustar":
        return "a tar archive", "Unpack it, or give a .zip instead."
    if is_zip(content):
        names = set(names_in_zip(content))
        for part, words in _PARTS_OF_ZIPS.items():
            if part in names:
                return words
        if "run.json" in names:
            return (
                "a zipped run, not a table",
                "Open it with “Open a zipped run” under Runs, or with `python -m layerviz import`.",
            )
    return None


def begins_binary(content: bytes, signatures: tuple[bytes, ...]) -> bool:
    """Return whether a file begins with a signature that is no mere word of a text.

    Signatures may be letters, as a header of CSV may be: such a file also ends with them (ORC adds
    a byte of its own), or holds a zero byte soon, which text does not.
    """
    if not content.startswith(signatures):
        return False
    ending = content if content.endswith((b"\n", *signatures)) else content[:-1]
    return b"\0" in content[:_HEAD] or ending.endswith(signatures)


def is_zip(content: bytes) -> bool:
    """Return whether a file is a zip archive, which many formats are."""
    return content.startswith((ZIP, _EMPTY_ZIP))


def is_workbook(content: bytes) -> bool:
    """Return whether a file is an Excel workbook of today's kind."""
    return is_zip(content) and WORKBOOK_PART in names_in_zip(content)


def names_in_zip(content: bytes) -> list[str]:
    """Return the names of the files in a zip archive; none if it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return []
