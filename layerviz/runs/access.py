"""A runs folder for many: only looked at, or one for each person who signs in."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from layerviz.errors import RunError

READ_ONLY_VARIABLE = "LAYERVIZ_READ_ONLY"  # environment variable
USERS = ".users"  # in the folder of all runs: a folder for each person
_LETTERS_OF_USER, _DIGITS_OF_USER = 40, 16
_OFF = {"", "0", "false", "no", "off"}


def is_switched_on(variable: str) -> bool:
    """Return whether an environment variable has a value, and none like "0" or "no"."""
    return os.environ.get(variable, "").strip().lower() not in _OFF


def is_read_only() -> bool:
    """Return whether runs are only looked at: ``LAYERVIZ_READ_ONLY``.

    What looking makes (measures that are missing, answers, maps, mixes and the ranking of labels)
    is still kept with a run, so that it is made once.
    """
    return is_switched_on(READ_ONLY_VARIABLE)


def expect_changes_allowed() -> None:
    """Let nothing be begun, added, renamed, decided or deleted where runs are only looked at.

    Raises
    ------
    RunError
        If that is so.
    """
    if is_read_only():
        raise RunError(
            f"Runs are only looked at here: {READ_ONLY_VARIABLE} is set.",
            "Export a run and open it in a layerviz of your own to go on with it.",
        )


def folder_of_user(root: Path, issuer: str, subject: str, name: str) -> Path:
    """Return the folder of the runs of somebody who signs in; it need not be there yet.

    Parameters
    ----------
    root : Path
        The folder of all runs.
    issuer, subject : str
        The claims "iss" and "sub": together they are one person's for good (OpenID Connect Core
        1.0, section 2).
    name : str
        By which people tell the folder; somebody whose name changes keeps the folder.
    """
    identity = hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:_DIGITS_OF_USER]
    users = root / USERS
    for folder in sorted(users.glob(f"*-{identity}")):
        return folder
    letters = re.sub(r"[^a-z0-9]+", "-", name.lower())[:_LETTERS_OF_USER].strip("-") or "user"
    return users / f"{letters}-{identity}"


def expect_not_of_others(encoder: str, root: Path) -> None:
    """Let nobody who signs in name a folder of somebody else's as an encoder.

    Parameters
    ----------
    encoder : str
        As somebody typed it, or as a run's record names it; it need not be a folder.
    root : Path
        The folder with the runs of whoever asks.

    Raises
    ------
    RunError
        If the encoder lies in the folder of all runs, and not in their own.
    """
    if root.parent.name != USERS:
        return
    try:
        folder = Path(encoder).expanduser().resolve()
        if _is_in(folder, root.parent.parent) and not _is_in(folder, root):
            raise RunError(
                "The encoder is a folder that is not among your own runs.",
                "Choose an encoder of the list, or a Hub id.",
            )
    except (OSError, ValueError, RuntimeError):  # it can be no folder, which is said elsewhere
        return


def _is_in(folder: Path, root: Path) -> bool:
    """Return whether a folder is another or lies in it, whatever the case of its letters."""
    return any(
        parent.exists() and root.exists() and parent.samefile(root)
        for parent in (folder, *folder.parents)
    )
