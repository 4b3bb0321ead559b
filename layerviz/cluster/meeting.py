"""How processes that were started together find each other.

They meet at torch's own store. The first process then listens for the others, one connection for
each, which is for as long as the command lasts: when it closes, a process has ended, however that
was. Collective operations of torch are left to training, as they give up on whoever has something
else to do for long.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from multiprocessing.connection import Client, Connection, Listener
from typing import TYPE_CHECKING, TypeVar

from layerviz.cluster.messages import Line, Message
from layerviz.cluster.peers import Peer
from layerviz.errors import RunError

if TYPE_CHECKING:
    from torch.distributed import Store

MINUTES_TO_COME = 5.0  # a cluster may start processes one by one
SECONDS_BETWEEN_LOOKS = 0.02
WHERE, KEY = "where", "key"
KEY_BYTES = 32
HELLO = "hello"
T = TypeVar("T")


def meet_all(peer: Peer) -> dict[int, Line]:
    """Wait for all other processes; return a line to each, by its rank.

    Raises
    ------
    RunError
        If one does not come.
    """
    store = _store(peer)
    key = secrets.token_hex(KEY_BYTES).encode()
    with _listener(peer, key) as listener:
        store.set(WHERE, json.dumps(listener.address[1]))
        store.set(KEY, key.decode())
        _wait_for(store, [_sign_of(rank) for rank in range(1, peer.world_size)], peer)
        lines: dict[int, Line] = {}
        while len(lines) < peer.world_size - 1:
            with suppress(OSError, EOFError):  # whoever knocks and has no key
                line = Line(_in_time(listener.accept, peer))
                words = line.receive().words
                line.host = str(words["host"])
                lines[int(words["rank"])] = line
    return lines


def meet_first(peer: Peer) -> Line:
    """Return a line to the process that leads.

    Raises
    ------
    RunError
        If it does not come.
    """
    store = _store(peer)
    _wait_for(store, [WHERE, KEY], peer)
    port, key = json.loads(store.get(WHERE)), store.get(KEY)
    store.set(_sign_of(peer.rank), "1")

    def connected() -> Connection:
        return Client((peer.address, port), authkey=key)

    try:
        line = Line(_in_time(connected, peer))
        line.send(Message(HELLO, {"rank": peer.rank, "host": platform.node()}))
    except (OSError, EOFError) as error:
        raise RunError(
            f"Process 0 cannot be reached at {peer.address}, port {port}.",
            "The machines must reach each other on every port; see which address MASTER_ADDR is.",
        ) from error
    return line


def _store(peer: Peer) -> Store:
    from torch import distributed

    if not distributed.is_available():
        raise RunError("This PyTorch has no torch.distributed.", "Start one process alone.")

    def found() -> Store:
        wait = timedelta(minutes=MINUTES_TO_COME)
        met = distributed.rendezvous(
            "env://", rank=peer.rank, world_size=peer.world_size, timeout=wait
        )
        store: Store = next(met)[0]
        return store

    try:
        store = _in_time(found, peer)
    except (RuntimeError, ValueError, OSError) as error:
        raise _not_all(peer) from error
    # A launcher that starts all anew keeps its store.
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return distributed.PrefixStore(f"layerviz/{attempt}", store)


def _listener(peer: Peer, key: bytes) -> Listener:
    try:
        return Listener((peer.address, 0), backlog=peer.world_size, authkey=key)
    except OSError:  # a name that means another network card here
        return Listener(("", 0), backlog=peer.world_size, authkey=key)


def _sign_of(rank: int) -> str:
    return f"here{rank}"


def _wait_for(store: Store, keys: list[str], peer: Peer) -> None:
    until = time.monotonic() + 60 * MINUTES_TO_COME
    while not store.check(keys):
        if time.monotonic() > until:
            raise _not_all(peer)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _in_time(call: Callable[[], T], peer: Peer) -> T:
    """Call something that waits, in a thread, so that signals are answered meanwhile."""
    results: list[T] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work, name="layerviz-meeting", daemon=True)
    thread.start()
    until = time.monotonic() + 60 * MINUTES_TO_COME + 1
    while thread.is_alive() and time.monotonic() < until:
        thread.join(SECONDS_BETWEEN_LOOKS)
    if failures:
        raise failures[0]
    if not results:
        raise _not_all(peer)
    return results[0]


def _not_all(peer: Peer) -> RunError:
    return RunError(
        f"Not all of the {peer.world_size} processes came within {MINUTES_TO_COME:g} minutes "
        f"(to {peer.address}, port {peer.port}).",
        "Start all of them with torchrun, accelerate launch or srun, on machines that reach each "
        "other; for one process alone, start python -m layerviz without these.",
    )
