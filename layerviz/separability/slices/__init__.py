"""Slices of the examples in which a model does worse: by columns, by length, by language."""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.separability.slices.candidates import Candidates, Slice, candidate_slices
    from layerviz.separability.slices.comparing import (
        LEAST_IN_SLICE,
        SliceScores,
        can_be_compared,
        comparable,
        compare_slices,
    )
    from layerviz.separability.slices.of_run import (
        HEAD_NAME,
        SLICE_SPLITS,
        SliceFindings,
        all_slices_of,
        find_slices,
        slice_columns,
        slices_of_run,
    )
    from layerviz.separability.slices.traits import text_traits
    from layerviz.separability.slices.wording import slices_notes, slices_sentence, slices_shown
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "HEAD_NAME",
    "LEAST_IN_SLICE",
    "SLICE_SPLITS",
    "Candidates",
    "Slice",
    "SliceFindings",
    "SliceScores",
    "all_slices_of",
    "can_be_compared",
    "candidate_slices",
    "comparable",
    "compare_slices",
    "find_slices",
    "slice_columns",
    "slices_notes",
    "slices_of_run",
    "slices_sentence",
    "slices_shown",
    "text_traits",
]
