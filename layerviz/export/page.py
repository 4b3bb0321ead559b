"""A whole run as one HTML file that works offline."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from importlib import resources
from typing import Any

from layerviz import separability
from layerviz.errors import RunError
from layerviz.export.page_data import heat_map_specifications, maps_for_page, most_points
from layerviz.export.recipe import Recipe, recipe
from layerviz.export.slices_part import slices_part
from layerviz.instrument import Script, maps_script, maps_style, vega_script
from layerviz.poolings import pooling_label
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.projection import PROJECTIONS
from layerviz.runs import Run
from layerviz.separability import MARGIN, Answer, AnswerSheet
from layerviz.views import MapsRequest, RunMaps, collect_maps, small_print, standings_note


def offline_page(
    run: Run,
    request: MapsRequest,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> bytes:
    """Return a run as one HTML file: the answer, its maps with a slider, heat map and settings.

    It fetches nothing, and its own policy forbids fetching: Vega is inside, and texts are data
    that never become markup or code.

    Parameters
    ----------
    run : Run
        With at least one snapshot.
    request : MapsRequest
        The maps to show. Of many points a seeded sample is drawn, and the page says so.
    on_progress : callable
        Called with a `Progress` that counts layers.
    should_stop : callable
        Asked before each layer.

    Raises
    ------
    RunError, ConfigError, Cancelled
        As `collect_maps`.
    """
    n_layers, n_slots = len(request.layers_of(run)), len(request.snapshots_of(run))
    maps = collect_maps(
        run,
        request,
        most_per_split=most_points(n_layers, n_slots, len(request.splits)),
        on_progress=on_progress,
        should_stop=should_stop,
    )
    sheet, trouble = _sheet(run)
    found = sheet.answer if sheet is not None and sheet.answer.verdict == "found" else None
    pooling = maps.view.pooling if found is None else found.best.pooling  # the answer's heat map
    data = {
        "maps": maps_for_page(maps),
        "heat": heat_map_specifications(run, pooling, found),
    }
    answer = _note(trouble) if sheet is None else _answer_box(sheet, live=run.live)
    made_by = recipe(run, None if sheet is None else sheet.answer.best)
    slices = "" if run.live else slices_part(run, None if sheet is None else sheet.answer)
    return _html(maps, data, answer, slices, pooling, found, made_by).encode()


# --- HTML -----------------------------------------------------------------------------------


def json_in_html(data: Any) -> str:
    """Return JSON that can stand in a script element: nothing in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _html(
    maps: RunMaps,
    data: dict[str, Any],
    answer: str,
    slices: str,
    pooling: str,
    found: Answer | None,
    made_by: Recipe,
) -> str:
    files = resources.files("layerviz.export").joinpath("offline")
    style = files.joinpath("page.css").read_text(encoding="utf-8") + maps_style()
    own = Script(files.joinpath("page.js").read_text(encoding="utf-8"))
    scripts = (vega_script(), maps_script(), own)
    # Vega compiles the expressions of our specifications, which contain no text of a user;
    # interpreting them instead takes twice as long for each move of the slider.
    policy = (
        f"default-src 'none'; script-src 'unsafe-eval' {' '.join(one.source for one in scripts)}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    run = maps.run
    title = f"{run.encoder['label']} on {run.dataset['name']}"
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
<p class="soft">How well the embedding of each layer separates the classes during fine-tuning.
{escape(_about(maps))}</p>
{answer}
<h2>Maps of the layers</h2>
<div id="maps"></div>
<p class="small soft">{escape(_small_print(maps))}</p>
<h2>Val macro-F1 of every layer at every epoch</h2>
{_heat(data["heat"], pooling, found)}
{slices}
<h2>How it was made</h2>
<div class="tables"><div>{_settings(run)}</div><div>{_data(run)}</div>
<div>{_table(run.versions.items())}</div></div>
<h2>How to reproduce it</h2>
<pre>{escape(made_by.command)}</pre>
<p class="small soft">{escape(made_by.note)}</p>
<footer class="small soft">Made with layerviz. This file works offline.</footer>
</main>
<script type="application/json" id="data">{json_in_html(data)}</script>
{"".join(f"<script>{one.code}</script>" for one in scripts)}
</body>
</html>
"""


def _about(maps: RunMaps) -> str:
    sizes = ", ".join(f"{n:,} {split}" for split, n in maps.sizes.items())
    classes = len(maps.run.label_names)
    return f"{sizes} examples in {classes} classes; {maps.run.created[:10]}."


def _sheet(run: Run) -> tuple[AnswerSheet | None, str]:
    """Return the run's answer sheet, or why there is none."""
    try:
        return separability.current_sheet(run), ""
    except RunError as error:
        return None, error.message


def _note(sentence: str) -> str:
    return f'<div class="answer"><p>{escape(sentence)}</p></div>'


def _answer_box(sheet: AnswerSheet, *, live: bool) -> str:
    """Return the answer card, the figures, and what they rest on behind a fold."""
    lines = "".join(
        f"<tr><th scope='row'>{line.name}</th><td><strong>{escape(line.value)}</strong> "
        f"<span class='soft'>{escape(line.certainty)}</span></td></tr>"
        for line in separability.card_lines(sheet, live=live)
    )
    figures = "".join(
        f"<li><span class='soft'>{figure.name}</span><br>"
        f"<strong>{figure.score.with_interval}</strong><br>"
        f"<span class='small soft'>{escape(figure.note)}</span></li>"
        for figure in separability.sheet_figures(sheet)
    )
    sentences = separability.answer_sentences(sheet.answer, sheet.decision(MARGIN))
    details = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return (
        f'<div class="answer"><table class="card">{lines}</table>'
        f'<p class="small soft">Macro-F1 with 95 % intervals:</p><ul class="figures">{figures}</ul>'
        f"<details><summary>Details</summary><ul>{details}</ul></details></div>"
    )


def _small_print(maps: RunMaps) -> str:
    view, n_layers = maps.view, int(maps.run.encoder["layers"])
    sentences = [
        f"{PROJECTIONS[view.projection].label} of the {pooling_label(view.pooling)}-pooled hidden "
        "states.",
        *small_print([maps]),
    ]
    if len(view.layers) < n_layers:
        sentences.append(f"{len(view.layers)} of {n_layers} layers have a map here.")
    return " ".join(sentences)


def _heat(specs: dict[str, Any] | None, pooling: str, found: Answer | None) -> str:
    if specs is None:
        return '<p class="soft">Not measured yet.</p>'
    note = (
        "One logistic regression per layer and epoch, fitted on train, scored on val; "
        f"{pooling_label(pooling)} pooling. Layer 0 is the embedding output, a baseline."
    )
    if found is not None:
        note += f" {standings_note(found, pooling)}"
    return (
        '<div class="scroller"><div id="heat" role="figure" '
        'aria-label="Val macro-F1 of every layer at every epoch"></div></div>'
        f'<p class="small soft">{escape(note)}</p>'
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
        by_class = ", ".join(f"{name} {n:,}" for name, n in counts.items())
        rows.append((split.capitalize(), f"{total} ({by_class})" if len(counts) <= 12 else total))
    return _table([*rows, ("Notes", " ".join(run.dataset["notes"]))])


def _table(rows: Iterable[tuple[str, object]]) -> str:
    cells = (
        f"<tr><th scope='row'>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in rows
    )
    return f"<table>{''.join(cells)}</table>"
