"""Pages of the documentation, opened where a reader needs them."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import streamlit as st

from layerviz.projection import projections_in_words

DOCUMENTATION = Path(__file__).resolve().parents[3] / ".readme"
COMPARISON = "Reading a comparison"  # heading of the section of answers.md


def how_to_read_maps() -> None:
    """Offer the page about maps."""
    text = _without_title(_text(DOCUMENTATION / "maps.md"))
    if text.strip():
        text += f"\n\n## Projections\n\n{projections_in_words()}"
    _popover("How to read the maps", text)


def how_to_read_answers() -> None:
    """Offer the page about answers."""
    text, _, _ = _text(DOCUMENTATION / "answers.md").partition(f"## {COMPARISON}\n")
    _popover("How to read the answers", _without_title(text))


def how_to_read_comparisons() -> None:
    """Offer the part of the page about answers that explains comparisons."""
    _, _, text = _text(DOCUMENTATION / "answers.md").partition(f"## {COMPARISON}\n")
    _popover("How to read a comparison", text)


def _popover(label: str, text: str) -> None:
    """Offer a text under a button, or nothing where the documentation is missing."""
    if not text.strip():
        return
    with st.popover(label, icon=":material/menu_book:", type="tertiary", width="content"):
        st.markdown(re.sub(r"^#+ (.*)$", r"**\1**", text, flags=re.MULTILINE))


@functools.cache
def _text(page: Path) -> str:
    """Return a page without pictures, quoted examples and links; "" where there is none."""
    try:
        text = page.read_text(encoding="utf-8")
    except OSError:
        return ""
    text = re.sub(r"!\[[^]]*\]\([^)]*\)|^ {4}\S.*", "", text, flags=re.MULTILINE)
    return re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text)


def _without_title(text: str) -> str:
    return re.sub(r"\A# .*", "", text)
