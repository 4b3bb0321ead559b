"""Every kind of odd file, uploaded on the page and given on the command line."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest
from pages import caption_text, error_text, markdown_text, open_page, read_aloud, warning_text
from streamlit.testing.v1 import AppTest

from layerviz import runs
from layerviz.commands import main, parser
from layerviz.commands.inputs import print_notes_of, read_dataset

N = 24
ROWS = [
    (f"The {('bell', 'cake')[i % 2]} is fine, said number {i}", ("good", "bad")[i // 2 % 2])
    for i in range(N)
]


def delimited(
    rows: Sequence[tuple[str, ...]] = ROWS,
    header: str = "text|label",
    by: str = "\t",
    mark: str = "",
) -> bytes:
    lines = [tuple(header.split("|")), *rows] if header else rows
    return "".join(f"{by.join(f'{mark}{cell}{mark}' for cell in row)}\n" for row in lines).encode()


def labelled(*labels: str, header: str = "text|label") -> bytes:
    """Return rows whose labels are these by turns, two rows each."""
    rows = [(text, labels[i // 2 % len(labels)]) for i, (text, _) in enumerate(ROWS)]
    return delimited(rows, header)


def in_columns(header: str, *rows: tuple[str, ...]) -> bytes:
    """Return rows of texts with further cells, which come by turns."""
    return delimited([(text, *rows[i % len(rows)]) for i, (text, _) in enumerate(ROWS)], header)


def workbook(rows: Sequence[tuple[str, ...]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Data", 0)
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(frozen=True)
class Kind:
    """A file, and what page and command line say of it.

    `rows` are used, of `classes`; or it is `refused`. What is in doubt is `amber` on the page.
    What is `told` may stand anywhere; `first_text` is as it is read. `picks` are choices of
    widgets, by what their keys begin with, and `options` the same on the command line.
    """

    name: str
    content: bytes
    rows: int = N
    classes: int = 2
    told: str = ""
    first_text: str = ""
    amber: str = ""
    refused: str = ""
    option: str = ""  # that the command line names and the page does not
    picks: dict[str, object] = field(default_factory=dict)
    options: tuple[str, ...] = ()


FIRST = ROWS[0][0]
PLAIN = [(text.replace(",", ""), label) for text, label in ROWS]
RECORDS = [{"text": text, "label": label} for text, label in ROWS]
CHINESE = [(f"这个车铃很好用 {i}", label) for i, (_, label) in enumerate(ROWS)]
JAPANESE = [(f"りんごのタルトが美味しかった {i}", label) for i, (_, label) in enumerate(ROWS)]
UTF8 = delimited([(f"Ein schöner Käse {i}", label) for i, (_, label) in enumerate(ROWS)])
LABEL = "--label-column"
KINDS = {
    "pipes and commas": Kind("a.csv", delimited(by="|"), first_text=FIRST),
    "comma in the header": Kind(
        "a.csv", delimited(header="text, as sent|label", by="|"), first_text=FIRST
    ),
    "texts that begin with a quotation mark": Kind(
        "a.tsv",
        delimited([(f'"{text}' if i % 6 == 0 else text, y) for i, (text, y) in enumerate(ROWS)]),
        first_text=f'"{FIRST}',
    ),
    "a quoted word at the start": Kind(
        "a.tsv",
        delimited([(f'"Lovely" they said: {text}', label) for text, label in ROWS]),
        first_text=f'"Lovely" they said: {FIRST}',
    ),
    "quotation marks in rows": Kind(
        "a.tsv",
        delimited([(f'{text} "', label) for text, label in ROWS[:3]] + ROWS[3:]),
        first_text=f'{FIRST} "',
    ),
    "backslashes": Kind(
        "a.csv",
        delimited([(rf"A \"{text}\"", y) for text, y in ROWS], by=",", mark='"'),
        first_text=f'A "{FIRST}"',
    ),
    "single quotes, no header": Kind(
        "a.csv",
        delimited([(y, f"'{text}; really'") for text, y in ROWS], "", by=";"),
        refused="looks like data",
        option="--header-line 0",
    ),
    "UTF-16 without mark": Kind("a.csv", UTF8.decode().encode("utf-16-le"), told="UTF-16"),
    "GBK": Kind("a.csv", delimited(CHINESE).decode().encode("gbk"), amber="is a guess"),
    "Shift-JIS": Kind("a.csv", delimited(JAPANESE).decode().encode("cp932"), amber="is a guess"),
    "one bad byte": Kind(
        "a.csv", UTF8.replace("ä".encode(), b"\xe4", 1), told="Replaced a place that is not UTF-8"
    ),
    "a trailing delimiter": Kind(
        "a.csv", delimited([(*row, "") for row in PLAIN], by=","), told="from 'label'"
    ),
    "some trailing delimiters": Kind(
        "a.csv",
        delimited([(*row, "") if i % 3 else row for i, row in enumerate(PLAIN)], by=","),
        first_text=FIRST.replace(",", ""),
    ),
    "sep=": Kind("a.csv", b"sep=;\n" + delimited(by=";"), told="a hint for Excel"),
    "lines above the header": Kind(
        "a.csv", b"Report of May\n\n" + delimited(PLAIN, by=","), told="above the header"
    ),
    "a long header": Kind(
        "a.csv",
        delimited(header="What did you like about the thing that you bought last spring?|verdict"),
        told="labels from 'verdict'",
    ),
    "unquoted commas": Kind(
        "a.csv",
        delimited(ROWS[::2] + PLAIN[1::2], by=","),
        told="Put 12 texts with unquoted commas",
    ),
    "missing labels": Kind(
        "a.csv",
        labelled("good", "bad", "nan", "NULL"),
        rows=12,
        told="without a label ('nan', 'NULL') were left out",
    ),
    "missing labels kept": Kind(
        "a.csv",
        labelled("good", "bad", "nan"),
        classes=3,
        told="are kept as classes: 'nan'",
        picks={"missing-": True},
        options=("--keep-missing-labels",),
    ),
    "too few labels but for missing ones": Kind(
        "a.csv", labelled("good", "NULL"), refused="keep 'NULL'", option="--keep-missing-labels"
    ),
    "a label column called id": Kind(
        "a.csv",
        labelled("de", "fr", header="text|lang_id"),
        told="labels from 'lang_id'",
        picks={"label-": "lang_id"},
        options=(LABEL, "lang_id"),
    ),
    "halves as labels": Kind(
        "a.csv",
        labelled("0.5", "1.0", "1.5", header="answer|grade"),
        classes=3,
        told="labels from 'grade'",
        picks={"label-": "grade"},
        options=(LABEL, "grade"),
    ),
    "a number written in two ways": Kind(
        "a.csv", labelled("1", "1.0", "0"), classes=3, told="Labels look alike: '1', '1.0'"
    ),
    "spaces within labels": Kind(
        "a.csv",
        labelled("very good", "very  good", "bad"),
        classes=3,
        told="Labels look alike: 'very good', 'very␣␣good'",
    ),
    "merged labels": Kind(
        "a.csv",
        labelled("very good", "very  good", "bad"),
        told="'very␣␣good' into 'very good'",
        picks={"merge-": True},
        options=("--merge-labels",),
    ),
    "a text with two labels": Kind(
        "a.csv",
        delimited([(ROWS[i // 2][0], "good" if i % 2 else "bad") for i in range(N)]),
        told="have several labels",
    ),
    "few texts": Kind(
        "a.csv",
        delimited([ROWS[i % 4] for i in range(N)]),
        told="Texts are repeated: only 2 texts",
    ),
    "near repeats": Kind("a.csv", delimited(), told="nearly the same as a train text"),
    "near repeats in one split": Kind(
        "a.csv",
        delimited([(f"{text} {i // 4}", y) for i, (text, y) in enumerate(PLAIN)]),
        told="those that are nearly the same counting as one",
        picks={"near-": True},
        options=("--no-near-repeats",),
    ),
    "an unknown split word": Kind(
        "a.csv",
        in_columns("text|label|split", *[(y, s) for y in "ab" for s in ("train", "val", "unsup")]),
        rows=16,
        told="marked 'unsup' in 'split' were left out",
    ),
    "a split without train": Kind(
        "a.csv",
        in_columns("text|label|split", *[(y, s) for y in "ab" for s in ("test", "val")]),
        refused="marks no rows as train",
        option="--split-word test=train",
    ),
    "one-hot": Kind(
        "a.csv",
        in_columns("text|joy|fear|rage", ("1", "0", "0"), ("0", "1", "0"), ("0", "0", "1")),
        classes=3,
        told="exactly one 1 in the columns",
    ),
    "one-hot vectors": Kind(
        "a.csv",
        labelled("[0 1 0]", "[1 0 0]", "[0 0 1]", header="text|target"),
        classes=3,
        told="each with exactly one 1",
    ),
    "labels side by side": Kind(
        "a.csv",
        in_columns("text|toxic|rude|threat", *[tuple(f"{n:03b}") for n in range(8)]),
        refused="several labels side by side",
    ),
    "several labels in one": Kind(
        "a.csv",
        labelled("bike;cake", "bike", "cake", header="text|tags"),
        refused="holds several labels",
        option="--combined-labels",
    ),
    "pairs": Kind(
        "a.csv",
        delimited([(text, f"And {text}", y) for text, y in ROWS], "sentence1|sentence2|label"),
        told="as pairs",
    ),
    "a scale": Kind(
        "a.csv",
        delimited([(text, f"{i / 7:.3f}") for i, (text, _) in enumerate(PLAIN)], "text|score"),
        refused="numbers on a scale",
        picks={"label-": "score"},
        options=(LABEL, "score"),
    ),
    "gzip": Kind("a.csv.gz", gzip.compress(delimited()), told="gzip"),
    "JSON Lines": Kind("a.jsonl", "\n".join(map(json.dumps, RECORDS)).encode(), told="JSON Lines"),
    "JSON": Kind("a.json", json.dumps(RECORDS).encode(), told="a list of records"),
    "Excel": Kind("a.xlsx", workbook([("text", "label"), *ROWS]), told="Excel, sheet"),
    "Excel without a header": Kind("a.xlsx", workbook(PLAIN), amber="looks like data"),
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppTest]:
    """The page, where a file of one's own is to be chosen; all kinds are uploaded there in turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(runs.RUNS_VARIABLE, str(tmp_path_factory.mktemp("runs")))
        app = open_page()
        yield app.segmented_control(key="source").set_value("Your file").run()


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_takes_a_file_or_says_why_not(page: AppTest, kind: str) -> None:
    file = KINDS[kind]
    page.file_uploader(key="upload_train").upload(file.name, file.content, "text/csv").run()
    for start, value in file.picks.items():
        widgets = [*page.sidebar.selectbox, *page.sidebar.toggle]
        next(one for one in widgets if str(one.key).startswith(start)).set_value(value).run()
    assert not page.exception
    assert page.button(key="fine_tune").disabled == bool(file.refused)
    refusal = f"{error_text(page)} {warning_text(page)}"
    assert file.refused in refusal
    assert "--" not in refusal
    assert file.amber in warning_text(page)
    assert bool(file.amber or file.refused) == bool(refusal.strip()), refusal
    if not file.refused:
        assert file.told in read_aloud([caption_text(page), markdown_text(page)])
        figures = {one.label: one.value for one in page.metric}
        assert figures.pop("Classes") == str(file.classes)
        assert sum(map(int, figures.values())) == file.rows


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_takes_a_file_or_says_why_not(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = KINDS[kind]
    path = tmp_path / file.name
    path.write_bytes(file.content)
    words = ["fit", "--encoder", "bert-mini", "--data", str(path), *file.options]
    if file.refused:
        assert main([*words, "--runs", str(tmp_path)]) == 2
        error = capsys.readouterr().err
        assert file.refused in error
        assert file.option in error
        return
    dataset = read_dataset(parser().parse_args(words))
    print_notes_of(dataset)
    error = capsys.readouterr().err
    assert file.told in error
    assert file.amber in error
    assert file.first_text in {"", *dataset.examples["text"]}
    assert len(dataset.examples) == file.rows
    assert len(dataset.label_names) == file.classes
