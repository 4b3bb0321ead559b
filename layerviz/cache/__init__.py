"""The only ``st.cache_*`` wrappers: what the page reads again and again.

Arrays are never part of a key (Streamlit samples large ones when it hashes them): results are keyed
by run, snapshot, pooling and layer. The time a run was created is part of its key, so that a run
that was deleted and computed again is not mistaken for the old one.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.cache.classifier import learning_curve, reliability
    from layerviz.cache.compared_runs import (
        agreement,
        common_examples,
        compared,
        encoder_similarity,
    )
    from layerviz.cache.drawn import chart_specification
    from layerviz.cache.measured import (
        freezing_suggestion,
        layer_mix,
        layer_similarity,
        measures,
        overfitting,
        pooling_verdict,
        probes,
        relabel_verdict,
        search_answer,
        slice_findings,
        stored_sheet,
        trial_verdict,
    )
    from layerviz.cache.run_contents import (
        DrawnMaps,
        colourable_columns,
        column_colours,
        draw_quick_maps,
        examples,
        further_columns,
        layer_states,
        map_points,
        numbers_of,
        predictions,
        quick_maps,
        quick_test,
        shared_columns,
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
    )
    from layerviz.cache.sources import (
        checked,
        dataset,
        jobs,
        kept_table,
        pace,
        row_questions,
        sample,
        suggested_columns,
        table,
        token_lengths,
        upload_key,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "DrawnMaps",
    "agreement",
    "chart_specification",
    "checked",
    "classified",
    "colourable_columns",
    "column_colours",
    "common_examples",
    "compared",
    "dataset",
    "draw_quick_maps",
    "encoder_similarity",
    "examples",
    "freezing_suggestion",
    "further_columns",
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
    "numbers_of",
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
    "relabel_verdict",
    "reliability",
    "row_questions",
    "sample",
    "search_answer",
    "shared_columns",
    "slice_findings",
    "stored_maps",
    "stored_sheet",
    "stored_test",
    "suggested_columns",
    "summary",
    "suspicion",
    "table",
    "token_lengths",
    "tokens",
    "trial_verdict",
    "upload_key",
]
