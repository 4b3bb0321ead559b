"""A command that torchrun, accelerate or SLURM started several times over."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from layerviz import interrupts
from layerviz.commands.command import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_OK
from layerviz.errors import ConfigError

if TYPE_CHECKING:
    from layerviz.cluster import Peer

SHARDED = {
    "ACCELERATE_USE_FSDP": "FSDP",
    "ACCELERATE_USE_DEEPSPEED": "DeepSpeed",
    "ACCELERATE_USE_MEGATRON_LM": "Megatron-LM",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "Parallelism within the encoder",
}


def run_together(peer: Peer, run: Callable[[], int]) -> int:
    """Run a command on the first process, and have the others help; return the exit status.

    Parameters
    ----------
    peer : Peer
        Of this process.
    run : callable
        The command.

    Raises
    ------
    RunError
        If the processes do not find each other.
    """
    from layerviz import cluster

    if not peer.leads:
        return _help(peer)
    expect_plain_copies()
    leader = cluster.lead(peer)
    try:
        status = run()
    except SystemExit as error:  # of argparse
        status = error.code if isinstance(error.code, int) else EXIT_BAD_INPUT
    except BaseException:
        leader.end(EXIT_FAILED)
        raise
    leader.end(status)
    if status != EXIT_OK:  # at once: a launcher that saw another one end is about to end this one
        interrupts.end_now("", status)
    return status


def join_from_python() -> None:
    """Do for a program in Python what `run_together` does for a command.

    The program goes on in the first process; the others end with it.

    Raises
    ------
    LayervizError
        If the processes do not find each other.
    """
    from layerviz import cluster

    peer = cluster.launched_peer()
    if peer is None:
        return

    if not peer.leads:
        _help(peer)
    elif cluster.leader() is None:
        expect_plain_copies()
        atexit.register(cluster.lead(peer).end, EXIT_OK)


def _help(peer: Peer) -> int:
    from layerviz import cluster, training

    try:
        expect_plain_copies()
    except ConfigError:  # the first process says so
        os._exit(EXIT_BAD_INPUT)
    return training.help_with_training(cluster.follow(peer))


def expect_plain_copies() -> None:
    """Refuse ways of sharing an encoder's weights among processes, which captures do not know.

    Raises
    ------
    ConfigError
    """
    for variable, name in SHARDED.items():
        if os.environ.get(variable, "").lower() in ("1", "true", "yes"):
            raise ConfigError(
                f"{name} is not supported: every process holds the whole encoder.",
                "Start without it (accelerate config, or torchrun instead), or choose a smaller "
                "encoder.",
            )


def expect_one_process(name: str) -> None:
    """Refuse a command that cannot be shared, where there are several processes.

    Raises
    ------
    ConfigError
    """
    from layerviz import cluster

    peer = cluster.peer_of(os.environ)
    if peer is not None:
        raise ConfigError(
            f"{name} runs in one process, and {peer.world_size} were started.",
            "Start it without torchrun, accelerate launch or srun.",
        )
