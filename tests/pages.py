"""The page without a browser: opened, run until it shows something, and read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from specs import Spec, has_parameter
from streamlit.testing.v1 import AppTest
from waiting import wait_until

from layerviz.ui.parts import libraries

SECONDS_BETWEEN_RUNS = 0.4
APP = str(Path(__file__).resolve().parents[1] / "streamlit_app.py")


def open_page(*, state: dict[str, object] | None = None, **query: str) -> AppTest:
    """Open the page at an address, with what a reader chose before in its session state."""
    # Else they would be loaded behind the page while the test imports them from another end.
    libraries.load_behind_the_page()
    libraries._loaded.wait()
    app = AppTest.from_file(APP, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    for key, chosen in (state or {}).items():
        app.session_state[key] = chosen
    return app.run()


def run_until(app: AppTest, condition: Callable[[], object], seconds: float = 180) -> None:
    """Run the page again and again, as its timers do in a browser, until it shows something."""

    def is_shown() -> object:
        app.run()
        assert not app.exception
        return condition()

    # What it waits for is computed in this very process: a page that runs all the time delays it.
    wait_until(is_shown, seconds, pause=lambda _: time.sleep(SECONDS_BETWEEN_RUNS))


def answered(app: AppTest) -> AppTest:
    """Return the page once the answer that an open tab waits for is there: a worker makes it."""
    awaited = "The answer is being worked out."
    if awaited in caption_text(app):
        run_until(app, lambda: awaited not in caption_text(app))
    return app


def read_aloud(texts: Iterable[str]) -> str:
    """Return texts as a reader takes them: without escapes, every space a space."""
    return " ".join(texts).replace("\\", "").replace("\u00a0", " ")


def error_text(app: AppTest) -> str:
    return read_aloud(error.value for error in app.error)


def warning_text(app: AppTest) -> str:
    return read_aloud(warning.value for warning in app.warning)


def caption_text(app: AppTest) -> str:
    return read_aloud(caption.value for caption in app.caption)


def markdown_text(app: AppTest) -> str:
    return read_aloud(element.value for element in app.markdown)


def specs_of(app: AppTest) -> list[Spec]:
    """Return the specifications of all charts; their data is sent beside them."""
    return [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]


def chart_with(app: AppTest, name: str) -> Spec:
    """Return the specification of the first chart with a parameter: "slot" is on the layer maps."""
    return next(spec for spec in specs_of(app) if has_parameter(spec, name))


def map_frame(app: AppTest, column: str) -> pd.DataFrame:
    """Return the data of the layer maps that has a column."""
    charts = zip(app.get("vega_lite_chart"), specs_of(app), strict=True)
    maps = next(chart for chart, spec in charts if has_parameter(spec, "slot"))
    sent = (pa.ipc.open_stream(one.data.data) for one in maps.proto.datasets)
    return next(frame for stream in sent if column in (frame := stream.read_pandas()))


def components(app: AppTest, name: str) -> list[Any]:
    """Return what was sent to the components of a name: "maps" or "points"."""
    sent = [one.proto for one in app.get("bidi_component")]
    return [proto for proto in sent if proto.component_name == f"layerviz.{name}"]


def maps_state(app: AppTest) -> dict[str, Any]:
    """Return what the maps that answer to the mouse are told beside their points."""
    return json.loads(components(app, "maps")[0].json)


def maps_points(app: AppTest) -> dict[str, Any]:
    """Return what they are told about their points, numbers as arrays."""
    return unpacked(components(app, "points")[0].bytes)


def unpacked(content: bytes) -> dict[str, Any]:
    """Read what `instrument.packed` wrote, as ``maps/numbers.js`` does."""
    start = 4 + int.from_bytes(content[:4], "little")
    header = json.loads(content[4:start])
    arrays = {
        name: np.frombuffer(content, place["type"], place["length"], start + place["at"])
        for name, place in header["arrays"].items()
    }
    return header | arrays


def map_titles(app: AppTest) -> list[str]:
    """Return the titles of the maps at the first place of the slider."""
    return [panel["title0"] for panel in maps_state(app)["layouts"][0]["panels"]]


def map_headings(app: AppTest) -> list[str]:
    """Return what stands above the maps at the first place of the slider."""
    if not components(app, "maps"):
        return list(map_frame(app, "heading0")["heading0"])
    return [panel["heading0"] for panel in maps_state(app)["layouts"][0]["panels"]]
