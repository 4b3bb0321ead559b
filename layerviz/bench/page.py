"""How fast the page answers a click and its slider, measured in a headless Chromium."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerviz import charts, data
from layerviz.bench.browser import Watched, chromium, server
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.made_run import made_run
from layerviz.bench.materials import varied_dataset
from layerviz.charts import Grid
from layerviz.config import TRAIN_AND_VAL
from layerviz.data import Table
from layerviz.errors import ConfigError
from layerviz.export.page import vega_script
from layerviz.export.pictures import picture

WARM_GOAL, COLD_GOAL = 0.4, 2.0  # seconds
SLIDER_GOALS = {12_000: 0.25, 24_000: 0.45}  # seconds by visible marks
CHART_LAYERS = 8  # of the charts that stand by themselves
SLIDER = ".vega-bind input"
# From the input event to the second frame after it: the first is the one that paints.
SLIDE = """async value => {
    const input = document.querySelector('SELECTOR');
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    const start = performance.now();
    input.value = value;
    input.dispatchEvent(new Event('input', {bubbles: true}));
    if (window.view) await window.view.runAsync();
    await frame(); await frame();
    return (performance.now() - start) / 1000; }"""


def measure(
    table: Table | None,
    *,
    n_train: int = 2000,
    n_val: int = 1000,
    n_layers: int = 12,
    width: int = 256,
    n_snapshots: int = 6,
    repeats: int = 5,
    starts: int = 2,
    marks: Sequence[int] = tuple(SLIDER_GOALS),
) -> dict[str, Any]:
    """Click through a run of this size, and slide over its epochs.

    Parameters
    ----------
    table : Table or None
        Where texts come from; None takes the bundled sample.
    n_train, n_val, n_layers, width, n_snapshots : int
        Size of the run that is made up.
    repeats : int
        How often each click is made with a warm cache, and the slider moved.
    starts : int
        How often the server is started: the first click of each kind is a cold one.
    marks : sequence of int
        Visible points of charts that stand by themselves, in which the slider is moved, too.

    Returns
    -------
    dict
        ``clicks``: per click the seconds ``cold`` and ``warm`` (medians) until Streamlit's script
        is done and, as ``drawn``, until the page no longer changes; ``slider``: per chart its
        visible marks, median seconds of a repaint, and what was sent meanwhile.

    Raises
    ------
    ConfigError
        If a size is out of range, or playwright or Chromium is missing.
    """
    if min(repeats, starts) < 1 or any(one < 2 * CHART_LAYERS for one in marks):
        raise ConfigError(
            f"The bench cannot take {repeats} repeats, {starts} starts and {list(marks)} marks.",
            f"Give 1 or more repeats and starts, and {2 * CHART_LAYERS} or more marks.",
        )
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        dataset = varied_dataset(table or data.sample_table(), n_train, n_val)
        sizes = {"n_layers": n_layers, "width": width, "n_snapshots": n_snapshots}
        run = made_run(root, dataset, **sizes)
        clicks: dict[str, dict[str, list[dict[str, float]]]] = {}
        for start in range(starts):
            with server(root) as address, _Visit(browser, address, run.run_id) as visit:
                visit.click_through(clicks, repeats)
                last = start == starts - 1
                on_page = visit.slide(repeats, n_train + n_val, n_layers) if last else []
        alone = [_slide_alone(browser, n, n_snapshots, repeats) for n in marks]
    return {
        "what": f"a run of {n_train:,} + {n_val:,} points, {n_layers} layers of {width}, "
        f"{n_snapshots} snapshots",
        "machine": machine(),
        "clicks": {name: _medians(found) for name, found in clicks.items()},
        "slider": [*on_page, *alone],
    }


def _medians(found: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        cache: {key: statistics.median(one[key] for one in times) for key in ("idle", "drawn")}
        for cache, times in found.items()
    }


# --- the page -------------------------------------------------------------------------------


class _Visit(Watched):
    """A page on which a run is opened, and what is clicked on it."""

    def __init__(self, browser: Any, address: str, run_id: str) -> None:
        super().__init__(browser, address)
        self.run_id = run_id

    def click_through(self, clicks: dict[str, dict], repeats: int) -> None:
        """Make every click once with a cold cache and `repeats` times with a warm one.

        Streamlit keeps what a view needed, so the first time a view is asked for is the cold one.
        """
        ways = {
            "reopening a run": (self._leave, self._open),
            "layer set": (
                lambda: self._choose("Layers", "First four"),
                lambda: self._choose("Layers", "All"),
            ),
            "pooling": (lambda: self._press("mean"), lambda: self._press("max")),
            "colour": (
                lambda: self._choose("Colour by", "Label"),
                lambda: self._choose("Colour by", "Confidence"),
            ),
            "tab": (lambda: self._tab("Maps"), lambda: self._tab("Layers")),
        }
        for name, (back, click) in ways.items():
            times = clicks.setdefault(name, {"cold": [], "warm": []})
            times["cold"].append(self.timed(click))
            for _ in range(repeats):
                self.timed(back)
                times["warm"].append(self.timed(click))
            self.timed(back) if name != "reopening a run" else None

    def _open(self) -> None:
        self.page.locator(f".st-key-open-{self.run_id} button").first.click()

    def _leave(self) -> None:
        self.page.get_by_role("button", name="New run").click()

    def _choose(self, label: str, option: str) -> None:
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=re.compile(f"^{option}")).first.click()

    def _press(self, name: str) -> None:
        self.page.locator(".st-key-pooling button").filter(has_text=name).first.click()

    def _tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def slide(self, repeats: int, n_points: int, n_layers: int) -> list[dict[str, Any]]:
        """Move the slider over the layers shown at first, and over all."""
        found = []
        for option, shown in (("First four", min(CHART_LAYERS, n_layers)), ("All", n_layers)):
            if option == "All":
                self.timed(lambda: self._choose("Layers", "All"))
            self.page.wait_for_selector(SLIDER)
            time.sleep(1.0)  # what the click before had set off is over
            self.sent.clear()
            seconds = _slid(self.page, SLIDER, repeats)
            time.sleep(0.5)
            found.append(
                {
                    "what": f"page, {shown} layers",
                    "marks": shown * self._points(n_points),
                    "seconds": seconds,
                    "sent": len(self.sent),
                }
            )
        return found

    def _points(self, n_points: int) -> int:
        """Return how many points of a layer are drawn, as the page says it."""
        words = self.page.get_by_text("Maps are fitted on train").first.inner_text()
        said = re.search(r"Drawn: ([\d,]+) of", words)
        return int(said[1].replace(",", "")) if said else n_points


def _slid(page: Any, selector: str, repeats: int) -> float:
    """Return the median seconds of a repaint, moving the slider to and fro."""
    most = int(page.locator(selector).get_attribute("max"))
    script = SLIDE.replace("SELECTOR", selector)
    values = [str(move % (most + 1)) for move in range(2 * repeats)]
    return statistics.median([page.evaluate(script, value) for value in values][1:])


# --- charts that stand by themselves --------------------------------------------------------


def _slide_alone(browser: Any, n_marks: int, n_snapshots: int, repeats: int) -> dict[str, Any]:
    """Move the slider of a chart as the page draws it, with just so many points."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(180_000)
    sent: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "maps.html"
        file.write_text(_alone(n_marks, n_snapshots), encoding="utf-8")
        page.goto(file.as_uri())
        page.wait_for_function("() => window.view && document.querySelector('canvas, svg')")
        page.on("request", lambda request: sent.append(request.url))
        seconds = _slid(page, SLIDER, repeats)
        page.close()
    return {"what": "chart alone", "marks": n_marks, "seconds": seconds, "sent": len(sent)}


def _alone(n_marks: int, n_snapshots: int) -> str:
    chart = _chart(n_marks // CHART_LAYERS, n_snapshots)
    spec_text = picture(chart, "json", width=1100).decode().replace("<", "\\u003c")
    return f"""<!DOCTYPE html><meta charset="utf-8"><div id="maps" style="width:1100px"></div>
<script>{vega_script().code}</script>
<script>vegaEmbed("#maps", {spec_text}, {{actions: false, renderer: "canvas"}})
.then(made => {{ window.view = made.view; }});</script>"""


def _chart(n_points: int, n_snapshots: int):
    """Return the chart of made up maps, two thirds of the points being train."""
    rng = np.random.default_rng(0)
    layers = list(range(1, CHART_LAYERS + 1))
    splits = np.where(np.arange(n_points) < 2 * n_points // 3, "train", "val")
    rows, labels = np.arange(n_points), rng.integers(4, size=n_points)
    predictions = [
        pd.DataFrame({"predicted": labels, "confidence": rng.uniform(0.3, 1, n_points)})
    ] * n_snapshots
    positions = {
        layer: rng.uniform(size=(n_snapshots, n_points, 2)).astype(np.float32) for layer in layers
    }
    colours = charts.colour_codes("label", labels, predictions, range(4), 4)
    examples = pd.DataFrame({"text": [f"text {row}" for row in rows], "label": labels})
    names = [f"class {label}" for label in range(4)]
    sizes = {split: int((splits == split).sum()) for split in TRAIN_AND_VAL}
    trust = dict.fromkeys(layers, np.full((n_snapshots, 2), 0.9))
    return charts.layer_maps(
        charts.points_frame(positions, splits, rows, predictions, colours),
        charts.examples_frame(examples, names, rows),
        charts.panels_frame(trust, range(n_snapshots), sizes, n_snapshots),
        layers=layers,
        label_names=names,
        n_slots=n_snapshots,
        grid=Grid.of(CHART_LAYERS),
    )


# --- what it comes to -----------------------------------------------------------------------


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals."""
    found = []
    goal: float | None
    for cache, goal in (("warm", WARM_GOAL), ("cold", COLD_GOAL)):
        for name, times in result["clicks"].items():
            for key, until in (("idle", "server idle"), ("drawn", "drawn")):
                what = f"{name}, {cache}, until {until}"
                found.append(Figure("page", what, times[cache][key], "s", goal))
    for one in result["slider"]:
        what = f"slider, {one['what']}, {one['marks']:,} marks"
        goal = next((goal for marks, goal in SLIDER_GOALS.items() if one["marks"] <= marks), None)
        found.append(Figure("page", what, one["seconds"], "s", goal))
    sent = sum(one["sent"] for one in result["slider"])
    return [*found, Figure("page", "messages sent while sliding", sent, "", 0)]


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [f"{result['what']}; {machine_in_words()}"]
    lines.append("  seconds to idle (to the last change of the page)    cold             warm")
    for name, times in result["clicks"].items():
        shown = [f"{one['idle']:6.2f} ({one['drawn']:5.2f})" for one in times.values()]
        lines.append(f"  {name:<44} {shown[0]:>16} {shown[1]:>16}")
    for one in result["slider"]:
        lines.append(
            f"  slider, {one['what']}: {one['marks']:,} marks, {one['seconds']:.3f} s, "
            f"{one['sent']} messages sent"
        )
    return "\n".join(lines)
