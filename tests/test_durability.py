"""Runs outlive deaths, deletions, second processes and full disks; the ordeals try the rest."""

from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from layerviz import checks, encoders, runs, training
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import DiskFullError, RunError
from layerviz.runs import Run, Snapshot, contents, folders, locking
from layerviz.runs.leftovers import aside
from layerviz.training.checkpoints import PICKLED, STATE, WEIGHTS, WHOLE, find_checkpoints
from layerviz.wording import data_size

CONFIG = RunConfig("scratch-bert", epochs=2)


@pytest.fixture
def run(tmp_path: Path, toy_dataset: Dataset) -> Run:
    return runs.create(tmp_path / "runs", CONFIG, toy_dataset)


def capture(run: Run, index: int) -> None:
    pooled = {"mean": np.zeros((2, 3, 4), np.float16)}
    predictions = pd.DataFrame({"id": list("abc"), "predicted": 0, "confidence": 0.5, "loss": 0.7})
    runs.write_snapshot(run.path, Snapshot(index, 3 * index, float(index)), pooled, predictions)


# --- snapshots ------------------------------------------------------------------------------


def test_a_snapshot_on_disk_is_listed_though_the_record_was_never_told(run: Run) -> None:
    runs.update(run.path, training={"snapshot_steps": [0, 3, 6], "steps_per_epoch": 3})
    for index in range(3):
        capture(run, index)
    listed = runs.open_folder(run.path).snapshots
    untold = [vars(snapshot) for snapshot in (listed[0], listed[2])]
    assert runs.update(run.path, snapshots=untold).snapshots == listed
    (run.layout.hidden_states(1)).write_bytes(b"half")
    assert [one.index for one in runs.open_folder(run.path).snapshots] == [0, 2]
    capture(run, 1)  # again, as what is not whole does not count
    assert runs.open_folder(run.path).snapshots == listed


# --- what is left over ----------------------------------------------------------------------


def dead(path: Path) -> Path:
    """Return a path that a process which is gone has written aside."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return path.with_name(path.name.replace(f"-{os.getpid()}-", f"-{process.pid}-"))


def test_what_a_dead_process_wrote_aside_goes_at_the_next_start(run: Run) -> None:
    other = multiprocessing.get_context("fork").Process(target=_sleep)
    other.start()
    try:
        being_written = aside(run.layout.record, "tmp")
        of_another = being_written.with_name(
            being_written.name.replace(f"-{os.getpid()}-", f"-{other.pid}-")
        )
        half, gone, old = (
            dead(aside(run.layout.model, "tmp")),
            dead(aside(run.path, "gone")),
            dead(aside(run.layout.model, "old")),
        )
        for folder in (half, gone, old):
            folder.mkdir()
            (folder / "file").write_text(folder.suffix)
        of_another.write_text("not done yet")
        runs.clean_up(run.path.parent)
        assert (
            run.layout.model / "file"
        ).read_text() == ".old"  # whole, and nothing took its place
        assert of_another.exists()
        assert not half.exists()
        assert not gone.exists()
    finally:
        other.kill()


def _sleep() -> None:
    time.sleep(60)


def test_what_a_deletion_left_is_never_met_again(run: Run, toy_dataset: Dataset) -> None:
    capture(run, 0)
    run.layout.record.unlink()  # as earlier versions left it where they died
    again = runs.create(run.path.parent, CONFIG, toy_dataset)
    assert again.snapshots == ()
    assert not again.layout.snapshots.exists()


def test_a_folder_of_other_things_is_not_taken_for_a_run(run: Run, toy_dataset: Dataset) -> None:
    run.layout.record.unlink()
    (run.path / "thesis.docx").write_text("mine")
    with pytest.raises(RunError, match=r"thesis\.docx"):
        runs.create(run.path.parent, CONFIG, toy_dataset)
    assert (run.path / "thesis.docx").read_text() == "mine"


def test_nothing_of_a_deleted_run_comes_back(run: Run) -> None:
    runs.update(run.path, status="cancelled")
    runs.delete(run.path.parent, run.run_id)
    frame = pd.DataFrame({name: [] for name in ("id", "split", "text", "label")})
    for write in (
        lambda: runs.write_map(run.path, "tsne", "mean", 1, {"xy": np.zeros((1, 2, 2), "f4")}),
        lambda: runs.write_examples(run.path, frame),
        lambda: runs.write_history(run.path, pd.DataFrame([{"step": 1}])),
        lambda: runs.write_label_ranking(run.path, frame, {}),
    ):
        with pytest.raises(RunError, match="deleted meanwhile"):
            write()
        assert not run.path.exists()


def test_runs_of_long_names_have_a_lock_each(tmp_path: Path) -> None:
    for letters in ("long" * 20, "longer" * 30):
        one, other = (tmp_path / f"{letters}-{seed:09d}" for seed in (1, 2))
        with locking.computing(one), locking.computing(other):
            assert locking.holder_of(one) is not None
            assert locking.holder_of(other) is not None


def test_a_folder_without_locks_is_used_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: object, timeout: float) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locking.FileLock, "acquire", refuse)
    with locking.computing(tmp_path / "run"):
        assert "has no locks" in caplog.text


def test_what_cannot_be_moved_is_removed_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()

    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "rename", refuse)
    runs.remove_folder(folder)
    assert not folder.exists()


def test_the_next_start_removes_what_a_finished_run_no_longer_needs(run: Run) -> None:
    for status in ("cancelled", "done"):
        runs.update(run.path, status=status)
        (run.layout.resume / "checkpoint-6").mkdir(parents=True, exist_ok=True)
        runs.tidy(run.path.parent)
        assert run.layout.resume.exists() == (status == "cancelled")


def test_a_finished_run_stays_done_where_its_state_cannot_be_removed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise RunError("It could not be removed.", "")

    monkeypatch.setattr(contents, "remove_folder", refuse)
    runs.remove_resume(run.path)
    runs.remove_weights(run.path, 0)


def test_a_second_tab_that_queues_a_run_keeps_it_from_deletion(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.update(run.path, status="cancelled")

    @contextlib.contextmanager
    def queued_meanwhile(path: Path, way_out: str):
        runs.update(path, status="queued")
        yield

    monkeypatch.setattr(folders, "taking", queued_meanwhile)
    with pytest.raises(RunError, match="still in progress"):
        runs.delete(run.path.parent, run.run_id)
    assert run.path.exists()


# --- one process at a time ------------------------------------------------------------------


def _hold(path: Path, ready, done) -> None:
    with locking.computing(path):
        ready.set()
        done.wait(60)


def test_who_comes_second_is_told_who_computes(
    run: Run, toy_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0.1)
    runs.update(run.path, status="cancelled")
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(run.path, ready, done))
    other.start()
    try:
        assert ready.wait(60)
        for begin in (
            lambda: runs.create(run.path.parent, CONFIG, toy_dataset),
            lambda: training.fit(run, toy_dataset),
            lambda: runs.delete(run.path.parent, run.run_id),
        ):
            with pytest.raises(RunError, match=f"process {other.pid} on") as told:
                begin()
        assert told.value.hint.endswith("then delete it.")
        assert runs.open_folder(run.path).status == "cancelled"
    finally:
        other.kill()
        other.join()
    runs.delete(run.path.parent, run.run_id)  # a lock ends with its process
    assert not run.path.exists()


def test_a_run_on_another_machine_lives_as_long_as_it_gives_signs_of_life(run: Run) -> None:
    values = json.loads(run.layout.record.read_text())
    process = values["process"] | {"host": "another"}
    run.layout.record.write_text(json.dumps(values | {"process": process, "status": "running"}))
    assert runs.open_folder(run.path).status == "failed"
    note = run.path.parent / ".locks" / f"{run.run_id}.json"
    now = run.layout.record.stat().st_mtime
    sign = {"host": "another", "pid": 7, "since": now, "seen": now}
    note.write_text(json.dumps(sign))
    assert runs.open_folder(run.path).live
    note.write_text(json.dumps(sign | {"seen": now - 3600}))
    assert not runs.open_folder(run.path).live


# --- checkpoints ----------------------------------------------------------------------------


def checkpoint(resume: Path, step: int) -> Path:
    folder = resume / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    for name in (WEIGHTS, *PICKLED):
        (folder / name).write_bytes(name.encode() * 50)
    (folder / STATE).write_text(json.dumps({"global_step": step}))
    digests = {file.name: training.checkpoints._digest(file) for file in folder.iterdir()}
    (folder / WHOLE).write_text(json.dumps(digests))
    return folder


def test_the_newest_whole_checkpoint_is_taken_and_the_rest_told(tmp_path: Path) -> None:
    older, newer = checkpoint(tmp_path, 6), checkpoint(tmp_path, 12)
    assert find_checkpoints(tmp_path).newest == newer
    assert find_checkpoints(tmp_path).sentence == ""
    for name in (WEIGHTS, STATE, WHOLE, *PICKLED):
        content = (newer / name).read_bytes()
        for damaged in (b"", content[:-1], content[:20] + b"x" + content[21:], b"{}"):
            (newer / name).write_bytes(damaged)
            found = find_checkpoints(tmp_path)
            assert found.newest == older, (name, damaged)
            assert "that of step 12" in found.sentence
            assert found.sentence.endswith("Training went on from that of step 6.")
        (newer / name).unlink()
        if name != WHOLE:  # without its list it is looked into, as one of an earlier version
            assert f"{name} is missing" in find_checkpoints(tmp_path).sentence
        assert find_checkpoints(tmp_path).newest == older
        (newer / name).write_bytes(content)
    (newer / "pytorch_model.bin").write_bytes(b"a pickle")
    assert "pytorch_model.bin was added" in find_checkpoints(tmp_path).sentence
    shutil.rmtree(older)
    assert "Training began anew" in find_checkpoints(tmp_path).sentence


def test_a_checkpoint_is_read_neither_through_a_link_nor_from_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = checkpoint(tmp_path / "elsewhere", 6)
    resume = tmp_path / "resume"
    resume.mkdir()
    (resume / elsewhere.name).symlink_to(elsewhere)
    assert "is a link" in find_checkpoints(resume).sentence
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")
    assert find_checkpoints(tmp_path / "linked").newest is None
    (elsewhere / WEIGHTS).rename(tmp_path / WEIGHTS)
    (elsewhere / WEIGHTS).symlink_to(tmp_path / WEIGHTS)
    assert f"{WEIGHTS} is a link" in find_checkpoints(elsewhere.parent).sentence
    own = checkpoint(tmp_path / "own", 6)
    monkeypatch.setattr(os, "geteuid", lambda: own.stat().st_uid + 1)
    assert "does not belong to you" in find_checkpoints(own.parent).sentence


# --- a full disk ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "kein Platz mehr"),
        RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0"),
    ],
    ids=["by its number", "by what is free"],
)
def test_a_full_disk_is_told_whatever_a_library_says(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    if not isinstance(error, OSError):
        monkeypatch.setattr("layerviz.disks.free_bytes", lambda path: 0)
    full = pytest.raises(DiskFullError, match=r"The disk is full: model could not be written\.")
    with full, runs.replacing(run.layout.model):
        raise error
    failure = training.as_layerviz_error(run.path, error)
    assert isinstance(failure, DiskFullError)
    assert "start the same run again" in failure.hint


def test_other_errors_are_not_taken_for_a_full_disk(run: Run) -> None:
    with pytest.raises(ZeroDivisionError), runs.replacing(run.layout.model):
        raise ZeroDivisionError


def test_a_run_that_does_not_fit_is_not_begun(
    tmp_path: Path, toy_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = checks.plan_for(RunConfig("bert-mini", epochs=2), toy_dataset)
    assert plan.space is not None
    checks.expect_room(plan, tmp_path)
    monkeypatch.setattr(
        "layerviz.checks.of_space.free_bytes", lambda path: plan.space.most - 2_000_000
    )
    with pytest.raises(DiskFullError, match="2 MB more than is free"):
        checks.expect_room(plan, tmp_path)
    assert checks.space_words(plan.space).endswith("of it for good")


def test_layers_that_are_left_out_or_frozen_take_less_room() -> None:
    encoder = encoders.describe("bert-mini")
    layers, width, parameters = encoder.layers, encoder.hidden_size, encoder.parameters
    assert layers is not None
    assert width is not None
    assert parameters is not None
    block, weights = 4 * 12 * width**2, 4 * parameters  # bytes

    def most(**settings: Any) -> int:
        config = RunConfig("bert-mini", epochs=2, **settings)
        room = training.expected_bytes(config, encoder, {"train": 30, "val": 10}, 2)
        assert room is not None
        return room.most

    # Two checkpoints at once, each with two moments of what is trained.
    frozen = 2 * 2 * (weights - (layers - 1) * block)
    assert most() - most(freeze=1) == pytest.approx(1.1 * frozen, rel=0.01)
    assert most() - most(keep_layers=layers - 1) > 1.1 * 7 * block


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(0, "0 kB"), (1, "1 kB"), (999_499, "1,000 kB"), (12e6, "12 MB"), (1.25e9, "1.2 GB")],
)
def test_amounts_of_data_are_never_nothing(n_bytes: float, words: str) -> None:
    assert data_size(int(n_bytes)) == words
