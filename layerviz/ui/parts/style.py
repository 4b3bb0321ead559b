"""The few rules that Streamlit's theme cannot say; no user's text ever passes through here."""

from pathlib import Path

import streamlit as st

ICON = str(Path(__file__).with_name("icon.png"))  # a :material: icon would be fetched from afar

CSS = """
<style>
.stMainBlockContainer { padding-top: 3rem; padding-bottom: 3rem; }
[data-testid="stSidebarHeader"] { height: 2.25rem; min-height: 2.25rem; margin-bottom: 0; }
[data-testid="stSidebar"] :has(> .st-key-launch) { position: sticky; bottom: 0; z-index: 5; }
.st-key-launch { padding: 0.6rem 0; backdrop-filter: blur(12px); }
/* Segments are as high as the selects beside them, so that their labels stand in one line. */
.stMain [role="radiogroup"] > button { min-height: 2.5rem; }
.st-key-runs button { justify-content: flex-start; text-align: left; }
.st-key-runs button p { text-align: left; }
/* The epoch's slider stands above the maps, in sight together with the first of them. */
.vega-embed:has(.vega-bind) { display: flex !important; flex-direction: column; gap: 0.5rem; }
.vega-embed > .vega-bindings { order: -1; }
/* The tools of a chart or table lie in its corner, not over what stands above it. */
[data-testid="stElementToolbar"] { transform: translateY(2.1rem); }
[class*="st-key-"][class*="legend"] [data-testid="stElementToolbar"] { display: none; }
</style>
"""


def style() -> None:
    """Tighten margins, keep the button and the epoch slider in sight, align labels and runs."""
    st.html(CSS)
