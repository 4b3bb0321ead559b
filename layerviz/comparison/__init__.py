"""Several encoders on the same data: which does better, in which layer, and how surely.

Runs that differ only in their seed are one contender. All are scored on the val examples that all
of them captured, each at its best layer, in the full hidden size.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.comparison.agreement import (
        AGREEMENT_OUTCOMES,
        BY_HEAD,
        BY_PROBE,
        Agreement,
        agreement_between,
        disagreements,
        encoder_similarity,
    )
    from layerviz.comparison.contenders import (
        Contender,
        common_examples,
        contenders_of,
        costs_of,
        encoder_label,
        shared_poolings,
    )
    from layerviz.comparison.depth import DepthMatch
    from layerviz.comparison.relabelled import (
        RelabelVerdict,
        ScoredRows,
        compare_relabelled,
        corrected_words,
        relabel_sentences,
    )
    from layerviz.comparison.reporting import comparison_table, comparison_text, comparison_values
    from layerviz.comparison.scoring import compare_contenders
    from layerviz.comparison.standings import Comparison, Standing
    from layerviz.comparison.trials import (
        TrialVerdict,
        compare_trial,
        is_trial_of,
        trial_difference,
        trial_name,
        trial_sentences,
    )
    from layerviz.comparison.wording import (
        best_cell_name,
        comparison_details,
        comparison_lead,
        comparison_sentences,
        depth_sentence,
        margin_of_lead,
        seeds_note,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "AGREEMENT_OUTCOMES",
    "BY_HEAD",
    "BY_PROBE",
    "Agreement",
    "Comparison",
    "Contender",
    "DepthMatch",
    "RelabelVerdict",
    "ScoredRows",
    "Standing",
    "TrialVerdict",
    "agreement_between",
    "best_cell_name",
    "common_examples",
    "compare_contenders",
    "compare_relabelled",
    "compare_trial",
    "comparison_details",
    "comparison_lead",
    "comparison_sentences",
    "comparison_table",
    "comparison_text",
    "comparison_values",
    "contenders_of",
    "corrected_words",
    "costs_of",
    "depth_sentence",
    "disagreements",
    "encoder_label",
    "encoder_similarity",
    "is_trial_of",
    "margin_of_lead",
    "relabel_sentences",
    "seeds_note",
    "shared_poolings",
    "trial_difference",
    "trial_name",
    "trial_sentences",
]
