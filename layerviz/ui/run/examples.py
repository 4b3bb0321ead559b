"""The "Examples" tab: one example, events, slices, suspicious labels, own texts."""

from __future__ import annotations

from layerviz.registry import Registry
from layerviz.runs import Run
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.examples_table import ONE, SHOWN
from layerviz.ui.parts.tabs import Tab
from layerviz.ui.run.events import events
from layerviz.ui.run.one_example import one_example
from layerviz.ui.run.own_texts import own_texts_part
from layerviz.ui.run.slices import slices
from layerviz.ui.run.suspicious import suspicious

PARTS = Registry(
    "part of the examples",
    [
        Tab(ONE, one_example),
        Tab("Events", events),
        Tab("Slices", slices),
        Tab("Suspicious labels", suspicious),
        Tab("Your own text", own_texts_part),
    ],
)


def examples_tab(run: Run) -> None:
    """Show the part that the reader chose, or to which a click led."""
    part = choose_one("Look at", list(PARTS), key=SHOWN, label_visibility="collapsed")
    PARTS[part].draw(run)
