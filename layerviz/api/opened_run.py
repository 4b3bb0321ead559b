"""A run on disk, to look into from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz import runs
from layerviz.api.options import parsed_words
from layerviz.commands.command_line import COMMANDS
from layerviz.commands.export import export_request
from layerviz.commands.inputs import expect_margin
from layerviz.commands.report import report_of
from layerviz.errors import ConfigError, did_you_mean
from layerviz.wording import quote

if TYPE_CHECKING:
    import altair as alt
    import numpy as np
    import pandas as pd

    from layerviz.separability import Report

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
        parsed = parsed_words(COMMANDS["export"], {"chart": chart, **options}, positional=[self.id])
        drawn = requested_chart(self._run, export_request(parsed, snapshot=self._snapshot(epoch)))
        return CompleteChart.of(drawn, dark=parsed.dark)

    def _snapshot(self, epoch: float | None) -> int:
        """Return the index of a snapshot."""
        if epoch is not None or not self._run.snapshots:
            return self._run.snapshot_at(-1 if epoch is None else epoch).index
        return self._run.snapshots[-1].index
