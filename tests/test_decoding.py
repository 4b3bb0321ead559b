"""Bytes of any encoding: what is damaged is told, and nothing else."""

from __future__ import annotations

import pytest

from layerviz.data import decoding, encodings
from layerviz.data.decoding import read_text
from layerviz.errors import DataError

pytestmark = pytest.mark.fast


def test_long_lines_of_plain_ascii_are_looked_at_once() -> None:
    line = b"plain " * 9 + b"caf\xe9"
    content = b"\n".join([b"a" * 9_000, line, b"b", line, b"c" * 9_000])
    assert decoding._some_lines_beyond_ascii(content) == [line, line]
    assert not any(decoding._BEYOND_ASCII.match(line, at) for at in range(1, len(line)))


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-32", "gb18030"])
def test_a_character_that_stands_for_damage_may_be_the_files_own(codec: str) -> None:
    own = read_text("text,label\na \ufffd é é é é,b\n".encode(codec), "x.csv", codec)
    assert "�" in own.content.decode()
    assert not own.notes


def test_damage_beside_it_is_told_where_it_is() -> None:
    content = "text,label\n\ufffd 好,b\n好好,c\n".encode("gb18030") + b"\xff,d\n"
    (note,) = read_text(content, "x.csv", "gb18030").notes
    assert note.startswith("Replaced a place")
    assert "(line 4)" in note


@pytest.mark.parametrize("codec", sorted(encodings._LARGER))
def test_an_encoding_that_is_a_part_of_another_is_read_by_it(codec: str) -> None:
    characters = [chr(i) for i in range(0x10000) if chr(i).isprintable()]
    part = [one for one in characters if 1 <= len(one.encode(codec, "ignore")) <= 2]
    wrong = [
        one for one in part if one.encode(codec).decode(encodings._LARGER[codec], "replace") != one
    ]
    assert len(wrong) <= len(part) / 50  # punctuation, and what makers of fonts once added


@pytest.mark.parametrize("codec", ["hz", "shift_jis_2004", "euc_jis_2004"])
def test_other_encodings_are_read_as_they_are(codec: str) -> None:
    text = "text,label\n" + ("你好,b\n" if codec == "hz" else "①か゚,b\n")
    read = read_text(text.encode(codec), "x.csv", codec)
    assert read.content.decode() == text
    assert not read.notes


@pytest.mark.parametrize("codec", ["idna", "punycode", "unicode_escape", "raw-unicode-escape"])
def test_codecs_of_names_and_source_code_are_no_encodings(codec: str) -> None:
    with pytest.raises(DataError, match="no encoding"):
        read_text(b"text,label\na\\ud800,b\n", "x.csv", codec)


def test_half_a_character_is_damage() -> None:
    read = read_text("text,label\nso schön +2AA-,b\nüü,c\n".encode("utf-7").replace(b"+-", b"+"),
                     "x.csv", "utf-7")  # fmt: skip
    assert read.content.decode() == "text,label\nso schön �,b\nüü,c\n"
    assert "(line 2)" in read.notes[0]


def test_utf32_needs_no_mark() -> None:
    assert read_text("a,é\n".encode("utf-32-le"), "x.csv", "utf-32").content == "a,é\n".encode()


def test_utf16_without_mark_may_have_old_line_ends() -> None:
    text = "text,label\ra\u0439 b,c\r"
    assert read_text(text.encode("utf-16-le"), "x.csv").content == text.encode()


def test_an_escape_sequence_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_CHUNK", 10)
    with pytest.raises(DataError, match="is not in Japanese"):
        read_text(b"\x1b$" + b"(" * 40, "x.csv", "iso2022-jp")
