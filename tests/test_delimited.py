"""Odd delimited files: every row is read as it was meant, or people are told what was not."""

from __future__ import annotations

import random

import pytest

from layerviz.data import ReadingChoices, Table, parsing, read_table
from layerviz.data.fields import Dialect, Swallowing
from layerviz.errors import DataError

pytestmark = pytest.mark.fast

N = 40
LINE_ENDS = ("\n", "\r\n")
THINGS = ("saddle", "pretzel", "chain", "tyre", "waffle", "bell", "pedal")
PLAIN = [
    (f"The {THINGS[i % 7]} works like new, said I, number {i}".replace(",", ""), "good")
    if i * 7 // 3 % 2
    else (f"That {THINGS[i % 7]} fell apart on day {i}", "bad")
    for i in range(N)
]
COMMAS = [
    (f"Well, {text}, yes" if i % 3 == 0 else text, label) for i, (text, label) in enumerate(PLAIN)
]
QUOTES = [(text.replace("That", 'That "new"'), label) for text, label in COMMAS]
LINES = [(text.replace(" on ", ",\non "), label) for text, label in COMMAS]


def lines(rows, delimiter=",", header=("text", "label"), end="\n") -> str:
    return "".join(delimiter.join(row) + end for row in (header, *rows))


def quoted(text: str, mark: str = '"') -> str:
    return mark + text.replace(mark, 2 * mark) + mark


def changed(rows, **by_row: str):
    """Return rows with texts replaced, in a format with the text, by row: r3='"{}'."""
    rows = list(rows)
    for row, form in by_row.items():
        i = int(row[1:])
        rows[i] = (form.format(rows[i][0]), rows[i][1])
    return rows


def swapped(rows):
    return [(label, text) for text, label in rows]


def all_quoted(rows, delimiter=",", space="", mark='"') -> str:
    both = [(quoted(text, mark), quoted(label, mark)) for text, label in rows]
    return lines(both, delimiter + space)


def rows_of(table: Table) -> list[tuple[str, ...]]:
    return list(table.frame[["text", "label"]].itertuples(index=False, name=None))


LEADING = changed(PLAIN, r4='"{}', r9='"{}', r20='"{}', r33='"{}')
SPLIT_BY_QUOTES = changed(PLAIN, r3='"{}', r6='{}"')
UNCLOSED = changed(COMMAS, r9='"{}')
AROUND_ALL = changed(PLAIN, r0='"{}', r39='{}"')
WHOLE = changed(PLAIN, r2='"{}"', r5='"{}"')
CARETS = [(text.replace(",", "^"), label) for text, label in COMMAS]
HARDLY_QUOTED = changed(PLAIN, r0='"{}"', r1='"{}"', **{f"r{i}": '"{}' for i in range(10, 16)})
MANY_COMMAS = [(f"{text}, yes" + ", no" * (i % 3), label) for i, (text, label) in enumerate(PLAIN)]
ONE_LINE_EACH = [
    quoted(f"{quoted(text) if ',' in text else text},{label}") for text, label in COMMAS
]

KINDS: dict[str, tuple[str, list[tuple[str, str]], str]] = {
    # what the file is, which rows are right, and words that people have to read
    "pipes": (lines(COMMAS, "|"), COMMAS, "pipe-separated"),
    "carets": (lines(COMMAS, "^"), COMMAS, "caret-separated"),
    "tildes": (lines(COMMAS, "~"), COMMAS, "tilde-separated"),
    "colons": (lines(PLAIN, ":"), PLAIN, "colon-separated"),
    "tabs": (lines(COMMAS, "\t"), COMMAS, "tab-separated"),
    "decimal commas": (
        "text;score;label\n" + "".join(f"{t};0,{i % 9};{k}\n" for i, (t, k) in enumerate(PLAIN)),
        PLAIN,
        "semicolon-separated",
    ),
    "old line ends": (lines(PLAIN, end="\r"), PLAIN, ""),
    "no last line end": (lines(PLAIN)[:-1], PLAIN, ""),
    "blank lines": (lines(PLAIN, end="\n\n"), PLAIN, ""),
    "marks open texts, text last": (
        lines(swapped(LEADING), "\t", ("label", "text")),
        LEADING,
        "quotation marks being a part of the texts",
    ),
    "marks open texts, text first": (lines(LEADING), LEADING, "part of the texts"),
    "a mark opens, a later one closes, text last": (
        lines(swapped(SPLIT_BY_QUOTES), "\t", ("label", "text")),
        SPLIT_BY_QUOTES,
        "part of the texts",
    ),
    "a mark opens, a later one closes": (
        lines(SPLIT_BY_QUOTES), SPLIT_BY_QUOTES, "part of the texts"
    ),
    "a mark opens the first text, another closes the last": (
        lines(AROUND_ALL), AROUND_ALL, "part of the texts"
    ),
    "a quoted word first": (
        lines(changed(PLAIN, r0='"Oh" said she: {}'), "\t"),
        changed(PLAIN, r0='"Oh" said she: {}'),
        "part of the texts",
    ),
    "texts in quotes of their own": (lines(WHOLE, "\t"), WHOLE, "part of the texts"),
    "inches": (lines(changed(PLAIN, r3='{} 5" disk')), changed(PLAIN, r3='{} 5" disk'), ""),
    "all quoted": (all_quoted(QUOTES), QUOTES, ""),
    "spaces before marks": (
        lines([(quoted(text), f' "{label}"') for text, label in QUOTES]), QUOTES, ""
    ),
    "line breaks": (all_quoted(LINES), LINES, "with line breaks (line"),
    "single marks": (all_quoted(COMMAS, ";", mark="'"), COMMAS, "in single quotation marks"),
    "single marks and backslashes": (
        lines([(f"'{t.replace('I', chr(92) + chr(39) + 'I')}, yes'", f"'{k}'") for t, k in PLAIN]),
        [(f"{t.replace('I', chr(39) + 'I')}, yes", k) for t, k in PLAIN],
        "in single quotation marks",
    ),
    "backslashes": (
        lines([('"' + text.replace('"', '\\"') + '"', label) for text, label in QUOTES]),
        QUOTES,
        "backslashes",
    ),
    "lines in quotes": ("\n".join(["text,label", *ONE_LINE_EACH]), COMMAS, "as a whole"),
    "lines in quotes, old line ends": (
        "\r".join(["text,label", *ONE_LINE_EACH]), COMMAS, "as a whole"
    ),
    "unquoted carets": (lines(COMMAS, "^").replace(",", "^"), CARETS, "with unquoted carets"),
    "one mark never closed": (
        lines([(t if i == 9 else quoted(t), k) for i, (t, k) in enumerate(UNCLOSED)]),
        UNCLOSED,
        "is not closed; it was kept as a part of the text (line 11)",
    ),
    "cut in a quoted text": (
        all_quoted(COMMAS) + '"and then', [*COMMAS, ('"and then', "")], "not closed"
    ),
    "Excel's hint": ("sep=;\n" + lines(COMMAS, ";"), COMMAS, "a hint for Excel"),
    "a wrong hint": ("sep=;\r\n" + lines(PLAIN, end="\r\n"), PLAIN, "a hint for Excel"),
    "titles": ("Report\nExported 2024\n\n" + lines(PLAIN), PLAIN, "Skipped 2 lines above"),
    "titles with commas": (
        "Report, by me\nExported, 2024\n\n" + lines(PLAIN), PLAIN, "“Report, by me”"
    ),
    "titles of a spreadsheet": ("Report,\n,\n" + lines(PLAIN), PLAIN, "above the header"),
    "comments": ("# a tool\n# columns: text, label\n" + lines(PLAIN), PLAIN, "above the header"),
    "the header again": (
        lines(PLAIN[:9]) + lines(PLAIN[9:]), PLAIN, "1 row that repeats the header (line 11)"
    ),
    "a mark of UTF-8 amid the file": (
        lines(PLAIN[:9]) + "\ufeff" + lines(PLAIN[9:]), PLAIN, "Removed 1 byte order mark"
    ),
    "row names": (
        "text,label\n" + "".join(f"{i},{quoted(t)},{k}\n" for i, (t, k) in enumerate(COMMAS)),
        COMMAS,
        "Named 1 column that had no name",
    ),
    "delimiters at the end": (lines(PLAIN).replace("d\n", "d,\n"), PLAIN, ""),
    "some at the end": (lines(PLAIN).replace("good\n", "good,,\n"), PLAIN, ""),
    "unquoted commas": (
        lines(COMMAS), COMMAS, "Put 14 texts with unquoted commas together (lines 2, 5, 8"
    ),
    "unquoted commas in all": (lines(MANY_COMMAS), MANY_COMMAS, "Put 40 texts"),
    "unquoted commas, text last": (
        lines(swapped(COMMAS), header=("label", "text")), COMMAS, "Put 14 texts"
    ),
    "a row too long": (lines(PLAIN) + "a,b,c d,e\n", PLAIN, "Skipped 1 row with more fields"),
    "a row too short": (lines(PLAIN) + "a\n", [*PLAIN, ("a", "")], "1 row has fewer fields"),
    "zeros at the end": (lines(PLAIN) + "\0" * 9, PLAIN, "Removed 9 control characters"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_read_as_it_was_meant(kind: str) -> None:
    content, rows, words = KINDS[kind]
    table = read_table(content.encode(), "x.csv")
    assert rows_of(table) == rows
    assert words in " ".join((table.layout, *table.notes))
    assert not table.doubts


RUSSIAN = ("Этот пирог очень вкусный", "Обслуживание было ужасным", "Больше не куплю")
JAPANESE = ("このケーキはおいしいです", "対応が遅くてがっかりしました", "スタッフが親切でした")
CHINESE = ("这个派太干了", "对方的服务很慢", "面包很新鲜下次还会来")
KOREAN = ("이 케이크는 정말 맛있어요", "서비스가 너무 느렸습니다", "직원이 친절했어요")
GERMAN = ("Das Brötchen war köstlich", "Schöne Grüße aus München", "Für den Preis in Ordnung")
FRENCH = ("Le café était déjà froid", "Très déçu par la qualité", "Ça marche à merveille")
POLISH = ("Zażółć gęślą jaźń", "Nie polecam, drogo i źle".replace(",", ""), "Miła obsługa")
THAI = ("อาหารอร่อยมาก", "บริการช้ามาก", "ห้องสะอาด")


def in_language(texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return rows of which every fourth has a text of the language."""
    return [
        (texts[i // 4 % 3] if i % 4 == 0 else text, label) for i, (text, label) in enumerate(PLAIN)
    ]


@pytest.mark.parametrize(
    ("codec", "texts"),
    [
        ("cp1251", RUSSIAN),
        ("koi8-r", RUSSIAN),
        ("cp866", RUSSIAN),
        ("shift_jis", JAPANESE),
        ("euc_jp", JAPANESE),
        ("gbk", CHINESE),
        ("big5", ("這個蛋糕太乾了", "服務很慢", "房間乾淨整潔老闆熱情")),
        ("euc_kr", KOREAN),
        ("cp1252", GERMAN),
        ("latin-1", FRENCH),
        ("cp1250", POLISH),
        ("cp874", THAI),
    ],
)
def test_an_encoding_is_guessed_and_the_doubt_shown(codec: str, texts: tuple[str, ...]) -> None:
    rows = in_language(texts)
    table = read_table(lines(rows).encode(codec), "x.csv")
    assert rows_of(table) == rows
    (doubt,) = table.doubts
    assert "is a guess" in doubt.sentence
    assert texts[0][:9] in doubt.sentence  # by which people see whether it is right


def test_asian_labels_alone_tell_their_encoding() -> None:
    rows = [(text, {"good": "好", "bad": "坏"}[label]) for text, label in PLAIN]
    assert rows_of(read_table(lines(rows).encode("gbk"), "x.csv")) == rows


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16", "utf-32"])
@pytest.mark.parametrize("texts", [CHINESE, GERMAN])
def test_wide_encodings_with_and_without_mark(codec: str, texts: tuple[str, ...]) -> None:
    rows = in_language(texts)
    table = read_table(lines(rows).encode(codec), "x.csv")
    assert rows_of(table) == rows
    assert "UTF" in table.layout


def test_bad_bytes_in_utf8_are_replaced_and_told() -> None:
    rows = [(f"{text} – schön", label) for text, label in PLAIN]
    content = lines(rows).encode()
    changed_row = next(i for i, (_, label) in enumerate(rows) if i > 15 and label == "bad")
    at = content.index(f"day {changed_row}".encode())
    table = read_table(content[:at] + b"\xff" + content[at:], "x.csv")
    assert [row for row, right in zip(rows_of(table), rows, strict=True) if row != right] == [
        (rows[changed_row][0].replace("day", "�day"), "bad")
    ]
    where = f"line {changed_row + 2}"
    assert table.notes == (f"Replaced a place that is not UTF-8 by “�” ({where}).",)
    assert not table.doubts


@pytest.mark.parametrize(
    ("content", "choices", "rows"),
    [
        (lines(in_language(RUSSIAN)).encode("cp1251"), ReadingChoices(encoding="koi8-r"), None),
        (lines(PLAIN, "@").encode(), ReadingChoices(delimiter="@"), PLAIN),
        (lines(WHOLE, "\t").encode(), ReadingChoices(quotes="double"), PLAIN),
        (
            lines(HARDLY_QUOTED).encode(),
            ReadingChoices(quotes="double"),
            PLAIN[:2] + HARDLY_QUOTED[2:],
        ),
        (all_quoted(PLAIN).encode(), ReadingChoices(quotes="none", header_line=2), None),
        (("a,b\n" * 9 + lines(PLAIN)).encode(), ReadingChoices(header_line=10), PLAIN),
    ],
)
def test_what_people_choose_is_not_guessed(content, choices, rows) -> None:
    table = read_table(content, "x.csv", choices)
    assert table.choices == choices
    for name, value in vars(choices).items():
        assert value is None or getattr(table.reading, name) == value
    assert rows is None or rows_of(table) == rows
    assert not table.doubts


def test_no_line_names_the_columns() -> None:
    content = "".join(f"{label};{quoted(text, chr(39))}\n" for text, label in COMMAS).encode()
    with pytest.raises(DataError, match="looks like data"):
        read_table(content, "x.csv")
    table = read_table(content, "x.csv", ReadingChoices(header_line=0))
    assert list(table.frame) == ["column 1", "column 2"]
    assert table.frame["column 2"].tolist() == [text for text, _ in COMMAS]


def test_a_long_question_is_a_name() -> None:
    question = "What did you like or not like about the thing that you bought from us this spring?"
    table = read_table(lines(PLAIN, header=(question, "Your verdict")).encode(), "x.csv")
    assert list(table.frame) == [question, "Your verdict"]


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (ReadingChoices(encoding="utf-9"), "no encoding 'utf-9'"),
        (ReadingChoices(encoding="utf-16"), "only one column"),
        (ReadingChoices(header_line=999), "no row in line 999"),
        (ReadingChoices(delimiter="@"), "only one column"),
    ],
)
def test_choices_that_do_not_fit_are_refused(choices: ReadingChoices, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_table(
            lines([(f"{text} ö", label) for text, label in PLAIN]).encode(), "x.csv", choices
        )


def test_rows_that_cannot_be_put_together_for_certain_are_left_out() -> None:
    rows = [
        (text, f"{other} twice", k) for (text, k), (other, _) in zip(COMMAS, PLAIN, strict=True)
    ]
    table = read_table(lines(rows, header=("first", "second", "label")).encode(), "x.csv")
    assert len(table.frame) == 26
    assert table.notes[0].startswith("Skipped 14 rows with more fields than the header (lines 2, 5")
    assert "14 of 40 rows have more or fewer fields" in table.doubts[0].sentence


@pytest.mark.parametrize("at", [3, 120, 398])
def test_pieces_of_a_long_file_are_read_like_a_short_one(
    at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"{text} ({i})", label) for i, (text, label) in enumerate(LINES * 10)]
    odd = changed([(text.replace("\n", " "), k) for text, k in rows], **{f"r{at}": '"x" {}'})[at]
    texts = [quoted(text) if i != at else odd[0] for i, (text, _) in enumerate(rows)]
    content = lines([(text, k) for text, (_, k) in zip(texts, rows, strict=True)])
    whole = read_table(content.encode(), "x.csv")
    monkeypatch.setattr(parsing, "_PIECE", 3_000)
    monkeypatch.setattr(parsing, "_OVERLAP", 500)
    in_pieces = read_table(content.encode(), "x.csv")
    assert rows_of(in_pieces) == rows_of(whole)
    assert in_pieces.notes == whole.notes
    assert any("is not closed" in note for note in whole.notes)


def test_whole_rows_are_parsed_to_the_end_of_a_long_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = all_quoted(PLAIN * 4).encode()
    monkeypatch.setattr(parsing, "_PIECE", 3_000)
    dialect = Dialect(",", "double")
    pieces = parsing._in_pieces(memoryview(text), dialect, 2, 1, Swallowing(dialect, 2, {}))
    assert [type(rows) for rows, _ in pieces] == [parsing.Rows] * 3


def test_marks_that_come_late_do_not_undo_single_ones() -> None:
    rows = COMMAS * 70
    rows[-1] = (f'"Fine", {rows[-1][0]}', rows[-1][1])
    table = read_table(all_quoted(rows, mark="'").encode(), "x.csv")
    assert rows_of(table) == rows
    assert table.layout.endswith("in single quotation marks")


@pytest.mark.parametrize("header", ['"text"', '"text,of a customer"'])
def test_a_column_of_quoted_texts_is_no_table_in_quotes(header: str) -> None:
    texts = [f"Well, {text}" + ", yes" * (i % 3) for i, (text, _) in enumerate(PLAIN)]
    content = "\n".join([header, *map(quoted, texts)]).encode()
    table = read_table(content, "x.csv", ReadingChoices(delimiter=","), one_column=True)
    assert table.frame.iloc[:, 0].tolist() == texts


@pytest.mark.parametrize("first", ["", "sep=;\n", '"sep=;"\n'])
def test_quotation_marks_far_below_are_understood(first: str, monkeypatch) -> None:
    monkeypatch.setattr("layerviz.data.delimited.SAMPLE_BYTES", 400)
    plain = [(f"a plain text {i}", "good" if i % 2 else "bad") for i in range(60)]
    marked = [(f'one; the "second" {i}', "good" if i % 2 else "bad") for i in range(60)]
    escaped = "".join('"{}";{}\n'.format(t.replace('"', '\\"'), label) for t, label in marked)
    table = read_table((first + lines(plain, ";") + escaped).encode(), "x.csv")
    assert table.reading.quotes == "backslash"
    assert rows_of(table) == [*plain, *marked]
    assert rows_of(read_table((first + lines(plain, ";")).encode(), "x.csv")) == plain


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", ":"])
@pytest.mark.parametrize("mark", ['"', "'"])
def test_texts_of_several_lines_with_delimiters_are_read_whole(delimiter: str, mark: str) -> None:
    seeds = random.Random(f"{delimiter}{mark}")
    for _ in range(12):
        n_lines, at = seeds.choice([2, 3, 5]), seeds.choice(["all", "first", "last", "some"])
        has_id, is_quoted, end = seeds.random() < 0.4, seeds.random() < 0.4, seeds.choice(LINE_ENDS)
        words = seeds.choice([["yes", "friend", "thanks"], [str(n) for n in range(10_000)]])
        header = ["id", "text", "label"] if has_id else ["text", "label"]
        rows, expected = [header], []
        for number in range(24):
            lines = [f"line {line} of text {number}" for line in range(n_lines)]
            places = {"all": range(n_lines), "first": [0], "last": [-1]}.get(at, [number % n_lines])
            for place in places:
                lines[place] += f"{delimiter} {seeds.choice(words)}"
            text, label = end.join(lines), ("good", "bad", "so so")[number % 3]
            expected.append((text, label))
            cells = [f"{mark}{text}{mark}", f"{mark}{label}{mark}" if is_quoted else label]
            rows.append([str(number), *cells] if has_id else cells)
        content = end.join(delimiter.join(row) for row in rows).encode()
        frame = read_table(content, "long.csv").frame
        assert list(zip(frame["text"], frame["label"], strict=True)) == expected, content[:200]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("has_id", [False, True])
def test_rows_that_marks_of_two_texts_join_are_rows(delimiter: str, has_id: bool) -> None:
    seeds = random.Random(delimiter)
    texts = [text for n in range(20) for text in (f'"He said {n}', f'and left on {n}."')]
    labels = [seeds.choice(["good", "bad"]) for _ in texts]
    rows = [[str(row), *cells] for row, cells in enumerate(zip(texts, labels, strict=True))]
    cells = [["id", "text", "label"], *rows]
    content = "\n".join(delimiter.join(row[0 if has_id else 1 :]) for row in cells).encode()
    frame = read_table(content, "marks.csv").frame
    assert (frame["text"].tolist(), frame["label"].tolist()) == (texts, labels)
