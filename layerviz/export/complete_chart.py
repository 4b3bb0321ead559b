"""A chart that carries its whole specification: shown and saved without being checked anew."""

from __future__ import annotations

import json
from typing import Any

import altair as alt

from layerviz.export.pictures import picture


class CompleteChart(alt.LayerChart):
    """An Altair chart with any number of rows, a width and a background of its own.

    Altair checks every value of every row against its schema, which takes ten seconds for the maps
    of a run, and refuses more than 5,000 rows unless a setting of all charts is changed. As long as
    nothing is changed, the specification that was made once is taken instead.
    """

    @classmethod
    def of(cls, chart: alt.LayerChart, *, dark: bool = False) -> CompleteChart:
        """Return a chart of ours as it is saved as Vega-Lite; `dark` says what it was made for."""
        spec = json.loads(picture(chart, "json", theme="dark" if dark else "light"))
        rows = spec.pop("datasets")
        made = cls.from_dict(spec, validate=False)
        made.datasets = rows
        object.__setattr__(made, "_spec", {**spec, "datasets": rows})
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        vars(self).pop("_spec", None)
        super().__setattr__(name, value)

    def __setitem__(self, name: str, value: Any) -> None:
        vars(self).pop("_spec", None)
        super().__setitem__(name, value)

    def to_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the specification; of a chart that was changed since, as Altair does."""
        spec = vars(self).get("_spec")
        return super().to_dict(*args, **kwargs) if spec is None else dict(spec)
