"""The way to the sidebar, wherever the page speaks of it."""

from __future__ import annotations

import streamlit as st


def sidebar_button(place: str) -> None:
    """Offer to open the sidebar; the style shows the button only while that is closed.

    Parameters
    ----------
    place : str
        Tells this button from others.
    """
    st.button("Open the sidebar", icon=":material/left_panel_open:", key=f"open_sidebar-{place}")
