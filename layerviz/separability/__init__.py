"""How well each layer's states separate the classes, measured in the full hidden size.

Never in a map's two dimensions, and with all scaling fitted on train.
"""

from layerviz.separability.answering import (
    Answer,
    Cell,
    Difference,
    Score,
    find_answer,
    first_separates,
)
from layerviz.separability.comparing import (
    PoolingVerdict,
    class_scores,
    compare_poolings,
    confused_pairs,
    overfitting,
)
from layerviz.separability.geometry import cka_rows, linear_cka
from layerviz.separability.measures import (
    CKA,
    MEASURES,
    PROBE_MACRO_F1,
    ChangeMeasure,
    Estimate,
    LayerChange,
    LayerMeasure,
    LayerStates,
    Measure,
    PredictionMeasure,
    Predictions,
)
from layerviz.separability.measuring import (
    HEAD,
    MEASURE_COLUMNS,
    SnapshotMeasures,
    measure_layers,
)
from layerviz.separability.mixing import MIXES, Mixed, mix, search
from layerviz.separability.of_run import answer_of, cells_of, measure_snapshot
from layerviz.separability.probe import Probe, out_of_fold, probe
from layerviz.separability.reporting import REPORT_WIDTH, answer_text, answer_values, report_table
from layerviz.separability.resampling import (
    LEVEL,
    Best,
    accuracy,
    class_f1,
    corrected_for_choice,
    few_examples,
    find_best,
    interval,
    macro_f1,
    p_of_chance,
    paired_difference,
    resampling_weights,
    simultaneous_interval,
)
from layerviz.separability.wording import answer_sentences, pooling_sentence, shortage

__all__ = [
    "CKA",
    "HEAD",
    "LEVEL",
    "MEASURES",
    "MEASURE_COLUMNS",
    "MIXES",
    "PROBE_MACRO_F1",
    "REPORT_WIDTH",
    "Answer",
    "Best",
    "Cell",
    "ChangeMeasure",
    "Difference",
    "Estimate",
    "LayerChange",
    "LayerMeasure",
    "LayerStates",
    "Measure",
    "Mixed",
    "PoolingVerdict",
    "PredictionMeasure",
    "Predictions",
    "Probe",
    "Score",
    "SnapshotMeasures",
    "accuracy",
    "answer_of",
    "answer_sentences",
    "answer_text",
    "answer_values",
    "cells_of",
    "cka_rows",
    "class_f1",
    "class_scores",
    "compare_poolings",
    "confused_pairs",
    "corrected_for_choice",
    "few_examples",
    "find_answer",
    "find_best",
    "first_separates",
    "interval",
    "linear_cka",
    "macro_f1",
    "measure_layers",
    "measure_snapshot",
    "mix",
    "out_of_fold",
    "overfitting",
    "p_of_chance",
    "paired_difference",
    "pooling_sentence",
    "probe",
    "report_table",
    "resampling_weights",
    "search",
    "shortage",
    "simultaneous_interval",
]
