"""How a file is read can be chosen, on the page and on the command line, and is kept."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from made_runs import made
from pages import open_page
from toy import toy_rows

from layerviz import data, runs
from layerviz.commands import parser
from layerviz.commands.reading_options import reading_choices_of
from layerviz.data import ReadingChoices
from layerviz.errors import DataError
from layerviz.export.recipe import command

KOI8 = ReadingChoices(encoding="koi8-r", delimiter="@")
ROWS = [(f"{text} просто", label) for text, label in toy_rows(40)]
CONTENT = "".join(f"{text}@{label}\n" for text, label in [("text", "label"), *ROWS])
CONTENT_IN_KOI8 = CONTENT.encode("koi8-r")


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("options", "train", "val"),
    [
        ("", ReadingChoices(), ReadingChoices()),
        ("--encoding GBK --delimiter tab", *[ReadingChoices("gb18030", "\t")] * 2),
        ("--delimiter '|' --val-delimiter ,", ReadingChoices(None, "|"), ReadingChoices(None, ",")),
        (
            "--header-line 3 --val-header-line guess",
            ReadingChoices(header_line=3),
            ReadingChoices(),
        ),
        ("--val-quotes none", ReadingChoices(), ReadingChoices(quotes="none")),
    ],
)
def test_options_hold_for_all_files_but_those_that_have_their_own(options, train, val) -> None:
    words = ["fit", "--data", "a.csv", "--val", "b.csv", *shlex.split(options)]
    parsed = parser().parse_args(words)
    assert reading_choices_of(parsed, "data") == train
    assert reading_choices_of(parsed, "val") == val


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"encoding": "utf8mb"}, "no encoding 'utf8mb'"),
        ({"encoding": "zip"}, "no encoding 'zip'"),
        ({"delimiter": ", "}, "delimiter ', ' cannot"),
        ({"quotes": "doubel"}, "Did you mean double?"),
        ({"header_line": "-1"}, "no header line '-1'"),
        ({"header_line": "first"}, "no header line 'first'"),
    ],
)
def test_what_is_no_choice_is_refused(values, words) -> None:
    with pytest.raises(DataError) as caught:
        data.reading_choices(**values)
    assert words in str(caught.value)


@pytest.mark.parametrize("garbled", [7, {"train": 7}, {"train": {"coding": "utf-8"}}])
def test_garbled_choices_of_a_run_are_refused(garbled) -> None:
    assert data.reading_of({}) == {}
    with pytest.raises(DataError, match="garbled"):
        data.reading_of({"reading": garbled})


def test_a_run_keeps_how_its_file_was_read(root) -> None:
    table = data.read_table(CONTENT_IN_KOI8, "toy.csv", KOI8)
    dataset = data.build_dataset(table, data.guess_columns(table.frame))
    run = made(root, dataset, "enc", {1: 0.5})
    assert run.reading_choices == {"train": KOI8}
    words = shlex.split(command(run))[3:]
    assert reading_choices_of(parser().parse_args(words), "data") == KOI8
    assert [word for word in words if word.startswith("--val-")] == []
    # The page reads the file in the same way when the run is opened.
    runs.keep_table(root, CONTENT_IN_KOI8, "toy.csv")
    app = open_page(run=run.run_id)
    assert not app.exception
    assert not any("Not the data of the open run" in element.value for element in app.caption)
    key = runs.table_key(table.content_hash)[:12]
    assert app.selectbox(key=f"encoding-{key}").value == "koi8-r"
    assert app.selectbox(key=f"delimiter-{key}").value == "@"


def test_the_page_shows_a_doubt_and_takes_a_choice(root) -> None:
    content = CONTENT.replace("@", ",").encode("cp1251")
    app = open_page()
    app.segmented_control(key="source").set_value("Your file").run()
    app.file_uploader(key="upload_train").upload("toy.csv", content, "text/csv").run()
    (doubt,) = (element.value for element in app.warning if "is a guess" in element.value)
    assert "Windows-1251" in doubt.replace("\\", "")
    assert "просто" in doubt
    key = data.read_table(content, "toy.csv").content_hash[:12]
    assert app.selectbox(key=f"encoding-{key}").value == "guess"
    app.selectbox(key=f"encoding-{key}").set_value("cp1251").run()
    assert not any("is a guess" in element.value for element in app.warning)
    # A delimiter that makes no table is answered where it can be chosen again.
    app.selectbox(key=f"delimiter-{key}").set_value("pipe").run()
    assert any("only one column" in element.value for element in app.error)
    app.selectbox(key=f"delimiter-{key}").set_value("comma").run()
    assert not app.error
    app.text_input(key=f"header-line-{key}").set_value("2").run()
    assert not app.exception
    assert ROWS[0][0] in app.selectbox(key=f"text-{key}").options
