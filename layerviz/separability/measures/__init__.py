"""What is measured: each measure says in one object what it is and how it is computed.

A new measure is a `LayerMeasure`, `PredictionMeasure` or `ChangeMeasure` in a file of its own and
a line in `MEASURES`, whose order is that of the page.
"""

from layerviz.registry import Registry
from layerviz.separability.measures.for_search import CDNV, NCM_MACRO_F1, PRECISION_AT_10
from layerviz.separability.measures.measure import (
    ChangeMeasure,
    ControlPredictions,
    Estimate,
    LabelledStates,
    LayerChange,
    LayerMeasure,
    Measure,
    PredictionMeasure,
    Predictions,
    SplitResamples,
)
from layerviz.separability.measures.of_change import CKA
from layerviz.separability.measures.of_dimension import PARTICIPATION_RATIO, RANKME, TWO_NN
from layerviz.separability.measures.of_predictions import (
    PROBE_ACCURACY,
    PROBE_AUC,
    PROBE_GAP,
    PROBE_MACRO_F1,
    SELECTIVITY,
    SHUFFLED_MACRO_F1,
)
from layerviz.separability.measures.of_states import (
    DAVIES_BOULDIN,
    FISHER_RATIO,
    KNN_MACRO_F1,
    SILHOUETTE,
    SPLIT_AUC,
)

MEASURES: Registry[Measure] = Registry(
    "measure",
    [
        PROBE_MACRO_F1,
        PROBE_AUC,
        PROBE_ACCURACY,
        PROBE_GAP,
        PRECISION_AT_10,
        KNN_MACRO_F1,
        NCM_MACRO_F1,
        SILHOUETTE,
        DAVIES_BOULDIN,
        FISHER_RATIO,
        CDNV,
        CKA,
        SPLIT_AUC,
        SHUFFLED_MACRO_F1,
        SELECTIVITY,
        RANKME,
        PARTICIPATION_RATIO,
        TWO_NN,
    ],
)


def measures_table() -> str:
    """Return the table of the measures for the documentation, in Markdown."""
    rows = [("measure", "what it says", "source"), ("---", "---", "---")]
    rows += [(one.label, one.summary, one.reference) for one in MEASURES.values()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


__all__ = [
    "CKA",
    "MEASURES",
    "PROBE_MACRO_F1",
    "ChangeMeasure",
    "ControlPredictions",
    "Estimate",
    "LabelledStates",
    "LayerChange",
    "LayerMeasure",
    "Measure",
    "PredictionMeasure",
    "Predictions",
    "SplitResamples",
    "measures_table",
]
