"""One command on many processes: who leads, what they say to each other, how all end together.

They are started by torchrun, accelerate or SLURM, on one machine or several. The first process
does what the command says; the others take part in its training and captures.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.cluster.group import LEAVE, Follower, Leader
    from layerviz.cluster.joining import follow, lead, leader
    from layerviz.cluster.messages import Message
    from layerviz.cluster.peers import Peer, launched_peer, peer_of
else:  # a command that is alone imports none of it
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "LEAVE",
    "Follower",
    "Leader",
    "Message",
    "Peer",
    "follow",
    "launched_peer",
    "lead",
    "leader",
    "peer_of",
]
