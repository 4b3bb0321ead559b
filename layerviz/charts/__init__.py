"""DataFrames in, Altair charts out; nothing here reads a file or knows of Streamlit."""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.charts.contenders import encoders_over_epochs, scores_over_depth
    from layerviz.charts.curves import (
        loss_curve,
        metric_curve,
        reliability_chart,
    )
    from layerviz.charts.depth import depth_losses
    from layerviz.charts.frames import (
        colour_codes,
        examples_frame,
        most_frequent,
        panels_frame,
        points_frame,
        sample_rows,
    )
    from layerviz.charts.grid import Grid
    from layerviz.charts.heat_maps import (
        RECOMMENDED_TILE,
        TIED_TILE,
        class_heat_map,
        confusion_heat_map,
        score_heat_map,
        similarity_frame,
        similarity_heat_map,
    )
    from layerviz.charts.legends import CONFIDENCE_SCALE, Ramp, legend, ramp_legend, with_legend
    from layerviz.charts.look import legible
    from layerviz.charts.maps_of_layers import FOOTNOTE_KEY, layer_maps, panel_frames
    from layerviz.charts.of_data import class_counts, length_histogram
    from layerviz.charts.overlays import own_texts_frame, paths_frame
    from layerviz.charts.palette import (
        CLASS_COLOURS,
        CONFIDENCE_CODE,
        CONFIDENCE_RAMP,
        MISSING_CODE,
        MISSING_COLOUR,
        NUMBER_CODE,
        NUMBER_RAMP,
        OTHER_CODE,
        OTHER_COLOUR,
        PALETTE,
        RIGHT_CODE,
        RIGHT_COLOUR,
        SPLIT_COLOURS,
        VALUE_CODE,
        VALUE_COLOURS,
        WRONG_CODE,
        WRONG_COLOUR,
    )
    from layerviz.charts.score_lines import pooling_scores, scores_over_epochs, scores_over_layers
    from layerviz.charts.single_example import knowledge_strip, label_probability, token_maps
    from layerviz.charts.written import WrittenChart

else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "CLASS_COLOURS",
    "CONFIDENCE_CODE",
    "CONFIDENCE_RAMP",
    "CONFIDENCE_SCALE",
    "FOOTNOTE_KEY",
    "MISSING_CODE",
    "MISSING_COLOUR",
    "NUMBER_CODE",
    "NUMBER_RAMP",
    "OTHER_CODE",
    "OTHER_COLOUR",
    "PALETTE",
    "RECOMMENDED_TILE",
    "RIGHT_CODE",
    "RIGHT_COLOUR",
    "SPLIT_COLOURS",
    "TIED_TILE",
    "VALUE_CODE",
    "VALUE_COLOURS",
    "WRONG_CODE",
    "WRONG_COLOUR",
    "Grid",
    "Ramp",
    "WrittenChart",
    "class_counts",
    "class_heat_map",
    "colour_codes",
    "confusion_heat_map",
    "depth_losses",
    "encoders_over_epochs",
    "examples_frame",
    "knowledge_strip",
    "label_probability",
    "layer_maps",
    "legend",
    "legible",
    "length_histogram",
    "loss_curve",
    "metric_curve",
    "most_frequent",
    "own_texts_frame",
    "panel_frames",
    "panels_frame",
    "paths_frame",
    "points_frame",
    "pooling_scores",
    "ramp_legend",
    "reliability_chart",
    "sample_rows",
    "score_heat_map",
    "scores_over_depth",
    "scores_over_epochs",
    "scores_over_layers",
    "similarity_frame",
    "similarity_heat_map",
    "token_maps",
    "with_legend",
]
