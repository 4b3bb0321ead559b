"""The registry of projections."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from layerviz.config import TRAIN_AND_VAL
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.projection.layer_maps import LayerMaps
from layerviz.projection.lda import LDA
from layerviz.projection.pca import PCA
from layerviz.projection.projection import LayerStates, Projection
from layerviz.projection.tsne import TSNE
from layerviz.projection.umap import UMAP
from layerviz.registry import Registry

# A new projection is a module like pca.py and an entry here. The command line reads this registry
# before it does anything else, so such a module imports heavy packages inside its functions.
PROJECTIONS: Registry[Projection] = Registry("projection", [PCA, LDA, TSNE, UMAP])

# What is drawn unless something else is chosen, and in place of stored maps that are not ready.
DEFAULT_PROJECTION = PCA.name


def draw(
    name: str,
    layer: LayerStates,
    *,
    earlier: LayerMaps | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LayerMaps:
    """Map train and val of one layer at all of its snapshots.

    Other rows are kept from the projection, so that maps are the same bit for bit whether or not a
    run has a test split; their positions are NaN. `place_test` finds them when they are asked for.

    Parameters
    ----------
    name : str
        Of a projection.
    layer : LayerStates
    earlier : LayerMaps, optional
        Maps of the first snapshots, as drawn before, for a projection that continues them.
    on_progress, should_stop : callable

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    Cancelled
        If `should_stop` answers true.
    """
    mapped = np.isin(layer.splits, TRAIN_AND_VAL)
    if earlier is not None:
        earlier = replace(earlier, xy=earlier.xy[:, mapped])
    maps = PROJECTIONS[name].draw(layer.at_rows(mapped), earlier, on_progress, should_stop)
    if mapped.all():
        return maps
    xy = np.full((maps.n_snapshots, len(mapped), 2), np.nan, dtype=np.float32)
    xy[:, mapped] = maps.xy
    return replace(maps, xy=xy)


def projection_notes(name: str, n_classes: int) -> list[str]:
    """Return what a reader must know of a projection before believing its maps, in sentences."""
    projection = PROJECTIONS[name]
    notes = []
    if projection.uses_labels:
        notes.append(
            f"{projection.label} is fitted to the train labels, so train looks separated even "
            "where nothing was learned: judge by val."
        )
    return [*notes, *projection.notes(n_classes)]


def projections_in_words() -> str:
    """Return what each projection shows, for the help of a control."""
    return " ".join(f"{entry.label}: {entry.help}" for entry in PROJECTIONS.values())
