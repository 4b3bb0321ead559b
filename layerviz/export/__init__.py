"""Take the results away: pictures, animations, a page, tables, archives, a recipe."""

from layerviz.export.animation import animation
from layerviz.export.archive import MOST_BYTES, unzip_run, zip_model, zip_run
from layerviz.export.page import offline_page
from layerviz.export.pictures import picture
from layerviz.export.recipe import Recipe, recipe
from layerviz.export.tables import as_csv, as_parquet, coordinates, measures
from layerviz.export.views import (
    DrawnMaps,
    MapsView,
    chart_of,
    draw_maps,
    heat_map_chart,
    legend_entries,
    maps_chart,
    measure_cells,
    probe_scores,
    stored_tsne,
    with_legend,
)

__all__ = [
    "MOST_BYTES",
    "DrawnMaps",
    "MapsView",
    "Recipe",
    "animation",
    "as_csv",
    "as_parquet",
    "chart_of",
    "coordinates",
    "draw_maps",
    "heat_map_chart",
    "legend_entries",
    "maps_chart",
    "measure_cells",
    "measures",
    "offline_page",
    "picture",
    "probe_scores",
    "recipe",
    "stored_tsne",
    "unzip_run",
    "with_legend",
    "zip_model",
    "zip_run",
]
