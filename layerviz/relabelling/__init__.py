"""Labels that were corrected after a run: written into the files, and trained on again."""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.relabelling.correcting_files import archive_of, corrected_files
    from layerviz.relabelling.corrections import (
        NOTHING_TO_TRAIN,
        corrections_of,
        expect_same_encoder,
        is_relabelled,
        only_val_is_corrected,
        refuse_without_new_train_labels,
        relabelled_runs,
    )
    from layerviz.relabelling.listing import (
        corrections_in,
        decisions_in,
        decisions_words,
        labels_table,
    )
    from layerviz.relabelling.sources import Sources, relabelled_dataset, sources_of
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "NOTHING_TO_TRAIN",
    "Sources",
    "archive_of",
    "corrected_files",
    "corrections_in",
    "corrections_of",
    "decisions_in",
    "decisions_words",
    "expect_same_encoder",
    "is_relabelled",
    "labels_table",
    "only_val_is_corrected",
    "refuse_without_new_train_labels",
    "relabelled_dataset",
    "relabelled_runs",
    "sources_of",
]
