"""Coordinates and measures as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from layerviz.export.entry import Export, ExportRequest, Section
from layerviz.progress import OnProgress

if TYPE_CHECKING:
    from layerviz.runs import Run

NUMBERS = Section(
    name="numbers",
    title="Numbers",
    caption="Coordinates: a row per example, layer and snapshot, with prediction and confidence. "
    "Measures: a row per snapshot, pooling, layer, measure and split, with its interval. Slices: a "
    "row per split, slice and kind of predictions, with its interval.",
)


def _write_csv(run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress) -> None:
    from layerviz.export.tables import as_csv, coordinates

    frame = coordinates(run, request.maps, on_progress=on_progress)
    stream.write(as_csv(frame, quote_formulas=request.quote_formulas))


def _write_parquet(
    run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress
) -> None:
    from layerviz.export.tables import as_parquet, coordinates

    stream.write(as_parquet(coordinates(run, request.maps, on_progress=on_progress)))


def _write_measures(
    run: Run,
    request: ExportRequest,
    stream: BinaryIO,
    on_progress: OnProgress,  # noqa: ARG001
) -> None:
    from layerviz.export.tables import as_csv, measures_with_epochs

    stream.write(as_csv(measures_with_epochs(run), quote_formulas=request.quote_formulas))


def _write_slices(
    run: Run,
    request: ExportRequest,
    stream: BinaryIO,
    on_progress: OnProgress,  # noqa: ARG001
) -> None:
    from layerviz.export.slices_part import slices_with_splits
    from layerviz.export.tables import as_csv

    stream.write(as_csv(slices_with_splits(run), quote_formulas=request.quote_formulas))


CSV = Export(
    name="csv",
    help="coordinates of the maps",
    label="Coordinates (CSV)",
    section=NUMBERS,
    suffix=".csv",
    mime="text/csv",
    write=_write_csv,
    stem="{run_id}-coordinates",
    has_formulas=True,
)
PARQUET = Export(
    name="parquet",
    help="the same, as parquet",
    label="Coordinates (Parquet)",
    section=NUMBERS,
    suffix=".parquet",
    mime="application/vnd.apache.parquet",
    write=_write_parquet,
    stem="{run_id}-coordinates",
)
MEASURES_CSV = Export(
    name="measures",
    help="CSV of all measures",
    label="Measures (CSV)",
    section=NUMBERS,
    suffix=".csv",
    mime="text/csv",
    write=_write_measures,
    stem="{run_id}-measures",
    has_formulas=True,
)
SLICES_CSV = Export(
    name="slices",
    help="CSV of the slices of val and test: where the model and the best layer do worse",
    label="Slices (CSV)",
    section=NUMBERS,
    suffix=".csv",
    mime="text/csv",
    write=_write_slices,
    stem="{run_id}-slices",
    has_formulas=True,
)
