"""Joining the processes of a command that was started several times over."""

from __future__ import annotations

import os
import sys

from layerviz.cluster.group import EXIT_FAILED, Follower, Leader
from layerviz.cluster.meeting import meet_all, meet_first
from layerviz.cluster.peers import Peer
from layerviz.errors import RunError

_leader: Leader | None = None


def lead(peer: Peer) -> Leader:
    """Wait for all other processes, and lead them from now on.

    Raises
    ------
    RunError
        If one does not come.
    """
    global _leader
    _leader = Leader(peer, meet_all(peer))
    return _leader


def leader() -> Leader | None:
    """Return the line to the other processes of this command; None where it is the only one."""
    return _leader


def follow(peer: Peer) -> Follower:
    """Fall silent, and wait for the first process.

    Raises
    ------
    RunError
        If it does not come.
    """
    try:
        line = meet_first(peer)
    except RunError:
        if peer.rank > 1:  # one of them says so
            os._exit(EXIT_FAILED)
        raise
    terminal = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for number in (1, 2):
        os.dup2(nowhere, number)
    return Follower(peer, line, terminal)
