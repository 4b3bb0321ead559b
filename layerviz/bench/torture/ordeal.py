"""What an ordeal is: one promise, and a number of seeded attempts to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


class Broken(Exception):
    """A promise that an attempt has broken; its text says how."""


@dataclass(frozen=True)
class Attempt:
    """One attempt to break a promise.

    Parameters
    ----------
    name : str
        What is tried, in a few words; the same for the same seed, so that it can be tried again.
    work : callable
        Does it in an empty folder of its own. It returns if the promise held, and raises `Broken`
        if it did not; any other exception counts as a failure, too, with its type and its text.
    """

    name: str
    work: Callable[[Path], None]


@dataclass(frozen=True)
class Ordeal:
    """One promise, and how it is tried.

    Parameters
    ----------
    name : str
        What is typed after ``--only``.
    sentence : str
        What is done, and what must hold all the same.
    attempts : callable
        Takes a seed and a folder for what all attempts share, and yields them. That costs little:
        the work is done by those that are chosen. A `LayervizError` says why nothing can be tried
        on this machine.
    in_suite : int
        Attempts that the tests make; they should take a few seconds together.
    """

    name: str
    sentence: str
    attempts: Callable[[int, Path], Iterator[Attempt]]
    in_suite: int = 3


def expect(holds: object, otherwise: str) -> None:
    """Raise `Broken` with what is wrong unless this holds."""
    if not holds:
        raise Broken(otherwise)
