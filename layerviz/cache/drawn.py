"""Charts as the page draws them: Altair builds and checks each one once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any

import streamlit as st

from layerviz import charts

if TYPE_CHECKING:
    from altair.typing import ChartType


def _name_of(function: FunctionType) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@st.cache_data(show_spinner=False, max_entries=256, hash_funcs={FunctionType: _name_of})
def chart_specification(
    make: Callable[..., ChartType | charts.WrittenChart],
    args: tuple[Any, ...],
    keywords: Mapping[str, Any],
    dark: bool,
) -> dict[str, Any]:
    """Return the Vega-Lite specification of ``make(*args, **keywords)``, its rows included.

    Building a chart and checking it against the schema takes longer than all else that a tab does;
    a page is drawn again whenever anything on it is touched.
    """
    chart = charts.legible(make(*args, **keywords), dark=dark)
    if isinstance(chart, charts.WrittenChart):
        spec = chart.to_dict()
    else:
        from layerviz.export.pictures import specification  # with Altair

        spec = specification(chart)
    # Streamlit's page looks at a chart without its rows when it decides whether it is still the
    # same, and would go on with the rows that it has: so what they are is said beside them.
    rows = json.dumps(spec.get("datasets", {}), sort_keys=True, default=str)
    digest = hashlib.sha256(rows.encode()).hexdigest()
    return {**spec, "usermeta": {**spec.get("usermeta", {}), "rows": digest}}
