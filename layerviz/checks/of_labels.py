"""Whether labels are one class each, and texts are different."""

from __future__ import annotations

from layerviz.checks.check import Check, Finding, Mend, RunPlan
from layerviz.data import few_texts, look_alikes
from layerviz.data.wording import quoted_apart
from layerviz.separability import FEW_EXAMPLES
from layerviz.wording import count

_GROUPS = 3  # that are named


def _look_alike(plan: RunPlan) -> Finding | None:
    groups = look_alikes(plan.counts.sum(axis=1))
    if not groups:
        return None
    more = f" and {len(groups) - _GROUPS:,} more" if len(groups) > _GROUPS else ""
    named = "; ".join(quoted_apart(group) for group in groups[:_GROUPS])
    sentence = f"Labels look alike, and are classes of their own: {named}{more}."
    return Finding(sentence, len(groups), Mend("Merge them", merge_labels=True))


def _few_texts(plan: RunPlan) -> Finding | None:
    val = plan.dataset.split("val")
    n_texts, n_rows = val["text"].nunique(), len(val)
    if not few_texts(n_texts, n_rows, FEW_EXAMPLES):
        return None
    sentence = (
        f"Val has {count(n_texts, 'different text')} in {count(n_rows, 'row')}: scores on it say "
        "how these are told apart, and little about other texts. Add rows with other texts."
    )
    return Finding(sentence, n_texts)


LOOK_ALIKES = Check("look-alike labels", _look_alike)
FEW_TEXTS = Check("few texts", _few_texts)
