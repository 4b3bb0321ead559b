"""What to know before a run is started: each check says what it finds, and what mends it.

No check runs a model: they look at counts, at lengths in tokens and at the encoder's description.
A new check is a module like `of_time`, and a line of `CHECKS`.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.checks.check import Check, Finding, Mend, RunPlan
    from layerviz.checks.of_space import expect_room, space_words
    from layerviz.checks.of_time import time_words
    from layerviz.checks.plans import (
        CHECKS,
        findings_of,
        options_of,
        plan_for,
        refuse,
        token_lengths,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "CHECKS",
    "Check",
    "Finding",
    "Mend",
    "RunPlan",
    "expect_room",
    "findings_of",
    "options_of",
    "plan_for",
    "refuse",
    "space_words",
    "time_words",
    "token_lengths",
]
