"""layerviz in Python: what the commands do, under the names of their options."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from toy import toy_rows

import layerviz
from layerviz import interrupts, runs
from layerviz.commands import main
from layerviz.export.complete_chart import CompleteChart

ROOT = Path(__file__).resolve().parents[1]


def readme_snippet() -> str:
    """Return the lines of Python in README that call `layerviz.fit`."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = (part for part in re.split(r"\n(?=\S)", readme) if "    run = layerviz.fit(" in part)
    return dedent("\n".join(block.splitlines()[1:]))


def fruit_or_not() -> pd.DataFrame:
    rows = [(text, int(label == "fruit")) for text, label in toy_rows(60)]
    return pd.DataFrame(rows, columns=["text", "HS"])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs folder in which README's snippet has made its run."""
    home = tmp_path_factory.mktemp("snippet")
    fruit_or_not().to_csv(home / "tweets.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", readme_snippet()],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), runs.RUNS_VARIABLE: str(home / "runs")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Best layer" in done.stdout
    return home / "runs"


@pytest.fixture(scope="module")
def run(root: Path) -> layerviz.OpenedRun:
    (record,) = root.glob("*/run.json")
    return layerviz.open_run(record.parent.name, runs=root)


def test_readmes_snippet_gives_a_run_that_opens_by_id_and_by_folder(run, root):
    assert run.status == "done"
    assert run.epochs == [0, 1, 2, 3]
    assert run.label_names == ("0", "1")
    assert layerviz.open_run(run.path).id == run.id
    assert repr(run) == f"<layerviz run {run.id}: done, epochs 0, 1, 2, 3>"


def test_hidden_states_are_those_of_the_run_folder(run):
    states = run.hidden_states()
    assert states.shape == (13, len(run.examples()), 128)
    assert states.dtype == np.float16
    of_layer = run.hidden_states(epoch=1, layer=4, pooling="cls")
    np.testing.assert_array_equal(of_layer, run.hidden_states(epoch=1, layer=4.0, pooling="cls"))
    np.testing.assert_array_equal(of_layer, runs.read_hidden_states(run.path, 1, "cls", 4))
    np.testing.assert_array_equal(
        run.hidden_states(layer=0), runs.read_hidden_states(run.path, 3, run.poolings[0], 0)
    )


def test_scores_and_answer_are_what_the_commands_say(run, root, capsys, tmp_path):
    assert main(["report", run.id, "--runs", str(root), "--pooling", "cls", "--json"]) == 0
    answer = run.answer(pooling="cls")
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(answer.values))
    main(["report", run.id, "--runs", str(root)])
    assert capsys.readouterr().out == f"{run.answer()}\n"
    main(["export", run.id, "--runs", str(root), "--measures", str(tmp_path / "measures.csv")])
    pd.testing.assert_frame_equal(
        run.scores(), pd.read_csv(tmp_path / "measures.csv"), check_dtype=False
    )


def test_charts_are_those_of_export_and_are_altairs(run, root, tmp_path):
    file = tmp_path / "maps.vl.json"
    options = ["--layers", "1,4", "--pooling", "cls", "--dark"]
    main(["export", run.id, "--runs", str(root), "--vega-lite", str(file), *options])
    chart = run.chart(layers=[1, 4], pooling="cls", dark=True)
    assert isinstance(chart, alt.LayerChart)
    assert chart.to_dict() == json.loads(file.read_text())
    assert run.chart(epoch=0).to_dict() != run.chart(epoch=3).to_dict()
    heat_map = run.chart("heat-map")
    assert heat_map.properties(title="Mine").to_dict(validate=False)["title"] == "Mine"
    heat_map.title = "Mine, too"
    assert heat_map.to_dict(validate=False)["title"] == "Mine, too"
    heat_map.save(str(tmp_path / "heat-map.html"))


def test_charts_of_any_number_of_rows_are_shown():
    rows = pd.DataFrame({"x": range(6000)})
    chart = alt.LayerChart(layer=[alt.Chart(rows).mark_point().encode(x="x:Q")])
    with pytest.raises(alt.MaxRowsError):
        chart.to_dict()
    shown: Any = CompleteChart.of(chart)._repr_mimebundle_()
    assert "5999" in shown["text/html"]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda run: run.hidden_states(epoch=9), "no snapshot at epoch 9. Choose one of 0, 1, 2"),
        (lambda run: run.hidden_states(layer=13), "no layer 13. Choose from 0, the embedding"),
        (lambda run: run.hidden_states(layer=-1), "no layer -1"),
        (lambda run: run.hidden_states(pooling="clz"), "no pooling 'clz'. Did you mean cls?"),
        (lambda run: run.answer(margin=0.5), "margin of 0.5"),
        (lambda run: run.answer(pooling="clz"), "Did you mean cls?"),
        (lambda run: run.chart("pie"), "no choice 'pie'. Choose one of maps, heat-map."),
        (lambda run: run.chart(colour="label"), "no option 'colour'. Did you mean colour_by?"),
        (lambda run: run.chart(png="maps.png"), "no option 'png'"),
        (lambda run: run.chart(layers=[99]), "99"),
        (lambda run: run.chart(dark="yes"), "Give True or False."),
        (lambda _: layerviz.fit(epoch=3), "no option 'epoch'. Did you mean epochs?"),
        (lambda _: layerviz.fit(epochs="three"), "'three'"),
        (lambda _: layerviz.fit("no-such.csv"), "no-such.csv cannot be read"),
        (lambda _: layerviz.fit(fruit_or_not(), label_column="hs"), "no column 'hs'"),
        (lambda _: layerviz.fit(pd.DataFrame({"text": ["one", 2]})), "cannot be stored"),
        (lambda _: layerviz.fit(pd.DataFrame({"text": ["a"], "meta": [{}]})), "cannot be stored"),
        (lambda _: layerviz.fit("no-such.csv", epochs=-1), "Epochs is -1"),
        (lambda _: layerviz.probe(checkpoints="a", encoder="b"), "not allowed with argument --"),
        (lambda _: layerviz.probe(checkpoints="a", keep_head="no"), "their own classification"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(run, tmp_path, monkeypatch, ask, words):
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    with pytest.raises(layerviz.LayervizError, match=re.escape(words)):
        ask(run)
    assert list(tmp_path.iterdir()) == []


def test_tables_are_data_and_switches_take_true_or_false(tmp_path, monkeypatch):
    asked: dict[str, Any] = {}

    def no_training(parsed, files, stopping):
        asked.update(vars(parsed), files=files())
        raise layerviz.LayervizError("enough")

    monkeypatch.setattr("layerviz.api.making.fit_files", no_training)
    table = fruit_or_not()
    with pytest.raises(layerviz.LayervizError, match="enough"):
        layerviz.fit(
            table, val=table, merge_labels=True, one_hot=False,
            split_word={"a": "val", "b": "test"}, learning_rate=1e-5, runs=tmp_path,
        )  # fmt: skip
    assert asked["merge_labels"] is True
    assert asked["one_hot"] is False
    assert asked["keep_missing_labels"] is None
    assert asked["split_word"] == ["a=val", "b=test"]
    assert asked["learning_rate"] == 1e-5
    assert asked["runs"] == tmp_path
    assert [file.name for file in asked["files"].values()] == ["data.parquet", "val.parquet"]


def test_the_first_ctrl_c_stops_in_good_order_and_the_next_is_what_it_was():
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.getsignal(signal.SIGINT)
    with interrupts.first_ctrl_c_noted() as asks:
        assert not asks()
        signal.raise_signal(signal.SIGINT)
        assert asks()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, usual) is before


def test_the_package_loads_nothing_until_it_is_asked_for():
    code = "import sys, layerviz; print(sorted({'pandas', 'torch', 'altair'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = layerviz.fitt  # type: ignore[attr-defined]
    assert {"fit", "open_run", "__version__"} <= set(dir(layerviz))
