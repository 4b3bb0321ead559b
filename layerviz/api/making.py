"""Making a run, and opening one that was made."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz import interrupts
from layerviz.api.opened_run import OpenedRun
from layerviz.api.options import given_files, parsed_options
from layerviz.commands.command_line import COMMANDS
from layerviz.commands.fit import fit_files
from layerviz.commands.inputs import open_run as find_run
from layerviz.commands.inputs import runs_root
from layerviz.commands.probe import take_checkpoints
from layerviz.commands.run_together import join_from_python

if TYPE_CHECKING:
    import pandas as pd


def fit(
    data: str | Path | pd.DataFrame | None = None,
    *,
    val: str | Path | pd.DataFrame | None = None,
    test: str | Path | pd.DataFrame | None = None,
    **options: Any,
) -> OpenedRun:
    """Fine-tune an encoder and capture every layer, as the command ``fit`` does.

    Ctrl-C stops it in good order: what is captured is kept, and the same call continues.

    Parameters
    ----------
    data, val, test : str, Path or DataFrame, optional
        A file, a folder, ``hf:owner/name``, or a table; by default the bundled sample.
    **options
        Those of ``python -m layerviz fit --help``, with underscores: ``encoder="bert-mini"``,
        ``label_column="HS"``, ``epochs=3``, ``runs="my-runs"``. An option that is a switch takes
        True or False.

    Returns
    -------
    OpenedRun
        Done; or cancelled, if it was stopped.

    Raises
    ------
    LayervizError
        If there is no such option, or data, settings or encoder cannot be used.
    """
    given = {"data": data, "val": val, "test": test}
    return _made(*parsed_options(COMMANDS["fit"], given, options))


def probe(
    data: str | Path | pd.DataFrame | None = None,
    *,
    val: str | Path | pd.DataFrame | None = None,
    test: str | Path | pd.DataFrame | None = None,
    **options: Any,
) -> OpenedRun:
    """Look at every layer of an encoder as it is, without training it, as ``probe`` does.

    Parameters
    ----------
    data, val, test, **options
        As for `fit`; the options are those of ``python -m layerviz probe --help``.

    Returns
    -------
    OpenedRun
        With one snapshot.

    Raises
    ------
    LayervizError
        As `fit`.
    """
    given = {"data": data, "val": val, "test": test}
    parsed, tables = parsed_options(COMMANDS["probe"], given, options)
    take_checkpoints(parsed)
    return _made(parsed, tables)


def _made(parsed: argparse.Namespace, tables: Mapping[str, Any]) -> OpenedRun:
    """Return the run that a command makes of options and tables."""
    join_from_python()  # where torchrun, accelerate or SLURM started this program several times
    with ExitStack() as stack:
        return OpenedRun(
            fit_files(
                parsed,
                lambda: given_files(parsed, tables),
                lambda: stack.enter_context(interrupts.first_ctrl_c_noted()),
            )
        )


def open_run(run: str | Path, *, runs: str | Path | None = None) -> OpenedRun:
    """Open a run by its id or its folder; snapshots without measures are measured.

    Parameters
    ----------
    run : str or Path
    runs : str or Path, optional
        The runs folder, for an id; by default the page's.

    Raises
    ------
    RunError
        If there is none, or it is damaged.
    """
    folder = None if runs is None else Path(runs)
    return OpenedRun(find_run(str(run), runs_root(argparse.Namespace(runs=folder))))
