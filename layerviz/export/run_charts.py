"""The charts of a run that need no page: its maps, and a heat map of a measure."""

from __future__ import annotations

import altair as alt
import pandas as pd

from layerviz import charts, runs
from layerviz.config import SPLITS
from layerviz.errors import ConfigError, RunError
from layerviz.export.entry import ExportRequest
from layerviz.export.views import (
    POINTS_PER_SPLIT,
    DrawnMaps,
    MapsView,
    draw_maps,
)
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.runs import Run
from layerviz.separability import MEASURES, PROBE_MACRO_F1, Cell
from layerviz.wording import epoch_name


def maps_chart(
    run: Run,
    view: MapsView,
    *,
    dark: bool = False,
    legend: bool = True,
    start: int | None = None,
    most_per_split: int = POINTS_PER_SPLIT,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> alt.LayerChart:
    """Return the maps of a run as one chart, as the page shows them, from the run folder alone.

    Arguments and errors as in :func:`draw_maps`; `dark` says whether the background is dark,
    `legend` whether there is a legend of the colours, `start` at which snapshot the slider
    starts (by default the newest), which is the one that a picture shows.
    """
    drawn = draw_maps(
        run,
        view,
        most_per_split=most_per_split,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    chart = chart_of(drawn, dark=dark, start=start)
    return with_legend(chart, drawn) if legend else chart


def requested_chart(
    run: Run, request: ExportRequest, on_progress: OnProgress = ignore
) -> alt.LayerChart:
    """Return the chart that a request for a picture names."""
    view = request.view
    if request.chart == "heat-map":
        return heat_map_chart(run, pooling=view.pooling, dark=request.dark)
    return maps_chart(run, view, dark=request.dark, start=request.snapshot, on_progress=on_progress)


def chart_of(drawn: DrawnMaps, *, dark: bool = False, start: int | None = None) -> alt.LayerChart:
    """Return the chart of maps that are gathered; arguments as in :func:`maps_chart`."""
    unit = {layer: maps.in_unit_square() for layer, maps in drawn.maps.items()}
    evenly = list(drawn.epochs) == list(range(len(drawn.epochs)))
    return charts.layer_maps(
        charts.points_frame(unit, drawn.splits, drawn.rows, drawn.predictions, drawn.colours()),
        charts.examples_frame(drawn.examples, drawn.run.label_names, drawn.rows),
        charts.panels_frame(
            {layer: maps.trust for layer, maps in drawn.maps.items()},
            drawn.epochs,
            drawn.sizes,
            len(drawn.epochs),
            drawn.scores,
            drawn.projection_in_words(),
        ),
        layers=drawn.view.layers,
        label_names=drawn.run.label_names,
        n_slots=len(drawn.epochs),
        start=None if start is None else drawn.view.snapshots.index(start),
        slider_name="Epoch " if evenly else "Snapshot ",
        dark=dark,
    )


def with_legend(chart: alt.LayerChart, drawn: DrawnMaps) -> alt.LayerChart:
    """Return a chart of maps with a legend above it."""
    if entries := drawn.legend():
        names, colours = map(list, zip(*entries, strict=True))
        colour = alt.Color(
            "name:N",
            scale=alt.Scale(domain=names, range=colours),
            legend=alt.Legend(
                title=drawn.legend_title(),
                orient="top",
                columns=5,
                labelLimit=200,
                symbolType="circle",
                symbolOpacity=1,
                symbolLimit=0,
            ),
        )
        frame = pd.DataFrame({"name": names})
    else:
        colour = alt.Color(
            "confidence:Q",
            scale=alt.Scale(domain=[0, 1], range=list(charts.CONFIDENCE_RAMP)),
            legend=alt.Legend(
                title="Confidence of the predicted class", titleLimit=0, format=".0%", orient="top"
            ),
        )
        frame = pd.DataFrame({"confidence": [0.0, 1.0]})
    # This layer draws nothing but its legend; the colours of the points come from data.
    only_legend = alt.Chart(frame).mark_circle(opacity=0, tooltip=None, aria=False)
    chart = chart.copy(deep=False)
    chart.layer = [*chart.layer, only_legend.encode(color=colour)]
    return chart.resolve_scale(color="independent")


def heat_map_chart(
    run: Run,
    measure: str = PROBE_MACRO_F1.name,
    split: str = "val",
    pooling: str = "mean",
    dark: bool = False,
    best: Cell | None = None,
) -> alt.LayerChart:
    """Return one measure of every layer in every snapshot as a chart; `best` is outlined.

    Raises
    ------
    ConfigError
        If there is no such measure, or it is not of this split.
    RunError
        If it has not been measured, or is not defined, for this run.
    """
    splits = MEASURES[measure].splits
    if split not in splits:
        raise ConfigError(
            f"{MEASURES[measure].label} is not measured on {split!r:.20}.",
            f"Choose one of {', '.join(splits)}.",
        )
    examples = runs.read_examples(run.path)
    cells = measure_cells(run, runs.read_separability(run.path), examples, measure, split, pooling)
    if cells["value"].isna().all():
        raise RunError(
            f"{MEASURES[measure].label} on {split} has not been measured for this run.",
            "Open the run on the page, or run `python -m layerviz report` on it: both measure it.",
        )
    blocks = cells["value"][cells["layer"] > 0].dropna()
    domain = None if blocks.empty else (float(blocks.min()), float(blocks.max()))
    outlined = pd.Series(False, index=cells.index)
    if best is not None and best.pooling == pooling:
        outlined = (cells["layer"] == best.layer) & (cells["snapshot"] == best.snapshot)
    return charts.score_heat_map(
        cells.assign(best=outlined), measure=MEASURES[measure].label, domain=domain, dark=dark
    )


def measure_cells(
    run: Run,
    table: pd.DataFrame,
    examples: pd.DataFrame,
    measure: str,
    split: str,
    pooling: str,
) -> pd.DataFrame:
    """Return one measure under one pooling, one row per layer and snapshot, with epochs and n."""
    wanted = (table["measure"] == measure) & (table["split"] == split)
    cells = table[wanted & (table["pooling"] == pooling)].reset_index(drop=True)
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    sizes = examples["split"].value_counts()
    n = sum(int(sizes.get(part, 0)) for part in SPLITS if part in split)
    cells = cells.assign(epoch=cells["snapshot"].map(epochs), n=n)
    return cells.assign(when=[epoch_name(epoch) for epoch in cells["epoch"]])
