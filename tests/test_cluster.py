"""Where a process stands among others, and what they say to each other."""

from __future__ import annotations

from multiprocessing import Pipe

import numpy as np
import pytest

from layerviz import errors
from layerviz.cluster.messages import Line, Message, error_of, words_of
from layerviz.cluster.peers import first_of, peer_of
from layerviz.commands import COMMANDS
from layerviz.commands.run_together import expect_one_process, expect_plain_copies
from layerviz.config import RunConfig
from layerviz.errors import ConfigError, DivergedError, LayervizError
from layerviz.training import expect_even_shares

TORCHRUN = {
    "RANK": "3",
    "WORLD_SIZE": "4",
    "LOCAL_RANK": "1",
    "GROUP_RANK": "1",
    "MASTER_ADDR": "gpu1",
    "MASTER_PORT": "29400",
}
SRUN = {
    "SLURM_PROCID": "2",
    "SLURM_NTASKS": "8",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "1",
    "SLURM_NODELIST": "gpu[03-04,9],login1",
    "SLURM_JOB_ID": "1234567",
}


def test_torchrun_says_who_is_who() -> None:
    peer = peer_of(TORCHRUN)
    assert peer is not None
    assert (peer.rank, peer.world_size, peer.leads) == (3, 4, False)
    assert (peer.address, peer.port, peer.node) == ("gpu1", 29400, "1")


def test_srun_says_it_in_words_of_its_own() -> None:
    peer = peer_of(SRUN)
    assert peer is not None
    assert (peer.rank, peer.world_size, peer.address, peer.node) == (2, 8, "gpu03", "1")
    first = peer_of(SRUN | {"SLURM_PROCID": "0"})
    assert first is not None
    assert first.leads
    assert first.port == peer.port  # all of a job meet at one
    other = peer_of(SRUN | {"SLURM_JOB_ID": "1234568"})
    assert other is not None
    assert other.port != peer.port
    of_step = peer_of(SRUN | {"SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NODELIST": "a2"})
    assert of_step is not None
    assert (of_step.world_size, of_step.address) == (4, "a2")
    assert peer_of(TORCHRUN | SRUN) == peer_of(TORCHRUN)  # torchrun, started by srun


@pytest.mark.parametrize(
    "variables",
    [
        {},
        TORCHRUN | {"RANK": "0", "WORLD_SIZE": "1"},
        SRUN | {"SLURM_NTASKS": "1", "SLURM_PROCID": "0"},
        # A job's own script, and a shell in it, which are no tasks of srun.
        SRUN | {"SLURM_PROCID": "0", "SLURM_TASK_PID": "17"},
        SRUN | {"SLURM_PROCID": "0", "SLURM_STEP_ID": "4294967291"},
        {"SLURM_NTASKS": "8", "SLURM_JOB_ID": "1"},
    ],
)
def test_one_process_is_alone(variables: dict[str, str]) -> None:
    assert peer_of(variables) is None


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WORLD_SIZE": "2"}, "RANK is not set"),
        ({"WORLD_SIZE": "two", "RANK": "0"}, "WORLD_SIZE is 'two', which is no number"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "RANK is 2, but there are 2 processes"),
    ],
)
def test_variables_that_cannot_be_are_told(variables: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        peer_of(variables)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("gpu1", "gpu1"),
        ("gpu[03-05,9],login1", "gpu03"),
        ("gpu[7,9]", "gpu7"),
        ("a1,b[2-3]", "a1"),
        ("rack[1-2]node[01-04]", "rack1node01"),
        ("n[1-2]-ib", "n1-ib"),
    ],
)
def test_lists_of_machines_are_read(nodes: str, first: str) -> None:
    assert first_of(nodes) == first


def test_messages_and_their_arrays_come_whole() -> None:
    near, far = (Line(end) for end in Pipe())
    arrays: dict[str, np.ndarray] = {
        "states": np.arange(24, dtype=np.float16).reshape(2, 3, 4).swapaxes(0, 1),
        "none": np.zeros((0, 5), dtype=np.int64),
        "which": np.array([True, False]),
    }
    near.send(Message("captured", {"n": 3, "name": "ü"}, arrays))
    near.send(Message("go on"))
    message = far.receive()
    assert (message.what, message.words) == ("captured", {"n": 3, "name": "ü"})
    for name, array in arrays.items():
        assert message.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(message.arrays[name], array)
    assert far.receive() == Message("go on")


def test_errors_keep_their_kind() -> None:
    error = error_of(words_of(DivergedError("It diverged.", "Lower the rate.")))
    assert type(error) is DivergedError
    assert str(error) == "It diverged. Lower the rate."
    assert error.recurs
    unknown = error_of({"kind": "did_you_mean", "message": "?", "hint": ""})
    assert isinstance(unknown, LayervizError)
    assert isinstance(error_of(words_of(errors.Cancelled())), errors.Cancelled)


def test_what_several_processes_cannot_share_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    expect_one_process("pretrain")
    expect_plain_copies()
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="pretrain runs in one process, and 4 were started"):
        expect_one_process("pretrain")
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(ConfigError, match="FSDP is not supported"):
        expect_plain_copies()
    assert [name for name, one in COMMANDS.items() if one.alone] == ["pretrain", "bench"]


def test_batches_that_do_not_divide_are_refused() -> None:
    config = RunConfig("bert-mini", batch_size=32)
    expect_even_shares(config, 2)
    with pytest.raises(ConfigError, match="cannot be shared evenly by 3 processes") as caught:
        expect_even_shares(config, 3)
    assert caught.value.options == ("--batch-size 33",)
