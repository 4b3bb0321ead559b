"""Which of several processes this one is, as torchrun, accelerate or SLURM tells it.

All of them say it by environment variables. SLURM's are given the names that torch knows, so that
whatever asks torch or accelerate afterwards finds one set of them.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass

from layerviz.errors import ConfigError

RANK, WORLD = "RANK", "WORLD_SIZE"
LOCAL_RANK, LOCAL_WORLD = "LOCAL_RANK", "LOCAL_WORLD_SIZE"
QUIET = ("TORCH_CPP_LOG_LEVEL", "ERROR")  # of torch's advice to programmers
ADDRESS, PORT = "MASTER_ADDR", "MASTER_PORT"
TORCH = (RANK, WORLD, LOCAL_RANK)
SLURM = ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID")
OF_STEP = "SLURM_STEP_NUM_TASKS"  # set by srun alone
STEP_IDS = ("SLURM_STEP_ID", "SLURM_STEPID")
TASKS_PER_NODE = ("SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE")  # such as "4(x2),3"
NODE_LISTS = ("SLURM_STEP_NODELIST", "SLURM_NODELIST", "SLURM_JOB_NODELIST")
FIRST_SPECIAL_STEP = 0xFFFFFFF0  # a job's script and an interactive shell are steps above it
FIRST_PORT, N_PORTS = 20_000, 10_000  # for SLURM, which names none: by the job, below what is lent
ADDRESS_HERE = "127.0.0.1"


@dataclass(frozen=True)
class Peer:
    """One process among those that compute a run together.

    Parameters
    ----------
    rank : int
        Its number, from 0; the first one leads.
    world_size : int
        How many there are, at least two.
    address : str
        The first process's machine, as the others reach it.
    port : int
        Where the processes meet there.
    node : str
        What tells its machine from the others'.
    """

    rank: int
    world_size: int
    address: str
    port: int
    node: str

    @property
    def leads(self) -> bool:
        """Whether it owns the run's folder and speaks for all."""
        return self.rank == 0


def peer_of(environment: Mapping[str, str]) -> Peer | None:
    """Return which process this is; None where it is the only one.

    Raises
    ------
    ConfigError
        If the variables contradict each other, or what they lack cannot be guessed.
    """
    if WORLD in environment:
        names = TORCH
    elif _is_task_of_slurm(environment):
        names = SLURM if OF_STEP not in environment else (SLURM[0], OF_STEP, SLURM[2])
    else:
        return None
    world_size = _number(environment, names[1])
    if world_size < 2:
        return None
    rank = _number(environment, names[0])
    if not 0 <= rank < world_size:
        raise ConfigError(
            f"{names[0]} is {rank}, but there are {world_size} processes ({names[1]}).",
            "Start them with torchrun, accelerate launch or srun.",
        )
    return Peer(
        rank=rank,
        world_size=world_size,
        address=environment.get(ADDRESS) or _first_node(environment),
        port=_number(environment, PORT, _port_of_job(environment)),
        node=environment.get("GROUP_RANK") or environment.get("SLURM_NODEID") or platform.node(),
    )


def launched_peer() -> Peer | None:
    """Do as `peer_of` for this process, and tell torch and accelerate in their own words."""
    peer = peer_of(os.environ)
    if peer is not None:
        os.environ[RANK], os.environ[WORLD] = str(peer.rank), str(peer.world_size)
        os.environ[ADDRESS], os.environ[PORT] = peer.address, str(peer.port)
        os.environ.setdefault(LOCAL_RANK, os.environ.get(SLURM[2], str(peer.rank)))
        os.environ.setdefault(LOCAL_WORLD, str(_tasks_here(os.environ, peer.world_size)))
        os.environ.setdefault(*QUIET)
    return peer


def first_of(nodes: str) -> str:
    """Return the first machine of a list as SLURM writes it: "gpu[03-05,9],login1" is gpu03."""
    first = re.split(r",(?![^\[]*\])", nodes.strip())[0]  # at commas outside brackets
    return re.sub(r"\[(\d+)[^\]]*\]", r"\1", first)


def _is_task_of_slurm(environment: Mapping[str, str]) -> bool:
    """Return whether srun started this; SLURM sets most variables for a job's script as well."""
    if not {*SLURM[:2]} <= set(environment):
        return False
    steps = [environment[name] for name in STEP_IDS if name in environment]
    if steps:
        return not (steps[0].isdecimal() and int(steps[0]) >= FIRST_SPECIAL_STEP)
    return OF_STEP in environment or "SLURM_TASK_PID" not in environment


def _first_node(environment: Mapping[str, str]) -> str:
    nodes = [environment[name] for name in NODE_LISTS if environment.get(name)]
    return first_of(nodes[0]) if nodes else ADDRESS_HERE


def _tasks_here(environment: Mapping[str, str], world_size: int) -> int:
    """Return how many processes share a machine, as far as that is said of all machines alike."""
    tasks = [environment[name] for name in TASKS_PER_NODE if environment.get(name)]
    number = re.match(r"\d+", tasks[0]) if tasks else None
    return int(number[0]) if number else world_size


def _port_of_job(environment: Mapping[str, str]) -> int:
    """Return a port that the processes of one job share, and others hardly do."""
    job = environment.get("SLURM_JOB_ID", "0")
    step = next((environment[name] for name in STEP_IDS if name in environment), "0")
    digits = (int(text) if text.isdecimal() else 0 for text in (job, step))
    return FIRST_PORT + sum(digits) % N_PORTS


def _number(environment: Mapping[str, str], name: str, otherwise: int | None = None) -> int:
    text = environment.get(name, "" if otherwise is None else str(otherwise))
    try:
        return int(text)
    except ValueError:
        raise ConfigError(
            f"{name} is {text!r}, which is no number." if text else f"{name} is not set.",
            "Start the processes with torchrun, accelerate launch or srun, which set it.",
        ) from None
