"""What goes with an answer: its icon, and the poolings among which it is searched."""

from __future__ import annotations

from collections.abc import Sequence

from layerviz.poolings import pooling_label
from layerviz.ui.parts.choice import choose_one

ALL_POOLINGS = "all"
VERDICT_ICONS = {
    "found": ":material/emoji_events:",
    "chance": ":material/block:",
    "few": ":material/warning:",
}


def poolings_control(key: str, poolings: Sequence[str]) -> tuple[str, ...]:
    """Let the reader choose which of these poolings to search."""
    choices = [ALL_POOLINGS, *poolings]
    searched = choose_one(
        "Search among",
        choices,
        key=key,
        format_func=lambda name: "All poolings" if name == ALL_POOLINGS else pooling_label(name),
        help="The more cells are searched, the more the best score flatters: choose one pooling if "
        "you know which one you want.",
    )
    return tuple(poolings) if searched == ALL_POOLINGS else (searched,)
