"""A run folder is whole or absent, readable by anyone, and never outside the runs folder."""

from __future__ import annotations

import ast
import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import psutil
import pytest
from safetensors import SafetensorError

from layerviz import exploring, runs
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import ConfigError, RunError
from layerviz.export.checking import first_damage
from layerviz.runs import Run, Snapshot, layout

pytestmark = pytest.mark.fast

CONFIG = RunConfig("scratch-distilbert")
N, LAYERS, WIDTH = 6, 3, 8
SNAPSHOT = Snapshot(index=0, step=0, epoch=0.0)
PREDICTIONS = pd.DataFrame(
    {
        "id": [f"train-{n}" for n in range(1, N + 1)],
        "predicted": np.arange(N) % 3,
        "confidence": np.linspace(0.4, 0.9, N, dtype=np.float32),
        "loss": np.linspace(2.0, 0.1, N, dtype=np.float32),
    }
)


def pooled(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (LAYERS + 1, N, WIDTH)
    return {name: rng.normal(size=shape).astype(np.float16) for name in ("mean", "cls", "max")}


def say(run: Run, **changes) -> None:
    """Change run.json behind layerviz' back."""
    file = run.path / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def run(tmp_path: Path, toy_dataset: Dataset) -> Run:
    return runs.create(tmp_path, CONFIG, toy_dataset)


@pytest.fixture
def other_process() -> Iterator[subprocess.Popen]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    yield process
    process.kill()
    process.wait()


def belongs_to(process: subprocess.Popen) -> dict[str, float]:
    return {"pid": process.pid, "created": psutil.Process(process.pid).create_time()}


# --- creating and taking up -----------------------------------------------------------------


def test_a_new_run_says_what_it_is_made_of(run, tmp_path, toy_dataset):
    assert run == runs.read(tmp_path, run.run_id)
    assert run.path == tmp_path / run.run_id
    assert run.status == "queued"
    assert run.live
    assert run.config == CONFIG
    assert run.label_names == toy_dataset.label_names
    assert run.dataset["name"] == "toy"
    assert run.dataset["columns"] == {"text": "text", "label": "label", "split": None}
    assert run.dataset["counts"]["val"] == dict.fromkeys(toy_dataset.label_names, 6)
    assert run.dataset["notes"] == list(toy_dataset.notes)
    assert run.snapshots == ()
    assert run.created.endswith("+00:00")


def test_a_finished_run_is_returned_as_it_is(run, tmp_path, toy_dataset):
    runs.update(run.path, status="done")
    before = (run.path / "run.json").read_bytes()
    assert runs.create(tmp_path, CONFIG, toy_dataset).status == "done"
    assert (run.path / "run.json").read_bytes() == before


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_an_unfinished_run_is_queued_again_with_what_it_holds(run, tmp_path, toy_dataset, status):
    runs.write_snapshot(run.path, SNAPSHOT, pooled(), PREDICTIONS)
    runs.update(run.path, status=status, reason="It was like that.")
    again = runs.create(tmp_path, CONFIG, toy_dataset)
    assert (again.status, again.reason) == ("queued", "")
    assert again.snapshots == (SNAPSHOT,)
    assert again.created == run.created


def test_a_run_going_on_in_another_process_is_left_alone(run, tmp_path, toy_dataset, other_process):
    say(run, status="running", process=belongs_to(other_process))
    before = (run.path / "run.json").read_bytes()
    assert runs.read(tmp_path, run.run_id).status == "running"
    with pytest.raises(RunError, match="Another layerviz process") as caught:
        runs.create(tmp_path, CONFIG, toy_dataset)
    assert caught.value.hint
    with pytest.raises(RunError, match="still in progress"):
        runs.delete(tmp_path, run.run_id)
    assert (run.path / "run.json").read_bytes() == before


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_run_whose_process_died_reads_as_failed_and_can_go_on(
    run, tmp_path, toy_dataset, other_process, status
):
    say(run, status=status, process=belongs_to(other_process))
    other_process.kill()
    other_process.wait()
    dead = runs.read(tmp_path, run.run_id)
    assert dead.status == "failed"
    assert not dead.live
    assert "closed while this run was going on" in dead.reason
    assert "Start it again" in dead.reason
    again = runs.create(tmp_path, CONFIG, toy_dataset)
    assert (again.status, again.reason) == ("queued", "")
    assert json.loads((run.path / "run.json").read_text())["process"]["pid"] == os.getpid()


def test_a_process_number_given_to_another_program_does_not_keep_a_run_alive(
    run, tmp_path, other_process
):
    process = belongs_to(other_process)
    process["created"] -= 3600
    say(run, status="running", process=process)
    assert runs.read(tmp_path, run.run_id).status == "failed"


def test_a_corrected_clock_does_not_make_a_run_look_dead_or_foreign(run, tmp_path, toy_dataset):
    # On Linux a process's start is told relative to the boot time, which moves with the clock.
    process = json.loads((run.path / "run.json").read_text("utf-8"))["process"]
    say(run, status="running", process=process | {"created": process["created"] + 2})
    assert runs.read(tmp_path, run.run_id).status == "running"
    assert runs.create(tmp_path, CONFIG, toy_dataset).status == "queued"


def test_finished_runs_need_no_process(run, tmp_path):
    say(run, status="done", process={"pid": 2**22 + 1, "created": 0.0})
    assert runs.read(tmp_path, run.run_id).status == "done"


def test_a_runs_folder_that_cannot_be_written_is_told(tmp_path, toy_dataset):
    (tmp_path / "file").write_text("I am no folder")
    with pytest.raises(RunError, match="could not be written") as caught:
        runs.create(tmp_path / "file", CONFIG, toy_dataset)
    assert "choose another folder" in caught.value.hint


# --- reading and listing --------------------------------------------------------------------


@pytest.mark.parametrize("text", ["../x", "..", "a/b", "/etc", "A", ""])
def test_no_path_leads_out_of_the_runs_folder(tmp_path, toy_dataset, text):
    outside = runs.create(tmp_path, CONFIG, toy_dataset)
    runs.update(outside.path, status="done")
    outside.path.rename(tmp_path / "x")
    root = tmp_path / "runs"
    root.mkdir()
    for reach in (runs.read, runs.delete):
        with pytest.raises(ConfigError, match="not a run id"):
            reach(root, text)
    assert (tmp_path / "x" / "run.json").exists()


def test_an_unknown_run_is_told(tmp_path):
    for reach in (runs.read, runs.delete):
        with pytest.raises(RunError, match="no run 'bert-toy-0123abcd'") as caught:
            reach(tmp_path, "bert-toy-0123abcd")
        assert "list of runs" in caught.value.hint


def test_a_record_is_read_once_for_each_state_it_is_in(tmp_path, run, monkeypatch):
    def settle() -> None:
        os.utime(run.layout.record, ns=(settled, settled))

    settled = run.layout.record.stat().st_mtime_ns - 60 * 10**9
    settle()
    reads = Mock(side_effect=Path.read_text, autospec=True)
    monkeypatch.setattr(Path, "read_text", lambda *given, **options: reads(*given, **options))
    assert [runs.read(tmp_path, run.run_id) == run for _ in range(3)] == [True] * 3
    assert reads.call_count == 1
    runs.update(run.path, title="One")
    assert runs.read(tmp_path, run.run_id).title == "One"
    say(run, title="Two")  # as long, and at nearly the same time
    assert runs.list_runs(tmp_path)[0].title == "Two"
    settle()
    assert runs.read(tmp_path, run.run_id).title == "Two"


def test_runs_are_listed_newest_first_without_the_damaged_ones(tmp_path, run, toy_dataset):
    for seed, created in ((1, "2031-01-01"), (2, "2029-01-01"), (3, "2030-01-01")):
        config = RunConfig("scratch-bert", seed=seed)
        say(runs.create(tmp_path, config, toy_dataset), created=f"{created}T00:00:00+00:00")
    say(run, created="2020-01-01T00:00:00+00:00")
    good = json.loads((run.path / "run.json").read_text("utf-8"))
    damaged: dict[str, str | bytes] = {
        "half": json.dumps(good)[:100],
        "empty": "",
        "binary": b"\xff\xfe\x00",
        "list": "[]",
        "nothing": "null",
        "bare": "{}",
        "no-config": json.dumps(good | {"config": None}),
        "no-encoder": json.dumps(good | {"config": good["config"] | {"encoder": None}}),
        "newer": json.dumps(good | {"config": good["config"] | {"lora": 1}}),
        "bad-value": json.dumps(good | {"config": good["config"] | {"learning_rate": "high"}}),
        "bad-process": json.dumps(good | {"process": {"pid": "x", "created": 0}}),
        "negative-process": json.dumps(good | {"process": {"pid": -1, "created": 0}}),
        "no-process": json.dumps(good | {"process": None}),
        "bad-name": json.dumps(good | {"dataset": good["dataset"] | {"name": 3}}),
        "bad-counts": json.dumps(good | {"dataset": good["dataset"] | {"counts": {"val": 3}}}),
        "bad-encoder-entry": json.dumps(good | {"encoder": "BERT"}),
        "bad-epoch": json.dumps(
            good | {"snapshots": [{"index": 0, "step": 0, "epoch": "before training"}]}
        ),
        "bad-snapshot": json.dumps(good | {"snapshots": [7]}),
        "bad-time": json.dumps(good | {"created": None}),
        "twice": json.dumps(good)[:-1] + ', "status": "done"}',
        "half-a-letter": json.dumps(good | {"title": "\ud800"}),
        "no-val": json.dumps(
            good | {"dataset": good["dataset"] | {"counts": {"train": {"calm": 3}}}}
        ),
        "no-counting": json.dumps(good | {"training": {"n_snapshots": "![x](http://127.0.0.1:9)"}}),
    }
    for name, content in damaged.items():
        (tmp_path / name).mkdir()
        content = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name / "run.json").write_bytes(content)
    (tmp_path / "Not An Id").mkdir()
    (tmp_path / "Not An Id" / "run.json").write_text(json.dumps(good))
    (tmp_path / "no-json").mkdir()
    (tmp_path / "stray.txt").write_text("hello")
    found = runs.list_runs(tmp_path)
    assert [(r.config.encoder, r.config.seed) for r in found] == [
        ("scratch-bert", 1),
        ("scratch-bert", 3),
        ("scratch-bert", 2),
        ("scratch-distilbert", 0),
    ]
    for name in damaged:
        with pytest.raises((RunError, ConfigError)):
            runs.read(tmp_path, name)


def test_a_record_may_begin_with_a_byte_order_mark_as_editors_write_it(run, tmp_path):
    file = run.path / "run.json"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert runs.read(tmp_path, run.run_id) == run


def test_what_is_wrong_with_a_record_is_said_in_a_short_sentence(run, tmp_path):
    counts = {"train": {"x" * 178_000: -1}, "val": {}}
    say(run, dataset=run.dataset | {"counts": counts})
    with pytest.raises(RunError, match="lacks or garbles an entry") as caught:
        runs.read(tmp_path, run.run_id)
    assert len(str(caught.value)) < 400


# --- formats --------------------------------------------------------------------------------


def without_format(run: Run, **dataset: object) -> dict[str, object]:
    """Turn a record into one of format 0, which had notes only; return what it holds then."""
    file = run.path / "run.json"
    values = json.loads(file.read_text("utf-8"))
    for name in ("format", "poolings"):
        del values[name]
    for name in ("files", "val_fraction"):
        del values["dataset"][name]
    values["dataset"].update(dataset)
    file.write_text(json.dumps(values), "utf-8")
    return values


def test_a_record_says_what_the_run_holds(run, toy_dataset):
    values = json.loads((run.path / "run.json").read_text("utf-8"))
    assert values["format"] == runs.FORMAT == 1
    assert values["poolings"] == ["mean", "cls", "max"]
    assert run.poolings == ("mean", "cls", "max")
    assert run.dataset["files"] == toy_dataset.files == {"train": "toy.csv"}
    assert run.dataset["val_fraction"] == toy_dataset.val_fraction == 0.2


def test_a_record_of_format_0_reads_as_todays_and_stays_as_it_is(run, tmp_path):
    without_format(run)
    before = (run.path / "run.json").read_bytes()
    assert runs.read(tmp_path, run.run_id) == run
    assert (run.path / "run.json").read_bytes() == before
    assert runs.update(run.path, status="done").poolings == run.poolings
    assert "format" not in json.loads((run.path / "run.json").read_text("utf-8"))


CUT = "Val was cut from train: {}% of each label's distinct texts."
READ = "Read {} as UTF-8, comma-separated."


@pytest.mark.parametrize(
    ("notes", "files", "val_fraction"),
    [
        (["Nothing is known."], {}, None),
        ([READ.format("a.csv"), CUT.format("12.5")], {"train": "a.csv"}, 0.125),
        (
            [READ.format("a.csv"), READ.format("an odd, name.csv")],
            {"train": "a.csv", "val": "an odd, name.csv"},
            None,
        ),
        (
            [READ.format("a.csv"), READ.format("b.csv"), CUT.format("20")],
            {"train": "a.csv", "test": "b.csv"},
            0.2,
        ),
        (
            [READ.format("a.csv"), READ.format("b.csv"), READ.format("c.csv")],
            {"train": "a.csv", "val": "b.csv", "test": "c.csv"},
            None,
        ),
    ],
)
def test_files_and_val_share_of_format_0_are_in_its_notes(
    run, tmp_path, notes, files, val_fraction
):
    without_format(run, notes=notes)
    read = runs.read(tmp_path, run.run_id)
    assert read.dataset["files"] == files
    assert read.dataset["val_fraction"] == val_fraction


def test_a_training_of_format_0_was_one_process(run, tmp_path):
    without_format(run)
    assert runs.read(tmp_path, run.run_id).training == {}
    say(run, training={"total_steps": 7})
    assert runs.read(tmp_path, run.run_id).training == {"total_steps": 7, "world_size": 1}


def test_a_newer_format_is_refused_and_says_so(run, tmp_path):
    say(run, format=2, poolings="in a way of tomorrow")
    with pytest.raises(RunError, match=r"newer layerviz \(format 2") as caught:
        runs.read(tmp_path, run.run_id)
    assert "Update" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "1"},
        {"format": True},
        {"format": -1},
        {"poolings": []},
        {"poolings": "mean"},
        {"poolings": ["mean", "mean"]},
        {"poolings": ["../mean"]},
        {"poolings": ["head"]},
    ],
)
def test_a_garbled_format_or_pooling_is_refused(run, tmp_path, changes):
    say(run, **changes)
    with pytest.raises(RunError, match="lacks or garbles"):
        runs.read(tmp_path, run.run_id)


def test_file_names_of_a_run_are_written_down_in_one_place():
    names = (
        layout.RECORD, layout.EXAMPLES, layout.HISTORY, layout.MEASURES, layout.HIDDEN_STATES,
        layout.PREDICTIONS, layout.PROBES, "labels.json", "labels.parquet",
    )  # fmt: skip
    package = Path(runs.__file__).parents[1]
    for file in package.rglob("*.py"):
        # The other one says of an upload that it is a run; what reads data knows nothing of runs.
        if file in (package / "runs" / "layout.py", package / "data" / "recognising.py"):
            continue
        tree = ast.parse(file.read_text("utf-8"))
        prose = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        spelled = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in prose
            and any(name in node.value for name in names)
        ]
        assert not spelled, f"{file.relative_to(package)} spells {spelled}"


def test_a_runs_folder_that_is_not_there_yet_holds_no_runs(tmp_path):
    assert runs.list_runs(tmp_path / "nowhere") == []


def test_deleting_removes_the_folder_of_a_run_that_is_over(run, tmp_path, toy_dataset):
    kept = runs.create(tmp_path, RunConfig("scratch-bert"), toy_dataset)
    with pytest.raises(RunError, match="still in progress") as caught:
        runs.delete(tmp_path, run.run_id)
    assert "Cancel it first" in caught.value.hint
    runs.update(run.path, status="cancelled")
    runs.delete(tmp_path, run.run_id)
    assert [path.name for path in tmp_path.glob("[!.]*")] == [kept.run_id]


def test_the_runs_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path / "a" / ".." / "b"))
    assert runs.runs_folder() == (tmp_path / "b").resolve()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(runs.RUNS_VARIABLE, "~/mine")
    assert runs.runs_folder() == (tmp_path / "mine").resolve()
    for unset in (lambda: monkeypatch.setenv(runs.RUNS_VARIABLE, ""), monkeypatch.undo):
        unset()
        if not os.environ.get(runs.RUNS_VARIABLE):
            repository = Path(__file__).resolve().parents[1]
            assert runs.runs_folder() == repository / "checkpoints" / "runs"


# --- writing --------------------------------------------------------------------------------


def test_updates_of_several_threads_are_all_kept_and_never_seen_half_done(run, tmp_path):
    failures: list[Exception] = []
    over = threading.Event()

    def write(name: str) -> None:
        for count in range(20):
            runs.update(run.path, **{name: count})

    def look() -> None:
        while not over.is_set():
            try:
                runs.read(tmp_path, run.run_id)
            except Exception as error:
                failures.append(error)
                return

    reader = threading.Thread(target=look)
    reader.start()
    writers = [threading.Thread(target=write, args=(f"key_{n}",)) for n in range(6)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    reader.join()
    assert not failures
    said = json.loads((run.path / "run.json").read_text("utf-8"))
    assert [said[f"key_{n}"] for n in range(6)] == [19] * 6
    assert everything(run.path) == {"run.json"}


def test_a_snapshot_reads_as_it_was_written(run):
    first, second = pooled(0), pooled(1)
    runs.write_snapshot(run.path, Snapshot(1, 7, 0.5), second, PREDICTIONS)
    listed = runs.write_snapshot(run.path, SNAPSHOT, first, PREDICTIONS)
    assert listed.snapshots == (SNAPSHOT, Snapshot(1, 7, 0.5))  # in order, however written
    assert runs.open_folder(run.path) == listed
    for index, written in ((0, first), (1, second)):
        assert runs.has_snapshot(run.path, index)
        for pooling, values in written.items():
            for layer in range(LAYERS + 1):
                stored = runs.read_hidden_states(run.path, index, pooling, layer)
                assert stored.dtype == np.float16
                assert np.array_equal(stored, values[layer])
        pd.testing.assert_frame_equal(runs.read_predictions(run.path, index), PREDICTIONS)
    assert not runs.has_snapshot(run.path, 2)


def test_a_snapshot_that_is_there_is_not_written_again(run):
    runs.write_snapshot(run.path, SNAPSHOT, pooled(0), PREDICTIONS)
    runs.write_snapshot(run.path, SNAPSHOT, pooled(1), PREDICTIONS)
    stored = runs.read_hidden_states(run.path, 0, "mean", 1)
    assert np.array_equal(stored, pooled(0)["mean"][1])


def test_a_snapshot_left_out_of_run_json_by_a_crash_is_listed_later(run):
    runs.write_snapshot(run.path, SNAPSHOT, pooled(), PREDICTIONS)
    say(run, snapshots=[])
    assert runs.write_snapshot(run.path, SNAPSHOT, pooled(), PREDICTIONS).snapshots == (SNAPSHOT,)


def test_a_half_written_snapshot_leaves_nothing(run, monkeypatch):
    def fail(self, path, **settings):
        Path(path).write_bytes(b"half")
        raise ValueError("interrupted")

    before = everything(run.path) | {"snapshots"}
    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    with pytest.raises(ValueError, match="interrupted"):
        runs.write_snapshot(run.path, SNAPSHOT, pooled(), PREDICTIONS)
    assert everything(run.path) == before
    assert not runs.has_snapshot(run.path, 0)
    assert runs.open_folder(run.path).snapshots == ()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named(run, monkeypatch, number):
    def fail(self, path, **settings):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    examples = pd.DataFrame({"id": ["a"], "split": "train", "text": "a", "label": 0})
    for write in (
        lambda: runs.write_snapshot(run.path, SNAPSHOT, pooled(), PREDICTIONS),
        lambda: runs.write_examples(run.path, examples),
    ):
        with pytest.raises(RunError, match="disk is full") as caught:
            write()
        assert "Free some space" in caught.value.hint
    assert everything(run.path) == {"run.json", "snapshots"}


@pytest.mark.parametrize(
    "said",
    [
        "I/O error: No space left on device (os error 28)",
        "Error while serializing: I/O error: StorageFull",
        "[enforce fail at inline_container.cc] . PytorchStreamWriter failed writing file data/3",
    ],
)
def test_what_libraries_say_of_a_full_disk_is_understood(run, monkeypatch, said):
    def fail(tensors, path):
        raise SafetensorError(said)

    monkeypatch.setattr("safetensors.numpy.save_file", fail)
    with pytest.raises(RunError, match="disk is full"):
        runs.write_snapshot(run.path, SNAPSHOT, pooled(), PREDICTIONS)
    assert not runs.has_snapshot(run.path, 0)


def test_an_update_that_fails_keeps_the_old_state(run, tmp_path, monkeypatch):
    def fail(self, *args, **settings):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", fail)
        with pytest.raises(RunError, match="disk is full"):
            runs.update(run.path, status="running")
    assert runs.read(tmp_path, run.run_id) == run
    assert everything(run.path) == {"run.json"}
    assert runs.update(run.path, status="running").status == "running"


class Saved:
    """Stands for a model or a tokenizer."""

    def __init__(self, name: str, content: str) -> None:
        self.name, self.content = name, content

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / self.name).write_text(self.content)
        if self.content == "broken":
            raise OSError(errno.ENOSPC, "No space left on device")


def test_newer_weights_take_the_place_of_older_ones_or_leave_them(run):
    for content in ("old", "new"):
        runs.save_model(run.path, Saved("weights", content), Saved("tokens", content))
    assert (run.path / "model" / "weights").read_text() == "new"
    with pytest.raises(RunError, match="disk is full"):
        runs.save_model(run.path, Saved("weights", "newest"), Saved("tokens", "broken"))
    assert (run.path / "model" / "weights").read_text() == "new"
    assert everything(run.path) == {"run.json", "model", "model/weights", "model/tokens"}


def test_maps_read_as_they_were_written(run):
    arrays = {"xy": np.arange(12, dtype=np.float32).reshape(2, 3, 2), "trust": np.full((2, 2), 0.5)}
    assert runs.read_map(run.path, "tsne", "mean", 2) is None
    runs.write_map(run.path, "tsne", "mean", 2, arrays)
    stored = runs.read_map(run.path, "tsne", "mean", 2)
    assert stored is not None
    assert stored.keys() == arrays.keys()
    assert all(np.array_equal(stored[name], arrays[name]) for name in arrays)
    for other in (("pca", "mean", 2), ("tsne", "cls", 2), ("tsne", "mean", 12)):
        assert runs.read_map(run.path, *other) is None
    runs.write_map(run.path, "tsne", "mean", 2, {"xy": np.zeros((3, 3, 2), dtype=np.float32)})
    newer = runs.read_map(run.path, "tsne", "mean", 2)
    assert newer is not None
    assert newer["xy"].shape == (3, 3, 2)


def test_history_has_its_columns_from_the_beginning(run):
    assert tuple(runs.read_history(run.path)) == runs.HISTORY_COLUMNS
    assert runs.read_history(run.path).empty
    runs.write_history(run.path, pd.DataFrame([{"step": 1, "loss": 0.5}, {"step": 2}]))
    history = runs.read_history(run.path)
    assert tuple(history) == runs.HISTORY_COLUMNS
    assert history["step"].tolist() == [1, 2]
    assert history["loss"].isna().tolist() == [False, True]


def test_examples_keep_any_text(run):
    texts = ["a,b", 'say "hi"', "two\nlines", "Ñandú 😀", " ", "NA"]
    examples = pd.DataFrame(
        {"id": list("abcdef"), "split": "train", "text": texts, "label": range(6), "more": texts}
    )
    runs.write_examples(run.path, examples)
    stored = runs.read_examples(run.path)
    assert list(stored) == ["id", "split", "text", "label", "more"]
    assert stored["text"].tolist() == texts
    assert stored["more"].tolist() == texts


def test_a_missing_part_is_named(run):
    for read, name in (
        (lambda: runs.read_examples(run.path), "examples.parquet"),
        (lambda: runs.read_predictions(run.path, 3), "003/predictions.parquet"),
        (lambda: runs.read_hidden_states(run.path, 3, "mean", 0), "003/hidden_states.safetensors"),
    ):
        with pytest.raises(RunError, match=name) as caught:
            read()
        assert caught.value.hint.startswith("Delete the run, then start it again")


def test_a_damaged_file_that_can_be_made_anew_says_so_and_is(run):
    layout_of_run = runs.Layout(run.path)
    runs.write_label_ranking(run.path, pd.DataFrame({"row": [0]}), {"n_snapshots": 1})
    for file, read in (
        (layout_of_run.label_ranking, lambda: runs.read_label_ranking(run.path)),
        (layout_of_run.label_facts, lambda: runs.read_label_ranking(run.path)),
        (layout_of_run.mix(0, "mean"), lambda: runs.read_mix(run.path, 0, "mean")),
        (layout_of_run.map("tsne", "mean", 0), lambda: runs.read_map(run.path, "tsne", "mean", 0)),
        (
            layout_of_run.placed_test("tsne", "mean", 0),
            lambda: runs.read_placed_test(run.path, "tsne", "mean", 0),
        ),
    ):
        file.parent.mkdir(exist_ok=True)
        whole = file.read_bytes() if file.exists() else None
        file.write_bytes(b"no file of a run")
        with pytest.raises(RunError, match=file.name) as caught:
            read()
        assert caught.value.hint == "Delete that file in the run's folder: it is made anew."
        file.unlink()
        assert read() is None
        assert not runs.has_label_ranking(run.path) or whole is None
        if whole is not None:
            file.write_bytes(whole)


def test_of_a_ranking_that_is_there_only_the_facts_are_read(run, monkeypatch):
    facts = {"n_snapshots": 0, "learned_from": "train"}
    runs.write_label_ranking(run.path, pd.DataFrame({"row": [0]}), facts)
    monkeypatch.setattr(pd, "read_parquet", Mock(side_effect=AssertionError))
    assert exploring.has_current_ranking(run)


def test_the_settings_of_a_record_are_made_once(run, tmp_path, monkeypatch):
    make = Mock(wraps=RunConfig.from_dict)
    monkeypatch.setattr(RunConfig, "from_dict", make)
    runs.read(tmp_path, run.run_id)
    make.assert_called_once()


def test_what_would_be_refused_on_reading_is_not_written(run, tmp_path, toy_dataset):
    with pytest.raises(RunError, match="reason"):
        runs.update(run.path, reason="x" * 100_001)
    assert runs.read(tmp_path, run.run_id) == run
    with pytest.raises(ConfigError, match="1,001 characters"):
        RunConfig("x" * 1_001)


def test_a_run_that_was_stopped_early_by_nothing_has_all_its_steps(run, tmp_path):
    say(run, training={"total_steps": 7, "stopped_early": None})
    assert runs.read(tmp_path, run.run_id).trained_steps == 7
    say(run, training={"steps_per_epoch": 3})  # as of another version, or cut short by hand
    assert runs.read(tmp_path, run.run_id).trained_steps == 0


def test_damage_is_sought_in_a_run_as_it_is_now_and_never_while_it_is_going_on(run):
    layout_of_run = runs.Layout(run.path)
    runs.write_examples(run.path, pd.DataFrame({
        "id": PREDICTIONS["id"], "split": ["train", "val"] * 3, "text": list("abcdef"),
        "label": range(6),
    }))  # fmt: skip
    run = runs.update(
        run.path,
        label_names=list("abcdef"),
        encoder={"label": "x", "family": "BERT", "layers": LAYERS, "hidden_size": WIDTH,
                 "parameters": 1},
        training={"total_steps": 2, "steps_per_epoch": 2, "n_snapshots": 2},
    )  # fmt: skip
    earlier = runs.write_snapshot(run.path, SNAPSHOT, pooled(), PREDICTIONS)
    states = pooled(1)
    states["mean"][:] = np.nan
    runs.write_snapshot(run.path, Snapshot(1, 2, 1.0), states, PREDICTIONS)
    (layout_of_run.snapshots / ".002.new").mkdir()
    (layout_of_run.snapshots / "stranger").mkdir()
    assert first_damage(earlier) == ""  # it is going on
    runs.update(run.path, status="done")
    assert "stranger belongs to no snapshot" in first_damage(earlier)
    (layout_of_run.snapshots / "stranger").rmdir()
    assert first_damage(earlier) == ""  # values of states, which may take gigabytes, are not read
    layout_of_run.hidden_states(1).write_bytes(b"no states")
    assert first_damage(earlier).startswith("001/hidden_states.safetensors cannot be read")
