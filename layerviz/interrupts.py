"""How every command ends when it is told to: by Ctrl-C, by SIGTERM, or as its terminal is closed.

Work that can be stopped in good order asks `stop_in_good_order`; a second signal, or one to any
other work, ends the program at once, with one sentence and the exit status of the signal. Nothing
is raised, so that no thread and no library can make a traceback of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
STOPPING = "Stopping. Finished work is kept, and the same command continues from there."
AGAIN = " Press Ctrl-C again to quit at once."
STOPPED = "\nStopped.\n"
ENDED_BY_SIGNAL = 128  # and the signal's number: the exit status, as shells write it

_owner = 0  # the process that installed the handlers: those that it forks only end
_newest: int | None = None
_stop: threading.Event | None = None
_before_end: list[Callable[[], object]] = []
_ends_anyway: Callable[[], bool] | None = None


def install() -> None:
    """Answer signals from now on; done before anything that takes long is imported."""
    global _owner, _stop, _newest
    _owner, _stop, _newest = os.getpid(), None, None
    for number in SIGNALS:
        # Who starts a program with nohup wants it to outlive its terminal.
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


def stop_in_good_order() -> Callable[[], bool]:
    """Let the first signal only be noted, until `work_is_over`; return what asks for it."""
    global _stop
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        install()
        _stop = stop
    return stop.is_set


@contextmanager
def first_ctrl_c_noted() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C within only be noted, for a program that is not ours; give what asks.

    A second one is what it was before, and so is any afterwards. Where another thread than the
    main one asks, nothing can be noted, and nothing changes.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield stop.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def work_is_over() -> None:
    """Let signals end the program at once again: nothing asks for them any more."""
    global _stop
    _stop = None


def end_at_next_signal(sentence: str) -> None:
    """Say that the program is ending; a signal while it does so ends it at once."""
    install()
    _say(f"{sentence}\n")


def exit_status() -> int:
    """Return the exit status of work that was stopped: 130 after Ctrl-C, 143 after SIGTERM."""
    return ENDED_BY_SIGNAL + (_newest or signal.SIGINT)


def before_end(callback: Callable[[], object]) -> None:
    """Have something done before the program ends at once, such as removing half a file."""
    _before_end.append(callback)


def ask_before_stopping(ends_anyway: Callable[[], bool] | None) -> None:
    """Have it asked, when a signal comes, whether the work has failed and says so by itself."""
    global _ends_anyway
    _ends_anyway = ends_anyway


def stop_as_told(number: int) -> None:
    """Do what a signal would do here that another process of the same command was sent."""
    global _newest
    if _stop is not None and _stop.is_set():
        return  # everybody was sent it
    _newest = number
    _stop_or_end(number)


def end_now(sentence: str, status: int) -> None:
    """Say something and end the program, whatever its threads are waiting for."""
    _say(sentence)
    _end(status)


def all_is_said() -> None:
    """Let Ctrl-C change nothing any more: the program is about to end.

    Python takes its own handlers back before that, but leaves a signal ignored that was. Whatever
    else ends programs does so at once, in case that threads keep this one.
    """
    for number in SIGNALS:
        is_ctrl_c = number == signal.SIGINT
        signal.signal(number, signal.SIG_IGN if is_ctrl_c else signal.SIG_DFL)


def _on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    global _newest
    _newest = number
    if os.getpid() != _owner:
        os._exit(ENDED_BY_SIGNAL + number)
    _stop_or_end(number)


def _stop_or_end(number: int) -> None:
    if _stop is not None and not _stop.is_set():
        _stop.set()
        if _ends_anyway is None or not _ends_anyway():
            _say(f"{STOPPING}{AGAIN if number == signal.SIGINT else ''}\n")
    else:
        _say(STOPPED)
        _end(ENDED_BY_SIGNAL + number)


def _end(status: int) -> None:
    for callback in _before_end:
        with suppress(Exception):
            callback()
    with suppress(Exception):
        import psutil

        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.terminate()
    os._exit(status)  # no thread is waited for, and none is left to complain


def _say(sentence: str) -> None:
    with suppress(OSError):  # past Python's buffers, which may be in use at this moment
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, sentence.encode())
