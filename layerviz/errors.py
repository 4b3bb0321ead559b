"""What can go wrong through no fault of the program, each with the way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from layerviz.wording import named

ALIKE = 0.6  # of 1: names that share as much are guessed to be meant


class LayervizError(Exception):
    """An error that a user can cause and a user can fix.

    Parameters
    ----------
    message : str
        One sentence saying what is wrong.
    hint : str
        What to do about it, wherever that is done.
    options : tuple of str
        What to type on the command line for it: ``"--header-line 0"``. The page names its own
        controls instead, see `layerviz.ui.parts.controls`.

    Attributes
    ----------
    recurs : bool
        Whether the same data and settings would meet it again, so that trying once more is vain.
    """

    recurs = False

    def __init__(self, message: str, hint: str = "", options: Iterable[str] = ()) -> None:
        super().__init__(message, hint, tuple(options))
        self.message = message
        self.hint = hint
        self.options = tuple(options)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def with_ways(self, ways: Iterable[str]) -> str:
        """Return message and hint, and in brackets where to do what the hint says."""
        named = ", ".join(ways)
        return f"{str(self).removesuffix('.')} ({named})." if named else str(self)


class ConfigError(LayervizError):
    """A setting is out of its range, or two settings contradict each other."""

    recurs = True


class DataError(LayervizError):
    """A file cannot be read as a table of texts and labels.

    Attributes
    ----------
    choices : tuple of str
        What of how the file is read can be chosen: names of fields of `data.ReadingChoices`.
    """

    recurs = True
    choices: tuple[str, ...] = ()


class ReadingError(DataError):
    """A file cannot be read in the way that was guessed or chosen; another way may do."""


class EncoderError(LayervizError):
    """An encoder or its tokenizer cannot be had or is of the wrong kind."""

    recurs = True


class DownloadError(EncoderError):
    """An encoder could not be downloaded this time."""

    recurs = False


class RunError(LayervizError):
    """A run folder cannot be written, read or continued."""


class DiskFullError(RunError):
    """There is no room left on the disk."""


class MemoryShortageError(RunError):
    """There is not enough memory for what was asked for."""

    recurs = True


class DivergedError(RunError):
    """Training has led to a loss or to weights that are no finite numbers."""

    recurs = True


class Cancelled(LayervizError):
    """The user stopped the work; what was finished by then is kept."""

    def __init__(self) -> None:
        super().__init__("Cancelled.", "Everything captured so far is kept.")


def did_you_mean(
    name: object, names: Iterable[object], hint: str = "", alike: float = ALIKE
) -> str:
    """Return a hint that begins with the name that was probably meant, if there is one.

    Parameters
    ----------
    name : object
        What was given.
    names : iterable
        Those that there are.
    hint : str
        What else to say.
    alike : float
        How much of 1 two names have to share.
    """
    by_lower = {str(other).lower(): str(other) for other in names}
    closest = get_close_matches(str(name).lower()[:200], by_lower, n=1, cutoff=alike)
    guess = f"Did you mean {named(by_lower[closest[0]])}?" if closest else ""
    return f"{guess} {hint}".strip()


def reason(error: Exception) -> str:
    """Return what an error says, on one line and without its full stop."""
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
