"""What page, exports and benches all show: maps, scores, legends and small print.

A view is read from a run's folder (`collect_maps`) or put together from what a page has cached
(`RunMaps.of`). How it is drawn is up to whoever shows it.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.views.colouring import (
        ColumnColours,
        colourings,
        column_colours,
        in_words,
        short_line,
    )
    from layerviz.views.column_filter import ColumnFilter
    from layerviz.views.downloads import selected_examples
    from layerviz.views.learning import learning_curve, scores_on
    from layerviz.views.legends import Legend, legend_of
    from layerviz.views.maps import (
        POINTS_PER_SPLIT,
        RunMaps,
        collect_maps,
    )
    from layerviz.views.notes_below import (
        CKA_NOTE,
        MAPS_FOOTNOTE,
        captured_note,
        figures_note,
        slider_note,
        small_print,
    )
    from layerviz.views.requests import MapsRequest, MapsView, first_and_last_layers
    from layerviz.views.scores import (
        ColourScale,
        colour_scale,
        head_scores,
        measure_cells,
        probe_scores,
        standings_note,
        with_standings,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "CKA_NOTE",
    "MAPS_FOOTNOTE",
    "POINTS_PER_SPLIT",
    "ColourScale",
    "ColumnColours",
    "ColumnFilter",
    "Legend",
    "MapsRequest",
    "MapsView",
    "RunMaps",
    "captured_note",
    "collect_maps",
    "colour_scale",
    "colourings",
    "column_colours",
    "figures_note",
    "first_and_last_layers",
    "head_scores",
    "in_words",
    "learning_curve",
    "legend_of",
    "measure_cells",
    "probe_scores",
    "scores_on",
    "selected_examples",
    "short_line",
    "slider_note",
    "small_print",
    "standings_note",
    "with_standings",
]
