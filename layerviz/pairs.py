"""Two texts that belong together, as one: shown and searched whole, encoded as a pair."""

from __future__ import annotations

PAIR_MARK = "\N{SYMBOL FOR RECORD SEPARATOR}"  # between the texts of a pair, and in no other text
_BETWEEN = f" {PAIR_MARK} "


def pair_of(first: str, second: str) -> str:
    """Return a pair of texts as one."""
    return f"{first}{_BETWEEN}{second}"


def is_pair(text: str) -> bool:
    """Tell whether a text is a pair of texts."""
    return PAIR_MARK in text


def parts_of_pair(text: str) -> tuple[str, ...]:
    """Return the two texts of a pair, or the one of any other text."""
    if not is_pair(text):
        return (text,)
    first, _, second = text.partition(PAIR_MARK)
    return first.removesuffix(" "), second.removeprefix(" ")


def without_mark(text: str) -> str:
    """Return a text that is not taken for a pair."""
    return text.replace(PAIR_MARK, " ")
