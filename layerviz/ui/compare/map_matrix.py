"""A matrix of maps, encoders x train and val; a selection marks the same examples in all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, instrument, runs
from layerviz.charts import Grid
from layerviz.comparison import Contender, Standing
from layerviz.config import TRAIN_AND_VAL
from layerviz.instrument import MapsInBrowser
from layerviz.poolings import pooling_label
from layerviz.projection import DEFAULT_PROJECTION
from layerviz.runs import Run
from layerviz.ui.parts.examples_table import with_further_columns
from layerviz.ui.parts.figure import save
from layerviz.ui.parts.filter_box import filter_box, filtered
from layerviz.ui.parts.instrument import draw_maps, told
from layerviz.ui.parts.map_chart import cached_maps
from layerviz.ui.parts.selection import clear_button, picked_message, selection, take_selection
from layerviz.ui.parts.state import redrawing
from layerviz.ui.parts.stored_maps import maps_are_ready, n_ready_snapshots
from layerviz.ui.parts.text_columns import text_columns
from layerviz.views import MAPS_FOOTNOTE, MapsView, RunMaps, small_print
from layerviz.views.slider import most_per_split, shared_slots, slider_label
from layerviz.wording import count, epoch_name

CHART = "compare_maps"


@dataclass(frozen=True)
class MatrixEntry:
    """One encoder in the matrix: what it is, the run that stands for it, and its map.

    `view` has a single layer.
    """

    contender: Contender
    standing: Standing
    run: Run
    view: MapsView

    @property
    def layer(self) -> int:
        return self.view.layers[0]

    def title(self, at_best: bool) -> str:
        """Return the title above its map."""
        when = f", {epoch_name(self.standing.best.epoch)}" if at_best else ""
        return (
            f"{self.standing.name}  ·  layer {self.layer} of {self.standing.n_layers}, "
            f"{pooling_label(self.view.pooling)}{when}"
        )


def _grid(entries: list[MatrixEntry]) -> Grid:
    """Return where the maps lie: a column per encoder, where several layers of each are shown."""
    n_encoders = len({entry.contender.name for entry in entries})
    return Grid.matrix(n_encoders, len(entries) // n_encoders)


def map_matrix(entries: list[MatrixEntry], at_best: bool, start: float | None) -> None:
    """Draw; a selection redraws this part of the page alone."""
    wanted = [(entry.run, entry.view.pooling, entry.layer) for entry in entries]
    least = [entry.standing.best.snapshot for entry in entries] if at_best else None
    if not maps_are_ready(entries[0].view.projection, wanted, least):
        entries = [
            replace(entry, view=replace(entry.view, projection=DEFAULT_PROJECTION))
            for entry in entries
        ]
    with redrawing():
        _draw(entries, at_best, start)


def _draw(entries: list[MatrixEntry], at_best: bool, start: float | None) -> None:
    examples, rows_of_runs = cache.common_examples([entry.run for entry in entries])
    splits = examples["split"].to_numpy()
    rows = charts.sample_rows(splits, most_per_split(len(entries)))
    epochs, snapshots = _slots(entries, at_best, len(entries) * len(rows))
    sizes = {split: int((splits == split).sum()) for split in TRAIN_AND_VAL}
    maps = [
        replace(_common_maps(entry, indices, where[rows]), epochs=tuple(epochs), sizes=sizes)
        for entry, indices, where in zip(entries, snapshots, rows_of_runs, strict=True)
    ]
    _chart(entries, maps, examples, rows, at_best, start)
    _selected_examples(entries, examples, rows_of_runs, snapshots)
    _show_small_print(maps, snapshots)


def _common_maps(entry: MatrixEntry, snapshots: Sequence[int], rows: np.ndarray) -> RunMaps:
    every = [snapshot.index for snapshot in entry.run.snapshots]
    return cached_maps(entry.run, entry.view, snapshots, rows, fitted_on=every)


def _slots(
    entries: list[MatrixEntry], at_best: bool, n_points: int
) -> tuple[list[float], list[list[int]]]:
    """Return the epochs under the slider, and the snapshot that each run shows there."""
    if at_best:
        last = max(entry.standing.best.epoch for entry in entries)
        return [last], [[entry.standing.best.snapshot] for entry in entries]
    ready = [
        entry.run.snapshots[
            : n_ready_snapshots(entry.run, entry.view.projection, entry.view.pooling, entry.layer)
        ]
        for entry in entries
    ]
    return shared_slots([entry.run for entry in entries], ready, n_points)


# --- the chart and its selection ------------------------------------------------------------


def _chart(
    entries: list[MatrixEntry],
    maps: list[RunMaps],
    examples: pd.DataFrame,
    rows: np.ndarray,
    at_best: bool,
    start: float | None,
) -> None:
    """Draw the maps; what is selected in one of them is taken up as ids."""
    run, grid, columns = entries[0].run, _grid(entries), range(len(entries))
    dark, ids = st.context.theme.type == "dark", examples["id"].to_numpy()
    panels = _panels(entries, maps, "each at its best epoch" if at_best else "")
    selected = selection(run)
    key = _key(entries, maps, rows)
    draw_maps(
        CHART,
        _points(maps, examples, rows, key),
        {
            "chart": CHART,
            "points": key,
            "of": run.dataset["fingerprint"],
            "layouts": instrument.layouts_of(
                panels, columns, [grid], n_points=len(columns) * len(rows), dark=dark
            ),
            "titles": [entry.title(at_best) for entry in entries],
            "dark": dark,
            "palette": list(charts.PALETTE),
            "colours": instrument.colours_message(
                np.stack([np.stack(one.colours())[:, one.rows] for one in maps])
            ),
            "legend": instrument.legend_message(maps[0].legend()),
            "value": instrument.value_message(maps[0].coloured_by()),
            "slots": instrument.slots_message(range(len(maps[0].epochs)), maps[0].epochs),
            "selected": rows[np.isin(ids[rows], list(selected))].tolist(),
            "paths": [],
            "words": {"maps": "Maps of one layer of each encoder, train above val."},
            "file": "comparison",
            "place": {
                "snapshot": _first_place(maps[0].epochs, start),
                "asked": f"{at_best} {[entry.run.run_id for entry in entries]}",
            },
            "selectable": True,
            "picked": picked_message(run, examples, rows),
        },
        on_snapshot=lambda: None,
        on_selected=lambda: take_selection(run, ids[told(CHART, "selected") or []].tolist()),
        on_enlarged=lambda: None,
        on_opened=lambda: None,
    )
    save(lambda: _as_chart(entries, maps, panels, examples, rows), "comparison-maps")


def _first_place(epochs: Sequence[float], start: float | None) -> int:
    """Return the slider's first position: that of an epoch, or of the one nearest to it."""
    if start is None:
        return len(epochs) - 1
    return int(np.abs(np.asarray(epochs) - start).argmin())


def _panels(entries: list[MatrixEntry], maps: list[RunMaps], when: str) -> pd.DataFrame:
    """Return the titles: a map is an encoder here, not a layer."""
    return pd.concat(
        [
            one.panels(names={entry.layer: entry.title(bool(when))}, when=when).assign(layer=column)
            for column, (entry, one) in enumerate(zip(entries, maps, strict=True))
        ],
        ignore_index=True,
    )


def _key(entries: list[MatrixEntry], maps: list[RunMaps], rows: np.ndarray) -> str:
    """Return what tells these points from others."""
    parts = [
        # Each new snapshot refits the axes of maps that are not stored.
        (
            *(entry.run.run_id, entry.run.created, len(entry.run.snapshots)),
            *(one.view.projection, one.view.pooling, entry.layer),
        )
        for entry, one in zip(entries, maps, strict=True)
    ]
    told_apart = f"{parts} {[one.snapshots for one in maps]} {rows.tobytes().hex()}"
    return hashlib.blake2b(told_apart.encode(), digest_size=8).hexdigest()


def _points(maps: list[RunMaps], examples: pd.DataFrame, rows: np.ndarray, key: str) -> bytes:
    """Return the points; rows count the examples that all runs have in common."""
    part = examples.iloc[rows]
    columns = range(len(maps))
    of_entries = [next(iter(one.by_layer.values())) for one in maps]
    predicted, confidence = (
        np.stack(
            [
                np.stack([frame[name].to_numpy()[one.rows] for frame in one.predictions])
                for one in maps
            ]
        )
        for name in ("predicted", "confidence")
    )
    return instrument.points_message(
        MapsInBrowser(
            columns,
            dict(zip(columns, of_entries, strict=True)),
            rows,
            {column: one.rows for column, one in zip(columns, maps, strict=True)},
        ),
        chart=CHART,
        key=key,
        splits=part["split"].to_numpy(),
        labels=part["label"].to_numpy(),
        predicted=predicted,
        confidence=confidence,
        texts=charts.examples_frame(examples, maps[0].run.label_names, rows)["text"].tolist(),
        names=runs.names_of(maps[0].run, part).tolist(),
        label_names=maps[0].run.label_names,
        split_names=TRAIN_AND_VAL,
    )


def _as_chart(
    entries: list[MatrixEntry],
    maps: list[RunMaps],
    panels: pd.DataFrame,
    examples: pd.DataFrame,
    rows: np.ndarray,
) -> alt.LayerChart:
    """Return the maps as one chart, for files."""
    run, columns = entries[0].run, range(len(entries))
    points = pd.concat(
        [
            one.points().assign(row=rows, layer=column)
            for column, one in zip(columns, maps, strict=True)
        ],
        ignore_index=True,
    )
    return charts.layer_maps(
        points,
        charts.examples_frame(
            examples, run.label_names, rows, runs.names_of(run, examples.iloc[rows])
        ),
        panels,
        layers=columns,
        label_names=run.label_names,
        n_slots=len(maps[0].epochs),
        slider_name=slider_label(maps[0].epochs),
        dark=st.context.theme.type == "dark",
        grid=_grid(entries),
        names=[entry.contender.name for entry in entries],
        footnote=MAPS_FOOTNOTE,
        value_name="" if maps[0].view.column is None else maps[0].view.column.title,
    )


def _selected_examples(
    entries: list[MatrixEntry],
    examples: pd.DataFrame,
    rows_of_runs: list[np.ndarray],
    snapshots: list[list[int]],
) -> None:
    """List what is selected and passes the filter, with predictions at the last epoch shown."""
    run = entries[0].run
    selected = selection(run)
    if not selected:
        st.caption(
            "Click a point, or drag a box around several, to mark the same examples in all maps."
        )
        return
    which = np.flatnonzero(examples["id"].isin(selected))
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.markdown(
            f"**{count(len(which), 'example')} selected**, with what each model itself predicts at "
            + ("that epoch" if len(snapshots[0]) == 1 else "the slider's last position"),
            width="content",
        )
        clear_button("compare_clear")
    # The first run stands for the data: its examples have the further columns.
    of_data = cache.examples(run).iloc[rows_of_runs[0][which]]
    passing = filtered(of_data, filter_box(run))
    which = which[of_data.index.isin(passing.index)]
    names = np.asarray(run.label_names, dtype=object)
    part = examples.iloc[which]
    frame = pd.DataFrame(
        {"split": part["split"], "label": names[part["label"].to_numpy()]}, index=part.index
    )
    for entry, where, indices in zip(entries, rows_of_runs, snapshots, strict=True):
        predicted = cache.predictions(entry.run, indices[-1])["predicted"]
        frame[entry.contender.name] = names[predicted.to_numpy()[where[which]]]
    frame = frame.assign(**text_columns(part["text"]))
    frame["example"] = runs.names_of(run, part)
    frame, note = with_further_columns(run, frame, part["id"].tolist())
    st.dataframe(frame, hide_index=True, width="stretch", height=min(38 + 35 * len(frame), 320))
    if note:
        st.caption(note)


def _show_small_print(maps: list[RunMaps], snapshots: list[list[int]]) -> None:
    sentences = [
        *small_print(maps),
        "Each encoder has its own map: compare which points lie together, not where they lie.",
    ]
    if any(len(set(indices)) < len(indices) for indices in snapshots):
        sentences.append(
            "Where an encoder has no snapshot at an epoch, the last one before it is shown."
        )
    st.caption(" ".join(sentences))
