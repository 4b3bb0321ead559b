"""The maps on the page: a component that draws them in the browser and tells what is done there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from layerviz import instrument
from layerviz.ui.parts.formulas import quotes_formulas


@cache
def _vega() -> Callable[..., Any]:
    """Return the component that brings Vega; it is sent once to each browser, being large."""
    code = f"{instrument.vega_script().code}\nexport default function () {{}}"
    return component("layerviz.vega", js=code)


@cache
def _points() -> Callable[..., Any]:
    return component("layerviz.points", js=instrument.points_script())


@cache
def _maps() -> Callable[..., Any]:
    return component(
        "layerviz.maps",
        html='<div class="instrument"></div>',
        css=instrument.maps_style(),
        js=instrument.page_script(),
    )


def draw_maps(
    key: str,
    points: bytes,
    state: dict[str, Any],
    *,
    on_snapshot: Callable[[], None],
    on_selected: Callable[[], None],
    on_enlarged: Callable[[], None],
    on_opened: Callable[[], None],
) -> None:
    """Draw maps.

    Three elements, of which only the last is seen: what does not change is not sent again.

    Parameters
    ----------
    key : str
        Of the component; `told` finds under it what has been done.
    points : bytes
        As `instrument.points_message` returns them for this chart.
    state : dict
        What else the script of the maps needs; see ``update`` there.
    on_snapshot, on_selected, on_enlarged, on_opened : callable
        Called when the slider has come to rest, examples are selected, a map is enlarged or made
        small again, and an example is opened.
    """
    _vega()(key=f"unseen-vega-{key}", height="content")
    _points()(key=f"unseen-points-{key}", data=points)
    _maps()(
        key=key,
        data=state | {"quote_formulas": quotes_formulas()},
        on_snapshot_change=on_snapshot,
        on_selected_change=on_selected,
        on_enlarged_change=on_enlarged,
        on_opened_change=on_opened,
    )


def told(key: str, event: str) -> Any:
    """Return what a reader has done in the maps drawn under `key`, None if nothing."""
    state = st.session_state.get(key)
    return None if state is None else state.get(event)
