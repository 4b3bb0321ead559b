"""Unlabelled texts come out of any text file or CSV, or one sentence says why not."""

from __future__ import annotations

import gzip

import pytest

from layerviz import data
from layerviz.errors import DataError

pytestmark = pytest.mark.fast

LINES = "The first line.\n\n  a second\tone \nThe first line.\r\nÜber alles\n"
CSV = 'id,review,stars\n1,"A long text\nover two lines",5\n2,Another long text,4\n3,,4\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_text_per_line_in_any_encoding(encoding: str) -> None:
    corpus = data.read_corpus(LINES.encode(encoding), "lines.txt")
    assert corpus.texts == ("The first line.", "a second one", "Über alles")
    assert corpus.notes[-2:] == ("Left out 1 blank text.", "Left out 1 repeated text.")
    assert ("a guess" in corpus.notes[0]) == (encoding == "latin-1")


def test_how_a_file_is_read_can_be_chosen() -> None:
    russian = "Первая строка\nВторая строка\n".encode("koi8-r")
    guessed = data.read_corpus(russian, "lines.txt")
    assert [doubt.choices for doubt in guessed.doubts] == [("encoding",)]
    chosen = data.read_corpus(russian, "lines.txt", choices=data.reading_choices("koi8-r"))
    assert chosen.texts == ("Первая строка", "Вторая строка")
    assert not chosen.doubts
    # A header's line or a delimiter makes a table of a file that would be read line by line.
    table = b"made here\nid@text\n1@One text\n2@Another\n"
    choices = data.reading_choices(delimiter="@", header_line=2)
    assert data.read_corpus(table, "a.txt", choices=choices).texts == ("One text", "Another")


def test_gzip_is_opened_whatever_its_name() -> None:
    plain = data.read_corpus(LINES.encode(), "lines.txt")
    for name in ("lines.txt.gz", "lines"):
        packed = data.read_corpus(gzip.compress(LINES.encode()), name)
        assert (packed.texts, packed.fingerprint) == (plain.texts, plain.fingerprint)


def test_a_damaged_gzip_file_is_refused() -> None:
    with pytest.raises(DataError, match="damaged gzip"):
        data.read_corpus(gzip.compress(LINES.encode())[:30], "lines.txt.gz")


@pytest.mark.parametrize("name", ["reviews.csv", "reviews.tsv.gz"])
def test_the_text_column_of_a_csv_is_guessed_and_said(name: str) -> None:
    content = gzip.compress(CSV.encode()) if name.endswith(".gz") else CSV.encode()
    corpus = data.read_corpus(content, name)
    assert corpus.texts == ("A long text over two lines", "Another long text")
    assert "Guessed that the texts are in column 'review'." in corpus.notes


def test_a_csv_of_nothing_but_texts_will_do() -> None:
    content = b'text\n"One, with a comma"\nAnother text\n'
    corpus = data.read_corpus(content, "texts.csv")
    assert corpus.texts == ("One, with a comma", "Another text")


def test_a_named_column_makes_any_file_a_csv() -> None:
    corpus = data.read_corpus(CSV.encode(), "export.dat", text_column="stars")
    assert corpus.texts == ("5", "4")


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(DataError, match=r"no column 'text'.*'review'"):
        data.read_corpus(CSV.encode(), "reviews.csv", text_column="text")


def test_a_table_of_numbers_has_no_texts() -> None:
    with pytest.raises(DataError, match="looks like texts"):
        data.read_corpus(b"a,b\n1,2\n3,4\n", "numbers.csv")


@pytest.mark.parametrize("content", [b"", b"\n \n\t\n", b"\x89PNG\r\n\x1a\n\0\0"])
def test_a_file_without_texts_is_refused_with_the_fix(content: bytes) -> None:
    with pytest.raises(DataError, match="text"):
        data.read_corpus(content, "nothing.txt")


def test_lines_that_look_like_markup_or_json_are_texts_all_the_same() -> None:
    corpus = data.read_corpus(b'<user> said hello\n["a" list]\n', "chat.txt")
    assert corpus.texts == ("<user> said hello", '["a" list]')


def test_a_sample_is_seeded_keeps_the_order_and_says_its_size() -> None:
    content = "\n".join(f"text {number}" for number in range(1000)).encode()
    one, again, other = (
        data.read_corpus(content, "many.txt", max_texts=50, seed=seed) for seed in (0, 0, 1)
    )
    assert len(one.texts) == 50
    assert one.texts == again.texts != other.texts
    assert sorted(one.texts, key=lambda text: int(text.split()[1])) == list(one.texts)
    assert one.notes == ("Took a random sample of 50 of 1,000 texts.",)
    assert one.fingerprint != other.fingerprint


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="1 or more"):
        data.read_corpus(LINES.encode(), "lines.txt", max_texts=0)
