"""Whatever happens to a file: its rows, or one sentence; no row holds another's text in silence."""

from __future__ import annotations

import csv
import io
import os
import re
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerviz.data import read_table
from layerviz.errors import LayervizError

pytestmark = pytest.mark.fast

N_ROWS = 14
EXAMPLES = int(os.environ.get("LAYERVIZ_EXAMPLES", "120"))  # 5,000 by hand
KEY = re.compile(r"key(\d\d)end")  # one in each text: it tells whose text it is
ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "cp1252",
    "cp1251",
    "gb18030",
    "shift_jis",
)
QUOTING: tuple[Literal[0, 1, 3], ...] = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE)
UNTOLD = {"cp1251", "cp1252", "gb18030", "shift_jis"}  # a few words may be in another encoding
# Is said of whole files, too, and explains no row that is lost.
OF_WHOLE_FILES = re.compile(r"with line breaks \(|^The file does not say its encoding")
WORDS = {"cp1252": "größer", "cp1251": "лучше", "gb18030": "很好用", "shift_jis": "おいしい"}


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, bool]:
    """Return a file that was whole, and then perhaps damaged in up to three places.

    With it comes whether it is whole still and says its encoding.
    """
    codec = draw(st.sampled_from(ENCODINGS))
    delimiter = draw(st.sampled_from(",;\t|"))
    quoting = draw(st.sampled_from(QUOTING))
    between = draw(st.sampled_from([" ", " ", ", ", '" ', "\n"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    if quoting == csv.QUOTE_NONE and (between == "\n" or delimiter in between):
        between = " "
    if between == "\n" and quoting == csv.QUOTE_MINIMAL:
        between = end  # the writer quotes no other line break
    text_first = draw(st.booleans())
    rows = [("text", "label")]
    for i in range(N_ROWS):
        word = WORDS.get(codec, "größer" if i % 4 else "новый")
        rows.append((f"The key{i:02}end{between}was {word} yesterday", ("good", "bad")[i % 3 % 2]))
    out = io.StringIO(newline="")
    if quoting == csv.QUOTE_NONE:
        out.writelines(delimiter.join(row if text_first else row[::-1]) + end for row in rows)
    else:
        writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
        writer.writerows(row if text_first else row[::-1] for row in rows)
    content = bytearray(out.getvalue().encode(codec))
    n_damages = draw(st.integers(0, 3))
    for _ in range(n_damages):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        damage = draw(st.sampled_from(["byte", "insert", "delete", "cut", "line", "lose line"]))
        if damage == "byte" and content:
            content[at] = draw(st.integers(0, 255))
        elif damage == "insert":
            content[at:at] = draw(
                st.sampled_from(
                    [b'"', b"'", b",", b";", b"\t", b"\\", b"\r", b"\n", b"\xff", b"\0"]
                )
            )
        elif damage == "delete":
            del content[at : at + draw(st.integers(1, 4))]
        elif damage == "cut":
            del content[at:]
        elif damage == "line":
            content[at:at] = draw(
                st.sampled_from([b"\n\n", b"text,label\n", b"# more\n", b'a,"b\n'])
            )
        else:
            del content[at : content.find(b"\n", at) + 1 or None]
    return bytes(content), n_damages == 0 and codec not in UNTOLD


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="LAYERVIZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(files())
def test_a_damaged_file_gives_its_rows_or_one_sentence(file: tuple[bytes, bool]) -> None:
    content, is_whole = file
    try:
        table = read_table(content, "x.csv")
    except LayervizError:
        assert not is_whole, "a good file is refused"
        return
    doubts = (doubt.sentence for doubt in table.doubts)
    told = [one for one in (*table.notes, *doubts) if not OF_WHOLE_FILES.search(one)]
    assert all(isinstance(cell, str) for cell in table.frame.to_numpy().ravel())
    text = content.decode(table.reading.encoding or "utf-8", "replace")
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)  # is taken out, and told
    delimiter = table.reading.delimiter or ","
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line.count(delimiter) == 1]
    keys = [set(KEY.findall("\n".join(cells))) for cells in table.frame.to_numpy().tolist()]
    for several in (key for key in keys if len(key) > 1):
        # The file itself may have lost what was between two rows.
        is_of_file = any(several <= set(KEY.findall(line)) for line in lines)
        places = [text.index(f"key{key}end") for key in sorted(several)]
        has_label = re.search("good|bad", text[min(places) : max(places)])
        assert told or is_of_file or not has_label, "a row holds another's text and nothing is told"
    in_header = set(KEY.findall("\n".join(table.frame.columns)))
    if set(KEY.findall(text)) - in_header.union(*keys):
        assert told, "a row is lost and nothing is told"
    if is_whole:
        assert keys == [{f"{i:02}"} for i in range(N_ROWS)]
        assert not told
    # Nor does a row come twice, or out of order.
    in_file = iter(KEY.findall(text))
    in_rows = KEY.findall("\n".join("\n".join(cells) for cells in table.frame.to_numpy().tolist()))
    assert all(key in in_file for key in in_rows)
