"""Charts that are written as specifications: the first page is drawn before Altair is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.4.1.json"  # as Altair names it


@dataclass(frozen=True, eq=False)
class WrittenChart:
    """A chart as its Vega-Lite specification, which is used as a chart of Altair's is.

    Parameters
    ----------
    specification : dict
        Without the rows.
    frames : mapping of str to DataFrame
        The rows, by the names that the specification calls them.
    """

    specification: dict[str, Any]
    frames: Mapping[str, pd.DataFrame]

    def to_dict(self) -> dict[str, Any]:
        """Return the specification with its rows."""
        rows = {name: frame.to_dict("records") for name, frame in self.frames.items()}
        return {"$schema": SCHEMA, **self.specification, "datasets": rows}
