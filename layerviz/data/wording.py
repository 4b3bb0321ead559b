"""Lists of names and explanations, as notes and messages about data say them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from layerviz.wording import enumeration


def quoted(names: Iterable[str], most: int = 5) -> str:
    """Return the first names in quotation marks, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more


def one_sentence(problem: str, notes: Iterable[str]) -> str:
    """Return ``problem`` with the notes that may explain it in brackets, as a single sentence."""
    clauses = "; ".join(note[0].lower() + note[1:].removesuffix(".") for note in notes)
    return f"{problem} ({clauses})." if clauses else f"{problem}."


def first_lines(lines: Sequence[int], most: int = 5) -> str:
    """Return the first lines of a file by their numbers: "line 7", or "lines 3, 5 and 9 more"."""
    numbers = [f"{line:,}" for line in lines[:most]]
    if len(lines) > most:
        numbers.append(f"{len(lines) - most:,} more")
    return f"line{'' if len(lines) == 1 else 's'} {enumeration(numbers)}"
