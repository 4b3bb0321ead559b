"""What is printed: plain text, whatever data, runs, encoders and file names hold.

A terminal takes some characters for orders: to clear the screen, to write over a line, to show
letters in another order. All that a command prints goes through here, so that none of them can
come from a text. Only the progress bar, which draws over itself, writes past it.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

# Sequences that begin with ESC or its one-byte forms: CSI with its parameters, and strings of a
# terminal (OSC, DCS, SOS, PM, APC) up to what ends them; ECMA-48, sections 5.4 and 5.6.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
# Marks that change the direction of what is beside them (UAX #9), and invisible breaks of lines.
_REORDERING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"
_KEPT = "\n\t"


def as_plain(text: str) -> str:
    """Return a text without what a terminal would obey; halves of characters become "�"."""
    if text.isprintable():
        return text
    text = _SEQUENCE.sub("", text)
    return "".join("�" if _is_half(char) else char for char in text if not _is_order(char))


def _is_order(char: str) -> bool:
    if char in _KEPT:
        return False
    return char in _REORDERING or unicodedata.category(char) == "Cc"


def _is_half(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"  # a file name that is no UTF-8 has some


class OutputError(Exception):
    """Results could not be printed: nobody reads them any more, or the disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"The output could not be written ({error.strerror}).")
        self.is_closed = isinstance(error, BrokenPipeError)


class PlainStream:
    """A stream of text that writes plain text to another one; all else is the other's.

    Parameters
    ----------
    stream : text stream
    is_output : bool
        Whether it takes the results: one that cannot be written is an `OutputError`. What is said
        beside them may be lost, which is no reason to end.
    """

    def __init__(self, stream: TextIO, *, is_output: bool = False) -> None:
        self.stream = stream
        self._is_output = is_output

    def write(self, text: str) -> int:
        """Write what is plain of a text; return the length of all of it.

        Raises
        ------
        OutputError
        """
        with self._written():
            self.stream.write(as_plain(text))
        return len(text)

    def flush(self) -> None:
        """Write what is still held back.

        Raises
        ------
        OutputError
        """
        with self._written():
            self.stream.flush()

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self._is_output:
                raise OutputError(error) from error

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def printing_plainly() -> Iterator[None]:
    """Let all that is printed meanwhile, in whatever way, be plain text."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _plain(before[0], is_output=True), _plain(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _plain(stream: Any, *, is_output: bool = False) -> Any:
    is_plain = stream is None or isinstance(stream, PlainStream)
    return stream if is_plain else PlainStream(stream, is_output=is_output)


def drop_output() -> None:
    """Let what is still to be printed vanish: Python would complain when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def for_drawing() -> TextIO:
    """Return stderr as it is, for what draws over itself; what it writes must be plain already."""
    stream: Any = sys.stderr
    drawn: TextIO = stream.stream if isinstance(stream, PlainStream) else stream
    return drawn
