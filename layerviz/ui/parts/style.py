"""The few rules that Streamlit's theme cannot say; no user's text ever passes through here."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
ICON = str(HERE / "icon.png")  # a :material: icon would be fetched from afar
CSS = (HERE / "page.css").read_text(encoding="utf-8")
SCRIPT = (HERE / "page.js").read_text(encoding="utf-8")


def style() -> None:
    """Tighten margins, keep buttons in sight, align labels; let buttons open the sidebar."""
    st.html(f"<style>{CSS}</style>")
    with st.container(key="page_script"):
        st.html(f"<script>{SCRIPT}</script>", unsafe_allow_javascript=True)
