"""Several encoders on the same data: which separates the classes best, where, and how surely.

Runs that differ only in their seed are one contender. All are scored on the val examples that all
of them captured, each at its best layer, in the full hidden size.
"""

from layerviz.comparison.agreement import (
    BY_HEAD,
    BY_PROBE,
    OUTCOMES,
    Agreement,
    agreement,
    disagreements,
    layer_similarity,
)
from layerviz.comparison.contenders import (
    Contender,
    common_examples,
    contenders_of,
    costs_of,
    encoder_label,
    shared_poolings,
)
from layerviz.comparison.reporting import as_dict, as_text, table_of
from layerviz.comparison.scoring import Comparison, Standing, compare
from layerviz.comparison.wording import best_cell_name, comparison_sentences, seeds_note

__all__ = [
    "BY_HEAD",
    "BY_PROBE",
    "OUTCOMES",
    "Agreement",
    "Comparison",
    "Contender",
    "Standing",
    "agreement",
    "as_dict",
    "as_text",
    "best_cell_name",
    "common_examples",
    "compare",
    "comparison_sentences",
    "contenders_of",
    "costs_of",
    "disagreements",
    "encoder_label",
    "layer_similarity",
    "seeds_note",
    "shared_poolings",
    "table_of",
]
