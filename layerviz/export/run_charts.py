"""The charts of a run that need no page: its maps, and a heat map of a measure."""

from __future__ import annotations

import altair as alt

from layerviz import charts, runs
from layerviz.errors import ConfigError, RunError
from layerviz.export.entry import ExportRequest
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.runs import Run
from layerviz.separability import MEASURES, PROBE_MACRO_F1, Answer, answer_of
from layerviz.views import (
    MAPS_FOOTNOTE,
    POINTS_PER_SPLIT,
    MapsRequest,
    RunMaps,
    collect_maps,
    colour_scale,
    measure_cells,
    with_standings,
)
from layerviz.views.slider import slider_label
from layerviz.wording import quote


def maps_chart(
    run: Run,
    request: MapsRequest,
    *,
    dark: bool = False,
    legend: bool = True,
    start: int | None = None,
    most_per_split: int = POINTS_PER_SPLIT,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> alt.LayerChart:
    """Return the maps of a run as one chart, as the page shows them, from the run folder alone.

    Arguments and errors as in :func:`collect_maps`; `dark` says whether the background is dark,
    `legend` whether there is a legend of the colours, `start` at which snapshot the slider
    starts (by default the newest), which is the one that a picture shows.
    """
    maps = collect_maps(
        run,
        request,
        most_per_split=most_per_split,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    chart = chart_of(maps, dark=dark, start=start)
    if not legend:
        return chart
    colours = maps.legend()
    return charts.with_legend(chart, colours.title, colours.entries, colours.ramp)


def requested_chart(
    run: Run, request: ExportRequest, on_progress: OnProgress = ignore
) -> alt.LayerChart:
    """Return the chart that a request for a picture names."""
    if request.chart == "heat-map":
        try:
            answer = answer_of(run)
        except RunError:  # not measured: the chart says so itself
            answer = None
        pooling = request.maps.pooling_of(run)
        return heat_map_chart(run, pooling=pooling, dark=request.dark, answer=answer)
    return maps_chart(
        run, request.maps, dark=request.dark, start=request.snapshot, on_progress=on_progress
    )


def chart_of(maps: RunMaps, *, dark: bool = False, start: int | None = None) -> alt.LayerChart:
    """Return the chart of maps that were collected; arguments as in :func:`maps_chart`."""
    return charts.layer_maps(
        maps.points(),
        maps.texts(),
        maps.panels(projection=maps.projection_in_words()),
        layers=maps.view.layers,
        label_names=maps.run.label_names,
        n_slots=len(maps.epochs),
        start=None if start is None else maps.snapshots.index(start),
        slider_name=slider_label(maps.epochs),
        dark=dark,
        grid=charts.Grid.of(len(maps.view.layers), maps.view.splits),
        footnote=MAPS_FOOTNOTE,
        value_name="" if maps.view.column is None else maps.view.column.title,
    )


def heat_map_chart(
    run: Run,
    measure: str = PROBE_MACRO_F1.name,
    split: str = "val",
    pooling: str = "mean",
    dark: bool = False,
    answer: Answer | None = None,
) -> alt.LayerChart:
    """Return one measure of every layer in every snapshot as a chart.

    The cell that `answer` recommends is outlined, and so are those that may be as good.

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
            f"{MEASURES[measure].label} is not measured on {quote(split)}.",
            f"Choose one of {', '.join(splits)}.",
        )
    examples = runs.read_examples(run.path)
    cells = measure_cells(run, runs.read_separability(run.path), examples, measure, split, pooling)
    if cells["value"].isna().all():
        raise RunError(
            f"{MEASURES[measure].label} on {split} has not been measured for this run.",
            "Open the run on the page, or run `python -m layerviz report` on it: both measure it.",
        )
    scale = colour_scale(MEASURES[measure], cells, examples, split)
    return charts.score_heat_map(
        with_standings(cells, answer, pooling),
        measure=MEASURES[measure].label,
        domain=None if scale is None else scale.ends,
        start="" if scale is None else scale.start,
        dark=dark,
    )
