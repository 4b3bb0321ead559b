"""Charts as the page keeps them: built once, and another chart where their rows are others."""

from __future__ import annotations

import pandas as pd
import pytest

from layerviz import cache, charts


@pytest.mark.parametrize("side", [4, 40])  # 16 and 1,600 rows: large frames have names of their own
def test_a_chart_whose_rows_differ_is_another_chart_without_them(side: int) -> None:
    pairs = pd.DataFrame(
        [(one, other, 0.5) for one in range(side) for other in range(side)],
        columns=["layer", "other", "value"],
    )

    def without_rows(frame: pd.DataFrame) -> dict:
        spec = cache.chart_specification(charts.similarity_heat_map, (frame,), TITLES, False)
        return {name: part for name, part in spec.items() if name != "datasets"}

    before, other = without_rows(pairs), without_rows(pairs.assign(value=0.25))
    assert before["usermeta"]["rows"] != other["usermeta"]["rows"]
    assert before == without_rows(pairs.copy())


TITLES = {"title_x": "One layer", "title_y": "Another layer"}
