"""The only ``st.cache_*`` wrappers: what the page reads again and again.

Arrays are never part of a key (Streamlit samples large ones when it hashes them): results are keyed
by run, snapshot, pooling and layer. The time a run was created is part of its key, so that a run
that was deleted and computed again is not mistaken for the old one.
"""

from layerviz.cache.compared_runs import agreement, common_examples, compared, encoder_similarity
from layerviz.cache.measured import (
    answer,
    answer_sheet,
    depth_decision,
    freezing_suggestion,
    layer_mix,
    layer_similarity,
    measures,
    overfitting,
    pooling_verdict,
    probes,
    search_answer,
    trial_verdict,
)
from layerviz.cache.run_contents import (
    examples,
    layer_states,
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
    sample,
    table,
    token_lengths,
)

__all__ = [
    "agreement",
    "answer",
    "answer_sheet",
    "checked",
    "classified",
    "common_examples",
    "compared",
    "dataset",
    "depth_decision",
    "encoder_similarity",
    "examples",
    "freezing_suggestion",
    "jobs",
    "kept_table",
    "layer_mix",
    "layer_similarity",
    "layer_states",
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
    "sample",
    "search_answer",
    "stored_maps",
    "stored_test",
    "summary",
    "suspicion",
    "table",
    "token_lengths",
    "tokens",
    "trained",
    "trial_verdict",
]
