"""One run on several processes is the run of one, and all of them end in good order."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_encoders import change_config
from torch import distributed
from waiting import wait_until

from layerviz import data, runs, separability, training
from layerviz.bench.torture.disks import fill, make_room, small_disk
from layerviz.bench.torture.toys import toy_csv, toy_encoder
from layerviz.config import RunConfig
from layerviz.data import Columns, Dataset
from layerviz.errors import ConfigError
from layerviz.runs import Run

pytestmark = pytest.mark.skipif(
    not distributed.is_available() or sys.platform != "linux",
    reason="needs torch.distributed, as built for Linux",
)

ROOT = Path(__file__).resolve().parents[1]
HOSTS = {"layerviz-a": "10.213.77.1", "layerviz-b": "10.213.77.2"}
# The last batch of 25 texts holds one, of which nothing is left to a second process.
CSV = toy_csv() + "\nd the walnut 9,c0,train\n"
SETTINGS: dict[str, Any] = {
    "batch_size": 12,
    "epochs": 2,
    "max_length": 16,
    "learning_rate": 0.01,
    "precision": "fp32",
}
FEW = {"max_captured": 10}  # where no state is looked at


@dataclass
class Processes:
    """Those of one command, by rank, or the launchers that started them."""

    all: list[subprocess.Popen[str]]
    runs: Path

    def wait_for_snapshot(self, index: int) -> None:
        def is_there() -> bool:
            assert all(process.poll() is None for process in self.all), self.ends()
            return bool(list(self.runs.glob(f"*/snapshots/{index:03}/probes.safetensors")))

        wait_until(is_there, seconds=100)

    def ends(self) -> list[tuple[int, str, str]]:
        """Return exit status, output and what was said, of each."""
        said = [process.communicate(timeout=100) for process in self.all]
        return [(one.returncode, *texts) for one, texts in zip(self.all, said, strict=True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny encoder that drops nothing out, and texts."""
    folder = tmp_path_factory.mktemp("many")
    # Each process drops out other units than one alone would.
    change_config(toy_encoder(folder), hidden_dropout_prob=0, attention_probs_dropout_prob=0)
    (folder / "toy.csv").write_text(CSV)
    return folder


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    table = data.read_table(CSV.encode(), "toy.csv")
    return data.build_dataset(table, Columns("text", "label", "split"))


def config(folder: Path, **settings: Any) -> RunConfig:
    encoder = str(folder / "tiny-encoder")
    return training.with_defaults(RunConfig(encoder, **SETTINGS | settings))


def arguments(folder: Path, runs_folder: Path, **settings: Any) -> list[str]:
    options = SETTINGS | settings
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    words += [f"--encoder={folder / 'tiny-encoder'}", f"--data={folder / 'toy.csv'}"]
    return ["-m", "layerviz", "fit", *words, f"--runs={runs_folder}"]


def start(command: Sequence[str], **environment: str) -> subprocess.Popen[str]:
    # With one thread, sums are taken in one order.
    common = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command,
        env={**os.environ, **common, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


@contextmanager
def under_slurm(folder: Path, runs_folder: Path, n: int, **settings: Any) -> Iterator[Processes]:
    """Start a run as srun does: every process by itself, so that each one's end is seen."""
    command = [sys.executable, *arguments(folder, runs_folder, **settings)]
    slurm = {"SLURM_NTASKS": str(n), "SLURM_NODELIST": "localhost", "MASTER_PORT": free_port()}
    processes = Processes([], runs_folder)
    try:
        for rank in range(n):
            own = {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)}
            processes.all.append(start(command, **slurm, **own))
        yield processes
    finally:
        for process in processes.all:
            process.kill()


@contextmanager
def two_hosts() -> Iterator[bool]:
    """Give two network namespaces, joined by a cable; yield False where that may not be."""
    with ExitStack() as undo:
        try:
            for name in HOSTS:
                ip("netns", "add", name)
                undo.callback(ip, "netns", "del", name)
            first, second = HOSTS
            ip(
                "-n",
                first,
                "link",
                "add",
                "cable",
                "type",
                "veth",
                "peer",
                "cable",
                "netns",
                second,
            )
            for name, address in HOSTS.items():
                ip("-n", name, "addr", "add", f"{address}/24", "dev", "cable")
                for card in ("lo", "cable"):
                    ip("-n", name, "link", "set", card, "up")
        except (OSError, subprocess.CalledProcessError):
            yield False
            return
        yield True


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def by_torchrun(folder: Path, runs_folder: Path, **settings: Any) -> tuple[str, int]:
    """Make a run on two processes, on two hosts where they can be had; return what was said, and
    how many hosts there were.
    """
    launcher = [sys.executable, "-m", "torch.distributed.run"]
    work = arguments(folder, runs_folder, **settings)
    with two_hosts() as apart:
        if not apart:
            both = start([*launcher, "--standalone", "--nproc-per-node=2", *work])
            ((status, _, said),) = Processes([both], runs_folder).ends()
            assert status == 0, said
            return said, 1
        launchers = Processes([], runs_folder)
        place = ["--nnodes=2", "--nproc-per-node=1", f"--master-addr={HOSTS['layerviz-a']}"]
        place.append(f"--master-port={free_port()}")
        for rank, name in enumerate(HOSTS):
            command = ["ip", "netns", "exec", name, *launcher, *place, f"--node-rank={rank}", *work]
            launchers.all.append(start(command, GLOO_SOCKET_IFNAME="cable"))
        ends = launchers.ends()
        assert [status for status, _, _ in ends] == [0, 0], ends
        assert ends[1][1] == ""
        return ends[0][2], 2


@pytest.fixture(scope="module")
def pair(folder: Path, dataset: Dataset) -> tuple[Run, Run, str, int]:
    """Return the run on one process, that on two, what was said, and the number of hosts."""
    settings = {"class_weighting": "balanced"}
    alone = training.fit(
        runs.create(folder / "alone", config(folder, **settings), dataset), dataset
    )
    said, n_hosts = by_torchrun(folder, folder / "both", **settings)
    return alone, runs.read(folder / "both", alone.run_id), said, n_hosts


def test_a_run_on_two_processes_is_the_run_on_one(pair: tuple[Run, Run, str, int]) -> None:
    alone, both, _, _ = pair
    assert both.status == "done"
    assert both.snapshots == alone.snapshots
    for snapshot in alone.snapshots:
        same = runs.read_pooled(both.path, snapshot.index)
        for pooling, states in runs.read_pooled(alone.path, snapshot.index).items():
            expect_same_states(same[pooling], states)
    losses = runs.read_history(alone.path)["loss"]
    np.testing.assert_allclose(runs.read_history(both.path)["loss"], losses, atol=1e-5)
    scores, same_scores = (runs.read_separability(run.path) for run in (alone, both))
    probes = scores["measure"] == "probe_macro_f1"
    np.testing.assert_allclose(same_scores["value"][probes], scores["value"][probes], atol=1e-6)
    assert sentences(both) == sentences(alone)


def expect_same_states(states: np.ndarray, others: np.ndarray) -> None:
    """Expect states that differ by two steps of float16 at most, below 1 by two steps at 1."""
    sizes = np.maximum(np.abs(others.astype(np.float32)), 1)
    steps = np.abs(states.astype(np.float32) - others) / np.spacing(sizes.astype(np.float16))
    assert steps.max() <= 2


def sentences(run: Run) -> list[str]:
    answer = separability.answer_of(run)
    decisions = separability.decisions_of(run, answer, [separability.MARGIN])
    return separability.lead_sentences(answer, next(iter(decisions), None))


def test_who_computed_a_run_is_recorded_and_said(pair: tuple[Run, Run, str, int]) -> None:
    alone, both, said, n_hosts = pair
    facts = both.training
    assert (facts["world_size"], facts["nodes"], facts["devices"]) == (2, n_hosts, {"cpu": 2})
    assert "pace" not in facts  # two are no measure of what one takes
    assert "2 processes share the run: each takes 6 of the 12 examples of a batch." in said
    assert "6 of the 12 examples" in training.sharing_sentence(both)
    assert training.sharing_sentence(alone) == ""
    assert said.count("Read toy.csv") == 1
    assert "Warning" not in said


def test_a_killed_process_ends_the_others_and_one_alone_goes_on(
    folder: Path, dataset: Dataset
) -> None:
    alone = training.fit(runs.create(folder / "alone3", config(folder, **FEW), dataset), dataset)
    root = folder / "killed"
    with under_slurm(folder, root, 3, **FEW) as processes:
        processes.wait_for_snapshot(1)
        processes.all[1].kill()
        ends = processes.ends()
    assert [status for status, _, _ in ends] == [2, -signal.SIGKILL, 2]
    last = ends[0][2].strip().splitlines()[-1]
    assert last.startswith("layerviz: The process of rank 1 (of 3, on ")
    assert "Traceback" not in ends[0][2]
    assert [text for _, out, said in ends[1:] for text in (out, said)] == [""] * 4
    run = runs.read(root, alone.run_id)
    assert run.status == "failed"
    assert run.reason in last
    finished = training.fit(run, dataset)
    assert finished.status == "done"
    expect_same_states(states_of(finished), states_of(alone))


def states_of(run: Run) -> np.ndarray:
    return runs.read_pooled(run.path, run.snapshots[-1].index)["mean"]


LONG = {**FEW, "epochs": 40}


@pytest.fixture(scope="module")
def stopped(folder: Path) -> tuple[Run, list[tuple[int, str, str]]]:
    """Return a run on two processes of which one was told to stop, and how both ended."""
    root = folder / "stopped"
    with under_slurm(folder, root, 2, **LONG) as processes:
        processes.wait_for_snapshot(0)
        processes.all[1].send_signal(signal.SIGTERM)
        ends = processes.ends()
    (run,) = runs.list_runs(root)
    return run, ends


def test_a_signal_to_one_process_stops_all(
    stopped: tuple[Run, list[tuple[int, str, str]]],
) -> None:
    run, ends = stopped
    assert [status for status, _, _ in ends] == [143, 143]
    assert ends[0][2].count("Stopping.") == 1
    assert ends[1][1:] == ("", "")
    assert run.status == "cancelled"


def test_a_full_disk_ends_all(
    stopped: tuple[Run, list[tuple[int, str, str]]], folder: Path
) -> None:
    with ExitStack() as stack:
        try:
            root = stack.enter_context(small_disk(folder / "disk"))
        except ConfigError as error:
            pytest.skip(str(error))
        run = stopped[0]
        shutil.copytree(run.path, root / run.run_id)
        with under_slurm(folder, root, 2, **LONG) as processes:
            processes.wait_for_snapshot(len(run.snapshots))
            fill(root)
            ends = processes.ends()
        assert [status for status, _, _ in ends] == [2, 2]
        said = ends[0][2].strip().splitlines()[-1]
        assert said.startswith("layerviz: The disk is full: ")
        assert "Traceback" not in ends[0][2]
        assert ends[1][1:] == ("", "")
        make_room(root)
        assert runs.read(root, run.run_id).status == "failed"
