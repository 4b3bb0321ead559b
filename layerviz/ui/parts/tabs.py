"""Tabs: each one entry of a registry, drawn only while it is open; one that fails stands alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from layerviz.registry import Registry
from layerviz.ui.parts.guard import guarded


@dataclass(frozen=True)
class Tab:
    """One tab.

    Parameters
    ----------
    name : str
        As the page shows it.
    draw : callable
        Draws what is in it; called with what `draw_tabs` was given.
    needs_snapshot : bool
        Whether there is nothing to show before a run's first snapshot.
    """

    name: str
    draw: Callable[..., None]
    needs_snapshot: bool = True


def draw_tabs(
    tabs: Registry[Tab],
    key: str,
    *arguments: object,
    has_snapshot: bool = True,
    draw_nothing_yet: Callable[..., None] | None = None,
) -> None:
    """Draw the tabs, and in the open one what it shows.

    Parameters
    ----------
    tabs : Registry of Tab
    key : str
        Of the tabs in the session's state, where the open one is found by its name.
    *arguments
        What each tab is drawn with.
    has_snapshot : bool
        Whether there is a snapshot to show.
    draw_nothing_yet : callable, optional
        Draws what stands in a tab that needs a snapshot while there is none.
    """
    for container, tab in zip(
        st.tabs(list(tabs), key=key, on_change="rerun", bind="query-params"),
        tabs.values(),
        strict=True,
    ):
        with container:
            if not container.open:
                continue
            with guarded(f"The {tab.name} tab", *arguments):
                if has_snapshot or not tab.needs_snapshot:
                    tab.draw(*arguments)
                elif draw_nothing_yet is not None:
                    draw_nothing_yet(*arguments)
