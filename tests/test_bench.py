"""The bench measures both ways on the same texts and says so."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import dataset_of, made
from toy import as_csv, toy_rows

from layerviz import data, encoders, runs, separability, training
from layerviz.__main__ import main
from layerviz.bench import (
    alignment,
    capture,
    drawing,
    epoch,
    everything,
    growth,
    maps,
    page,
    probes,
    scale,
    start,
    starters,
    train,
)
from layerviz.bench.browser import chromium_path
from layerviz.bench.figures import Figure, as_table
from layerviz.bench.made_run import made_run
from layerviz.bench.materials import varied_csv, varied_dataset
from layerviz.data import Table
from layerviz.errors import ConfigError, EncoderError
from layerviz.poolings import POOLINGS
from layerviz.runs import Run

SIZES: dict[str, Any] = {"n": 40, "sizes": [(2, 64)], "max_length": 32, "growth": [20, 40]}


@pytest.fixture(scope="module")
def sample_table() -> Table:
    return data.read_table(as_csv(toy_rows(160)), "toy.csv")


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """One measurement of 40 texts, of which there are 30.

    Every process of the bench imports torch anew, so that growth is told from those of the ways.
    """
    measure = capture._in_own_process
    measured: dict[str, dict[str, float]] = {}

    def once(way: str, work: Path) -> dict[str, float]:
        if way not in measured:
            measured[way] = measure(way, work)
        n = len(json.loads((work / "task.json").read_text(encoding="utf-8"))["texts"])
        return measured[way] | {"seconds": measured[way]["seconds"] * n / SIZES["n"]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capture, "_in_own_process", once)
        return capture.measure([text for text, _ in toy_rows(30)], **SIZES)


def test_all_ways_are_measured_and_agree(result: dict[str, Any]) -> None:
    (one,) = result["encoders"]
    assert (one["layers"], one["hidden_size"]) == (2, 64)
    ways, compared = one["ways"], one["compared"]
    assert list(ways) == ["plain", *compared]
    for way in ways.values():
        assert way["seconds"] > 0
        assert way["extra_mb"] >= 0
        assert way["result_mb"] > 0
    ratio = ways["fp32"]["seconds"] / ways["plain"]["seconds"]
    assert compared["fp32"]["time_ratio"] == pytest.approx(ratio)
    assert 0 < compared["fp32"]["largest_difference"] < 5e-3  # float16 against float32, no more
    assert compared["fp32"]["agreement"] == 1
    if "bf16" in compared:
        assert compared["fp32"]["largest_difference"] < compared["bf16"]["largest_difference"] < 0.1


def test_growth_is_measured_and_can_be_left_out(result: dict[str, Any]) -> None:
    grown = result["growth"]
    assert [row["n"] for row in grown["rows"]] == [20, 40]
    assert grown["exponent"] == pytest.approx(1)
    assert len(grown["extra_above_result_mb"]) == 2
    assert capture.exponent([1, 10, 100], [3, 300, 30_000]) == pytest.approx(2)
    without = [figure.what for figure in capture.figures(result | {"growth": None})]
    assert without == [f.what for f in capture.figures(result)][: len(without)]
    assert len(without) == len(capture.figures(result)) - 2


def test_the_bench_says_what_it_measured(result: dict[str, Any]) -> None:
    lines = capture.as_text(result).splitlines()
    assert lines[0].startswith("capture of 40 texts, max length 32; ")
    assert f"{result['machine']['cores']} cores" in lines[0]
    (one,) = result["encoders"]
    assert lines[1] == "2 layers of 64"
    assert f"{one['ways']['plain']['seconds']:.1f} s" in lines[2]
    assert f"{one['ways']['fp32']['extra_mb']:.0f} MB" in lines[3]
    assert f"{one['compared']['fp32']['time_ratio']:.3f}" in lines[3]


def test_the_command_line_prints_json_or_text(
    result: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[Any, dict[str, Any]]] = []

    def remembered(texts: list[str] | None, **sizes: Any) -> dict[str, Any]:
        asked.append((texts, sizes))
        return result

    monkeypatch.setattr(capture, "measure", remembered)
    (tmp_path / "toy.csv").write_bytes(as_csv(toy_rows(30)))
    sizes = ["--n=40", "--sizes=2x64", "--max-length=32", "--growth", "20", "40"]
    given = [*sizes, "--data", str(tmp_path / "toy.csv")]
    assert main(["bench", "capture", *given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(result))
    assert main(["bench", "capture"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == capture.as_text(result).splitlines()[1:]
    assert asked[0] == ([text for text, _ in toy_rows(30)], SIZES)
    assert asked[1][0] is None  # the bundled sample
    assert asked[1][1]["sizes"] == list(capture.ENCODERS)
    with pytest.raises(SystemExit):
        main(["bench", "capture", "--sizes", "large"])


@pytest.mark.parametrize(
    "size",
    [
        {"n": 0},
        {"sizes": [(0, 64)]},
        {"sizes": [(2, 48)]},
        {"sizes": [(2, 0)]},
        {"max_length": 4},
        {"growth": [0, 10]},
    ],
)
def test_impossible_sizes_are_refused(size: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="Give"):
        capture.measure(["a text"], **SIZES | size)


# --- figures --------------------------------------------------------------------------------


def test_a_figure_is_held_against_its_goal() -> None:
    with_peer = Figure("a", "time", 2.0, "s", goal=0.25, peer=10.0)
    assert with_peer.ratio == pytest.approx(0.2)
    assert with_peer.met
    alone = Figure("b", "time", 2.0, "s", goal=1.0)
    assert alone.ratio is None
    assert alone.met is False
    assert Figure("b", "score", 2.0, "", goal=1.0, at_least=True).met
    assert Figure("b", "time", 2.0, "s").met is None
    header, *rows = as_table([with_peer, alone]).splitlines()
    assert header.split() == ["bench", "what", "ours", "peer", "ratio", "goal", "met?"]
    assert rows[0].split() == ["a", "time", "2", "s", "10", "s", "0.200", "≤", "0.25", "yes"]
    assert rows[1].endswith("no")


def test_all_benches_come_as_one_table_and_name_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing():
        raise ConfigError("It needs Chromium.", "Install it.")

    made = {
        "one": lambda: ({"n": 1}, [Figure("one", "time", 2.0, "s", 1.0)]),
        "page": missing,
        "two": lambda: ({"n": 2}, [Figure("two", "time", 0.5, "s", 1.0)]),
    }
    monkeypatch.setattr(everything, "benches", lambda run: made)
    assert main(["bench", "--json"]) == 0
    output = capsys.readouterr()
    result = json.loads(output.out)
    assert [row["met"] for row in result["figures"]] == [False, True]
    assert result["results"] == {"one": {"n": 1}, "two": {"n": 2}}
    assert result["left_out"] == {"page": "It needs Chromium. Install it."}
    assert output.err.splitlines() == [f"Measuring: {name}" for name in made]
    assert main(["bench"]) == 0
    table = capsys.readouterr().out
    assert "page: skipped. It needs Chromium. Install it." in table
    assert table.splitlines()[1].startswith("bench")


def test_every_bench_with_a_goal_is_in_the_table() -> None:
    names = {
        "tutorial", "capture", "maps", "alignment", "train", "epoch", "page", "memory", "start",
        "growth",
    }  # fmt: skip
    assert names == set(everything.benches())


def test_a_start_is_held_against_what_it_stands_on() -> None:
    commands = dict.fromkeys(("list", "report --help", "fit --help"), 0.3)
    visit = {"seconds": 0.6, "drawn": 1.2, "messages": 90, "kilobytes": 12.0}
    result = {
        "what": "a run",
        "commands": {
            **commands, "python -c pass": 0.01, "--help": 0.05, "report": 0.3,
            "report, computed": 2.5,
        },
        "first page": {"a one-line app": 0.7, "layerviz": 2.1},
        "visits": {"run, reload": visit, "a one-line app, reload": visit},
    }  # fmt: skip
    found = {figure.what: figure for figure in start.figures(result)}
    assert found["--help, above python -c pass"].ours == pytest.approx(0.04)
    assert found["--help, above python -c pass"].met
    assert found["report of a finished run, the first"].met is False
    assert found["report of a finished run, later ones"].met
    assert found["first page, above a one-line app"].ours == pytest.approx(1.4)
    assert found["first page, with the server"].ratio == pytest.approx(3)
    assert found["run, reload: server"].met is False
    assert found["a one-line app, reload: server"].met is None
    assert "a run" in start.as_text(result)
    with pytest.raises(ConfigError, match="repeats"):
        start.measure(None, repeats=0)


# --- materials ------------------------------------------------------------------------------


def test_texts_are_varied_where_there_are_too_few(sample_table: Table) -> None:
    dataset = varied_dataset(sample_table, 400, 100)
    assert dataset.counts().sum().to_dict() == {"train": 400, "val": 100}
    assert dataset.examples["text"].is_unique
    assert set(dataset.label_names) == {"fruit", "tool", "river"}
    assert varied_csv(sample_table, 400, 100) == varied_csv(sample_table, 400, 100)
    with pytest.raises(ConfigError, match="20 or more"):
        varied_csv(sample_table, 400, 1)


def test_a_made_up_run_is_whole(sample_table: Table, tmp_path: Path) -> None:
    dataset = varied_dataset(sample_table, 60, 30)
    run = made_run(tmp_path, dataset, n_layers=3, width=16, n_snapshots=3)
    assert runs.read(tmp_path, run.run_id).status == "done"
    assert len(run.snapshots) == 3
    cls, mean, most = (runs.read_pooled(run.path, 2)[name] for name in ("cls", "mean", "max"))
    assert cls.shape == (4, 90, 16)
    # To choose another pooling must give a browser something to draw.
    assert (cls != mean).any()
    assert (mean != most).any()
    assert runs.unmeasured_snapshots(run) == ()
    assert separability.answer_sentences(separability.answer_of(run))
    with pytest.raises(ConfigError):
        made_run(tmp_path, dataset, n_layers=3, width=16, n_snapshots=1)


# --- epoch ----------------------------------------------------------------------------------


def test_what_an_epoch_is_lengthened_by_is_told_part_by_part(sample_table: Table) -> None:
    result = epoch.measure(sample_table, n_train=60, n_val=30, names=["2x64"])
    (row,) = result["encoders"]
    assert set(row["seconds"]) == set(epoch.PARTS)
    assert all(seconds > 0 for seconds in row["seconds"].values())
    assert row["share"] == pytest.approx(sum(row["seconds"].values()) / row["epoch"])
    (figure,) = epoch.figures(result)
    assert figure.ratio == pytest.approx(row["share"])
    text = epoch.as_text(result)
    assert "an epoch of 60 texts, 30 held out" in text
    assert all(part in text for part in epoch.PARTS)


def test_both_ways_of_training_are_timed_on_the_same_work(sample_table: Table) -> None:
    result = train.measure(sample_table, n_train=60, names=["1x64"], turns=1)
    (row,) = result["encoders"]
    ours, random = row["batchings"]["length"], row["batchings"]["random"]
    assert 1 <= ours["computed_per_real"] < random["computed_per_real"]
    assert min(ours["seconds"], ours["cpu_seconds"], ours["flops"]) > 0
    clock, all_cores, tokens, share = train.figures(result)
    assert clock.ratio == pytest.approx(ours["seconds"] / random["seconds"])
    assert all_cores.ratio == pytest.approx(ours["cpu_seconds"] / random["cpu_seconds"])
    assert tokens.ours == pytest.approx(1 / ours["computed_per_real"])
    assert share.ours == pytest.approx(ours["flops"] / row["product"])
    assert "tokens computed per real one" in train.as_text(result)
    with pytest.raises(ConfigError, match="0 turns"):
        train.measure(sample_table, n_train=60, names=["1x64"], turns=0)


@pytest.mark.parametrize("wrong", [{"names": ["2x65"]}, {"names": ["0x64"]}, {"n_train": 3}])
def test_an_epoch_that_cannot_be_measured_is_refused(
    sample_table: Table, wrong: dict[str, Any]
) -> None:
    right: dict[str, Any] = {"n_train": 60, "n_val": 30, "names": ["2x64"]}
    with pytest.raises(ConfigError, match="cannot take"):
        epoch.measure(sample_table, **right | wrong)


# --- page -----------------------------------------------------------------------------------


def test_the_page_bench_needs_chromium_and_says_so(
    sample_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs Chromium.*apt-get install chromium"):
        in_a_thread_of_its_own(page.measure, sample_table)
    with pytest.raises(ConfigError, match="repeats"):
        page.measure(sample_table, repeats=0)


def in_a_thread_of_its_own(measure: Callable[..., Any], *args, **settings) -> Any:
    """Return what a bench in Chromium measures; this thread may hold the browser tests' own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(measure, *args, **settings).result()


@pytest.mark.skipif(chromium_path() is None, reason="Chromium is not installed")
def test_the_page_is_clicked_through_and_its_slider_moved(sample_table: Table) -> None:
    result = in_a_thread_of_its_own(
        page.measure,
        sample_table,
        n_train=60,
        n_val=30,
        n_layers=4,
        width=16,
        n_snapshots=2,
        repeats=1,
        starts=1,
        marks=[160],
    )
    for name, times in result["clicks"].items():
        assert 0 < times["warm"]["idle"] <= times["warm"]["drawn"], name
    assert [one["marks"] for one in result["slider"]] == [4 * 90, 4 * 90, 160]
    assert all(one["sent"] == 0 for one in result["slider"])
    assert len(page.figures(result)) == 4 * len(result["clicks"]) + 3 + 1


# --- growth ---------------------------------------------------------------------------------


@pytest.mark.skipif(chromium_path() is None, reason="Chromium is not installed")
def test_growth_has_an_exponent_for_every_part(
    sample_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = growth._drawn
    drawn: list[tuple[float, float]] = []

    def draw_once(*args: Any) -> tuple[float, float]:  # a server takes long to start
        drawn.append(drawn[0] if drawn else draw(*args))
        return drawn[-1]

    monkeypatch.setattr(growth, "_drawn", draw_once)
    result = in_a_thread_of_its_own(growth.measure, sample_table, sizes=[200, 100], encoder="1x64")
    assert [row["n"] for row in result["rows"]] == [100, 200]
    assert set(result["exponents"]) == set(growth.PARTS)
    assert all(math.isfinite(value) for value in result["exponents"].values())
    assert result["exponents"]["first draw"] == pytest.approx(0, abs=1e-9)
    assert min(drawn[0]) > 0
    assert len(growth.figures(result)) == len(growth.PARTS) + 2
    assert "200" in growth.as_text(result).splitlines()[-2]
    with pytest.raises(ConfigError, match="two sizes"):
        growth.measure(sample_table, sizes=[100])


# --- starters -------------------------------------------------------------------------------

BENCH: dict[str, Any] = {"n_train": 60, "n_val": 24, "epochs": 1, "seeds": 2, "rates": (1e-3, 1e-5)}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an encoder, here with random weights, too."""
    texts = [text for text, _ in toy_rows(120)]
    size = encoders.EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=400)
    folder = tmp_path_factory.mktemp("tiny") / "tiny-bert"
    encoders.save_masked_lm(encoders.new_masked_lm("bert", size, texts, seed=3), folder)
    return str(folder)


@pytest.fixture(scope="module")
def table() -> Table:
    return data.read_table(as_csv(toy_rows(120)), "toy.csv")


@pytest.fixture(scope="module")
def compared(
    tiny: str, table: Table, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    work = tmp_path_factory.mktemp("work")
    lines: list[str] = []
    result = starters.measure([table], names=[tiny], work=work, print_line=lines.append, **BENCH)
    assert len(lines) == 2 * (3 + 1)  # two rates on one seed, the other seed, the probes
    return result, work


def test_both_sides_are_fine_tuned_and_probed_alike(compared: tuple[dict[str, Any], Path]) -> None:
    (row,) = compared[0]["results"]
    assert (row["n_train"], row["n_val"]) == (60, 24)
    for side in starters.SIDES:
        one = row[side]
        assert one["rate"] in BENCH["rates"]
        assert len(one["macro_f1"]) == 2
        assert all(0 <= score <= 1 for score in one["macro_f1"])
        assert one["mean"] == pytest.approx(sum(one["macro_f1"]) / 2)
        assert one["probe_layer"] in (1, 2)
    assert row["gain"] == pytest.approx(row["starter"]["mean"] - row["random"]["mean"])
    kept = json.loads((compared[1] / "scores.json").read_text())
    assert sum("starter probe" in key for key in kept) == 1
    assert sum("random probe" in key for key in kept) == 2  # a twin per seed


def test_scores_are_kept_and_not_computed_again(
    compared: tuple[dict[str, Any], Path],
    tiny: str,
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, work = compared
    monkeypatch.setattr(training, "fit", None)  # a further run would raise
    again = starters.measure([table], names=[tiny], work=work, print_line=print, **BENCH)
    assert again == result


def test_the_table_names_every_number(compared: tuple[dict[str, Any], Path], tiny: str) -> None:
    text = starters.as_text(compared[0])
    (row,) = compared[0]["results"]
    assert "toy: 60 train / 24 val" in text
    assert Path(tiny).name in text
    for side in starters.SIDES:
        assert f"{row[side]['mean']:.3f} ± {row[side]['sd']:.3f}" in text
        assert f"{row[side]['probe_best']:.3f} (layer {row[side]['probe_layer']})" in text
    assert f"{row['gain']:+.3f}" in text


def test_the_command_line_of_the_starters(
    compared: tuple[dict[str, Any], Path],
    tiny: str,
    table: Table,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: dict[str, Any] = {}

    def remembered(tables: list[Table], **settings: Any) -> dict[str, Any]:
        asked.update(settings, names_of_tables=[table.name for table in tables])
        return compared[0]

    monkeypatch.setattr(starters, "measure", remembered)
    (tmp_path / "toy.csv").write_bytes(as_csv(toy_rows(120)))
    command = ["bench", "starters", "--data", str(tmp_path / "toy.csv"), "--encoder", tiny]
    assert main([*command, "--rates", "1e-3", "1e-4", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(compared[0]))
    assert asked["names_of_tables"] == ["toy.csv"]
    assert asked["names"] == [tiny]
    assert asked["rates"] == [1e-3, 1e-4]
    assert (asked["n_train"], asked["n_val"], asked["seeds"]) == (2000, 1000, 3)


def test_what_cannot_be_compared_is_refused(tiny: str, table: Table) -> None:
    with pytest.raises(ConfigError, match="seeds"):
        starters.measure([table], names=[tiny], work=None, print_line=print, **BENCH | {"seeds": 0})
    for name in ("nobody/knows-this", "scratch-bert"):
        with pytest.raises(EncoderError, match="not on this disk"):
            starters.measure([table], names=[name], work=None, print_line=print, **BENCH)


# --- probes ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def probed() -> dict[str, Any]:
    table = data.read_table(as_csv(toy_rows(160)), "toy.csv")
    return probes.measure(table, n=60, layers=2, hidden_size=64, encoder=None)


def test_probes_score_as_scikit_learns_do_and_are_timed(probed: dict[str, Any]) -> None:
    assert [row["layer"] for row in probed["probes"]] == [0, 1, 2]
    assert all(row["converged"] for row in probed["probes"])
    assert probed["largest_difference"] < 0.02  # of 60 examples, one is 0.017
    assert all(value > 0 for value in probed["seconds"].values())
    share = probed["seconds"]["measures"] / probed["seconds"]["epoch"]
    assert probed["measures_share"] == pytest.approx(share)


def test_the_probes_bench_says_what_it_measured(probed: dict[str, Any]) -> None:
    lines = probes.as_text(probed).splitlines()
    assert lines[0].startswith("2 layers of 64, 60 train and 60 val examples, 3 classes")
    assert f"{probed['seconds']['epoch']:.1f} s" in lines[1]
    assert f"{probed['largest_difference']:.4f}" in lines[-1]


@pytest.mark.parametrize("size", [{"n": 10}, {"hidden_size": 100}, {"layers": 0}])
def test_sizes_the_probes_bench_cannot_take_are_refused(size: dict[str, int]) -> None:
    sizes = {"n": 60, "layers": 2, "hidden_size": 64} | size
    table = data.read_table(as_csv(toy_rows(160)), "toy.csv")
    with pytest.raises(ConfigError):
        probes.measure(table, **sizes, encoder=None)


# --- maps and alignment ---------------------------------------------------------------------

DRAWING = {"n_train": 120, "n_val": 50, "layers": 2, "snapshots": 2}


@pytest.fixture(scope="module")
def drawn_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    distances = {1: 0.5, 2: 1.0, 3: 2.0, 4: 3.0}
    return made(tmp_path_factory.mktemp("runs"), dataset_of(), "enc", distances, n_snapshots=3)


@pytest.fixture(scope="module")
def both(drawn_run: Run) -> tuple[drawing.Sample, drawing.TimedMaps, drawing.TimedMaps]:
    sample = drawing.sample_of(drawn_run, **DRAWING)
    return sample, drawing.by_notebook(sample), drawing.by_layerviz(sample)


def test_a_sample_has_the_sizes_that_were_asked_for(drawn_run: Run, both) -> None:
    sample = both[0]
    assert sample.layers == (1, 4)
    assert sample.n_snapshots == 2
    assert (sample.splits == "train").sum() == 120
    assert (sample.splits == "val").sum() == 50
    assert "2 layers x 2 snapshots x (120 train + 50 val)" in sample.in_words()
    every = drawing.sample_of(drawn_run, n_train=999, n_val=999, layers=9, snapshots=9)
    assert (every.layers, every.n_snapshots, len(every.splits)) == ((1, 2, 3, 4), 3, 480)


SHARES = ("trust", "trust_val", "kept", "val_to_train", "within_val")


def test_maps_of_both_ways_are_rated(both) -> None:
    result = maps.compare(*both)
    for way in ("notebook", "layerviz"):
        assert result[way]["seconds"] > 0
        assert all(0 <= result[way][name] <= 1 for name in SHARES)
    expected = result["layerviz"]["seconds"] / result["notebook"]["seconds"]
    assert result["time_ratio"] == pytest.approx(expected)
    assert result["layerviz"]["val_to_train"] > result["notebook"]["val_to_train"]
    text = maps.as_text(result)
    assert f"{result['time_ratio']:.3f}" in text
    assert f"{result['layerviz']['kept']:.3f}" in text
    kept = next(figure for figure in maps.figures(result) if "neighbours kept" in figure.what)
    assert (kept.ours, kept.peer) == (result["layerviz"]["kept"], result["notebook"]["kept"])
    assert all(goal in text for goal in result["goals"])


def test_neighbours_are_preserved_by_a_true_map_and_by_no_other() -> None:
    points = np.random.default_rng(0).normal(size=(200, 2))
    assert maps.neighbours_preserved((points, points)) == 1
    assert maps.neighbours_preserved((points, points), (points[:9] + 0.1, points[:9] + 0.1)) == 1
    assert maps.neighbours_preserved((points, points[::-1])) < 0.2


def test_movements_are_compared_with_changes_of_neighbours(both) -> None:
    result = alignment.compare(*both)
    assert result["pairs"] == 2
    for way in ("notebook", "layerviz"):
        assert -1 <= result[way]["correlation"] <= 1
    text = alignment.as_text(result)
    assert f"{result['correlation_gain']:+.3f}" in text
    assert all(goal in text for goal in result["goals"])


def test_where_nothing_changes_all_points_are_stable_and_ours_stay(both) -> None:
    sample = both[0]
    still = dataclasses.replace(sample, states=tuple((s[1], s[1]) for s in sample.states))
    result = alignment.compare(still, both[1], drawing.by_layerviz(still))
    assert result["pairs_with_stable_points"] == result["pairs"] == 2
    assert result["layerviz"]["moved"] < result["notebook"]["moved"]


def test_movement_is_a_share_of_the_radius() -> None:
    ring = 3 * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], dtype=float)
    assert alignment.movement(ring, ring + np.array([0, 3])) == pytest.approx([1] * 4)


@pytest.mark.parametrize("size", [{"n_train": 20}, {"n_val": 5}, {"layers": 0}, {"snapshots": 1}])
def test_too_little_to_draw_is_refused(drawn_run: Run, size: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        drawing.sample_of(drawn_run, **DRAWING | size)


@pytest.mark.parametrize("bench", [maps, alignment])
def test_the_command_line_of_the_drawing_benches(
    bench, both, drawn_run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result, asked = bench.compare(*both), []

    def remembered(sample: drawing.Sample) -> dict[str, Any]:
        asked.append(sample)
        return result

    monkeypatch.setattr(bench, "measure", remembered)
    sizes = [f"--{name.replace('_', '-')}={value}" for name, value in DRAWING.items()]
    command = ["bench", bench.__name__.rsplit(".", 1)[1], "--run", str(drawn_run.path), *sizes]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == result
    assert main(command) == 0
    assert capsys.readouterr().out == bench.as_text(result) + "\n"
    assert asked[0].in_words() == both[0].in_words()


# --- scale ----------------------------------------------------------------------------------


def test_units_are_measured_and_a_task_is_reckoned(sample_table: Table) -> None:
    result = scale.measure(sample_table, n_train=60, n_val=30, names=["1x64"])
    (units,) = result["units"]
    parts = ("training", "capture", "tokenising", "measures", "tsne", "snapshot_bytes")
    assert all(units[part] > 0 for part in parts)
    states = 2 * 3 * 90 * 64  # layers with the embedding output, poolings, examples, width
    assert states * 2 < units["snapshot_bytes"] < states * 2 + 60_000
    assert [row["accelerators"] for row in result["task"]] == list(scale.ACCELERATORS)
    assert "longest: " in scale.as_text(result)


def test_what_a_task_takes_follows_from_its_units() -> None:
    units = {
        "layers": 1, "hidden_size": 10, "captured": 100,
        "tokenising": 1.0, "measures": 2.0, "tsne": 4.0,
    }  # fmt: skip
    task = scale.Task(
        texts=1000, layers=3, width=20, tokens=5, epochs=2, flops=100, captured=200, row_bytes=10
    )
    one, many = scale.reckon(task, units, 1), scale.reckon(task, units, 16)
    weights = 12 * 3 * 20**2
    assert one["training"] == pytest.approx(2 * 1000 * 6 * weights * 5 / 100)
    assert one["capture"] == pytest.approx(3 * 200 * 2 * weights * 5 / 100)
    assert many["training"] == pytest.approx(one["training"] / 16)
    # Twice the layers with the embedding output, twice the width and twice the examples.
    assert one["measures"] == many["measures"] == pytest.approx(3 * 2.0 * 2 * 2 * 2)
    assert one["maps"] == pytest.approx(3 * 4 * 4.0 * 2 / scale.CORES)
    assert one["disk"] == 3 * len(POOLINGS) * 4 * 20 * 200 * 2
    assert (one["memory"], many["memory"]) == (10_000, 10_000 + 1000 * 7 * 4 * 5)
    assert many["machines"] == 2
    assert one["slowest"] == "training"
