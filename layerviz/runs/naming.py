"""What a reader calls a run or a comparison."""

from __future__ import annotations

from layerviz.errors import ConfigError

MOST_LETTERS = 120


def checked_title(title: str) -> str:
    """Return a title in one line.

    Raises
    ------
    ConfigError
        If it is too long.
    """
    title = " ".join(title.split())
    if len(title) > MOST_LETTERS:
        raise ConfigError(
            f"The name has {len(title)} letters.", f"Give a name of at most {MOST_LETTERS}."
        )
    return title
