"""Hidden states of one layer over the snapshots in, 2-D maps out.

Every map is fitted on train alone and val (and test) are placed into it, so that both splits
share their axes; maps of successive snapshots are aligned, so that movement means change.
"""

from layerviz.projection.layer_maps import LayerMaps, trustworthiness
from layerviz.projection.lda import lda_maps, place_in_lda
from layerviz.projection.methods import (
    STORED,
    notes,
    place,
    quick_maps,
    slow_maps,
)
from layerviz.projection.pca import pca_maps, place_in_pca
from layerviz.projection.tsne import place_in_tsne, tsne_maps
from layerviz.projection.umap import place_in_umap, umap_maps

__all__ = [
    "STORED",
    "LayerMaps",
    "lda_maps",
    "notes",
    "pca_maps",
    "place",
    "place_in_lda",
    "place_in_pca",
    "place_in_tsne",
    "place_in_umap",
    "quick_maps",
    "slow_maps",
    "trustworthiness",
    "tsne_maps",
    "umap_maps",
]
