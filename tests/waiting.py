"""Waiting for what happens in another thread, process or page, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
Pause = Callable[[float], None]

SECONDS_BETWEEN_LOOKS = 0.05


def wait_until(
    condition: Callable[[], Result],
    seconds: float = 180,
    *,
    why: Callable[[], object] = lambda: "nobody said why",
    pause: Pause = time.sleep,
) -> Result:
    """Return what a condition gives as soon as that is true.

    Parameters
    ----------
    condition : callable
        Asked again and again; it may raise where waiting on is of no use.
    seconds : float
        After which the test fails.
    why : callable
        What the failure says: how things stand then.
    pause : callable
        Lets some seconds pass. In a browser that is the page's own: during `time.sleep`, no event
        of the page arrives.
    """
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited for {seconds} s in vain: {why()}")
        pause(SECONDS_BETWEEN_LOOKS)
    return result


def wait_until_steady(
    value: Callable[[], object], seconds: float = 0.5, *, within: float = 60, pause: Pause
) -> None:
    """Wait until a value has stayed the same for some seconds, and at most until `within`."""
    seen, since = value(), time.monotonic()

    def is_steady() -> bool:
        nonlocal seen, since
        if (now := value()) != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since >= seconds

    wait_until(is_steady, within, why=lambda: f"it changes still, {seen!r} now", pause=pause)


def holds_for(condition: Callable[[], object], seconds: float, *, pause: Pause) -> bool:
    """Whether a condition holds for so long; that nothing happens can only be watched."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            return False
        pause(SECONDS_BETWEEN_LOOKS)
    return bool(condition())
