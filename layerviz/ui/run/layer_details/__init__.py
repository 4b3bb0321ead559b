"""Below the heat map of the Layers tab: a tab for each closer question, one file each."""

from __future__ import annotations

from layerviz.registry import Registry
from layerviz.ui.parts.state import keep
from layerviz.ui.parts.tabs import Tab, draw_tabs
from layerviz.ui.run.layer_details.cheaper import cheaper_tab
from layerviz.ui.run.layer_details.classes import classes_tab
from layerviz.ui.run.layer_details.detail import Detail
from layerviz.ui.run.layer_details.lines import lines_tab
from layerviz.ui.run.layer_details.mixes import mixes_tab
from layerviz.ui.run.layer_details.overfitting import overfitting_tab
from layerviz.ui.run.layer_details.poolings import poolings_tab
from layerviz.ui.run.layer_details.similarity import similarity_tab

DETAIL_TABS = Registry(
    "tab",
    [
        Tab("Lines", lines_tab),
        Tab("Pooling", poolings_tab),
        Tab("Overfitting", overfitting_tab),
        Tab("Similarity", similarity_tab),
        Tab("Classes", classes_tab),
        Tab("Mix layers", mixes_tab),
        Tab("Cheaper fine-tuning", cheaper_tab),
    ],
)


def layer_details(detail: Detail) -> None:
    """Show the tabs below the heat map."""
    draw_tabs(DETAIL_TABS, keep("detail_tabs"), detail)
