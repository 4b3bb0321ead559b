"""The server, the data that are chosen, and what is told of them before a run."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import streamlit as st
from streamlit import runtime
from streamlit.runtime import RuntimeState
from streamlit.runtime.uploaded_file_manager import UploadedFile

from layerviz import checks, data, runs, training
from layerviz.cache.keys import Keys, by_contents
from layerviz.checks import Finding
from layerviz.config import RunConfig
from layerviz.data import (
    GUESS,
    NOTHING_CHOSEN,
    Columns,
    Dataset,
    ReadingChoices,
    RowChoices,
    RowQuestions,
    Suggestion,
    Table,
)
from layerviz.jobs import Jobs, stop_runs_at_exit
from layerviz.training import Pace, RunBytes, RunSeconds

PACE_SECONDS = 60  # for which the pace of earlier runs is believed


@st.cache_resource(show_spinner=False)
def jobs(root: str) -> Jobs:
    """Return the workers of this server; they outlive pages, tabs and edits of the code."""
    workers = Jobs(Path(root), _server_stops)
    stop_runs_at_exit(workers)
    _stop_as_terminal_closes()
    return workers


def _server_stops() -> bool:
    """Return whether the server has been told to stop; it then waits for nothing that computes."""
    state = runtime.get_instance().state if runtime.exists() else None
    return state in (RuntimeState.STOPPING, RuntimeState.STOPPED)


def _stop_as_terminal_closes() -> None:
    """Have the server stop in good order as its terminal is closed: Streamlit would just end."""
    if not runtime.exists() or not hasattr(signal, "SIGHUP"):
        return
    of_terminal = [name for name in ("stdout", "stderr") if getattr(sys, name).isatty()]

    def stop(_: int, frame: FrameType | None) -> None:
        for name in of_terminal:  # what is said to a terminal that is gone raises an error
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        if callable(as_if_told := signal.getsignal(signal.SIGTERM)):
            as_if_told(signal.SIGTERM, frame)

    def install() -> None:
        # Who starts a server with nohup wants it to outlive its terminal.
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
            signal.signal(signal.SIGHUP, stop)

    # Handlers are set in the main thread, which runs the event loop; Streamlit shows no other way.
    with suppress(AttributeError, RuntimeError):
        loop = runtime.get_instance()._get_async_objs().eventloop
        loop.call_soon_threadsafe(install)


_BY_UPLOAD: Keys = {UploadedFile: lambda file: (file.file_id, file.name)}


# Of each of three files, the readings that somebody tries.
@st.cache_resource(show_spinner="Reading the file", max_entries=9, hash_funcs=_BY_UPLOAD)
def table(file: UploadedFile, choices: ReadingChoices = GUESS) -> Table:
    """Read an uploaded file once."""
    return data.read_table(file.getvalue(), file.name, choices)


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=_BY_UPLOAD)
def upload_key(file: UploadedFile) -> str:
    """Return under what an uploaded file is kept."""
    return runs.table_key(hashlib.sha256(file.getvalue()).hexdigest())


@st.cache_resource(show_spinner="Reading the file", max_entries=9)
def kept_table(root: str, key: str, name: str, choices: ReadingChoices = GUESS) -> Table:
    """Read a file that is kept in the runs folder once, under the name it has in a run."""
    return data.read_table(runs.read_kept_table(Path(root), key).content, name, choices)


@st.cache_resource(show_spinner=False)
def sample() -> Table:
    """Read the bundled sample."""
    return data.sample_table()


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs={Table: by_contents})
def suggested_columns(table: Table) -> Suggestion:
    """Return which columns of a file carry what, as far as it can be guessed."""
    return data.suggest_columns(table.frame)


@st.cache_data(show_spinner="Preparing the data", max_entries=8, hash_funcs={Table: by_contents})
def row_questions(
    tables: dict[str, Table],
    columns_of: dict[str, Columns],
    choices: RowChoices = NOTHING_CHOSEN,
) -> RowQuestions:
    """Return what the rows of these files leave open."""
    return data.row_questions(tables, columns_of, choices)


@st.cache_resource(
    show_spinner="Preparing the data", max_entries=3, hash_funcs={Table: by_contents}
)
def dataset(
    train: Table,
    val: Table | None,
    test: Table | None,
    columns: Columns,
    val_fraction: float,
    seed: int,
    choices: RowChoices = NOTHING_CHOSEN,
) -> Dataset:
    """Build the data set of these files."""
    return data.build_dataset(
        train, columns, val=val, test=test, val_fraction=val_fraction, seed=seed, choices=choices
    )


@st.cache_data(
    show_spinner="Counting tokens",
    max_entries=16,
    hash_funcs={Dataset: lambda dataset: dataset.fingerprint},
)
def token_lengths(encoder: str, version: str, dataset: Dataset) -> np.ndarray:
    """Return the tokens of an evenly spaced sample of the train texts, shape (n,)."""
    del version  # part of the key alone
    return checks.token_lengths(encoder, dataset)


@st.cache_data(show_spinner=False, ttl=PACE_SECONDS, max_entries=16)
def pace(root: str, encoder: str) -> Pace:
    """Return how fast earlier runs were on this machine."""
    return training.pace_of(runs.list_runs(Path(root)), encoder)


@st.cache_data(
    show_spinner=False,
    max_entries=32,
    hash_funcs={
        Dataset: lambda dataset: (
            dataset.fingerprint,
            dataset.val_fraction,
            dataset.columns,
            dataset.row_choices,
        )
    },
)
def checked(
    values: dict[str, Any],
    dataset: Dataset,
    pace: Pace,
    _lengths: np.ndarray | None,
    *,
    is_counted: bool,
) -> tuple[list[Finding], RunSeconds | None, RunBytes | None]:
    """Return what the checks find before a run with these settings, and its time and room.

    The lengths follow from data and encoder, but for whether they were counted.
    """
    del is_counted  # part of the key alone
    plan = checks.plan_for(RunConfig.from_dict(values), dataset, _lengths, pace)
    return checks.findings_of(plan), plan.seconds, plan.space
