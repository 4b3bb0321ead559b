"""layerviz in Python: what the commands do, under the names of their options.

>>> import layerviz
>>> run = layerviz.fit("tweets.csv", encoder="bert-mini", label_column="HS", epochs=3)
>>> print(run.answer())
>>> run.chart()  # the maps, in a notebook
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

from layerviz import interrupts, runs
from layerviz.commands.arguments import Parser
from layerviz.commands.command_line import COMMANDS
from layerviz.commands.export import export_request
from layerviz.commands.fit import fit_files
from layerviz.commands.inputs import GivenFile, expect_margin, read_files, runs_root
from layerviz.commands.inputs import open_run as find_run
from layerviz.commands.report import Report, report_of
from layerviz.errors import ConfigError, did_you_mean, reason
from layerviz.wording import quote

if TYPE_CHECKING:
    import altair as alt
    import numpy as np
    import pandas as pd

    from layerviz.commands.command import Command

FILES = ("data", "val", "test")
CHART_OPTIONS = ("pooling", "projection", "colour_by", "layers", "splits", "dark")  # of `export`


class OpenedRun:
    """A run on disk, to look into from Python. `fit`, `probe` and `open_run` return one.

    Parameters
    ----------
    run : runs.Run
        What ``run.json`` said when it was opened.
    """

    def __init__(self, run: runs.Run) -> None:
        self._run = run

    def __repr__(self) -> str:
        epochs = ", ".join(f"{epoch:g}" for epoch in self.epochs)
        return f"<layerviz run {self.id}: {self.status}, epochs {epochs or 'none'}>"

    @property
    def id(self) -> str:
        """What it is called in the runs folder, in addresses and by the commands."""
        return self._run.run_id

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._run.path

    @property
    def status(self) -> str:
        """``queued``, ``running``, ``done``, ``cancelled`` or ``failed``."""
        return self._run.status

    @property
    def epochs(self) -> list[float]:
        """Those of its snapshots, 0 for before training."""
        return [snapshot.epoch for snapshot in self._run.snapshots]

    @property
    def label_names(self) -> tuple[str, ...]:
        """Class names; position = class index."""
        return self._run.label_names

    @property
    def poolings(self) -> tuple[str, ...]:
        """Those of its hidden states."""
        return self._run.poolings

    def examples(self) -> pd.DataFrame:
        """Return the captured examples, in the order of the rows of `hidden_states`.

        Returns
        -------
        DataFrame
            id, split, text, label (int64 class index), and the further columns of the data.
        """
        return runs.read_examples(self.path)

    def hidden_states(
        self, epoch: float | None = None, layer: int | None = None, pooling: str | None = None
    ) -> np.ndarray:
        """Return pooled hidden states.

        Parameters
        ----------
        epoch : float, optional
            That of a snapshot, to two decimals; by default the newest.
        layer : int, optional
            0 is the embedding output; by default all of them.
        pooling : str, optional
            By default the run's first.

        Returns
        -------
        ndarray of float16
            (examples, hidden size) of one layer; (layers + 1, examples, hidden size) of all.

        Raises
        ------
        ConfigError
            If the run has no such epoch, layer or pooling.
        RunError
            If nothing has been captured, or the file is damaged.
        """
        index = self._snapshot(epoch)
        if pooling is None:
            pooling = self.poolings[0]
        if pooling not in self.poolings:
            raise ConfigError(
                f"This run has no pooling {quote(pooling)}.",
                did_you_mean(str(pooling), self.poolings, f"It has {', '.join(self.poolings)}."),
            )
        states = runs.read_pooled(self.path, index)[pooling]
        if layer is None:
            return states
        if layer not in range(len(states)):
            raise ConfigError(
                f"There is no layer {quote(layer)}.",
                f"Choose from 0, the embedding output, to {len(states) - 1}.",
            )
        return states[int(layer)]  # a table of scores may give it as a float

    def scores(self) -> pd.DataFrame:
        """Return all measures of all layers, as ``export --measures`` writes them.

        Returns
        -------
        DataFrame
            snapshot, epoch, pooling, layer, measure, split, value, low and high (ends of the 95 %
            interval; missing where a measure has none).

        Raises
        ------
        RunError
            If nothing is measured.
        """
        from layerviz.export.tables import measures_with_epochs

        return measures_with_epochs(self._run)

    def answer(self, pooling: str | None = None, margin: float = 0.02) -> Report:
        """Return which layer generalises, at which epoch, and how sure that is, as ``report`` does.

        Parameters
        ----------
        pooling : str, optional
            By default all are considered.
        margin : float
            Loss of macro-F1 that is given away for fewer layers, 0.01 to 0.2.

        Returns
        -------
        Report
            Printed, the text of ``report``; its ``values`` are what ``report --json`` prints.

        Raises
        ------
        LayervizError
            If nothing is measured, or there is no such pooling.
        """
        return report_of(self._run, pooling, expect_margin(margin))

    def chart(
        self, chart: str = "maps", epoch: float | None = None, **options: Any
    ) -> alt.LayerChart:
        """Return a chart, which a notebook shows as it is.

        Parameters
        ----------
        chart : {"maps", "heat-map"}
            The maps with a slider over the epochs, or val macro-F1 of each layer and epoch.
        epoch : float, optional
            Where the slider starts; by default at the newest.
        **options
            Those of ``export``: pooling, projection, colour_by, layers, splits, dark.

        Raises
        ------
        LayervizError
            If there is no such option, or nothing to draw.
        """
        from layerviz.export.complete_chart import CompleteChart
        from layerviz.export.run_charts import requested_chart

        if unknown := [name for name in options if name not in CHART_OPTIONS]:
            raise ConfigError(
                f"A chart has no option {quote(unknown[0])}.",
                did_you_mean(unknown[0], CHART_OPTIONS, f"It has {', '.join(CHART_OPTIONS)}."),
            )
        parsed = _parsed(COMMANDS["export"], {"chart": chart, **options}, positional=[self.id])
        drawn = requested_chart(self._run, export_request(parsed, snapshot=self._snapshot(epoch)))
        return CompleteChart.of(drawn, dark=parsed.dark)

    def _snapshot(self, epoch: float | None) -> int:
        """Return the index of a snapshot."""
        if epoch is not None or not self._run.snapshots:
            return self._run.snapshot_at(-1 if epoch is None else epoch).index
        return self._run.snapshots[-1].index


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
    return _made(COMMANDS["fit"], {"data": data, "val": val, "test": test}, options)


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
    return _made(COMMANDS["probe"], {"data": data, "val": val, "test": test}, options)


def _made(command: Command, given: Mapping[str, Any], options: dict[str, Any]) -> OpenedRun:
    """Return the run that a command makes of files or tables."""
    tables = {role: table for role, table in given.items() if _is_table(table)}
    paths = {role: path for role, path in given.items() if role not in tables}
    parsed = _parsed(command, {**paths, **options})

    def files() -> dict[str, GivenFile]:
        found = {
            **read_files(parsed),
            **{role: _as_file(role, table) for role, table in tables.items()},
        }
        return {role: found[role] for role in FILES if role in found}

    with ExitStack() as stack:
        return OpenedRun(
            fit_files(parsed, files, lambda: stack.enter_context(interrupts.first_ctrl_c_noted()))
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


# --- options ----------------------------------------------------------------------------------


class _Options(Parser):
    """The parser of a command, of which mistakes are errors of Python's own kind."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[:1].upper()}{message[1:]}", "")


def _parsed(
    command: Command, options: dict[str, Any], positional: Sequence[str] = ()
) -> argparse.Namespace:
    """Return options as the command line would have parsed them.

    Raises
    ------
    ConfigError
        If there is no such option, or it does not take that value.
    """
    parser = _Options(prog=f"layerviz {command.name}", add_help=False, allow_abbrev=False)
    command.add_arguments(parser)
    known = {
        option[2:].replace("-", "_"): action
        for option, action in parser.options.items()
        if option.startswith("--")
    }
    words = list(positional)
    for name, value in options.items():
        if name not in known:
            raise ConfigError(
                f"There is no option {quote(name)}.",
                did_you_mean(name, known, f"`layerviz {command.name} --help` lists them."),
            )
        words += _words(name, known[name], value)
    return parser.parse_args(words)


def _words(name: str, action: argparse.Action, value: Any) -> list[str]:
    """Return how an option is written on the command line."""
    option = f"--{name.replace('_', '-')}"
    if value is None:
        return []
    if action.nargs == 0:  # a switch
        if not isinstance(value, bool):
            raise ConfigError(f"The option {name} takes no {quote(value)}.", "Give True or False.")
        off = f"--no-{option[2:]}"
        return [option] if value else [off] if off in action.option_strings else []
    if isinstance(value, Mapping):
        value = [f"{key}={meaning}" for key, meaning in value.items()]
    values = value if isinstance(value, list | tuple) else [value]
    if isinstance(action, argparse._AppendAction):
        return [f"{option}={one}" for one in values]
    return [f"{option}={','.join(map(str, values))}"]


# --- tables -----------------------------------------------------------------------------------


def _is_table(given: Any) -> TypeGuard[pd.DataFrame]:
    return hasattr(given, "to_parquet")


def _as_file(role: str, table: pd.DataFrame) -> GivenFile:
    """Return a table as the file that it would be: labels and texts as pandas holds them."""
    import pyarrow as pa

    content = io.BytesIO()
    try:
        table.to_parquet(content, index=False)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise ConfigError(
            f"The table for {role} cannot be stored: {reason(error)}.",
            "Give columns of texts, numbers or booleans.",
        ) from error
    return GivenFile("data.parquet" if role == "data" else f"{role}.parquet", content.getvalue())
