"""The processes of a command that was started several times over, as one of them sees them.

The first one does what the command says and owns the run's folder; the others do their share of
its training and captures when it tells them to. Waiting is done in Python, so that signals are
answered meanwhile, and for as long as it takes.
"""

from __future__ import annotations

import logging
import os
import platform
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import connection
from typing import NoReturn

from layerviz import interrupts
from layerviz.cluster.messages import Line, Message, error_of, words_of
from layerviz.cluster.peers import Peer
from layerviz.errors import DivergedError, LayervizError, RunError
from layerviz.progress import ShouldStop

log = logging.getLogger(__name__)

# What the first process says beside what is to be done, and the others beside their answers.
END, LEAVE = "end", "leave"
FAILED, STOP = "failed", "stop"
EXIT_FAILED = 2
GO_ON = "What was saved is kept: the same command continues from there, on any number of processes."
SECONDS_OF_GRACE = 5.0  # for the main thread to find out by itself that others are gone
SECONDS_TO_HEAR = 0.5  # a launcher that saw a process die tells the others to end, too
SECONDS_BETWEEN_LOOKS = 0.2


class Leader:
    """The first process, with a line to each of the others.

    Parameters
    ----------
    peer : Peer
    lines : dict of int to Line
        By rank.
    """

    def __init__(self, peer: Peer, lines: dict[int, Line]) -> None:
        self.peer, self._lines = peer, dict(sorted(lines.items()))
        self._inboxes: dict[int, queue.Queue[Message]] = {rank: queue.Queue() for rank in lines}
        self._failure: LayervizError | None = None
        self._failed = threading.Event()
        self._handled = threading.Event()
        self._ended = threading.Event()
        self._heard = False
        self.at_sudden_end: Callable[[LayervizError], object] | None = None
        interrupts.ask_before_stopping(self._is_failing)
        interrupts.before_end(lambda: self.end(interrupts.exit_status()))
        threading.Thread(target=self._listen, name="layerviz-group", daemon=True).start()

    @property
    def world_size(self) -> int:
        """How many processes there are, this one included."""
        return self.peer.world_size

    def tell(self, message: Message) -> None:
        """Tell all others what to do."""
        self.expect_all()
        for line in self._lines.values():
            try:
                line.send(message)
            except OSError:  # the listening thread says who
                self._failed.wait(SECONDS_OF_GRACE)
                self.expect_all()

    def answers(self) -> list[Message]:
        """Return what each of the others says next, by their ranks.

        Raises
        ------
        LayervizError
            If one of them fails or ends instead.
        """
        return [self._next_of(rank) for rank in self._lines]

    def _next_of(self, rank: int) -> Message:
        while True:
            self.expect_all()
            try:
                return self._inboxes[rank].get(timeout=SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                continue

    def expect_all(self) -> None:
        """Raise what ended another process, if one has ended."""
        if self._failure is not None:
            self._handled.set()
            raise self._failure

    def failure_behind(self, error: Exception) -> LayervizError | None:
        """Return what ended another process, where that is why something failed here."""
        if not isinstance(error, LayervizError):
            self._failed.wait(SECONDS_OF_GRACE / 2)  # torch may notice first
        if self._failure is not None:
            self._handled.set()
        return self._failure

    def stops(self, should_stop: ShouldStop) -> ShouldStop:
        """Return what asks whether to stop, here or because another process was told to."""

        def asked() -> bool:
            stop = should_stop()
            if stop and not self._heard:
                self._is_failing()
                self._heard = True
            self.expect_all()
            return stop

        return asked

    def end(self, status: int) -> None:
        """Tell all others that the command is over, and how."""
        if self._ended.is_set():
            return
        self._ended.set()
        interrupts.ask_before_stopping(None)
        for line in self._lines.values():
            try:
                line.send(Message(END, {"status": status}))
            except OSError:
                log.debug("a process has ended before it was told to")

    # In a thread of its own.

    def _listen(self) -> None:
        ranks = {line.connection: rank for rank, line in self._lines.items()}
        while ranks and not self._ended.is_set():
            for ready in connection.wait(list(ranks), timeout=SECONDS_BETWEEN_LOOKS):
                rank = ranks[ready]  # type: ignore[index]
                try:
                    self._hear(rank, self._lines[rank].receive())
                except (EOFError, OSError, ValueError, LookupError):
                    del ranks[ready]  # type: ignore[arg-type]
                    self._fail(self._lost(rank))

    def _hear(self, rank: int, message: Message) -> None:
        if message.what == STOP:
            interrupts.stop_as_told(int(message.words["signal"]))
        elif message.what == FAILED:
            trace = message.words.get("trace")
            if trace and self._failure is None:
                log.error("process %d failed:\n%s", rank, trace)
            self._fail(error_of(message.words))
        else:
            self._inboxes[rank].put(message)

    def _lost(self, rank: int) -> RunError:
        return RunError(_gone(rank, self.world_size, self._lines[rank].host), GO_ON)

    def _is_failing(self) -> bool:
        """Return whether another process has ended: a launcher that sees that stops all others.

        Asked by a handler of signals, too, so that no lock is taken.
        """
        until = time.monotonic() + SECONDS_TO_HEAR
        while self._failure is None and time.monotonic() < until:
            time.sleep(SECONDS_TO_HEAR / 20)
        return self._failure is not None

    def _fail(self, failure: LayervizError) -> None:
        if self._ended.is_set() or self._failure is not None:
            return
        self._failure = failure
        self._failed.set()
        threading.Thread(target=self._end_suddenly, name="layerviz-end", daemon=True).start()

    def _end_suddenly(self) -> None:
        """End this process where its main thread waits for one that is gone."""
        if self._handled.wait(SECONDS_OF_GRACE) or self._ended.is_set():
            return
        failure = self._failure
        if failure is None:
            return
        if self.at_sudden_end is not None:
            self.at_sudden_end(failure)
        self.end(EXIT_FAILED)
        interrupts.end_now(f"layerviz: {failure}\n", EXIT_FAILED)


class Follower:
    """Another process than the first, with a line to that one.

    Parameters
    ----------
    peer : Peer
    line : Line
    terminal : int
        A file descriptor to say there that the first process has gone; all else is quiet.
    """

    def __init__(self, peer: Peer, line: Line, terminal: int) -> None:
        self.peer, self._line, self._terminal = peer, line, terminal
        self._inbox: queue.Queue[Message] = queue.Queue()
        self._left = threading.Event()
        self._told_to_stop = False
        self.should_stop = interrupts.stop_in_good_order()
        threading.Thread(target=self._listen, name="layerviz-group", daemon=True).start()

    def next(self) -> Message:
        """Wait for what is to be done next."""
        while True:
            self.pass_on_signals()
            try:
                message = self._inbox.get(timeout=SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                continue
            self._left.clear()
            return message

    def pass_on_signals(self) -> None:
        """Tell the first process if this one was told to stop."""
        if self.should_stop() and not self._told_to_stop:
            self._told_to_stop = True
            self._say(Message(STOP, {"signal": interrupts.exit_status() - 128}))

    def should_leave(self) -> bool:
        """Whether what was begun is not wanted any more."""
        self.pass_on_signals()
        return self._left.is_set()

    def answer(self, message: Message) -> None:
        """Say what was asked for."""
        self._say(message)

    def fail(self, error: LayervizError, trace: str = "") -> NoReturn:
        """Tell the first process why nothing more will come from here, and end."""
        words = words_of(error)
        if not isinstance(error, DivergedError):  # which is everybody's
            where = f"Rank {self.peer.rank} of {self.peer.world_size}, on {platform.node()}"
            words["message"] = f"{where}: {error.message}"
        if trace:  # perhaps only because yet another one has gone, of which the first then says so
            time.sleep(2 * SECONDS_TO_HEAR)
        self._say(Message(FAILED, words | {"trace": trace}))
        time.sleep(SECONDS_TO_HEAR)  # or its end would be heard of first
        os._exit(EXIT_FAILED)

    def _say(self, message: Message) -> None:
        try:
            self._line.send(message)
        except OSError:  # the listening thread ends this process
            log.debug("the first process has gone")

    def _listen(self) -> None:
        while True:
            try:
                message = self._line.receive()
            except (EOFError, OSError, ValueError, LookupError):
                self._first_is_gone()
            if message.what == END:
                self._end(int(message.words["status"]))
            if message.what == LEAVE:
                self._left.set()
            else:
                self._inbox.put(message)

    def _end(self, status: int) -> NoReturn:
        """End after the first process, or a launcher would cut off what that one has to say."""
        with suppress(OSError, EOFError):
            if self._line.connection.poll(SECONDS_OF_GRACE):
                self._line.receive()
        os._exit(status)

    def _first_is_gone(self) -> NoReturn:
        if self.peer.rank == 1:
            sentence = _gone(0, self.peer.world_size, self.peer.address)
            os.write(self._terminal, f"layerviz: {sentence} {GO_ON}\n".encode())
        os._exit(EXIT_FAILED)


def _gone(rank: int, world_size: int, host: str) -> str:
    return (
        f"The process of rank {rank} (of {world_size}, on {host}) has ended unexpectedly, so the "
        "others have ended, too."
    )
