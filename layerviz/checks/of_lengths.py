"""Whether the encoder reads texts as long as these, and whether all of each is read."""

from __future__ import annotations

from layerviz.checks.check import Check, Finding, Mend, RunPlan
from layerviz.wording import count

MOST_CUT = 0.01  # share of the texts
LENGTHS = (32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096, 8192)  # that are suggested


def _over_limit(plan: RunPlan) -> Finding | None:
    most, length = plan.most_tokens, plan.config.max_length
    if most is None or length <= most:
        return None
    sentence = f"Max length is {length:,}, and {plan.encoder.label} reads at most {most:,} tokens."
    mend = Mend(f"Set max length to {most:,}", {"max_length": most})
    return Finding(sentence, length, mend)


def _cut_texts(plan: RunPlan) -> Finding | None:
    length = plan.config.max_length
    if plan.lengths is None or not len(plan.lengths):
        return None
    most = plan.most_tokens or LENGTHS[-1]
    share = float((plan.lengths > length).mean())
    if share < MOST_CUT or length >= most:  # beyond the limit no setting helps
        return None
    fitting = min(most, _length_for(plan) or most)
    n_texts = len(plan.dataset.split("train"))
    n_cut = round(share * n_texts)
    longest = int(plan.lengths.max())
    # Only of many texts a sample is counted (`checks.token_lengths`).
    about, sample, them = "", "", ""
    if len(plan.lengths) < n_texts:
        about, them = "About ", " of these"
        sample = f" (counted in {len(plan.lengths):,} of {n_texts:,})"
    sentence = (
        f"{about}{count(n_cut, 'train text')} ({100 * share:.0f} %) "
        f"{'is' if n_cut == 1 else 'are'} cut at max length {length:,}{sample}; "
        f"the longest{them} has {longest:,} tokens."
    )
    if longest > most:
        sentence += f" {plan.encoder.label} reads at most {most:,}."
    mend = Mend(f"Set max length to {fitting:,}", {"max_length": fitting})
    return Finding(sentence, n_cut, mend)


def _length_for(plan: RunPlan) -> int | None:
    """Return the first of a few round lengths that holds all texts; None where none does."""
    if plan.lengths is None or not len(plan.lengths):
        return None
    return next((length for length in LENGTHS if length >= plan.lengths.max()), None)


OVER_LIMIT = Check("over the encoder's limit", _over_limit, refuses=True)
CUT_TEXTS = Check("texts that are cut", _cut_texts)
