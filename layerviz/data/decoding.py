"""Bytes -> text in UTF-8: encodings, damaged bytes, and files that are not text at all."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from layerviz.data.choices import Doubt
from layerviz.data.encodings import encoding_name, guess_encoding, known_codec
from layerviz.data.recognising import SAVE_AS_CSV, foreign
from layerviz.data.wording import first_lines
from layerviz.errors import DataError, ReadingError
from layerviz.wording import count, cut_to

SAMPLE_BYTES = 131_072
CONTROL = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")
_CHUNK = 1 << 20  # bytes that are decoded at once
_MOST_DAMAGED = 0.25  # of the intact characters beyond ASCII: with more it is another encoding
_TELLING_BYTES = 65_536  # in lines beyond ASCII, from which an encoding is guessed
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
UTF16_BOMS = tuple(_UTF16)
_UTF32_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_SHIFTED_LINE_END = "\u0a00".encode()
_MARKED_LINE = re.compile(rb"(?:(?<=[\r\n])|\A)\xef\xbb\xbf")
_MARKUP = {  # what it is, by how it begins
    "JSON without a list of records": re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"])'),
    "HTML or XML, not a table": re.compile(rb"\s*<[!?a-zA-Z]"),
}
# Tried at the start of a line only, and never twice: long lines of plain ASCII are read once.
_BEYOND_ASCII = re.compile(rb"(?<![^\r\n])[^\r\n\x80-\xff]*+[\x80-\xff][^\r\n]*+")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # UTF-7 may name one, UTF-8 cannot hold it
MARKUP = tuple(_MARKUP)  # problems of files that are text all the same


@dataclass(frozen=True)
class Text:
    """A file's text.

    Parameters
    ----------
    content : bytes
        In UTF-8 without errors, byte order mark and control characters.
    codec : str
        That of the file.
    encoding : str
        What people call it: "UTF-8 with BOM".
    notes : tuple of str
        A sentence for everything that was replaced or removed.
    doubts : tuple of Doubt
        One if the encoding is a guess.
    problem : str
        What the file is instead of CSV, such as "a PDF document, not CSV"; "" if it may be CSV.
    """

    content: bytes
    codec: str
    encoding: str
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    problem: str = ""


def decode_text(content: bytes, name: str, encoding: str | None = None) -> Text:
    """Return a text file, in any of the encodings of a CSV file, or in the one that is given.

    Raises
    ------
    DataError
        If it is empty or not text.
    """
    text = read_text(content, name, encoding)
    if text.problem and text.problem not in MARKUP:
        hint = "Give a UTF-8 text file with one text per line, or a CSV."
        raise DataError(f"{name} is {text.problem}.", hint)
    return text


def read_text(content: bytes, name: str, encoding: str | None = None) -> Text:
    """Return a file's text; its encoding is guessed unless it is given.

    A file that has a few bytes that are not UTF-8 among many characters that are stays UTF-8.

    Raises
    ------
    DataError
        If the encoding that is given is unknown, or hardly a byte of the file fits it.
    """
    if words := foreign(content):
        return Text(content, "utf-8", "UTF-8", problem=words[0])
    text = _decoded(content, name, encoding)
    notes = list(text.notes)
    body = text.content
    if codecs.BOM_UTF8 in body:
        body, n_marks = _MARKED_LINE.subn(rb"", body)
        if n_marks:
            notes.append(f"Removed {count(n_marks, 'byte order mark')} at the start of lines.")
    if not (problem := _problem(body)) and any(code in body for code in CONTROL):
        n_before, body = len(body), body.translate(None, CONTROL)
        notes.append(f"Removed {count(n_before - len(body), 'control character')}.")
    return Text(body, text.codec, text.encoding, tuple(notes), text.doubts, problem)


def _decoded(content: bytes, name: str, encoding: str | None) -> Text:
    if encoding is not None:
        return _in_chosen(content, name, encoding)
    if content.startswith(_UTF32_BOMS):
        text = _to_utf8(content, "utf-32")
        return Text(text.body, "utf-32", "UTF-32", text.notes("UTF-32"))
    if content.startswith(UTF16_BOMS):
        return _in_utf16(content[2:], _UTF16[content[:2]], name, "UTF-16")
    if codec := _utf16_without_mark(content[:SAMPLE_BYTES]):
        return _in_utf16(content, codec, name, f"{encoding_name(codec)}, without byte order mark")
    mark = " with BOM" if content.startswith(codecs.BOM_UTF8) else ""
    text = _to_utf8(content.removeprefix(codecs.BOM_UTF8), "utf-8")
    if mark or text.n_damaged <= _MOST_DAMAGED * text.n_intact:
        return Text(text.body, "utf-8", f"UTF-8{mark}", text.notes("UTF-8"))
    return _in_guessed(content)


def _in_chosen(content: bytes, name: str, encoding: str) -> Text:
    codec = known_codec(encoding)
    if codec.startswith("utf-16"):
        marked = _UTF16.get(content[:2])
        codec = marked or ("utf-16-le" if codec == "utf-16" else codec)
        return _in_utf16(content[2:] if marked else content, codec, name, encoding_name(codec))
    words = encoding_name(codec)
    in_order = "utf-32-le" if codec == "utf-32" and not content.startswith(_UTF32_BOMS) else codec
    misfit = ReadingError(f"{name} is not in {words}.", "Choose another encoding.")
    try:
        text = _to_utf8(content.removeprefix(codecs.BOM_UTF8), in_order)
    except UnicodeError as error:  # ISO 2022 gives up where an escape sequence never ends
        raise misfit from error
    if text.n_damaged > max(text.n_intact, 1):
        raise misfit
    return Text(text.body, codec, words, text.notes(words))


def _in_utf16(content: bytes, codec: str, name: str, words: str) -> Text:
    text = _to_utf8(content, codec)
    # A byte that is missing shifts all that follow: line ends become a character that is none.
    if text.n_damaged > _MOST_DAMAGED / 5 * text.n_intact or _SHIFTED_LINE_END in text.body:
        raise ReadingError(f"{name} is damaged UTF-16.", SAVE_AS_CSV)
    return Text(text.body, codec, words, text.notes("UTF-16"))


def _in_guessed(content: bytes) -> Text:
    telling = _some_lines_beyond_ascii(content)
    codec = guess_encoding(b"\n".join(telling))
    text = _to_utf8(content, codec)
    if codec == "cp1252" and text.n_damaged:
        codec = "iso8859-1"  # takes any bytes
        text = _to_utf8(content, codec)
    words = encoding_name(codec)
    example = cut_to(_around_beyond_ascii(telling[0].decode(codec, "replace")), 60)
    doubt = (
        f"The file does not say its encoding and is not UTF-8; {words} is a guess. "
        f"If “{example}” looks wrong, choose another encoding."
    )
    return Text(text.body, codec, words, text.notes(words), (Doubt(doubt, ("encoding",)),))


def _around_beyond_ascii(line: str) -> str:
    """Return the part of a line that begins shortly before its first character beyond ASCII."""
    at = next((i for i, character in enumerate(line) if not character.isascii()), 0)
    start = max(0, line.rfind(" ", 0, max(0, at - 20)) + 1)
    return line[start:]


def _some_lines_beyond_ascii(content: bytes) -> list[bytes]:
    lines, n_bytes = [], 0
    for match in _BEYOND_ASCII.finditer(content):
        lines.append(match[0])
        n_bytes += len(match[0])
        if n_bytes > _TELLING_BYTES:
            break
    return lines


@dataclass(frozen=True)
class _Utf8:
    """What became of bytes: the text, what was damaged, in which lines, and how much was not."""

    body: bytes
    n_damaged: int
    lines: list[int]
    n_intact: int  # characters beyond ASCII; all of them in UTF-16

    def notes(self, words: str) -> tuple[str, ...]:
        if not self.n_damaged:
            return ()
        n = self.n_damaged
        what = "a place that is" if n == 1 else f"{n:,} places that are"
        return (f"Replaced {what} not {words} by “�” ({first_lines(self.lines)}).",)


def _to_utf8(content: bytes, codec: str) -> _Utf8:
    if codec == "utf-8" and _is_utf8(content):
        return _Utf8(content, 0, [], 0)
    line_end = "\n" if b"\n" in content else "\r"
    chunks: list[bytes] = []
    lines: list[int] = []
    n_damaged, n_intact, line = 0, 0, 1
    decoder = codecs.getincrementaldecoder(codec)("replace")
    for start in range(0, max(len(content), 1), _CHUNK):
        chunk = content[start : start + _CHUNK]
        before, is_last = decoder.getstate(), start + _CHUNK >= len(content)
        text = decoder.decode(chunk, is_last)
        if codec == "utf-7":
            text = _HALF_CHARACTER.sub("�", text)
        n_here = 0
        if "�" in text:
            # A file may hold that character itself: what is left where damage is left out.
            undamaged = codecs.getincrementaldecoder(codec)("ignore")
            undamaged.setstate(before)
            own = undamaged.decode(chunk, is_last).split(line_end)
            for i, (piece, own_piece) in enumerate(zip(text.split(line_end), own, strict=True)):
                if n_in_line := piece.count("�") - own_piece.count("�"):
                    n_here += n_in_line
                    lines.append(line + i)
        n_damaged += n_here
        n_ascii = 0 if codec.startswith("utf-16") else len(text.encode("ascii", "ignore"))
        n_intact += len(text) - n_ascii - n_here
        line += text.count(line_end)
        chunks.append(text.encode())
    return _Utf8(b"".join(chunks), n_damaged, lines, n_intact)


def _is_utf8(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(head: bytes) -> str | None:
    """Return the codec if every other byte of the head is often zero, as in UTF-16."""
    if not head or head.count(0) < len(head) / 50:
        return None
    head = head[: len(head) // 2 * 2]
    n_even, n_odd = head[::2].count(0), head[1::2].count(0)
    codec = "utf-16-be" if n_even > n_odd else "utf-16-le"
    if min(n_even, n_odd) > max(n_even, n_odd) / 20:
        return None
    text = head.decode(codec, "replace")
    is_text = text.count("�") <= 1 + len(text) / 100 and text[:20].isprintable()
    return codec if is_text or not {"\n", "\r", "\t"}.isdisjoint(text[:20]) else None


def _problem(text: bytes) -> str:
    """Return what a file is instead of CSV; "" if it may be CSV."""
    head = text[:SAMPLE_BYTES]
    n_control = len(head) - len(head.translate(None, CONTROL))
    if not head.strip():
        return "empty"
    if n_control > len(head) / 20 or b"\0" in head.split(b"\n", 1)[0]:
        return "binary (not readable as text), not CSV"
    return next((words for words, start in _MARKUP.items() if start.match(head)), "")
