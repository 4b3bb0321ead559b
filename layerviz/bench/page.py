"""How fast the page answers a click and its slider, measured in a headless Chromium."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from layerviz import data
from layerviz.bench.browser import Watched, chromium, server
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.made_run import made_run
from layerviz.bench.materials import varied_dataset
from layerviz.data import Table
from layerviz.errors import ConfigError
from layerviz.export.page import json_in_html
from layerviz.export.page_data import maps_for_page
from layerviz.instrument import maps_script, maps_style, vega_script
from layerviz.runs import Run
from layerviz.views import MapsRequest, RunMaps, collect_maps

WARM_GOAL, COLD_GOAL = 0.4, 2.0  # seconds
REOPEN_GOAL = 0.6  # seconds to reopen a run, warm
SLIDER_GOALS = {12_000: 0.25, 24_000: 0.45}  # seconds by visible marks
CHART_LAYERS = 8  # of the charts that stand by themselves
SLIDER = ".maps .slot"
# From the input event to the second frame after it: the first is the one that paints.
SLIDE = """async (input, value) => {
    const maps = input.closest('.maps').instrument;
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    const start = performance.now();
    input.value = value;
    input.dispatchEvent(new Event('input', {bubbles: true}));
    await maps.queue;
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
        alone = [_slide_alone(browser, run, n, repeats) for n in marks]
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
            "layer set": (  # first and last may be all: then there would be nothing to draw
                lambda: self._choose("Layers", "Every other"),
                lambda: self._choose("Layers", "All"),
            ),
            "pooling": (lambda: self._press("mean"), lambda: self._press("max")),
            "projection": (lambda: self._projection("PCA"), lambda: self._projection("LDA")),
            "colour": (
                lambda: self._choose("Colour by", "Colour: label"),
                lambda: self._choose("Colour by", "Colour: confidence"),
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

    def _projection(self, name: str) -> None:
        self.page.locator(".st-key-projection button").filter(has_text=name).first.click()

    def _tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def slide(self, repeats: int, n_points: int, n_layers: int) -> list[dict[str, Any]]:
        """Move the slider over the layers shown at first, and over all."""
        found = []
        for option, shown in (("First and last", min(CHART_LAYERS, n_layers)), ("All", n_layers)):
            self.timed(partial(self._choose, "Layers", option))
            self.page.wait_for_selector(SLIDER)
            time.sleep(1.0)  # what the click before had set off is over
            self.sent.clear()
            seconds = _slid(self.page, repeats)
            time.sleep(0.5)
            found.append(
                {
                    "what": f"page, {shown} layers",
                    "marks": shown * self._points(n_points),
                    "seconds": seconds,
                    # Once, when the slider has come to rest, the page is told where.
                    "sent": max(0, len(self.sent) - 1),
                }
            )
        return found

    def _points(self, n_points: int) -> int:
        """Return how many points of a layer are drawn, as the page says it."""
        words = self.page.get_by_text("Maps are fitted on train").first.inner_text()
        said = re.search(r"Drawn: ([\d,]+) of", words)
        return int(said[1].replace(",", "")) if said else n_points


def _slid(page: Any, repeats: int) -> float:
    """Return the median seconds of a repaint, moving the slider to and fro."""
    slider = page.locator(SLIDER).last
    most = int(slider.get_attribute("max"))
    values = [str(move % (most + 1)) for move in range(2 * repeats)]
    return statistics.median([slider.evaluate(SLIDE, value) for value in values][1:])


# --- charts that stand by themselves --------------------------------------------------------


def _slide_alone(browser: Any, run: Run, n_marks: int, repeats: int) -> dict[str, Any]:
    """Move the slider of maps that stand in the offline page, with about so many points."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(180_000)
    sent: list[str] = []
    n_layers = min(CHART_LAYERS, int(run.encoder["layers"]))
    request = MapsRequest(layers=tuple(range(1, n_layers + 1)))
    maps = collect_maps(run, request, most_per_split=n_marks // (2 * n_layers))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "maps.html"
        file.write_text(_alone(maps), encoding="utf-8")
        page.goto(file.as_uri())
        page.wait_for_selector(".maps[data-drawn]")
        page.on("request", lambda request: sent.append(request.url))
        seconds = _slid(page, repeats)
        page.close()
    drawn = n_layers * len(maps.rows)
    return {"what": "chart alone", "marks": drawn, "seconds": seconds, "sent": len(sent)}


def _alone(maps: RunMaps) -> str:
    content = json_in_html(maps_for_page(maps))
    return f"""<!DOCTYPE html><meta charset="utf-8"><style>{maps_style()}</style>
<div id="maps" style="width:1100px"></div>
<script>{vega_script().code}</script><script>{maps_script().code}</script>
<script>const sent = {content};
const points = new layervizMaps.Points(layervizMaps.fromBase64(sent.points));
new layervizMaps.Maps(document.getElementById("maps")).update(sent.light, points);</script>"""


# --- what it comes to -----------------------------------------------------------------------


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals."""
    found = []
    goal: float | None
    for cache, goal in (("warm", WARM_GOAL), ("cold", COLD_GOAL)):
        for name, times in result["clicks"].items():
            for key, until in (("idle", "server idle"), ("drawn", "drawn")):
                what = f"{name}, {cache}, until {until}"
                is_reopened = cache == "warm" and name == "reopening a run"
                of_click = REOPEN_GOAL if is_reopened else goal
                found.append(Figure("page", what, times[cache][key], "s", of_click))
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
