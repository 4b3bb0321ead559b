"""No message quotes a whole label, cell, column or file name, and too many columns are refused."""

from __future__ import annotations

import ast
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hostile_runs import made_hostile
from made_runs import dataset_of, made
from pyarrow import feather

from layerviz import checks, data, runs
from layerviz.commands import main
from layerviz.config import RunConfig
from layerviz.data.file_format import MOST_COLUMNS
from layerviz.errors import LayervizError
from layerviz.wording import LONGEST_NAMED, named, quote

ROOT = Path(__file__).resolve().parents[1]
LONG = "Lorem_ipsum-" * 1_000
LONGEST = "Lorem_ipsum-" * 14_833  # 178 kB
MOST_OF_IT = LONG[: LONGEST_NAMED + 20]
PLACES = (
    "text column", "label column", "split column", "further column", "label", "both labels",
    "split word", "missing word", "id", "text", "file",
)  # fmt: skip
DEFECTS = (
    "none", "one label", "two labels in one", "words for splits", "no train", "few rows",
    "twice", "one column", "no rows", "no header", "numbers", "unknown column", "look-alikes",
)  # fmt: skip


def table_of(places: Collection[str], defect: str, text: str = LONG) -> pd.DataFrame:
    """Return a table that has a long text in some places, and something that is wrong."""
    long = {place: text if place in places else "" for place in PLACES}
    n = 6 if defect == "few rows" else 0 if defect == "no rows" else 24
    labels = [f"{long['label']}a", f"b{long['both labels']}"]
    if defect == "look-alikes":
        labels = [*labels, *(label.upper() for label in labels)]
    if defect == "numbers":
        labels = [f"{row / 7:.3f}" for row in range(24)]
    if defect == "two labels in one":
        labels = [f'["{label}", "c"]' for label in labels]
    label = [labels[0] if defect == "one label" else labels[row % len(labels)] for row in range(n)]
    words = ["train", "train", "train", "val"]
    if defect == "words for splits":
        words = [f"{long['split word']}{word}" for word in ("one", "two", "three", "four")]
    if defect == "no train":
        words = ["val", "test", f"val{long['split word']}", "val"]
    columns: dict[str, list[Any]] = {
        f"text{long['text column']}": [f"text {row} {long['text']}" for row in range(n)],
        f"label{long['label column']}": label,
        f"split{long['split column']}": [words[row % 4] for row in range(n)],
        f"id{long['id']}": [f"{row}{long['id']}" for row in range(n)],
        f"epoch{long['further column']}": [
            f"{row % 3}{long['further column']}" for row in range(n)
        ],
    }
    if defect == "one column":
        columns = dict(list(columns.items())[:1])
    frame = pd.DataFrame(columns)
    if defect == "twice":
        frame.columns = [frame.columns[0]] * len(frame.columns)
    return frame


def messages_of(content: bytes, name: str, defect: str) -> Iterator[str]:
    """Yield all that is said of a file, up to the run that would be made of it."""
    try:
        table = data.read_table(content, name)
        yield from [*table.notes, table.layout, *(doubt.sentence for doubt in table.doubts)]
        if defect == "unknown column":
            data.expect_columns(table.frame, [LONG])
        suggestion = data.suggest_columns(table.frame)
        yield suggestion.problem
        if suggestion.columns is None:
            return
        for merge in (False, True):
            choices = data.RowChoices(merge_labels=merge)
            dataset = data.build_dataset(table, suggestion.columns, choices=choices)
            yield from dataset.notes
        plan = checks.plan_for(RunConfig("bert-mini"), dataset)
        yield from (finding.sentence for finding in checks.findings_of(plan))
        yield from data.example_names(dataset.examples.head(3), dataset.files, LONG)
    except LayervizError as error:
        yield from (error.message, error.hint, *error.options)


def expect_bounded(messages: Iterator[str], of: object) -> None:
    n = 0
    for message in messages:
        n += 1
        assert MOST_OF_IT not in message, (of, message[:400])
        assert len(message) < 6_000, (of, len(message), message[:400])
    assert n, of


def as_excel(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.map(lambda cell: str(cell)[:30_000]).to_excel(buffer, index=False)
    return buffer.getvalue()


def as_parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def as_json(frame: pd.DataFrame) -> bytes:
    return json.dumps(frame.to_dict("records")).encode()


def as_zip(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("train", "val"):
            archive.writestr(f"{LONG}/{name}.csv", frame.to_csv(index=False))
    return buffer.getvalue()


WAYS = {"csv": lambda frame: frame.to_csv(index=False).encode(), "json": as_json, "zip": as_zip,
        "parquet": as_parquet, "xlsx": as_excel}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_is_said_of_a_file_quotes_nothing_whole(defect: str) -> None:
    for place in (*PLACES, "all"):
        frame = table_of(PLACES if place == "all" else [place], defect)
        name = f"{LONG}.csv" if place in ("file", "all") else "a.csv"
        content = frame.to_csv(index=False, header=defect != "no header").encode()
        expect_bounded(messages_of(content, name, defect), (place, defect))


@pytest.mark.parametrize("ending", [way for way in WAYS if way != "csv"])
def test_nor_does_what_is_said_of_other_formats(ending: str) -> None:
    for defect in ("none", "words for splits", "one column", "no rows"):
        content = WAYS[ending](table_of(PLACES, defect))
        expect_bounded(messages_of(content, f"{LONG}.{ending}", defect), (ending, defect))


def test_nor_does_what_is_said_of_very_long_labels() -> None:
    content = table_of(("label", "both labels", "label column"), "look-alikes", LONGEST)
    expect_bounded(messages_of(content.to_csv(index=False).encode(), "a.csv", ""), "longest")


def test_a_long_name_is_cut_in_its_middle() -> None:
    name = f"data {LONG}.csv.gz"
    assert named(name).startswith("data Lorem")
    assert named(name).endswith(".csv.gz")
    assert len(named(name)) == LONGEST_NAMED == len(quote(name)) - 2
    assert (named("a\nb"), quote("a\nb"), quote(7)) == ("a b", "'a\\nb'", "7")


@pytest.mark.parametrize("way", [",", ";", "\t", "|", "^", "~", ":", '"', "title", "jsonl",
                                 "json", "columns", "parquet", "arrow", "xlsx"])  # fmt: skip
def test_a_table_of_very_many_columns_is_refused_by_its_header(way: str) -> None:
    n_columns = MOST_COLUMNS + 1

    def of_arrow(write: Callable[..., None]) -> bytes:
        buffer = io.BytesIO()
        write(pa.table(dict.fromkeys(names, pa.array(["a"]))), buffer)
        return buffer.getvalue()

    names = ["text", "label", *(f"column {number}" for number in range(2, n_columns))]
    if way == "xlsx":
        cells = "".join(f"<c t='inlineStr'><is><t>{name}</t></is></c>" for name in names)
        content = with_first_row(cells)
    elif way == "parquet":
        content = of_arrow(pq.write_table)
    elif way == "arrow":
        content = of_arrow(feather.write_feather)
    elif way in ("jsonl", "json", "columns"):
        record = json.dumps(dict.fromkeys(names, ["a"] if way == "columns" else "a"))
        # What is not read need not be right.
        content = (record if way == "columns" else f"[{record}, {{" if way == "json" else
                   f"{record}\n{{").encode()  # fmt: skip
    else:
        header = ",".join(f'"{name}"' for name in names) if way == '"' else ",".join(names)
        delimiter = way if len(way) == 1 and way != '"' else ","
        title = "A title\n" if way == "title" else ""
        row = "a" + "," * (n_columns - 1)
        content = f"{title}{header}\n{row}\n{row}\n".replace(",", delimiter).encode()
    ending = {"columns": "json"}.get(way, way if way.isalpha() and way != "title" else "csv")
    with pytest.raises(LayervizError, match=f"has {n_columns:,} columns, and at most") as refused:
        data.read_table(content, f"wide.{ending}")
    assert "Keep those of texts and labels" in refused.value.hint


def with_first_row(cells: str) -> bytes:
    """Return a workbook whose only row is this one."""
    buffer = io.BytesIO()
    pd.DataFrame({"a": []}).to_excel(buffer, index=False)
    result = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(result, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part.endswith("sheet1.xml"):
                head, _, rest = content.partition(b"<sheetData>")
                end = rest[rest.index(b"</sheetData>") :]
                content = head + f"<sheetData><row r='1'>{cells}</row>".encode() + end
            new.writestr(part, content)
    return result.getvalue()


def test_a_long_text_with_many_commas_is_no_row_of_many_columns() -> None:
    text = "word, " * 30_000
    rows = [f'"{text} {row}",{"ab"[row % 2]}' for row in range(3)]
    table = data.read_table("\n".join(["text,label", *rows]).encode(), "long.csv")
    assert table.frame.shape == (3, 2)
    apart = "\n".join(["text,label", *(f'"first\n{text}",{"ab"[row % 2]}' for row in range(3))])
    assert data.read_table(apart.encode(), "long.csv").frame.shape == (3, 2)


@pytest.mark.parametrize("length", [900, len(LONGEST)])
def test_no_command_quotes_a_whole_text_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], length: int
) -> None:
    for encoder in ("one", "two"):
        made(tmp_path, dataset_of("toy"), encoder, {1: 0.5, 4: 2.0})
    ids = [run.run_id for run in runs.list_runs(tmp_path)]
    for run in runs.list_runs(tmp_path):
        made_hostile(run, LONG[:length]) if length < 1_000 else _garbled(run)
    for line in (["list"], ["report", ids[0]], ["compare", *ids], ["labels", ids[0]],
                 ["export", ids[0], "--csv=a.csv", "--layers=99"]):  # fmt: skip
        main([*line, f"--runs={tmp_path}"])
        printed = capsys.readouterr()
        assert MOST_OF_IT not in printed.out + printed.err, (line, printed.out[:2000])


def _garbled(run: runs.Run) -> None:
    values = json.loads(run.layout.record.read_text(encoding="utf-8"))
    values["dataset"]["name"] = LONGEST
    run.layout.record.write_text(json.dumps(values), encoding="utf-8")


def test_a_header_that_is_longer_than_the_sample_is_read_whole() -> None:
    names = ["text", "label", *(f"{number} {'x' * 60}" for number in range(3_000))]
    rows = [f"text {row},{'ab'[row % 2]}{',1' * 3_000}" for row in range(8)]
    table = data.read_table("\n".join([",".join(names), *rows]).encode(), "wide.csv")
    assert table.frame.columns.tolist() == names
    with pytest.raises(LayervizError, match="has a name of 178,000 characters"):
        data.read_table(f"text,{LONGEST}9999\na,b\nc,d\n".encode(), "a.csv")


def test_values_are_quoted_within_bounds_everywhere() -> None:
    rooms = ("data", "checks", "runs", "commands", "relabelling", "export", "views", "encoders")
    for room in rooms:
        for path in sorted((ROOT / "layerviz" / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                unbounded = isinstance(node, ast.FormattedValue) and node.conversion == ord("r")
                assert not unbounded, (
                    f"{path.name}: {ast.unparse(node)}: use layerviz.wording.quote"
                )
