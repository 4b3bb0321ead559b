"""How long the whole run takes, captures and measures included."""

from __future__ import annotations

from layerviz.checks.check import Check, Finding, Mend, RunPlan
from layerviz.progress import duration
from layerviz.training import RunSeconds

LONG = 3600.0  # seconds
FEWER_CAPTURED = 500  # examples of each split


def time_words(seconds: RunSeconds) -> str:
    """Say how long a run takes: "about 4 min, of which 1 min capturing and measuring"."""
    whole = duration(_roughly(seconds.total))
    looking = duration(_roughly(seconds.capturing + seconds.measuring))
    part = "nearly all of it" if looking == whole else f"of which {looking}"
    return f"about {whole}, {part} capturing and measuring"


def _roughly(seconds: float) -> float:
    """Return a short duration no more exactly than it is known."""
    if seconds >= 90:
        return seconds
    step = 5 if seconds < 30 else 10
    return max(step, step * round(seconds / step))


def _long(plan: RunPlan) -> Finding | None:
    seconds = plan.seconds
    if seconds is None or seconds.total < LONG:
        return None
    sentence = f"This run will take {time_words(seconds)}."
    looking = seconds.capturing + seconds.measuring
    largest = int(plan.counts.sum().max())
    if looking > seconds.total / 2 and min(largest, plan.config.max_captured) > FEWER_CAPTURED:
        mend = Mend(f"Capture {FEWER_CAPTURED} per split", {"max_captured": FEWER_CAPTURED})
        return Finding(sentence, round(seconds.total), mend)
    return Finding(
        f"{sentence} A smaller encoder, fewer epochs or fewer texts take less.",
        round(seconds.total),
    )


LONG_RUN = Check("time", _long)
