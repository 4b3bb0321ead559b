"""The only ``st.cache_*`` wrappers: what the page reads again and again.

Arrays are never part of a key (Streamlit samples large ones when it hashes them): results are keyed
by run, snapshot, pooling and layer. The time a run was created is part of its key, so that a run
that was deleted and computed again is not mistaken for the old one.
"""

from layerviz.cache.classifier import learning_curve, reliability
from layerviz.cache.compared_runs import agreement, common_examples, compared, encoder_similarity
from layerviz.cache.drawn import chart_specification
from layerviz.cache.measured import (
    freezing_suggestion,
    layer_mix,
    layer_similarity,
    measures,
    overfitting,
    pooling_verdict,
    probes,
    search_answer,
    stored_sheet,
    trial_verdict,
)
from layerviz.cache.run_contents import (
    DrawnMaps,
    draw_quick_maps,
    examples,
    layer_states,
    map_points,
    predictions,
    quick_maps,
    quick_test,
    stored_maps,
    stored_test,
    summary,
)
from layerviz.cache.single_examples import (
    classified,
    nearest_classes,
    neighbour_changes,
    neighbours,
    own_texts,
    placed_texts,
    probe_predictions,
    suspicion,
    tokens,
    trained,
)
from layerviz.cache.sources import (
    checked,
    dataset,
    jobs,
    kept_table,
    pace,
    row_questions,
    sample,
    table,
    token_lengths,
)

__all__ = [
    "DrawnMaps",
    "agreement",
    "chart_specification",
    "checked",
    "classified",
    "common_examples",
    "compared",
    "dataset",
    "draw_quick_maps",
    "encoder_similarity",
    "examples",
    "freezing_suggestion",
    "jobs",
    "kept_table",
    "layer_mix",
    "layer_similarity",
    "layer_states",
    "learning_curve",
    "map_points",
    "measures",
    "nearest_classes",
    "neighbour_changes",
    "neighbours",
    "overfitting",
    "own_texts",
    "pace",
    "placed_texts",
    "pooling_verdict",
    "predictions",
    "probe_predictions",
    "probes",
    "quick_maps",
    "quick_test",
    "reliability",
    "row_questions",
    "sample",
    "search_answer",
    "stored_maps",
    "stored_sheet",
    "stored_test",
    "summary",
    "suspicion",
    "table",
    "token_lengths",
    "tokens",
    "trained",
    "trial_verdict",
]
