"""A whole run as one HTML file that opens without a network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib import resources
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from layerviz import charts, projection, runs, separability
from layerviz.config import METHOD_NAMES, TRAIN_AND_VAL
from layerviz.errors import RunError
from layerviz.export.pictures import FONT, specification, themed, without_frames
from layerviz.export.recipe import recipe
from layerviz.export.run_charts import chart_of, heat_map_chart
from layerviz.export.views import (
    POINTS_PER_SPLIT,
    DrawnMaps,
    MapsView,
    completed,
    draw_maps,
)
from layerviz.poolings import pooling_label
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.runs import Run
from layerviz.separability import Cell
from layerviz.wording import epoch_name

UNIT = 1000  # positions are sent as whole numbers of these parts of a map: below a pixel
MOST_MARKS = 40_000  # that a browser moves in less than a second
MOST_BYTES = 8_000_000  # for points and texts; Vega takes 1 MB of the 10 that a page may have
BYTES_OF_TEXT = 6 * 240 + 10  # of one example at most: an escape for each of its characters


def offline_page(
    run: Run,
    view: MapsView,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> bytes:
    """Return a run as one HTML file: the answer, its maps with a slider, heat map and settings.

    Nothing is fetched by it, and its own policy forbids that anything is: Vega is inside, and
    texts are data that never become markup or code.

    Parameters
    ----------
    run : Run
        With at least one snapshot.
    view : MapsView
        The maps to show. Of many points a seeded sample is taken, which the page says.
    on_progress : callable
        Called with a `Progress` that counts layers.
    should_stop : callable
        Asked before each layer.

    Raises
    ------
    RunError, ConfigError, Cancelled
        As `draw_maps`.
    """
    drawn = draw_maps(
        run,
        view,
        most_per_split=most_points(run, view),
        on_progress=on_progress,
        should_stop=should_stop,
    )
    said, best = _answer(run)
    pooling = drawn.view.pooling if best is None else best.pooling  # the headline's heat map
    light, placed = _maps_spec(drawn, "light")
    data = {
        "slots": [epoch_name(epoch).capitalize() for epoch in drawn.epochs],
        "labels": list(run.label_names),
        "maps": {"light": light, "dark": _maps_spec(drawn, "dark")[0]},
        "points": compact_points(drawn, placed),
        "heat": _heat_specs(run, pooling, best),
    }
    return _html(drawn, data, said, pooling, best).encode()


def most_points(run: Run, view: MapsView) -> int:
    """Return how many points of each split a page can hold and move."""
    labels = runs.read_examples(run.path)["label"].to_numpy() if run.snapshots else np.zeros(0)
    view = completed(run, view, labels) if run.snapshots else view
    n_layers, n_slots = max(1, len(view.layers)), max(1, len(view.snapshots or ()))
    each = n_slots * (2 * n_layers * 4 + 9) + BYTES_OF_TEXT  # "123," is four bytes
    return int(min(POINTS_PER_SPLIT, MOST_MARKS // (2 * n_layers), MOST_BYTES // (2 * each)))


# --- data -----------------------------------------------------------------------------------


def compact_points(drawn: DrawnMaps, placed: pd.DataFrame) -> dict[str, Any]:
    """Return points and examples as columns, each value once; ``page.js`` makes rows of them.

    Parameters
    ----------
    drawn : DrawnMaps
    placed : DataFrame
        The points as `layer_maps` placed them: ``layer``, ``split``, ``centre_x``, ``centre_y``.
    """
    rows, slots = drawn.rows, range(len(drawn.epochs))
    examples = charts.examples_frame(drawn.examples, drawn.run.label_names, rows)
    squares = [
        np.rint(UNIT * maps.in_unit_square()[:, rows]).astype(int) for maps in drawn.maps.values()
    ]
    centres = placed.groupby(["layer", "split"])[["centre_x", "centre_y"]].first()
    colours = [codes[rows] for codes in drawn.colours()]
    same = all(np.array_equal(codes, colours[0]) for codes in colours)
    return {
        "unit": UNIT,
        "layers": list(drawn.view.layers),
        "row": rows.tolist(),
        "side": (drawn.splits[rows] == "val").astype(int).tolist(),
        "label": drawn.labels[rows].tolist(),
        "text": examples["text"].tolist(),
        "centres": [
            [
                centres.loc[(layer, split)].tolist() if (layer, split) in centres.index else [0, 0]
                for split in TRAIN_AND_VAL
            ]
            for layer in drawn.view.layers
        ],
        "x": [[square[slot, :, 0].tolist() for slot in slots] for square in squares],
        "y": [[square[slot, :, 1].tolist() for slot in slots] for square in squares],
        "colour": [codes.tolist() for codes in (colours[:1] if same else colours)],
        "predicted": [
            predictions["predicted"].to_numpy()[rows].tolist() for predictions in drawn.predictions
        ],
        "confidence": [
            (100 * predictions["confidence"].to_numpy()[rows]).round().astype(int).tolist()
            for predictions in drawn.predictions
        ],
    }


def _maps_spec(drawn: DrawnMaps, theme: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the specification of the maps without points and examples, and the points."""
    frames: dict[str, pd.DataFrame] = {}
    spec = without_frames(chart_of(drawn, dark=theme == "dark"), frames, rows_apart=0).to_dict()
    ours = {
        name: "points" if "centre_x" in frame else "examples" if "text" in frame else name
        for name, frame in frames.items()
    }
    spec = _renamed(_for_page(spec, theme), ours)
    for param in spec["params"]:
        param.pop("bind", None)  # the page has a slider of its own
    spec["datasets"] = {
        name: alt.to_values(frame)["values"] for name, frame in frames.items() if ours[name] == name
    }
    points = next(frame for name, frame in frames.items() if ours[name] == "points")
    return spec, points


def _renamed(node: Any, names: dict[str, str]) -> Any:
    """Return a specification with its data sets renamed."""
    if isinstance(node, dict):
        if set(node) == {"name"}:
            return {"name": names.get(node["name"], node["name"])}
        return {key: _renamed(value, names) for key, value in node.items()}
    return [_renamed(value, names) for value in node] if isinstance(node, list) else node


def _heat_specs(run: Run, pooling: str, best: Cell | None) -> dict[str, Any] | None:
    def spec(theme: str) -> dict[str, Any]:
        chart = heat_map_chart(run, pooling=pooling, dark=theme == "dark", best=best)
        return _for_page(specification(chart), theme)

    try:
        return {theme: spec(theme) for theme in ("light", "dark")}
    except RunError:  # not measured: the page says so where the heat map would stand
        return None


def _for_page(spec: dict[str, Any], theme: str) -> dict[str, Any]:
    spec = themed(spec, theme)
    spec["config"] = {**spec["config"], "background": None, "font": f"system-ui, {FONT}"}
    return {**spec, "width": "container", "padding": {"left": 0, "right": 8, "top": 0, "bottom": 4}}


# --- HTML -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Script:
    """A script with the hash under which the page's policy lets it run."""

    code: str

    @property
    def source(self) -> str:
        digest = base64.b64encode(hashlib.sha256(self.code.encode()).digest()).decode()
        return f"'sha256-{digest}'"


@lru_cache(maxsize=1)
def _vega() -> _Script:
    return _Script(vl_convert.javascript_bundle().replace("</script", "<\\/script"))


def json_in_html(data: Any) -> str:
    """Return JSON that is the same within a script element: nothing in it can end that."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _html(
    drawn: DrawnMaps, data: dict[str, Any], said: list[str], pooling: str, best: Cell | None
) -> str:
    files = resources.files("layerviz.export").joinpath("offline")
    style = files.joinpath("page.css").read_text(encoding="utf-8")
    vega, ours = _vega(), _Script(files.joinpath("page.js").read_text(encoding="utf-8"))
    # Vega makes functions of the expressions in our specifications, which hold no user's text;
    # interpreting them instead takes twice as long for each move of the slider.
    policy = (
        f"default-src 'none'; script-src 'unsafe-eval' {vega.source} {ours.source}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    run = drawn.run
    title, made_by = f"{run.encoder['label']} on {run.dataset['name']}", recipe(run)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)} · layerviz</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="soft">How well each layer's embedding separates the classes over fine-tuning.
{escape(_about(drawn))}</p>
{_told(said)}
<h2>Maps of the layers</h2>
{_legend(drawn)}
<div class="moment" id="controls">
<button type="button" id="play">Play</button>
<input type="range" id="slot" min="0" max="0" step="1" value="0" aria-label="Epoch">
<output id="moment" for="slot"></output>
</div>
<p id="failed" role="alert"></p>
<div class="scroller">
<div id="maps" class="chart" role="figure" aria-label="Maps of the layers, train and val"></div>
</div>
<p class="small soft">{escape(_small_print(drawn))}</p>
<h2>Val macro-F1 of every layer at every epoch</h2>
{_heat(data["heat"], pooling, best)}
<h2>How it was made</h2>
<div class="tables"><div>{_settings(run)}</div><div>{_data(run)}</div>
<div>{_table(run.versions.items())}</div></div>
<h2>How to reproduce it</h2>
<pre>{escape(made_by.command)}</pre>
<p class="small soft">{escape(made_by.note)}</p>
<footer class="small soft">Made with layerviz. This file needs no network.</footer>
</main>
<script type="application/json" id="data">{json_in_html(data)}</script>
<script>{vega.code}</script>
<script>{ours.code}</script>
</body>
</html>
"""


def _about(drawn: DrawnMaps) -> str:
    sizes = ", ".join(f"{n:,} {split}" for split, n in drawn.sizes.items())
    classes = len(drawn.run.label_names)
    return f"{sizes} examples in {classes} classes; {drawn.run.created[:10]}."


def _answer(run: Run) -> tuple[list[str], Cell | None]:
    """Return the answer's sentences, and the cell that they call the best, if they do."""
    try:
        answer = separability.answer_of(run)
    except RunError as error:
        return [error.message], None
    return separability.answer_sentences(answer), answer.best if answer.verdict == "found" else None


def _told(said: list[str]) -> str:
    lead, *rest = said
    return (
        f'<div class="answer"><p class="lead">{escape(lead)}</p>'
        f"<p>{escape(' '.join(rest))}</p></div>"
    )


def _legend(drawn: DrawnMaps) -> str:
    entries = drawn.legend()
    if not entries:
        ramp = ", ".join(charts.CONFIDENCE_RAMP)
        return (
            '<ul class="legend"><li>Confidence of the predicted class: 0 %'
            f'<span class="ramp" style="background:linear-gradient(90deg,{ramp})"></span>'
            "100 %</li></ul>"
        )
    items = (
        f'<li><span class="dot" style="background:{colour}"></span>{escape(name)}</li>'
        for name, colour in entries
    )
    title = f'<li class="soft">{drawn.legend_title()}</li>'
    return f'<ul class="legend" aria-label="Colours">{title}{"".join(items)}</ul>'


def _small_print(drawn: DrawnMaps) -> str:
    view, mapped = drawn.view, sum(drawn.sizes.values())
    said = [
        f"{METHOD_NAMES[view.method]} of the {pooling_label(view.pooling)}-pooled hidden "
        "states, fitted on train; val is placed into it. Point at a dot to read its text.",
        "T is the trustworthiness of a map (Venna and Kaski 2001, k = 12): the part of its "
        "neighbourhoods that are real in the full hidden size; 1 is best.",
        "F1 is the macro-F1 of a linear probe in the full hidden size; that of train is measured "
        "on what the probe was fitted to.",
    ]
    said += projection.notes(view.method, len(drawn.run.label_names))
    n_layers = int(drawn.run.encoder["layers"])
    if len(drawn.view.layers) < n_layers:
        said.append(f"{len(drawn.view.layers)} of {n_layers} layers have a map here.")
    if len(drawn.rows) < mapped:
        said.append(f"Drawn: {len(drawn.rows):,} of the {mapped:,} mapped points, at random.")
    return " ".join(said)


def _heat(specs: dict[str, Any] | None, pooling: str, best: Cell | None) -> str:
    if specs is None:
        return '<p class="soft">Not measured.</p>'
    said = (
        "A logistic regression per layer and epoch, trained on train, scored on val; "
        f"{pooling_label(pooling)} pooling. Layer 0 is the embedding output, a baseline."
    )
    if best is not None:
        said += " Outlined: the cell that the headline names, the best under all poolings."
    return (
        '<div class="scroller"><div id="heat" class="chart" role="figure" '
        'aria-label="Val macro-F1 of every layer at every epoch"></div></div>'
        f'<p class="small soft">{escape(said)}</p>'
    )


def _settings(run: Run) -> str:
    names = {"encoder": "Encoder", "encoder_version": "Encoder version"}
    rows = [
        (names.get(name, name.replace("_", " ").capitalize()), value)
        for name, value in run.config.as_dict().items()
        if value not in ("", None)
    ]
    return _table([*rows, ("Status", run.status), ("Run", run.run_id)])


def _data(run: Run) -> str:
    rows = [("Data", run.dataset["name"]), ("Fingerprint", run.dataset["fingerprint"])]
    for split, counts in run.dataset["counts"].items():
        total = f"{sum(counts.values()):,}"
        few = ", ".join(f"{name} {n:,}" for name, n in counts.items())
        rows.append((split.capitalize(), f"{total} ({few})" if len(counts) <= 12 else total))
    return _table([*rows, ("Notes", " ".join(run.dataset["notes"]))])


def _table(rows: Iterable[tuple[str, object]]) -> str:
    cells = (
        f"<tr><th scope='row'>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in rows
    )
    return f"<table>{''.join(cells)}</table>"
