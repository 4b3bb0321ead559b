"""Which code computed something: a name for the state of the sources that compute answers."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent
_ROOMS = ("separability", "runs", "data")  # and the modules that all rooms share


@cache
def code_version() -> str:
    """Return what changes with any line of the code that computes answers, within milliseconds.

    So nobody has to remember to raise a number when an answer comes out otherwise than before.
    """
    files = [*_PACKAGE.glob("*.py")]
    files += [file for room in _ROOMS for file in (_PACKAGE / room).rglob("*.py")]
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(_PACKAGE).as_posix()} {len(content)} ".encode() + content)
    return digest.hexdigest()
