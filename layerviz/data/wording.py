"""Lists of names and explanations, as notes and messages about data say them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from layerviz.wording import cut_in_middle, enumeration, quote

_SPACES = re.compile(r"^ +| +$| {2,}")


def quoted(names: Iterable[str], most: int = 5) -> str:
    """Return the first names in quotation marks, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(quote, names[:most])) + more


def quoted_apart(names: Iterable[str], most: int = 5) -> str:
    """Return the first names in quotation marks, with marks for what the eye does not see.

    Spaces at either end or beside another one are shown as "␣"; invisible characters, odd spaces
    and Unicode forms by their codes.
    """
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(f"'{_visibly(cut_in_middle(name))}'" for name in names[:most]) + more


def _visibly(name: str) -> str:
    is_composed = unicodedata.is_normalized("NFC", name)
    characters = []
    for char in name:
        kind = unicodedata.category(char)
        is_hidden = kind in ("Cc", "Cf") or (kind[0] == "Z" and char != " ")
        is_apart = kind == "Mn" and not is_composed
        is_form = unicodedata.normalize("NFKC", char) != char
        hidden = is_hidden or is_apart or is_form
        characters.append(char.encode("unicode_escape").decode() if hidden else char)
    return _SPACES.sub(lambda match: "␣" * len(match[0]), "".join(characters))


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
