"""Maps that answer to the mouse: what a browser needs to draw, move and search them.

The chart is `charts.layer_maps`. The script of the maps draws it with Vega, on the page and in the
offline page, and changes its data and parameters in place.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.instrument.messages import (
        MapsInBrowser,
        colours_message,
        legend_message,
        points_message,
        slots_message,
        value_message,
    )
    from layerviz.instrument.of_run import run_points, run_state
    from layerviz.instrument.packing import packed
    from layerviz.instrument.scripts import (
        Script,
        maps_script,
        maps_style,
        page_script,
        points_script,
        vega_script,
    )
    from layerviz.instrument.specification import layouts_of
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "MapsInBrowser",
    "Script",
    "colours_message",
    "layouts_of",
    "legend_message",
    "maps_script",
    "maps_style",
    "packed",
    "page_script",
    "points_message",
    "points_script",
    "run_points",
    "run_state",
    "slots_message",
    "value_message",
    "vega_script",
]
