"""What a command prints is plain text, whatever data, runs, encoders and file names hold."""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hostile_runs import made_hostile
from made_runs import dataset_of, made

from layerviz import runs
from layerviz.commands import COMMANDS, Command, main
from layerviz.commands.bar import Bar
from layerviz.commands.terminal import OutputError, PlainStream, as_plain
from layerviz.errors import LayervizError
from layerviz.progress import LOADING, Progress

ROOT = Path(__file__).resolve().parents[1]
HIDDEN = "\x1b[2J\x1b]0;title\x07\r\u202e\u2066\x00\x08\x9b1A\x85\u200f\u2028"
DIRECTIONS = set("\u202e\u2066\u200f")
ORDERS = f"{HIDDEN}name{HIDDEN}"
TYPED = ORDERS.replace("\x00", "")  # no argument of a program holds one


def orders_in(text: str) -> set[str]:
    """Return the characters that a terminal would obey."""
    kinds = {char: unicodedata.category(char) for char in set(text) - {"\n", "\t"}}
    return {
        char for char, kind in kinds.items() if kind in ("Cc", "Zl", "Zp") or char in DIRECTIONS
    }


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\tb\n", "a\tb\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://a.b\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\nlines stay", "0;title\nlines stay"),
        ("over\rwritten", "overwritten"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("half \udc80", "half �"),
        ("नमस्ते 👩\u200d🚀 می\u200cخواهم", "नमस्ते 👩\u200d🚀 می\u200cخواهم"),
    ],
)
def test_orders_to_a_terminal_are_left_out(text: str, plain: str) -> None:
    assert as_plain(text) == plain
    assert not orders_in(as_plain(text))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two hostile runs, and one that cannot be read and is called so."""
    root = tmp_path_factory.mktemp("runs")
    for encoder in ("one", "two"):
        run = made(root, dataset_of("toy"), encoder, {1: 0.5, 4: 2.0})
        made_hostile(run, ORDERS)
    damaged = root / HIDDEN.replace("\x00", "")
    damaged.mkdir()
    (damaged / "run.json").write_text(f'{{"{ORDERS}": 1', encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def hostile_csv(folder: Path) -> Path:
    """A file with hostile columns, labels, splits and name."""
    path = folder.parent / f"{HIDDEN[:-1]}.csv".replace("\x00", "").replace("/", "")
    rows = [f"{row} {ORDERS}\tlabel {row % 2} {ORDERS}\t{ORDERS}" for row in range(20)]
    path.write_text("\n".join([f"text{ORDERS}\tlabel{ORDERS}\tsplit", *rows]), encoding="utf-8")
    return path


def command_lines(folder: Path, csv: Path) -> Iterator[list[str]]:
    """Yield command lines that print what runs and files hold, of all commands."""
    ids = [run.run_id for run in runs.list_runs(folder)]
    at = f"--runs={folder}"
    yield ["list", at]
    yield ["list", at, "--json"]
    yield ["report", ids[0], at]
    yield ["report", ids[0], at, "--json"]
    yield ["report", TYPED, at]
    yield ["compare", *ids, at]
    yield ["labels", ids[0], at]
    yield ["labels", ids[0], at, "--accept-flagged"]
    yield ["labels", ids[0], at, f"--corrected={folder / 'corrected.csv'}"]
    yield ["export", ids[0], at, f"--csv={folder.parent / TYPED}.csv"]
    yield ["export", ids[0], at, f"--csv={folder / 'none' / TYPED}"]
    yield ["export", ids[0], at, "--png=a.png", f"--layers={TYPED}"]
    yield ["import", str(csv), at]
    yield ["pretrain", f"--data={csv}", f"--out={folder / 'new'}", f"--text-column={TYPED}"]
    yield ["fit", "--encoder=bert-mini", f"--data={csv}", at]
    yield ["fit", "--encoder=bert-mini", f"--data={csv}", at, f"--label-column={TYPED}"]
    yield ["fit", f"--encoder={TYPED}", f"--data={csv}", at, "--split-column=none"]
    yield ["push", ids[0], f"somebody/{TYPED}", at]
    yield ["probe", f"--encoder={TYPED}", f"--data={csv}", at]
    yield ["bench", "probes", f"--run={TYPED}"]
    yield [TYPED]


def test_no_command_prints_what_a_terminal_would_obey(
    folder: Path, hostile_csv: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = list(command_lines(folder, hostile_csv))
    assert {line[0] for line in lines[:-1]} == set(COMMANDS)
    for line in lines:
        try:
            status = main(line)
        except SystemExit as ending:  # argparse's
            status = int(ending.code or 0)
        assert status in (0, 2), line
        printed = capfd.readouterr()
        assert printed.out or printed.err, line
        assert not orders_in(printed.out + printed.err), (line, printed)


def test_nor_do_the_log_and_the_progress_bar(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(parsed: argparse.Namespace) -> int:
        handler = logging.StreamHandler(sys.stderr)
        handler.emit(logging.makeLogRecord({"msg": ORDERS}))
        with Bar(ORDERS) as bar:
            monkeypatch.setattr(bar, "_line_at", float("-inf"))
            bar.show(Progress(LOADING))
        raise LayervizError(f"wrong: {ORDERS}", ORDERS, [ORDERS])

    command = Command("list", "", lambda parser: None, run)
    monkeypatch.setitem(COMMANDS._entries, "list", command)
    assert main(["list"]) == 2
    printed = capfd.readouterr().err
    assert printed.count("name") == 5
    assert not orders_in(printed)


@pytest.mark.parametrize(("reader", "status", "said"), [("full", 2, 1), ("closed", 141, 0)])
def test_results_that_cannot_be_printed_end_without_a_traceback(
    tmp_path: Path, reader: str, status: int, said: int
) -> None:
    if reader == "full" and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    made(tmp_path, dataset_of("toy"), "one", {1: 0.5})
    output = os.open("/dev/full", os.O_WRONLY) if reader == "full" else closed_pipe()
    done = subprocess.run(
        [sys.executable, "-m", "layerviz", "list", "--runs", str(tmp_path)],
        stdout=output,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        check=False,
    )
    os.close(output)
    assert done.returncode == status
    assert done.stderr.count("\n") == said, done.stderr
    assert "Traceback" not in done.stderr


def closed_pipe() -> int:
    """Return where to write to what nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def test_what_is_said_beside_the_results_may_be_lost() -> None:
    nobody = os.fdopen(closed_pipe(), "w")
    said = PlainStream(nobody)
    said.write("said\n")
    said.flush()
    with pytest.raises(OutputError):
        PlainStream(nobody, is_output=True).flush()
    with suppress(BrokenPipeError):
        nobody.close()
