"""Hidden states of one layer over the snapshots in, 2-D maps out.

Every map is fitted on train alone and val is placed into it, so that both splits share their axes;
maps of successive snapshots are aligned, so that movement means change. Test is placed into the
finished maps, and only when somebody asks for it (`place_test`, `with_test`).

The command line lists the projections, so whatever is heavy is imported inside functions; what
reads a run is in ``of_run``.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.projection.layer_maps import LayerMaps, rated
    from layerviz.projection.placing import PlacedTest, place_test, with_test
    from layerviz.projection.projection import LayerStates, Projection
    from layerviz.projection.projections import (
        DEFAULT_PROJECTION,
        PROJECTIONS,
        draw,
        projection_notes,
        projections_in_words,
    )
    from layerviz.projection.quality import (
        NEIGHBOURS,
        MapQuality,
        kept_neighbours,
        map_quality,
        trustworthiness,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "DEFAULT_PROJECTION",
    "NEIGHBOURS",
    "PROJECTIONS",
    "LayerMaps",
    "LayerStates",
    "MapQuality",
    "PlacedTest",
    "Projection",
    "draw",
    "kept_neighbours",
    "map_quality",
    "place_test",
    "projection_notes",
    "projections_in_words",
    "rated",
    "trustworthiness",
    "with_test",
]
