"""What processes say to each other: a few words as JSON, and arrays as they are.

Nothing is pickled, so that whoever gets hold of a connection can make no object here.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from layerviz import errors
from layerviz.errors import LayervizError, RunError

MOST_BYTES = 64 * 1024 * 1024  # of words; arrays are as long as their shape says


@dataclass(frozen=True)
class Message:
    """One thing that is said.

    Parameters
    ----------
    what : str
        Its kind.
    words : dict
        Of whatever JSON holds.
    arrays : dict of str to ndarray
        Of numbers.
    """

    what: str
    words: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


class Line:
    """A connection to another process, on which messages stay whole.

    Parameters
    ----------
    connection : Connection
        Both sides know that the other one belongs here.

    Attributes
    ----------
    host : str
        The other one's machine, once it has said so.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection, self.host = connection, ""
        self._lock = threading.RLock()  # a signal may come while something is said

    def send(self, message: Message) -> None:
        """Say something.

        Raises
        ------
        OSError
            If nobody is there any more.
        """
        arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
        shapes = {name: [array.dtype.str, array.shape] for name, array in arrays.items()}
        text = json.dumps({"what": message.what, "words": message.words, "arrays": shapes})
        with self._lock:
            self.connection.send_bytes(text.encode())
            for array in arrays.values():
                if array.size:
                    self.connection.send_bytes(array.data.cast("B"))

    def receive(self) -> Message:
        """Return what is said next.

        Raises
        ------
        EOFError, OSError
            If the other one has gone.
        """
        values = json.loads(self.connection.recv_bytes(MOST_BYTES))
        arrays = {}
        for name, (kind, shape) in values["arrays"].items():
            arrays[name] = np.empty(shape, dtype=np.dtype(kind))
            if arrays[name].size:
                content = self.connection.recv_bytes()
                arrays[name] = np.frombuffer(content, dtype=kind).reshape(shape)
        return Message(values["what"], values["words"], arrays)


def words_of(error: LayervizError) -> dict[str, Any]:
    """Return an error in words."""
    return {"kind": type(error).__name__, "message": error.message, "hint": error.hint}


def error_of(words: Mapping[str, Any]) -> LayervizError:
    """Return the error that `words_of` put into words."""
    kind = getattr(errors, str(words["kind"]), RunError)
    if not (isinstance(kind, type) and issubclass(kind, LayervizError)):
        kind = RunError
    if kind is errors.Cancelled:
        return errors.Cancelled()
    return kind(str(words["message"]), str(words["hint"]))
