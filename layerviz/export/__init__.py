"""Take the results away: pictures, animations, a page, tables, archives, a recipe."""

from layerviz.export.animation import animation
from layerviz.export.archive import MOST_BYTES, files_of, unzip_run, zip_model, zip_run
from layerviz.export.files import KINDS, Wish, write
from layerviz.export.page import offline_page
from layerviz.export.pictures import picture
from layerviz.export.recipe import Recipe, recipe
from layerviz.export.run_charts import (
    chart_of,
    heat_map_chart,
    maps_chart,
    measure_cells,
    with_legend,
)
from layerviz.export.tables import as_csv, as_parquet, coordinates, measures
from layerviz.export.views import (
    DrawnMaps,
    MapsView,
    draw_maps,
    first_and_last,
    legend_entries,
    probe_scores,
    stored_maps,
)

__all__ = [
    "KINDS",
    "MOST_BYTES",
    "DrawnMaps",
    "MapsView",
    "Recipe",
    "Wish",
    "animation",
    "as_csv",
    "as_parquet",
    "chart_of",
    "coordinates",
    "draw_maps",
    "files_of",
    "first_and_last",
    "heat_map_chart",
    "legend_entries",
    "maps_chart",
    "measure_cells",
    "measures",
    "offline_page",
    "picture",
    "probe_scores",
    "recipe",
    "stored_maps",
    "unzip_run",
    "with_legend",
    "write",
    "zip_model",
    "zip_run",
]
