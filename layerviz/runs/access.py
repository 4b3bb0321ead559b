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
