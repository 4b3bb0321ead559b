"""Exports: each must work without the page; and no zip that comes in is trusted."""

from __future__ import annotations

import argparse
import base64
import contextlib
import dataclasses
import io
import json
import re
import shutil
import stat
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, BinaryIO

import altair as alt
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from made_runs import dataset_of, made
from pages import answered, open_page, unpacked
from PIL import Image, ImageColor, ImageSequence
from safetensors.numpy import load_file, save_file
from specs import parameter, strings_outside_data, tags_in_svg, texts_in_svg
from streamlit.testing.v1 import AppTest

from layerviz import charts, commands, data, export, runs, separability
from layerviz.commands import main
from layerviz.config import COLOURINGS, RunConfig
from layerviz.errors import Cancelled, ConfigError, RunError
from layerviz.export import (
    EXPORTS,
    Export,
    ExportRequest,
    Section,
    page,
    page_data,
    write_export,
    zip_reading,
)
from layerviz.export.animation import animation
from layerviz.export.entry import ENDED
from layerviz.export.page import offline_page
from layerviz.export.pictures import picture
from layerviz.export.recipe import recipe
from layerviz.export.run_charts import heat_map_chart, maps_chart
from layerviz.export.tables import as_csv, as_parquet, coordinates, measures_with_epochs
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_model, zip_run
from layerviz.progress import DRAWING, OnProgress, Progress
from layerviz.projection import LayerMaps
from layerviz.runs import Run
from layerviz.views import MapsRequest, MapsView, RunMaps, collect_maps, first_and_last_layers

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (SCRIPT, "**bold** [a](http://x.example)", 'it\'s "quoted" & <b>')
LONG = SCRIPT + "\u2028 ]]> --> " + "long " * 1000


def hostile_dataset() -> data.Dataset:
    """Return texts and class names that would break a page that believes them."""
    frame = pd.DataFrame(
        {
            "text": [f"{LONG} {number}" for number in range(120)],
            "label": [HOSTILE[number % 3] for number in range(120)],
            "split": ["train"] * 60 + ["val"] * 60,
        }
    )
    table = data.read_table(frame.to_csv(index=False).encode(), "</title><script>.csv")
    return data.build_dataset(table, data.Columns("text", "label", "split"))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    root = tmp_path_factory.mktemp("runs")
    run = made(root, dataset_of(), "bert-a", {3: 4.0, 4: 2.0}, n_snapshots=3)
    runs.write_history(run.path, pd.DataFrame({"step": [1], "epoch": [0.1], "loss": [0.7]}))
    return run


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Run:
    return made(tmp_path_factory.mktemp("runs"), hostile_dataset(), "bert-b", {2: 4.0})


# --- charts and pictures --------------------------------------------------------------------


def panels_of(spec: dict) -> list[dict]:
    return [row for rows in spec["datasets"].values() if "title0" in rows[0] for row in rows]


def test_the_chart_of_a_run_folder_says_what_the_page_says(run: Run) -> None:
    chart = maps_chart(run, MapsRequest(layers=(3, 1)))
    spec = json.loads(picture(chart, "json"))
    table = measures_with_epochs(run)
    f1 = table[(table["measure"] == "probe_macro_f1") & (table["pooling"] == "mean")]
    value = f1.set_index(["layer", "snapshot", "split"])["value"][(3, 2, "val")]
    titles = {row.get("title2") for row in panels_of(spec)}
    assert any(f"Layer 3  ·  F1 {value:.2f}  ·  T 0." in str(title) for title in titles)
    points = next(rows for rows in spec["datasets"].values() if "centre_x" in rows[0])
    assert len(points) == 2 * 480
    assert parameter(spec, "slot")["bind"]["max"] == 2  # the Vega editor shows the slider


def test_the_default_layers_are_the_first_and_last_four() -> None:
    assert first_and_last_layers(12) == (1, 2, 3, 4, 9, 10, 11, 12)
    assert first_and_last_layers(3) == (1, 2, 3)


@pytest.mark.parametrize(
    ("request_of_maps", "word"),
    [
        (MapsRequest(layers=(9,)), "layer 9"),
        (MapsRequest(snapshots=(7,)), "snapshot 7"),
        (MapsRequest(classes=(5,)), "class 5"),
        (MapsRequest(pooling="median"), "Choose one of mean, cls, max"),
    ],
)
def test_what_a_run_lacks_is_named(run: Run, request_of_maps: MapsRequest, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        maps_chart(run, request_of_maps)


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="Choose one of pca, lda, tsne, umap"):
        MapsRequest(projection="isomap")


def test_tsne_maps_are_made_once_and_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    view = MapsRequest(projection="tsne", layers=(3,))
    first = coordinates(run, view)
    monkeypatch.setattr("layerviz.projection.of_run.draw", lambda *_, **__: pytest.fail("again"))
    pd.testing.assert_frame_equal(coordinates(run, view), first)


def colours_of(image: Image.Image) -> set[object]:
    counts = image.convert("RGB").getcolors(1 << 20)
    assert counts is not None
    return {colour for _, colour in counts}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_picture_has_the_width_and_paper_it_is_given(run: Run, theme: str) -> None:
    chart = maps_chart(run, MapsRequest(layers=(3,)), dark=theme == "dark")
    content = picture(chart, "png", width=500, scale=1, theme=theme)
    image = Image.open(io.BytesIO(content)).convert("RGB")
    assert 500 <= image.width <= 560
    paper = {"light": "#FFFFFF", "dark": "#14171D"}[theme]
    assert image.getpixel((1, 1)) == ImageColor.getrgb(paper)
    dots = {ImageColor.getrgb(colour) for colour in charts.CLASS_COLOURS[:3]}
    assert len(dots & colours_of(image)) == 3  # the legend's


def test_a_still_picture_shows_the_slider_where_it_stands(run: Run) -> None:
    pictures = []
    for start in (0, 2):
        chart = maps_chart(run, MapsRequest(layers=(3,)), start=start)
        pictures.append(picture(chart, "svg"))
    assert any(", before training" in text for text in texts_in_svg(pictures[0]))
    assert any(", epoch 2" in text for text in texts_in_svg(pictures[1]))
    assert "input" not in tags_in_svg(pictures[0])


def test_parts_of_a_compound_chart_share_the_width(run: Run) -> None:
    heat = heat_map_chart(run)
    spec = json.loads(picture(charts_beside(heat), "json", width=900))
    assert {part["width"] for part in spec["hconcat"]} == {440}


def charts_beside(chart: alt.LayerChart) -> alt.HConcatChart:
    bare = alt.Chart(pd.DataFrame({"a": [1]})).mark_bar().encode(x="a:Q")
    return alt.hconcat(bare.properties(width="container"), bare.properties(width="container"))


def test_texts_in_pictures_stay_texts(hostile: Run) -> None:
    svg = picture(maps_chart(hostile, MapsRequest(layers=(2,))), "svg")
    assert "script" not in tags_in_svg(svg)
    assert any("<script>alert(1)</script>" in text for text in texts_in_svg(svg))
    assert any("**bold**" in text for text in texts_in_svg(svg))
    assert picture(heat_map_chart(hostile), "png")[:4] == b"\x89PNG"


def test_an_unknown_kind_of_picture_is_refused(run: Run) -> None:
    with pytest.raises(ConfigError, match="png, svg, json"):
        picture(heat_map_chart(run), "bmp")


# --- animations -----------------------------------------------------------------------------


def frames_of(content: bytes) -> list[Image.Image]:
    return [frame.copy() for frame in ImageSequence.Iterator(Image.open(io.BytesIO(content)))]


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_glides_and_rests(run: Run, kind: str) -> None:
    counts: list[tuple[int, int]] = []
    content = animation(
        run,
        MapsRequest(layers=(3, 4)),
        kind,
        between=3,
        width=480,
        on_progress=lambda now: counts.append((now.done, now.total)),
    )
    frames = frames_of(content)
    assert len(frames) == 3 + 2 * 3
    assert counts[-1] == (9, 9)
    durations = [frame.info["duration"] for frame in frames]
    paper = [np.asarray(frame.convert("RGB"))[2, 2] for frame in frames]
    assert np.min(paper) >= 250  # it does not flicker
    assert durations[0] > 2 * durations[1]
    assert durations[-1] == 2 * durations[0]


def test_dots_move_to_where_the_maps_say(run: Run) -> None:
    maps = collect_maps(run, MapsRequest(layers=(3,)))
    from layerviz.export.stage import Moment, Stage

    for split in ("train", "val"):  # one dot in the whole picture
        row = int(np.flatnonzero(maps.splits == split)[5])
        one_dot = dataclasses.replace(maps, rows=np.array([row]))
        stage = Stage(one_dot, 600, runs.read_separability(run.path), dark=False)
        path = maps.by_layer[3].in_unit_square()[:, row]
        colour = np.array(ImageColor.getrgb(charts.CLASS_COLOURS[maps.labels[row]]))
        x, y = stage.panel_middle(0, int(split == "val"))
        for part in (0.0, 0.5, 1.0):
            frame = np.asarray(stage.frame(Moment(0, 1, part))).astype(int)
            # The panels alone: the legend has dots of this colour, too.
            panels = slice(int(stage.panels_top), int(stage.height * 0.88))
            dot = np.argwhere(np.abs(frame[panels] - colour).sum(axis=-1) < 12)
            at = (1 - part) * path[0] + part * path[1] - 0.5
            expected = (y - at[1] * stage.map_side(), x + at[0] * stage.map_side())
            middle = dot.mean(axis=0) + np.array([panels.start, 0])
            assert np.abs(middle - expected).max() < 1.5, (split, part)


def test_all_frames_of_a_gif_share_their_colours(run: Run) -> None:
    content = animation(run, MapsRequest(layers=(3,)), "gif", between=2, width=400)
    colours = set().union(*map(colours_of, frames_of(content)))
    assert len(colours) <= 256
    assert (255, 255, 255) in colours  # paper is white, not nearly so
    assert {ImageColor.getrgb(colour) for colour in charts.CLASS_COLOURS[:3]} < colours


def test_an_animation_can_be_stopped(run: Run) -> None:
    with pytest.raises(Cancelled):
        animation(run, MapsRequest(layers=(3,)), "gif", should_stop=lambda: True)


def test_an_animation_of_hostile_names_and_one_snapshot(hostile: Run) -> None:
    view = MapsRequest(layers=(2,), colouring="confidence", snapshots=(1,))
    content = animation(hostile, view, "gif", width=400)
    assert len(frames_of(content)) == 1


# --- the offline page -----------------------------------------------------------------------


def part_of(html: str, pattern: str) -> str:
    match = re.search(pattern, html, re.DOTALL)
    assert match is not None
    return match[1]


def data_of(html: str) -> dict:
    return json.loads(part_of(html, r'<script type="application/json" id="data">(.*?)</script>'))


def points_of(content: dict) -> dict:
    return unpacked(base64.b64decode(content["maps"]["points"]))


def test_the_page_holds_the_run_and_asks_for_nothing(run: Run) -> None:
    html = offline_page(run, MapsRequest(layers=(3, 4))).decode()
    content = data_of(html)
    names = [slot["name"] for slot in content["maps"]["light"]["slots"]]
    assert names == ["before training", "epoch 1", "epoch 2"]
    points = points_of(content)
    assert len(points["texts"]) == 480
    maps = collect_maps(run, MapsRequest(layers=(3, 4))).by_layer[4].in_unit_square()
    drawn = points["x"].reshape(2, 3, 480)  # layers, snapshots, examples
    assert drawn[1, 2, 7] == round(points["unit"] * float(maps[2, 7, 0]))
    for words in (run.dataset["fingerprint"], run.run_id, "trustworthiness", "2.13", "scores"):
        assert words in html
    policy = part_of(html, r'http-equiv="Content-Security-Policy" content="([^"]*)"')
    assert "default-src 'none'" in policy
    assert "http" not in policy
    outside = re.sub(r"<script.*?</script>", "", html, flags=re.S)
    assert not re.search(r"(src|href|action)=|url\(|@import", outside)


def test_the_heat_map_of_the_page_is_that_of_its_headline(run: Run) -> None:
    answer = separability.answer_of(run)
    assert answer.verdict == "found"
    other = next(name for name in ("mean", "cls", "max") if name != answer.best.pooling)
    html = offline_page(run, MapsRequest(pooling=other, layers=(3,))).decode()
    assert "Thick outline: the recommended cell" in html
    spec = data_of(html)["heat"]["light"]
    cells = next(rows for rows in spec["datasets"].values() if "standing" in rows[0])
    outlined = {
        standing: {(one["layer"], one["snapshot"]) for one in cells if one["standing"] == standing}
        for standing in (charts.RECOMMENDED_TILE, charts.TIED_TILE)
    }
    assert outlined[charts.RECOMMENDED_TILE] == {(answer.best.layer, answer.best.snapshot)}
    ties = [cell for cell in answer.ties if cell.pooling == answer.best.pooling]
    assert outlined[charts.TIED_TILE] == {(cell.layer, cell.snapshot) for cell in ties}
    assert any("colours start at chance" in text for text in strings_outside_data(spec))
    assert {cell["pooling"] for cell in cells} == {answer.best.pooling}


def test_nothing_is_outlined_where_the_headline_names_no_winner(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = separability.sheet_of(run)
    few = dataclasses.replace(
        sheet, answer=dataclasses.replace(sheet.answer, verdict="few"), decisions=()
    )
    monkeypatch.setattr(separability, "current_sheet", lambda run: few)
    monkeypatch.setattr("layerviz.export.recipe.answer_of", lambda _: pytest.fail("made twice"))
    html = offline_page(run, MapsRequest(layers=(3,))).decode()
    assert "Thick outline" not in html
    spec = data_of(html)["heat"]["light"]
    cells = next(rows for rows in spec["datasets"].values() if "standing" in rows[0])
    assert not any(cell["standing"] for cell in cells)


def test_hostile_texts_are_plain_in_the_page(hostile: Run) -> None:
    html = offline_page(hostile, MapsRequest(layers=(2,))).decode()
    assert "alert(1)</script>" not in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    content = data_of(html)
    points = points_of(content)
    assert set(points["labels"]) == set(HOSTILE)
    assert all(len(text) <= 240 for text in points["texts"])
    assert points["texts"][0].startswith(SCRIPT)
    assert "\u2028" not in html
    title = part_of(html, r"<title>(.*?)</title>")
    name = f"{hostile.encoder['label']} on {hostile.dataset['name']}"
    assert title == f"{escape(name)} · layerviz"
    assert html.count("<title>") == html.count("</title>") == 1


def test_ten_megabytes_hold_the_largest_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, n, slots, layers = np.random.default_rng(0), 4000, 6, tuple(range(1, 9))
    words = ["<script>", "äöü", "中文字", "'\"&", "word"]
    examples = pd.DataFrame(
        {
            "id": [str(row) for row in range(n)],
            "split": np.repeat(["train", "val"], n // 2),
            "text": [" ".join(rng.choice(words, 100)) for _ in range(n)],
            "label": rng.integers(3, size=n),
        }
    )
    made_up = RunMaps(
        run=run,
        view=MapsView("mean", "pca", "confidence", layers, classes=(0, 1, 2)),
        examples=examples,
        rows=np.arange(n),
        snapshots=tuple(range(slots)),
        by_layer={
            layer: LayerMaps(
                rng.normal(size=(slots, n, 2)).astype(np.float32),
                np.ones((slots, 2), np.float32),
                np.ones(2, np.float32),
            )
            for layer in layers
        },
        predictions=[
            pd.DataFrame({"predicted": rng.integers(3, size=n), "confidence": rng.random(n)})
            for _ in range(slots)
        ],
        scores={layer: np.full((slots, 2), 0.5) for layer in layers},
        epochs=tuple(map(float, range(slots))),
        sizes={"train": n // 2, "val": n // 2},
    )
    monkeypatch.setattr(page, "collect_maps", lambda *_, **__: made_up)
    content = offline_page(run, MapsRequest())
    assert 2_000_000 < len(content) < 10_000_000


def test_a_page_draws_fewer_points_where_there_are_many_snapshots() -> None:
    assert page_data.most_points(8, 6) == 2000
    assert 200 < page_data.most_points(8, 100) < 1000


# --- tables ---------------------------------------------------------------------------------


def test_coordinates_are_tidy(run: Run) -> None:
    table = coordinates(run, MapsRequest(layers=(1, 3), snapshots=(0, 2)))
    assert len(table) == 2 * 2 * 480
    assert list(table.columns) == [
        "id", "split", "label", "layer", "snapshot", "epoch", "x", "y", "predicted", "confidence",
    ]  # fmt: skip
    assert set(table["snapshot"]) == {0, 2}
    assert set(table["label"]) == {"class 0", "class 1", "class 2"}
    again = pd.read_parquet(io.BytesIO(as_parquet(table)))
    assert (again["x"].to_numpy() == table["x"].to_numpy()).all()


def test_measures_have_epochs(run: Run) -> None:
    table = measures_with_epochs(run)
    assert (table["epoch"] == table["snapshot"]).all()
    assert "probe_macro_f1" in set(table["measure"])


def test_no_text_of_a_csv_is_a_formula_unless_it_is_to_be() -> None:
    frame = pd.DataFrame({"label": ["=1+1", "@x", "plain", "-2"], "x": [-1.5, 2.0, 3.0, 4.0]})
    lines = as_csv(frame).decode().splitlines()
    assert lines[1:] == ["'=1+1,-1.5", "'@x,2", "plain,3", "'-2,4"]
    assert as_csv(frame, quote_formulas=False).decode().splitlines()[1] == "=1+1,-1.5"
    others = pd.DataFrame({"=cmd()": ["\t=1", None, 3], "c": pd.Categorical(["+1", "b", "b"])})
    lines = as_csv(others).decode().splitlines()
    assert lines == ["'=cmd(),c", "'\t=1,'+1", ",b", "3,b"]
    twice = pd.DataFrame([["=1", "=2"]], columns=["a", "a"])
    assert as_csv(twice).decode().splitlines() == ["a,a", "'=1,'=2"]


# --- zips, out and in -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def zipped(run: Run, tmp_path_factory) -> Path:
    to = tmp_path_factory.mktemp("zips") / "run.zip"
    (run.path / "resume").mkdir()
    (run.path / "resume" / "optimizer.pt").write_bytes(b"not to be taken along")
    zip_run(run, to)
    return to


def rezipped(
    zipped: Path,
    to: Path,
    change: Callable[[str, bytes], bytes | None] = lambda _, content: content,
    more: dict[str, bytes] | None = None,
) -> Path:
    """Return a copy of a zip with some files changed, left out (None) or added."""
    with zipfile.ZipFile(zipped) as source, zipfile.ZipFile(to, "w") as sink:
        top = source.namelist()[0].split("/")[0]
        for name in source.namelist():
            changed = change(name.split("/", 1)[1], source.read(name))
            if changed is not None:
                sink.writestr(name, changed)
        for name, content in (more or {}).items():
            sink.writestr(name.replace("TOP", top), content)
    return to


def refuse(zip_file: Path | io.BytesIO, root: Path, **options: Any) -> RunError:
    """Check that a zip is refused in one sentence with a hint, and leaves nothing."""
    with pytest.raises(RunError) as refused:
        unzip_run(zip_file, root, **options)
    assert not list(root.rglob("*"))
    assert refused.value.hint
    assert "\n" not in refused.value.message
    return refused.value


def test_a_zipped_run_opens_elsewhere(run: Run, zipped: Path, tmp_path: Path) -> None:
    names = zipfile.ZipFile(zipped).namelist()
    assert not [name for name in names if "resume" in name or "tmp" in name]
    with zipped.open("rb") as stream:
        opened = unzip_run(stream, tmp_path)
    assert opened.run_id == run.run_id
    assert opened.status == "done"
    kept = runs.read_hidden_states(opened.path, 2, "mean", 3)
    assert (kept == runs.read_hidden_states(run.path, 2, "mean", 3)).all()
    assert unzip_run(zipped, tmp_path) == opened  # once more: it is there already
    assert [path.name for path in tmp_path.glob("[!.]*")] == [run.run_id]


def test_who_imports_the_same_zip_at_the_same_moment_has_the_same_run(
    zipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract = zip_reading._extract

    def overtaken(*arguments: Any) -> None:
        monkeypatch.setattr(zip_reading, "_extract", extract)
        unzip_run(zipped, tmp_path)
        extract(*arguments)

    monkeypatch.setattr(zip_reading, "_extract", overtaken)
    opened = unzip_run(zipped, tmp_path)
    assert opened.status == "done"
    assert [path.name for path in tmp_path.glob("[!.]*")] == [opened.run_id]


def test_a_run_that_goes_on_elsewhere_is_cancelled_here(zipped: Path, tmp_path: Path) -> None:
    def live(name: str, content: bytes) -> bytes:
        record = json.loads(content) if name == "run.json" else None
        return json.dumps(record | {"status": "running"}).encode() if record else content

    opened = unzip_run(rezipped(zipped, tmp_path / "live.zip", live), tmp_path / "runs")
    assert opened.status == "cancelled"


def test_another_training_of_the_same_run_is_not_replaced(zipped: Path, tmp_path: Path) -> None:
    unzip_run(zipped, tmp_path / "runs")

    def later(name: str, content: bytes) -> bytes:
        return (
            content.replace(b'"created": "2', b'"created": "3') if name == "run.json" else content
        )

    with pytest.raises(RunError, match="Delete it first"):
        unzip_run(rezipped(zipped, tmp_path / "later.zip", later), tmp_path / "runs")


def test_a_run_is_the_same_where_another_machine_has_rounded_its_maps_otherwise(
    zipped: Path, tmp_path: Path
) -> None:
    opened = unzip_run(zipped, tmp_path / "runs")

    def rounded(name: str, content: bytes) -> bytes:
        return content[:-1] + bytes([content[-1] ^ 1]) if "/maps/" in name else content

    assert any("/maps/" in name for name in zipfile.ZipFile(zipped).namelist())
    otherwise = rezipped(zipped, tmp_path / "otherwise.zip", rounded)
    assert unzip_run(otherwise, tmp_path / "runs").run_id == opened.run_id


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil.json", "unsafe name"),
        ("TOP/model/../../../evil.json", "unsafe name"),
        ("/etc/evil.json", "unsafe name"),
        ("TOP/model\\..\\evil.json", "unsafe name"),
        ("C:/evil.json", "unsafe name"),
        ("TOP/model/evil\n.json", "unsafe name"),
        ("TOP/model/weights.pkl", "no part of a run"),
        ("TOP/model/pytorch_model.bin", "no part of a run"),
        ("TOP/model/modeling.py", "no part of a run"),
        ("TOP/resume/optimizer.pt", "no part of a run"),
        ("TOP/snapshots/000/evil.safetensors", "no part of a run"),
        ("other/run.json", "there is no run.json"),
    ],
)
def test_names_that_no_run_has_are_refused(
    zipped: Path, tmp_path: Path, name: str, said: str
) -> None:
    bad = rezipped(zipped, tmp_path / "bad.zip", more={name: b"{}"})
    assert said in refuse(bad, tmp_path / "runs").message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip"]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("model.safetensors.index.json", {"weight_map": {"a": "../evil.bin"}}, "'../evil.bin'"),
        ("config.json", {"attn_implementation": "evil/kernel"}, "'evil/kernel'"),
        ("config.json", {"num_labels": 10**9}, "num_labels"),
        ("tokenizer_config.json", {"init_inputs": ["/etc/passwd"]}, "init_inputs"),
    ],
)
def test_a_model_that_would_open_other_files_or_code_is_refused(
    zipped: Path, tmp_path: Path, file: str, content: dict[str, Any], said: str
) -> None:
    def left_out(name: str, old: bytes) -> bytes | None:
        return None if name == f"model/{file}" else old

    bad = rezipped(
        zipped, tmp_path / "bad.zip", left_out, {f"TOP/model/{file}": json.dumps(content).encode()}
    )
    message = refuse(bad, tmp_path / "runs").message
    assert said in message
    assert str(tmp_path) not in message


def test_a_file_that_comes_twice_is_refused(zipped: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bad = rezipped(zipped, tmp_path / "bad.zip", more={"TOP/run.json": b"{}"})
    assert "twice" in refuse(bad, tmp_path / "runs").message


def test_a_link_is_refused(zipped: Path, tmp_path: Path) -> None:
    bad = rezipped(zipped, tmp_path / "bad.zip")
    with zipfile.ZipFile(bad, "a") as archive:
        link = zipfile.ZipInfo(archive.namelist()[0].split("/")[0] + "/model/config.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert "link" in refuse(bad, tmp_path / "runs").message


def test_twenty_gigabytes_declared_are_refused(zipped: Path, tmp_path: Path) -> None:
    bad = zipfile.ZipFile(rezipped(zipped, tmp_path / "bad.zip"), "a")
    entry = zipfile.ZipInfo(bad.namelist()[0].split("/")[0] + "/model/model.safetensors")
    with bad.open(entry, "w", force_zip64=True) as sink:
        sink.write(b"little")
    entry.file_size, entry.compress_size = 20_000_000_000, 20_000_000_000
    bad.close()
    message = refuse(tmp_path / "bad.zip", tmp_path / "runs").message
    assert "20.0 GB" in message
    assert "20.1" not in message


def test_a_limit_can_be_lower(zipped: Path, tmp_path: Path) -> None:
    assert "would unpack to" in refuse(zipped, tmp_path / "runs", max_bytes=1000).message


def test_a_bomb_is_refused(zipped: Path, tmp_path: Path) -> None:
    bad = rezipped(zipped, tmp_path / "bad.zip")
    with zipfile.ZipFile(bad, "a", zipfile.ZIP_DEFLATED) as archive:
        top = archive.namelist()[0].split("/")[0]
        archive.writestr(f"{top}/model/vocab.txt", b"0" * 50_000_000)
    assert "200 times" in refuse(bad, tmp_path / "runs").message


def test_more_than_fits_on_the_disk_is_refused(
    zipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerviz.export.zip_reading.free_bytes", lambda _: 1200)
    message = refuse(zipped, tmp_path / "runs").message
    assert re.search(r"needs [1-9]\d* [kM]B of disk, [1-9]\d* [kM]B more than is free", message)


def test_no_zip_a_cut_zip_and_a_damaged_zip_are_refused(zipped: Path, tmp_path: Path) -> None:
    content = zipped.read_bytes()
    assert "not a zip" in refuse(io.BytesIO(b"PK no zip"), tmp_path / "runs").message
    assert "not a zip" in refuse(io.BytesIO(content[: len(content) // 2]), tmp_path / "a").message
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
    assert "damaged" in refuse(io.BytesIO(flipped), tmp_path / "b").message


def parquet(frame: pd.DataFrame) -> bytes:
    return as_parquet(frame)


def record_with(**changes: object) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        return json.dumps(json.loads(content) | changes).encode() if name == "run.json" else content

    return change


def table_with(wanted: str, edit: Callable[[pd.DataFrame], pd.DataFrame]):
    def change(name: str, content: bytes) -> bytes:
        return parquet(edit(pd.read_parquet(io.BytesIO(content)))) if name == wanted else content

    return change


def file_with(wanted: str, new: bytes | None):
    return lambda name, content: new if name == wanted else content


def arrays(tmp_path: Path, **parts: np.ndarray) -> bytes:
    save_file(parts, tmp_path / "made.safetensors")
    content = (tmp_path / "made.safetensors").read_bytes()
    (tmp_path / "made.safetensors").unlink()
    return content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (record_with(run_id="../../evil"), "no run's record"),
        (record_with(run_id="bert-x-toy-00000000"), "settings and data make"),
        (record_with(label_names=["one"]), "garbles an entry"),
        (record_with(status="owned"), "garbles an entry"),
        (record_with(snapshots=[]), "no snapshot"),
        (
            record_with(
                dataset={
                    "name": "toy",
                    "fingerprint": "f",
                    "columns": {"text": "text", "label": "label", "split": None},
                    "notes": [],
                    "counts": {"train": 5},
                }
            ),
            "garbles an entry",
        ),
        (
            record_with(
                dataset={
                    "name": "toy",
                    "fingerprint": "f",
                    "columns": {"text": "text", "label": "label", "split": 3},
                    "notes": [],
                    "counts": {},
                }
            ),
            "garbles an entry",
        ),
        (
            lambda name, content: (
                content[:200] + b"?" * 200 + content[400:]
                if name == "examples.parquet"
                else content
            ),
            "not sound",
        ),
        (
            table_with("examples.parquet", lambda f: f.assign(text=f["text"].str.encode("utf-8"))),
            "holds binary in text",
        ),
        (record_with(config={"encoder": "x", "evil": 1}), "unknown settings"),
        (record_with(encoder={"layers": 10**9}), "no run's record"),
        (file_with("run.json", b"[" * 100_000), "no run's record"),
        (file_with("run.json", b"\xff\xfe"), "no run's record"),
        (file_with("run.json", b'{"format": 1, "format": 1}'), "comes twice"),
        (record_with(title="\ud800"), "half a letter"),
        (record_with(training={}), "training.total_steps is missing"),
        (file_with("history.csv", b",".join([b"1"] * 200_000) + b"\n"), "far too long"),
        (file_with("separability.csv", b"\xff\n"), "separability.csv"),
        (file_with("examples.parquet", None), "examples.parquet is missing"),
        (file_with("examples.parquet", b"PAR1"), "cannot be read"),
        (file_with("snapshots/001/hidden_states.safetensors", None), "without its hidden states"),
        (file_with("snapshots/001/hidden_states.safetensors", b"\x80\x04."), "cannot be read"),
        (file_with("snapshots/001/predictions.parquet", None), "is missing"),
        (file_with("history.csv", b"a,b\n1,2\n"), "history.csv"),
        (file_with("separability.csv", b"a,b\n1,2\n"), "separability.csv"),
        (table_with("examples.parquet", lambda f: f.head(9)), "not sound"),
        (table_with("examples.parquet", lambda f: f.assign(evil=1)), "something other"),
        (table_with("examples.parquet", lambda f: f.assign(label=9)), "something other"),
        (table_with("examples.parquet", lambda f: f.assign(split="all")), "something other"),
        (
            table_with("snapshots/002/predictions.parquet", lambda f: f.assign(predicted=7)),
            "do not fit",
        ),
        (
            table_with("snapshots/002/predictions.parquet", lambda f: f.iloc[::-1]),
            "do not fit",
        ),
    ],
)
def test_contents_that_do_not_belong_together_are_refused(
    zipped: Path, tmp_path: Path, change, said: str
) -> None:
    bad = rezipped(zipped, tmp_path / "bad.zip", change)
    assert said in refuse(bad, tmp_path / "runs").message


def test_a_text_that_swells_on_reading_is_refused(
    zipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerviz.runs.opening.MOST_TABLE_BYTES", 10_000_000)
    swollen = table_with("examples.parquet", lambda f: f.assign(text="x" * 100_000))
    bad = rezipped(zipped, tmp_path / "bad.zip", swollen)
    assert bad.stat().st_size < zipped.stat().st_size + 500_000  # the text is in it once
    assert "gigabytes" in refuse(bad, tmp_path / "runs").message


def test_states_that_are_no_numbers_are_refused(zipped: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        name = next(
            one for one in archive.namelist() if one.endswith("001/hidden_states.safetensors")
        )
        (tmp_path / "states").write_bytes(archive.read(name))
    for number in ("nan", "inf"):
        states = load_file(tmp_path / "states")
        states["cls"][2, 3, 1] = np.float16(number)
        wrong = file_with("snapshots/001/hidden_states.safetensors", arrays(tmp_path, **states))
        bad = rezipped(zipped, tmp_path / "bad.zip", wrong)
        said = refuse(bad, tmp_path / "runs").message
        assert "001/hidden_states.safetensors holds values that are no numbers (layer 2" in said


def test_arrays_of_another_shape_are_refused(zipped: Path, tmp_path: Path) -> None:
    small = {name: np.zeros((5, 3, 6), np.float16) for name in ("mean", "cls", "max")}
    wrong = file_with("snapshots/000/hidden_states.safetensors", arrays(tmp_path, **small))
    bad = rezipped(zipped, tmp_path / "bad.zip", wrong)
    assert "do not have the shape [5, 480, 6]" in refuse(bad, tmp_path / "runs").message
    one = {"xy": np.zeros((1, 9, 2), np.float32), "trust": np.zeros((1, 2), np.float32)}
    one["explained"] = np.zeros(2, np.float32)
    bad = rezipped(
        zipped,
        tmp_path / "bad.zip",
        lambda name, content: None if name.startswith("maps/") else content,
        {"TOP/maps/tsne-mean-01.safetensors": arrays(tmp_path, **one)},
    )
    assert "a point for each example" in refuse(bad, tmp_path / "runs").message


def test_scores_of_probes_go_along_and_must_be_those_of_its_predictions(
    run: Run, zipped: Path, tmp_path: Path
) -> None:
    name = "snapshots/001/probes.safetensors"
    opened = unzip_run(zipped, tmp_path / "whole")
    predicted, scores = runs.read_probes(run.path, 1), runs.read_probe_scores(run.path, 1)
    taken = runs.read_probe_scores(opened.path, 1)
    assert scores is not None
    assert taken is not None
    assert all((taken[pooling] == scores[pooling]).all() for pooling in run.poolings)

    def with_scores(root: str, of_pooling: dict[str, np.ndarray]) -> Path:
        named = {pooling + runs.SCORES: part for pooling, part in of_pooling.items()}
        changed = file_with(name, arrays(tmp_path, **predicted, **named))
        return rezipped(zipped, tmp_path / f"{root}.zip", changed)

    before = unzip_run(with_scores("before", {}), tmp_path / "before")  # none were stored once
    assert runs.read_probe_scores(before.path, 1) is None
    assert set(runs.read_probes(before.path, 1)) == set(run.poolings)
    for root, bad, message in (
        ("swapped", {k: v[..., ::-1].copy() for k, v in scores.items()}, "scores that are not"),
        ("nan", {k: v * np.float16("nan") for k, v in scores.items()}, "scores that are not"),
        ("above", {k: v + np.float16(99) for k, v in scores.items()}, "scores that are not"),
        ("narrow", {k: v[..., :1].copy() for k, v in scores.items()}, "do not have the shape"),
        ("partial", {"mean": scores["mean"]}, "do not have the shape"),
    ):
        assert message in refuse(with_scores(root, bad), tmp_path / "runs").message
    hits = runs.read_search_hits(run.path, 1)
    assert hits is not None
    eleven = {
        pooling + runs.HITS: np.where(part < 11, np.uint8(11), part)
        for pooling, part in hits.items()
    }
    bad_hits = file_with(name, arrays(tmp_path, **predicted, **eleven))
    bad_zip = rezipped(zipped, tmp_path / "eleven.zip", bad_hits)
    assert "neighbours that cannot be" in refuse(bad_zip, tmp_path / "runs").message


def test_a_zip_without_states_is_for_reading_only(run: Run, tmp_path: Path) -> None:
    zip_run(run, tmp_path / "small.zip", with_states=False)
    assert "hidden states" in refuse(tmp_path / "small.zip", tmp_path / "runs").message


def test_a_live_run_is_not_zipped(run: Run, tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(RunError, match="in progress"):
        zip_run(replace(run, status="running"), tmp_path / "run.zip")
    assert not list(tmp_path.iterdir())


def test_a_zipped_model_loads(run: Run, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, BertConfig
    from transformers import BertForSequenceClassification as Classifier

    with pytest.raises(RunError, match="no model"):
        zip_model(run, tmp_path / "model.zip")
    sizes: dict[str, Any] = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "num_labels": 3,
    }
    config = BertConfig(vocab_size=20, **sizes)
    Classifier(config).save_pretrained(run.path / "model")
    try:
        zip_model(run, tmp_path / "model.zip")
    finally:
        shutil.rmtree(run.path / "model")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / f"{run.run_id}-model"
    assert run.run_id in (folder / "README.txt").read_text()
    model = AutoModelForSequenceClassification.from_pretrained(folder, use_safetensors=True)
    assert model.config.num_labels == 3


# --- the registry of exports ------------------------------------------------------------------


def write_greeting(
    run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress
) -> None:
    on_progress(Progress(DRAWING, 1, 1))
    look = f"{request.maps.projection}, {request.snapshot}, dark: {request.dark}"
    stream.write(f"{run.run_id}, {look}".encode())


MADE_UP = Export(
    name="made_up",
    help="a greeting of the run",
    label="Greeting",
    section=Section("greetings", "A word to everybody", "Plain, in one line."),
    suffix=".txt",
    mime="text/plain",
    write=write_greeting,
    stem="{run_id}-greeting",
    has_dark=True,
    has_epoch=True,
)
SLOW = dataclasses.replace(
    MADE_UP, name="made_slowly", label="Slow greeting", slow=True, needs=(ENDED,)
)


def help_of_export() -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit):
        commands.parser().parse_args(["export", "--help"])
    return " ".join(out.getvalue().split())


def test_a_further_export_is_an_option_of_the_command_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hello.txt"
    with EXPORTS.extended(MADE_UP):
        assert main(["export", str(run.path), "--dark", f"--made-up={file}"]) == 0
        assert "--made-up FILE a greeting of the run" in help_of_export()
        assert main(["export", str(run.path)]) == 2
    assert file.read_text() == f"{run.run_id}, pca, None, dark: True"
    assert ", --made-up." in capsys.readouterr().err
    assert "--made-up" not in help_of_export()


def opened_tab(run: Run, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(run.path.parent))
    app = answered(open_page(run=run.run_id, state={"tabs": "Export"}))
    assert not app.exception
    return app


def test_a_further_export_is_on_the_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, tuple[str, str, Any]] = {}
    original = st.download_button

    def download_button(label: str, **options: Any) -> bool:
        files[label] = (options["file_name"], options["mime"], options["data"])
        return original(label, **options)

    monkeypatch.setattr(st, "download_button", download_button)
    with EXPORTS.extended(MADE_UP), EXPORTS.extended(SLOW):
        app = opened_tab(run, monkeypatch)
        assert "**A word to everybody**" in [part.value for part in app.markdown]
        app.toggle(key="export_greetings_dark").set_value(True).run()
        name, mime, make = files["Greeting"]
        assert (name, mime) == (f"{run.run_id}-greeting.txt", "text/plain")
        assert make() == f"{run.run_id}, pca, 2, dark: True".encode()
        assert not [label for label in files if label.startswith("Download")]
        app.button(key="make-greetings").click().run()
        assert files["Download (under 0.1 MB)"][0] == f"{run.run_id}-greeting.txt"
        assert files["Download (under 0.1 MB)"][2] == make()
        assert not app.exception
        kept = {label for label in files if "reeting" not in label}
    assert kept >= {"PNG", "SVG", "Vega-Lite", "Coordinates (CSV)", "Measures (CSV)"}


def test_what_an_export_needs_is_said_where_it_is_lacking(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = made(tmp_path, dataset_of(), "bert-c", {2: 4.0}, n_layers=2, n_snapshots=1)
    runs.update(other.path, status="running")
    captions = {
        part.value for part in opened_tab(runs.open_folder(other.path), monkeypatch).caption
    }
    assert {"There is only one snapshot: nothing moves yet.", ENDED.otherwise} < captions
    runs.update(other.path, status="done")
    app = opened_tab(runs.open_folder(other.path), monkeypatch)
    assert app.button(key="make-animation").disabled
    assert "This run holds no model." in {part.value for part in app.caption}


def test_a_large_zip_is_left_to_the_command_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerviz.ui.run.export.LARGE", 1000)
    app = opened_tab(run, monkeypatch)
    command = f"python -m layerviz export {run.run_id} --run-zip {run.run_id}.zip"
    assert command in [part.value for part in app.code]
    assert app.download_button(key="take-run_zip").proto.disabled


def test_an_unknown_export_lists_the_known_ones(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no export 'made_up'.*gif, webp, html, .*, run_zip"):
        write_export(run, "made_up", tmp_path / "x", ExportRequest(MapsRequest()))
    assert not list(tmp_path.iterdir())


def test_exports_are_told_without_what_makes_them() -> None:
    code = (
        "import sys, layerviz.export\n"
        "heavy = ('torch', 'altair', 'pandas', 'numpy', 'PIL', 'vl_convert')\n"
        "print(len(layerviz.export.EXPORTS), [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split(" ", 1)[1].strip() == "[]"


def test_the_exports_are_in_readme() -> None:
    root = Path(__file__).parents[1]
    pages = [root / "README.md", *(root / ".readme").glob("*.md")]
    assert any(export.exports_table() in page.read_text(encoding="utf-8") for page in pages)


def test_the_command_line_knows_the_colourings() -> None:
    parser = commands.parser()
    for colouring in COLOURINGS:
        assert parser.parse_args(["export", "x", "--colour-by", colouring]).colour_by == colouring


# --- how to make it again -------------------------------------------------------------------


def remade(line: str) -> tuple[RunConfig, argparse.Namespace]:
    import shlex

    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "layerviz"]
    parsed = commands.parser().parse_args(words[3:])
    return commands.run_config(parsed, parsed.encoder, parsed.seed), parsed


def test_the_command_line_makes_the_same_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_csv: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my texts; rm -rf.csv").write_bytes(toy_csv)
    config = RunConfig(
        "some/encoder",
        epochs=3,
        learning_rate=3e-4,
        seed=7,
        class_weighting="balanced",
        max_length=64,
        weight_decay=0.1,
        keep="all",
    )
    table = data.read_table(toy_csv, "my texts; rm -rf.csv")
    dataset = data.build_dataset(table, data.guess_columns(table.frame), val_fraction=0.125)
    run = runs.create(tmp_path / "runs", config, dataset)
    found, parsed = remade(recipe(run).command)
    assert found == config
    again = commands.read_dataset(parsed)
    assert again.fingerprint == dataset.fingerprint == recipe(run).fingerprint
    assert runs.create(tmp_path / "runs", found, again).run_id == run.run_id


def test_the_command_line_names_files_of_all_splits(tmp_path: Path, toy_csv: bytes) -> None:
    table, val, test = (
        data.read_table(content, name)
        for content, name in (
            (toy_csv, "a.csv"),
            (b"text,label\nan apple,fruit\na pear tree,fruit\nthe rhine,river\n", "b.csv"),
            (b"text,label\na saw,tool\nmany plums,fruit\nthe nile,river\n", "c.csv"),
        )
    )
    dataset = data.build_dataset(table, data.guess_columns(table.frame), val=val, test=test)
    run = runs.create(tmp_path, RunConfig("x", learning_rate=1e-3), dataset)
    line = recipe(run).command
    assert "--data a.csv --val b.csv --test c.csv" in line


@pytest.mark.parametrize(("split", "val_fraction"), [("split", 0.2), (None, 0.2), (None, 0.3)])
def test_the_command_line_finds_the_bundled_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str | None, val_fraction: float
) -> None:
    columns = data.Columns("text", "label", split)
    dataset = data.build_dataset(data.sample_table(), columns, val_fraction=val_fraction)
    run = runs.create(tmp_path, RunConfig("bert-mini", learning_rate=1e-3), dataset)
    monkeypatch.chdir(Path(__file__).resolve().parents[1])
    _, parsed = remade(recipe(run).command)
    assert commands.read_dataset(parsed).fingerprint == dataset.fingerprint


@pytest.mark.parametrize("names", [["text", "label"], ["message", "class"]])
def test_the_command_line_names_the_file_of_an_earlier_sample(
    tmp_path: Path, names: list[str]
) -> None:
    frame = data.sample_table().frame[["text", "label"]].head(638).set_axis(names, axis=1)
    table = data.read_table(frame.to_csv(index=False).encode(), "customer_messages.csv")
    dataset = data.build_dataset(table, data.Columns(*names))
    run = runs.create(tmp_path, RunConfig("bert-mini", learning_rate=1e-3), dataset)
    assert "--data customer_messages.csv --text-column" in recipe(run).command


def test_the_snippet_is_of_the_cell_that_is_given_and_seeks_no_other(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = separability.Cell(0, 0.0, "cls", 2)
    by_itself = recipe(run)
    monkeypatch.setattr("layerviz.export.recipe.answer_of", lambda _: pytest.fail("searched"))
    made_by = recipe(run, given)
    assert 'get_slice("cls")[2]' in made_by.snippet
    assert made_by.command == by_itself.command


def test_the_snippet_gives_the_number_of_the_page(run: Run) -> None:
    made_by = recipe(run)
    done = subprocess.run(
        [sys.executable, "-c", made_by.snippet], capture_output=True, text=True, check=True
    )
    val = separability.answer_of(run).val
    by_page, again = done.stdout.splitlines()
    assert by_page.endswith(f": {val.value:.3f}")
    score = float(again.removeprefix("fitted again with scikit-learn: "))
    assert abs(score - val.value) <= 1.5 / val.n  # an example on the border may fall either way
    assert made_by.versions["torch"].startswith("2.")


def test_the_snippet_of_what_was_never_measured_runs(tmp_path: Path, run: Run) -> None:
    folder = Path(shutil.copytree(run.path, tmp_path / run.run_id))
    copied = runs.open_folder(folder)
    copied.layout.measures.unlink()
    for snapshot in copied.snapshots:
        copied.layout.probes(snapshot.index).unlink()
    made_by = recipe(copied)
    done = subprocess.run(
        [sys.executable, "-c", made_by.snippet], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("fitted again with scikit-learn: ")
