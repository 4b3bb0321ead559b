"""A closer look at the points of a run: neighbours, events, suspicious labels, new texts, tokens.

All nearness is measured in the full hidden size, never on a map, and neighbours come from train.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.exploring.events import (
        FLIP_OUTCOMES,
        earliest_layer,
        flips,
        neighbour_changes,
        only_late,
    )
    from layerviz.exploring.finding import matching
    from layerviz.exploring.labels import (
        Suspicion,
        has_current_ranking,
        store_suspicious_labels,
        stored_suspicious_labels,
        suspicious_labels,
    )
    from layerviz.exploring.moving import (
        TrainClasses,
        class_distances,
        nearest_classes,
        train_classes,
    )
    from layerviz.exploring.neighbours import (
        NEIGHBOURS,
        Neighbours,
        nearest_to,
        nearest_train,
        neighbour_overlap,
    )
    from layerviz.exploring.own_text import MOST_TEXTS, OwnTexts, read_texts
    from layerviz.exploring.tokens import TokenPaths, token_paths
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "FLIP_OUTCOMES",
    "MOST_TEXTS",
    "NEIGHBOURS",
    "Neighbours",
    "OwnTexts",
    "Suspicion",
    "TokenPaths",
    "TrainClasses",
    "class_distances",
    "earliest_layer",
    "flips",
    "has_current_ranking",
    "matching",
    "nearest_classes",
    "nearest_to",
    "nearest_train",
    "neighbour_changes",
    "neighbour_overlap",
    "only_late",
    "read_texts",
    "store_suspicious_labels",
    "stored_suspicious_labels",
    "suspicious_labels",
    "token_paths",
    "train_classes",
]
