"""What several tests need, and how many processes run them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import shelf
from handing_out import OneBrowser, turn_of
from toy import as_csv, toy_rows
from xdist.remote import Producer

from layerviz import data
from layerviz.data import Dataset

MOST_PROCESSES = 4  # each holds torch and what it trains: about 1 GB
NICENESS = 10  # that of `jobs.worker`, or what a test waits for comes after all other tests


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads its options
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run whole folders on several cores, and what somebody looks at closely in one process.

    In ``addopts`` the option ``-n`` would also hold for a single test, which then waits for other
    processes to start, and for a debugger, which cannot reach into them. An ``-n`` of the command
    line is left as it is.
    """
    option = config.option
    if hasattr(config, "workerinput") or not config.pluginmanager.hasplugin("xdist"):
        return
    if option.numprocesses is None and is_wide(config):
        option.numprocesses = "logical"
        option.maxprocesses = option.maxprocesses or MOST_PROCESSES
    if option.numprocesses and option.dist == "no":
        # One file is one process's work, as its fixtures are costly, in the order of collection.
        option.dist = "loadfile"
        option.loadscopereorder = False


def is_wide(config: pytest.Config) -> bool:
    """Whether whole folders are run, and nobody waits in a debugger or for what a test prints."""
    watched = any(config.getoption(name, False) for name in ("usepdb", "trace"))
    if watched or config.getoption("capture") == "no" or config.getoption("keyword"):
        return False
    return all(Path(argument).is_dir() for argument in config.option.file_or_dir)


def pytest_configure(config: pytest.Config) -> None:
    """Put up the shelf, and share the cores among pytest-xdist's processes, or each takes all."""
    stack = ExitStack()
    stack.enter_context(shelf.standing())
    config.add_cleanup(stack.close)
    if hasattr(config, "workerinput") and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    # Before they are started: numpy reads it when it is imported, as it is with this file.
    if workers := len(config.getoption("tx", None) or ()):
        share = max(1, (os.cpu_count() or 1) // workers)
        os.environ.setdefault("OMP_NUM_THREADS", str(share))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneBrowser | None:
    """Give all browser tests to one process: a server and a Chromium are enough."""
    return OneBrowser(config, log) if config.option.dist == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes long begin first."""
    items.sort(key=lambda item: turn_of(item.path))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files without a fast test unread where only those run: most import torch."""
    if config.option.markexpr != "fast" or not collection_path.name.startswith("test_"):
        return None
    return "pytest.mark.fast" not in collection_path.read_text(encoding="utf-8") or None


@pytest.fixture(scope="session")
def toy_csv() -> bytes:
    return as_csv(toy_rows(90))


@pytest.fixture(scope="session")
def toy_dataset(toy_csv: bytes) -> Dataset:
    """72 train and 18 val examples in three classes."""
    table = data.read_table(toy_csv, "toy.csv")
    return data.build_dataset(table, data.guess_columns(table.frame))


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache of the Hugging Face Hub, which cannot be reached."""
    from hub import point_to  # not above: most tests need not load huggingface_hub
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    point_to(monkeypatch, "http://127.0.0.1:9")


@pytest.fixture
def hub(
    hub_cache: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, list[str]]]:
    """The folder that a fake hub serves, and the requests it got."""
    from hub import served

    with served(tmp_path / "hub", monkeypatch) as both:
        yield both


@pytest.fixture(autouse=True)
def no_part_of_the_page_failed(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """What the page says in a sentence rather than with a traceback is a fault all the same."""
    yield
    if request.node.get_closest_marker("failing_page") is None:
        of_guard = [one for one in caplog.get_records("call") if one.name.endswith("parts.guard")]
        assert not of_guard, f"{of_guard[0].getMessage()}: {of_guard[0].exc_info}"
