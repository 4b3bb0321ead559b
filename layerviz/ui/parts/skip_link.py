"""The way from the sidebar to the maps for who works with the keyboard."""

from __future__ import annotations

import streamlit as st

from layerviz.ui.parts.state import COMPARE, RUN


def skip_link() -> None:
    """Offer to skip what lies between here and the epoch slider; shown while it has the focus.

    Between the two lie the list of runs, the answer and the controls of the maps: some twenty
    presses of Tab. The page's script moves the focus; without it, the link leads to the page's
    main part as Streamlit's own does.
    """
    if {RUN, COMPARE} & set(st.query_params):
        with st.container(key="skip_link"):
            st.html('<a href="#stMain">Skip to the epoch slider</a>')
